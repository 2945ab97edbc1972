internal import Dataflow

/// Whether a vertex is linear in what depends on examples: then the mean over workers may be taken before or after it.
enum LinearOperations {
    /// Linear in all inputs together.
    private static let additive: Set<String> = [
        "AddN", "Add", "AddV2", "Sub", "AccumulateNV2", "IdentityN", "Pack", "ConcatV2", "Concat", "BiasAdd",
    ]

    /// Linear in this one input, whatever the others are.
    private static let single: [String: Set<Int>] = [
        "Identity": [0], "Snapshot": [0], "StopGradient": [0], "PreventGradient": [0], "CheckNumerics": [0],
        "EnsureShape": [0], "Neg": [0], "Reshape": [0], "ExpandDims": [0], "Squeeze": [0], "Transpose": [0],
        "Sum": [0], "Mean": [0], "BroadcastTo": [0], "Tile": [0], "Slice": [0], "StridedSlice": [0], "Pad": [0],
        "GatherV2": [0], "Gather": [0], "GatherNd": [0], "Split": [1], "SplitV": [0], "Unpack": [0], "ReverseV2": [0],
        "UnsortedSegmentSum": [0], "SegmentSum": [0], "ScatterNd": [1], "Roll": [0], "MatrixBandPart": [0],
        "Cumsum": [0], "MatrixDiag": [0], "MatrixDiagPart": [0], "Mul": [0, 1], "MulNoNan": [0], "RealDiv": [0],
        "Div": [0], "DivNoNan": [0], "MatMul": [0, 1], "BatchMatMul": [0, 1], "BatchMatMulV2": [0, 1],
        "BatchMatMulV3": [0, 1], "Einsum": [0, 1],
    ]

    /// - Parameter dependent: the inputs that depend on the numbers of examples.
    static func isLinear(_ vertex: Vertex, in dependent: Set<Int>) -> Bool {
        if dependent.isEmpty { return true }
        let name = vertex.operation.name
        if additive.contains(name) { return true }
        if name == "Cast" { return vertex.inputs[0].dtype.isFloating && vertex.outputs[0].dtype.isFloating }
        return dependent.count == 1 && single[name]?.isSuperset(of: dependent) ?? false
    }
}
