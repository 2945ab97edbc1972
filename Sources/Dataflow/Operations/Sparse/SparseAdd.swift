/// `SparseAdd`: the sum of two sparse tensors of one shape, each in order; as in TensorFlow, where both have an element and
/// the sum's magnitude is below `thresh`, it is left out.
public enum SparseAdd: WholeTensorOperation {
    public static let signature = Signature(
        [
            "a_indices": "int64", "a_values": "T", "a_shape": "int64", "b_indices": "int64", "b_values": "T",
            "b_shape": "int64", "thresh": "Treal",
        ], to: ["sum_indices": "int64", "sum_values": "T", "sum_shape": "int64"],
        types: ["T": DType.signed, "Treal": DType.numbers])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let rank = try SparseParts.check(node).rank ?? SparseParts.check(node, first: 3).rank
        _ = try node.shape(6, rank: 0, "'thresh'")
        return [[nil, rank], [nil], [rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let (a, b) = (try SparseParts(call, name: "a"), try SparseParts(call, first: 3, name: "b"))
        guard a.shape == b.shape, call.inputs[6].elementCount == 1 else {
            throw GraphError(
                "the sparse tensors must be of one shape and 'thresh' one number, got \(a.shape), \(b.shape) and "
                    + "\(call.inputs[6].shape)")
        }
        let pairs = SparseParts.merge(a, b)
        let (kept, values) = try Sums(
            a: a.values, b: b.values, pairs: pairs, threshold: call.inputs[6].knownDoubles[0]
        ).run(a.values.dtype)
        let indices = kept.flatMap { i in pairs[i].a.map(a.place) ?? pairs[i].b.map(b.place) ?? [] }
        return SparseParts(indices: indices, values: values, shape: a.shape).tensors
    }

    private struct Sums: NumberWork {
        let a: Tensor
        let b: Tensor
        let pairs: [(a: Int?, b: Int?)]
        let threshold: Double

        func run<Scalar: NumericScalar>(_ type: Scalar.Type) -> (kept: [Int], values: Tensor) {
            let (x, y) = (a.elements(of: type), b.elements(of: type))
            let sums = pairs.map { pair -> Scalar in
                switch (pair.a, pair.b) {
                case (let i?, let j?): Scalar.wrappingAdd(x[i], y[j])
                case (let i?, nil): x[i]
                case (nil, let j?): y[j]
                case (nil, nil): Scalar(0.0)
                }
            }
            let kept = sums.indices.filter {
                pairs[$0].a == nil || pairs[$0].b == nil || threshold <= abs(sums[$0].asDouble)
            }
            return (kept, Tensor(kept.map { sums[$0] }))
        }
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        var result = [Node?](repeating: nil, count: 7)
        guard node.hasUpstream(1) else { return result }
        let slopes = apply(
            SparseAddGrad.self, [node.upstream(1), node.input(0), node.input(3), node.output(0)]
        ).vertex
        (result[1], result[4]) = (slopes.output(0), slopes.output(1))
        return result
    }
}

/// `SparseAddGrad`: the gradients of `SparseAdd` by the values of both; 0 for elements that the sum left out.
public enum SparseAddGrad: WholeTensorOperation {
    public static let signature = Signature(
        ["backprop_val_grad": "T", "a_indices": "int64", "b_indices": "int64", "sum_indices": "int64"],
        to: ["a_val_grad": "T", "b_val_grad": "T"], types: ["T": DType.signed])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(0, rank: 1, "'backprop_val_grad'")
        let indices = try (1...3).map { try node.shape($0, rank: 2, "'\(signature.inputs[$0].name)'") }
        return [[indices[0][0]], [indices[1][0]]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let shapes = call.inputs.dropFirst().map(\.shape)
        guard shapes.allSatisfy({ $0.rank == 2 && $0[1] == shapes[0][1] }), call.inputs[0].shape == [shapes[2][0]],
            let rank = shapes[0][1]
        else {
            throw GraphError(
                "the indices must have the shape [n, rank], and 'backprop_val_grad' a number for each of 'sum_indices'; got "
                    + call.inputs.map { "\($0.shape)" }.joined(separator: ", "))
        }
        func places(_ i: Int) -> [[Int]] {
            let all = call.inputs[i].knownIntegers
            return (0..<(call.inputs[i].shape[0] ?? 0)).map { Array(all[$0 * rank..<($0 + 1) * rank]) }
        }
        let rows = Dictionary(zip(places(3), 0...), uniquingKeysWith: { first, _ in first })
        // Behind the gradients lies the 0 of those that were left out.
        let padded = Tensor.joining([call.inputs[0], .zeros(call.inputs[0].dtype, sized: [1])])
        return (1...2).map { i in padded.picking(places(i).map { rows[$0] ?? padded.elementCount - 1 }) }
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        throw GraphError("\(name) has no gradient, as in TensorFlow")
    }
}
