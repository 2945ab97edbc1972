/// Which operations run on GPUs, and why the others do not.
public enum GPUCoverage {
    /// Why an operation runs on the CPU alone; nil if it has a kernel for GPUs (for float32 at least), or needs none.
    public static func reasonForCPU(_ operation: any Operation.Type) -> String? {
        switch operation {
        // Of the family of whole sequences, which have.
        case _ where operation == LSTMBlockCell.self: return "rare in training: no kernel yet"
        case is any GPUOperation.Type: return nil
        case is any ControlFlowOperation.Type, is any DynamicOperation.Type, is any ValueOperation.Type:
            return "decides what runs, calls, or keeps values: the host's work"
        // Views, and what is memory itself.
        case _ where operation.aliases[0] == 0 && operation.writes.isEmpty, _ where operation.isVariable: return nil
        case is any ElementwiseOperation.Type, is any ElementwiseUpdate.Type: return nil
        case is any HashingOperation.Type: return "works on texts, which the host keeps"
        case is any WholeTensorOperation.Type:
            return "looks for places and sets among indices, whose number only the run tells"
        default: break
        }
        if !operation.writes.isEmpty {
            return
                "writes rows in the order of their indices, which the CPU checks; a Variable that is written so stays there"
        }
        return reasons.first { $0.operations.contains(operation.name) }?.reason ?? "rare in training: no kernel yet"
    }

    private static let reasons: [(reason: String, operations: Set<String>)] = [
        (
            "computes shapes, indices or state, which TensorFlow keeps on the host too",
            [
                "Shape", "ShapeN", "Size", "Rank", "BroadcastGradientArgs", "BroadcastArgs", "ConcatOffset",
                "InvertPermutation", "VariableShape", "Range", "LinSpace", "UnravelIndex", "IsVariableInitialized",
                "VarIsInitializedOp", "RandomUniformInt", "Bincount", "DenseBincount",
            ]
        ),
        (
            "has a result whose shape depends on values",
            [
                "Where", "Unique", "UniqueV2", "UniqueWithCounts", "UniqueWithCountsV2", "ListDiff",
                "DenseToDenseSetOperation", "DynamicPartition", "SparseSegmentSum", "SparseSegmentMean",
                "SparseSegmentSqrtN",
            ]
        ),
        (
            "draws by rejection, and looks things up in sets: a few numbers, which the host draws as TensorFlow's does",
            [
                "UniformCandidateSampler", "LogUniformCandidateSampler", "LearnedUnigramCandidateSampler",
                "ThreadUnsafeUnigramCandidateSampler", "FixedUnigramCandidateSampler", "AllCandidateSampler",
            ]
        ),
        (
            "ends the run where it finds what must not be, which a queue cannot",
            ["CheckNumerics", "CheckNumericsV2"]
        ),
        ("is no computation: fed, known, or an order", ["Placeholder", "PlaceholderV2", "Const", "NoOp"]),
    ]

    /// Names of the operations that have a kernel for GPUs, in the order of the alphabet.
    package static var withKernels: [String] {
        var names: [String] = []
        for operation in OperationCatalog.operations {
            let isView = operation.aliases[0] == 0 && operation.writes.isEmpty || operation.isVariable
            if !isView, reasonForCPU(operation) == nil { names.append(operation.name) }
        }
        return names.sorted()
    }

    /// Names of the operations that run on the CPU alone, by reason, both in the order of the alphabet.
    public static var hostOnly: [(reason: String, operations: [String])] {
        var result: [String: [String]] = [:]
        for operation in OperationCatalog.operations {
            if let reason = reasonForCPU(operation) { result[reason, default: []].append(operation.name) }
        }
        return result.map { ($0.key, $0.value.sorted()) }.sorted { $0.reason < $1.reason }
    }
}
