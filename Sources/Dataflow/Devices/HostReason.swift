/// Why operations run on the CPU alone: the texts of `Operation.hostReason`.
enum HostReason {
    static let indices = "computes shapes, indices or state, which TensorFlow keeps on the host too"
    static let values = "decides what runs, calls functions, or keeps values: the host's work"
    static let resultShape = "has a result whose shape depends on values"
    static let search = "searches among indices; only the run tells how many results there are"
    static let sampling =
        "draws classes by rejection and looks them up in sets: a few numbers, which the host draws as TensorFlow does"
    static let check = "ends the run when it finds a bad value, which a GPU's queue cannot do"
    static let nothing = "computes nothing: it is fed, known before the run, or only orders others"
    static let texts = "works on texts, which the host keeps"
    static let rows =
        "writes rows in the order of their indices, which the CPU checks; a Variable that is written so stays there"
    static let noKernel = "is rare in training: no kernel yet"

    /// The reason of an operation that does not say its own.
    static func standard(_ operation: any Operation.Type) -> String? {
        switch operation {
        case is any GPUOperation.Type, is any ElementwiseOperation.Type, is any ElementwiseUpdate.Type: nil
        // A view of its input, and a Variable's own memory: nothing is computed.
        case _ where operation.aliases[0] == 0 && operation.writes.isEmpty, _ where operation.isVariable: nil
        case _ where !operation.writes.isEmpty: rows
        default: noKernel
        }
    }
}
