/// Which operations run on GPUs, and why the others do not.
public enum GPUCoverage {
    /// Names of the operations that have a kernel for GPUs, in the order of the alphabet.
    package static var withKernels: [String] {
        var names: [String] = []
        for operation in OperationCatalog.operations {
            let isView = operation.aliases[0] == 0 && operation.writes.isEmpty || operation.isVariable
            if !isView, operation.hostReason == nil { names.append(operation.name) }
        }
        return names.sorted()
    }

    /// Names of the operations that run on the CPU alone, by reason, both in the order of the alphabet.
    public static var hostOnly: [(reason: String, operations: [String])] {
        var result: [String: [String]] = [:]
        for operation in OperationCatalog.operations {
            if let reason = operation.hostReason { result[reason, default: []].append(operation.name) }
        }
        return result.map { ($0.key, $0.value.sorted()) }.sorted { $0.reason < $1.reason }
    }
}
