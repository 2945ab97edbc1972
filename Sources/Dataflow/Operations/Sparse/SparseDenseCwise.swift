private let cwiseSignature = Signature(
    ["sp_indices": "int64", "sp_values": "T", "sp_shape": "int64", "dense": "T"], to: ["output": "T"],
    types: ["T": DType.numbers])

/// `SparseDenseCwiseAdd`: to each element of a sparse tensor that of a dense one, which broadcasts to its shape, at its place.
public enum SparseDenseCwiseAdd: SparseDenseOperation {
    public static let signature = cwiseSignature
    static func combine<Scalar: NumericScalar>(_ a: Scalar, _ b: Scalar) -> Scalar { Scalar.wrappingAdd(a, b) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        throw GraphError("\(name) has no gradient, as in TensorFlow")
    }
}

/// `SparseDenseCwiseMul`: as `SparseDenseCwiseAdd`, the product.
public enum SparseDenseCwiseMul: SparseDenseOperation {
    public static let signature = cwiseSignature
    static func combine<Scalar: NumericScalar>(_ a: Scalar, _ b: Scalar) -> Scalar { Scalar.wrappingMultiply(a, b) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        slopes(node, byValue: { dy, _, dense in dy * dense }, byDense: { dy, value, _ in dy * value })
    }
}

/// `SparseDenseCwiseDiv`: as `SparseDenseCwiseAdd`, the quotient.
public enum SparseDenseCwiseDiv: SparseDenseOperation {
    public static let signature = cwiseSignature
    static func combine<Scalar: NumericScalar>(_ a: Scalar, _ b: Scalar) -> Scalar {
        guard Scalar.dtype.isFloating else { return Scalar.divide(a, by: Int(b.asDouble)) }
        return Scalar(a.asDouble / b.asDouble)
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        slopes(
            node, byValue: { dy, _, dense in dy / dense },
            byDense: { dy, value, dense in dy * (-value / square(dense)) })
    }
}

/// An operation on the elements of a sparse tensor and those of a dense one at the same places.
protocol SparseDenseOperation: WholeTensorOperation {
    static func combine<Scalar: NumericScalar>(_ a: Scalar, _ b: Scalar) -> Scalar
}

extension SparseDenseOperation {
    static func shapes(_ node: ShapeContext) throws -> [Shape] { [[try SparseParts.check(node).count]] }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let parts = try SparseParts(call, name: "sp")
        let dense = call.inputs[3]
        let extents = dense.shape.knownExtents
        guard extents.count <= parts.rank,
            zip(extents, parts.shape.suffix(extents.count)).allSatisfy({ $0 == 1 || $0 == $1 })
        else { throw GraphError("the dense shape \(extents) does not broadcast to the sparse one \(parts.shape)") }
        return [try Combination<Self>(parts: parts, dense: dense).run(dense.dtype)]
    }

    /// As TensorFlow's: by the sparse values, and by the dense ones those that were used, added up where they were repeated.
    static func slopes(
        _ node: GradientContext, byValue: (_ dy: Node, _ value: Node, _ dense: Node) -> Node,
        byDense: (_ dy: Node, _ value: Node, _ dense: Node) -> Node
    ) -> [Node?] {
        let (indices, value, dense) = (node.input(0), node.input(1), node.input(3))
        let (sparseShape, denseShape) = (node.input(2), shape(dense, as: .int64))
        let added = reshape(size(sparseShape) - size(denseShape), [1])
        let augmented = concat([fill(added, node.graph.constant(Int64(1))), denseShape], axis: 0)
        let zero = node.graph.constant([Int32(0)])
        // An extent of 0 has no elements to divide the places of.
        let scale = maximum(floorDiv(sparseShape, maximum(augmented, onesLike(augmented))), onesLike(augmented))
        let places = slice(
            floorDiv(indices, scale), begin: concat([zero, added], axis: 0),
            size: node.graph.constant([Int32(-1), Int32(-1)]))
        let used = gatherNd(dense, places)
        let dy = node.upstream()
        let slope = apply(
            SparseTensorDenseAdd.self, [places, byDense(dy, value, used), denseShape, zerosLike(dense)])
        return [nil, byValue(dy, value, used), nil, slope]
    }
}

private struct Combination<Operation: SparseDenseOperation>: NumberWork {
    let parts: SparseParts
    let dense: Tensor

    func run<Scalar: NumericScalar>(_ type: Scalar.Type) throws -> Tensor {
        let (extents, strides) = (dense.shape.knownExtents, dense.shape.strides)
        let first = parts.rank - extents.count
        let (values, others) = (parts.values.elements(of: type), dense.elements(of: type))
        return Tensor(
            values.indices.map { i in
                let place = extents.indices.reduce(0) { so, d in
                    so + (extents[d] == 1 ? 0 : parts[i, first + d] * strides[d])
                }
                return Operation.combine(values[i], others[place])
            })
    }
}
