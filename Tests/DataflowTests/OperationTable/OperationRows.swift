import Dataflow

/// What the op table needs to know of single operations, each with its reason.
enum OperationRows {
    /// The operations "XGrad" that the gradients in the file of X run.
    static let gradients = Set(
        OperationCatalog.operations.map { $0.name }.filter { name in
            guard name.hasSuffix("Grad"), let file = try? VectorFile(String(name.dropLast(4))) else { return false }
            return file.cases.contains { $0.gradient != nil }
        })

    /// Operations that have points without a derivative, at which central differences say nothing.
    static let kinks: [String: String] = [
        "Abs": "at 0", "Sign": "jumps at 0", "Relu": "at 0", "Relu6": "at 0 and 6", "LeakyRelu": "at 0",
        "Elu": "bends at 0", "Selu": "at 0", "Softsign": "bends at 0", "Max": "where two elements are the largest",
        "Min": "where two elements are the smallest", "Maximum": "where both are equal",
        "Minimum": "where both are equal",
        "ClipByValue": "at the limits", "MaxPool": "where two elements of a window are the largest",
        "TopKV2": "where two elements are equal", "DivNoNan": "at a divisor of 0", "FloorMod": "at multiples",
        "SegmentMax": "where two elements are the largest", "SegmentMin": "where two elements are the smallest",
        "UnsortedSegmentMax": "where two elements are the largest",
        "UnsortedSegmentMin": "where two elements are the smallest",
        "TensorScatterMax": "where two elements are the largest",
        "TensorScatterMin": "where two elements are the smallest", "NthElement": "where two elements are equal",
    ]

    /// Gradients that need an input known while the graph is built, so that it cannot be fed.
    static let gradientNeedsConstants: [String: String] = [
        "Sum": "the axes", "Mean": "the axes", "Max": "the axes", "Min": "the axes", "Prod": "the axes",
        "GatherV2": "the axis", "EuclideanNorm": "the axes",
    ]

    /// Gradients that need an input's rank known while the graph is built.
    static let gradientNeedsRanks: [String: String] = [
        "GatherV2": "to see params as rows along another axis than 0", "Qr": "the extents, as in TensorFlow",
        "SparseToDense": "to tell whether there is one value for all places",
    ]

    /// Results further from TensorFlow's than 1e-5, and why.
    static let tolerance: [String: Double] = [:]

    /// Names that `tf.raw_ops` gives to inputs that the graph's format calls otherwise; they go by position.
    static let renamedInputs: Set<[String]> = [
        ["axis", "dim"], ["axis", "reduction_indices"], ["axis", "split_dim"], ["axis", "dimension"],
        ["x", "t"], ["y", "e"], ["condition", "input"],
    ]
}
