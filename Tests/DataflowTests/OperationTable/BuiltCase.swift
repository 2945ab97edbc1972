import Dataflow

/// A case of a vector file as a graph of one operation.
struct BuiltCase {
    let graph = Graph()
    let inputs: [Node]
    let vertex: Vertex
    private(set) var feeds: Feeds = [:]

    /// - Parameters:
    ///   - dtype: what float32 inputs become, if not nil.
    ///   - unshaped: feed without telling the shape.
    ///   - isFed: whether a tensor is fed rather than a constant.
    init(
        _ operation: any Operation.Type, _ row: VectorFile.Case, dtype: DType?, unshaped: Bool = false,
        isFed: (Tensor) -> Bool
    ) throws {
        var nodes: [Node] = []
        for tensor in row.tensors {
            let value = try dtype.map { try BuiltCase.convert(tensor, to: $0) } ?? tensor
            if isFed(tensor) {
                let node = graph.placeholder(value.dtype, unshaped ? .unknown : value.shape)
                feeds[node] = value
                nodes.append(node)
            } else {
                nodes.append(graph.constant(value))
            }
        }
        inputs = nodes
        vertex = graph.add(operation, nodes, row.attributes(of: operation))
    }

    static func convert(_ tensor: Tensor, to dtype: DType) throws -> Tensor {
        try tensor.dtype == .float32 ? .numbers(tensor.doubles, dtype: dtype, sized: tensor.shape) : tensor
    }

    /// The gradients of output 0, weighted by `upstream`, for the inputs at `positions`.
    func gradients(_ positions: [Int], upstream: Tensor) -> [Node?] {
        graph.gradients(
            of: [vertex.output(0)], by: positions.map { inputs[$0] }, upstream: [graph.constant(upstream)])
    }
}
