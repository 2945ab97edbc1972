/// `SparseReorder`: the elements of a sparse tensor in the order of their places, row-major.
public enum SparseReorder: WholeTensorOperation {
    public static let signature = Signature(
        ["input_indices": "int64", "input_values": "T", "input_shape": "int64"],
        to: ["output_indices": "int64", "output_values": "T"], types: ["T": DType.moved])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let (count, rank) = try SparseParts.check(node)
        return [[count, rank], [count]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let parts = try SparseParts(call)
        let order = parts.sorted()
        return [
            Tensor(int64: order.flatMap(parts.place), sized: [parts.count, parts.rank]), parts.values.picking(order),
        ]
    }

    /// What arrives goes back to where each element was: the numbers of the elements are reordered the same way.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        guard node.hasUpstream(1) else { return [nil, nil, nil] }
        let numbers = range(0, size(node.input(1)))
        let order = apply(SparseReorder.self, [node.input(0), numbers, node.input(2)]).vertex.output(1)
        return [nil, gather(node.upstream(1), apply(InvertPermutation.self, [order])), nil]
    }
}
