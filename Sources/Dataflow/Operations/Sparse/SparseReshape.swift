/// `SparseReshape`: the places of a sparse tensor's elements under another shape of as many elements; one extent may
/// be −1 for what is left; and that shape.
public enum SparseReshape: WholeTensorOperation {
    public static let signature = Signature(
        ["input_indices": "int64", "input_shape": "int64", "new_shape": "int64"],
        to: ["output_indices": "int64", "output_shape": "int64"])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let indices = try node.shape(0, rank: 2, "'input_indices'")
        let old = try node.shape(1, rank: 1, "'input_shape'")
        let new = try node.shape(2, rank: 1, "'new_shape'")
        guard Shape([indices[1]]).isCompatible(with: [old[0]]) else {
            throw GraphError("'input_indices' must have a column for each of 'input_shape', got \(indices) and \(old)")
        }
        return [[indices[0], new[0]], [new[0]]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let (old, wanted) = (try call.vector(1, "input_shape"), try call.vector(2, "new_shape"))
        let indices = call.inputs[0]
        guard indices.shape.rank == 2, indices.shape[1] == old.count, let count = indices.shape[0] else {
            throw GraphError("'input_indices' must have the shape [n, \(old.count)], got \(indices.shape)")
        }
        guard Shape.isAddressable(old) else { throw GraphError("'input_shape' is no shape: \(old)") }
        let new = try complete(wanted, elements: old.reduce(1, *), of: old)
        let shape = Tensor(int64: new, sized: [new.count])
        if old == new { return [Tensor(int64: indices.knownIntegers, sized: indices.shape), shape] }
        let (from, to) = (Shape(old).strides, Shape(new).strides)
        let places = indices.knownIntegers
        var result: [Int] = []
        result.reserveCapacity(count * new.count)
        for i in 0..<count {
            var place = 0
            for d in old.indices {
                let index = places[i * old.count + d]
                guard index >= 0, index < old[d] else {
                    throw GraphError("input_indices[\(i), \(d)] = \(index) is not within the shape \(old)")
                }
                place += index * from[d]
            }
            for d in new.indices {
                result.append(place / to[d])
                place %= to[d]
            }
        }
        return [Tensor(int64: result, sized: [count, new.count]), shape]
    }

    /// The new shape with its −1 worked out.
    private static func complete(_ wanted: [Int], elements: Int, of old: [Int]) throws -> [Int] {
        let mistake = GraphError("a sparse tensor of shape \(old) cannot be given the shape \(wanted)")
        let open = wanted.indices.filter { wanted[$0] == -1 }
        var known = wanted
        for i in open { known[i] = 1 }
        guard open.count <= 1, Shape.isAddressable(known) else { throw mistake }
        let product = known.reduce(1, *)
        if let open = open.first {
            guard product > 0, elements % product == 0 else { throw mistake }
            known[open] = elements / product
        } else if product != elements {
            throw mistake
        }
        return known
    }
}
