private let pairSignature = Signature(
    [
        "a_indices": "int64", "a_values": "T", "a_shape": "int64", "b_indices": "int64", "b_values": "T",
        "b_shape": "int64",
    ], to: ["output_indices": "int64", "output_values": "T"], types: ["T": DType.numbers])

/// `SparseSparseMaximum`: the larger of the elements of two sparse tensors of one shape, each in order; where one of them has
/// none it counts 0.
public enum SparseSparseMaximum: WholeTensorOperation {
    public static let signature = pairSignature
    static func shapes(_ node: ShapeContext) throws -> [Shape] { try pairShapes(node) }
    static func compute(_ call: WholeTensors) throws -> [Tensor] { try merged(call, largest: true) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        throw GraphError("\(name) has no gradient, as in TensorFlow")
    }
}

/// `SparseSparseMinimum`: as `SparseSparseMaximum`, the smaller of the elements.
public enum SparseSparseMinimum: WholeTensorOperation {
    public static let signature = pairSignature
    static func shapes(_ node: ShapeContext) throws -> [Shape] { try pairShapes(node) }
    static func compute(_ call: WholeTensors) throws -> [Tensor] { try merged(call, largest: false) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        throw GraphError("\(name) has no gradient, as in TensorFlow")
    }
}

private func pairShapes(_ node: ShapeContext) throws -> [Shape] {
    let rank = try SparseParts.check(node).rank ?? SparseParts.check(node, first: 3).rank
    return [[nil, rank], [nil]]
}

private func merged(_ call: WholeTensors, largest: Bool) throws -> [Tensor] {
    let (a, b) = (try SparseParts(call, name: "a"), try SparseParts(call, first: 3, name: "b"))
    guard a.shape == b.shape else {
        throw GraphError("the sparse tensors must be of one shape, got \(a.shape) and \(b.shape)")
    }
    let pairs = SparseParts.merge(a, b)
    let values = try Extremes(a: a.values, b: b.values, pairs: pairs, largest: largest).run(a.values.dtype)
    let indices = pairs.flatMap { pair in pair.a.map(a.place) ?? pair.b.map(b.place) ?? [] }
    return [Tensor(int64: indices, sized: [pairs.count, a.rank]), values]
}

private struct Extremes: NumberWork {
    let a: Tensor
    let b: Tensor
    let pairs: [(a: Int?, b: Int?)]
    let largest: Bool

    func run<Scalar: NumericScalar>(_ type: Scalar.Type) -> Tensor {
        let (x, y) = (a.elements(of: type), b.elements(of: type))
        return Tensor(
            pairs.map { pair in
                let (p, q) = (pair.a.map { x[$0] } ?? Scalar(0.0), pair.b.map { y[$0] } ?? Scalar(0.0))
                return largest ? (p > q ? p : q) : (p < q ? p : q)
            })
    }
}

extension SparseParts {
    /// The elements of two sparse tensors of one rank, each in order, those of one place together.
    static func merge(_ a: SparseParts, _ b: SparseParts) -> [(a: Int?, b: Int?)] {
        var result: [(a: Int?, b: Int?)] = []
        var (i, j) = (0, 0)
        while i < a.count || j < b.count {
            let order = i == a.count ? 1 : j == b.count ? -1 : order(a, i, b, j)
            result.append((order <= 0 ? i : nil, order >= 0 ? j : nil))
            if order <= 0 { i += 1 }
            if order >= 0 { j += 1 }
        }
        return result
    }
}
