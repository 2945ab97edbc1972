/// `StringJoin`: the strings at each place of its inputs, one after another, with `separator` between them. Scalars stand at
/// every place.
public enum StringJoin: StringOperation {
    public static let signature = Signature(
        ["inputs": "N * string"], to: ["output": "string"], defaults: ["separator": .string("")])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard !node.inputs.isEmpty else { throw GraphError("takes at least one input") }
        return [try joinedShape(node.inputs.map(\.shape))]
    }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let separator = Array(try call.attributes.string("separator").utf8)
        let shape = try joinedShape(call.inputs.map(\.shape))
        let parts = call.inputs.map { (strings: $0.knownStrings, isScalar: $0.shape.rank == 0) }
        let joined = (0..<(shape.elementCount ?? 0)).map { i in
            Array(parts.map { $0.strings[$0.isScalar ? 0 : i] }.joined(separator: separator))
        }
        return [call.texts(joined, shape)]
    }
}

/// `ReduceJoin`: the strings along the dimensions `reduction_indices` joined to one each, with `separator` between them. The
/// first of the dimensions named varies fastest.
public enum ReduceJoin: StringOperation {
    public static let signature = Signature(
        ["inputs": "string", "reduction_indices": "int32"], to: ["output": "string"],
        defaults: ["keep_dims": .bool(false), "separator": .string("")])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.shape(0).dimensions, let named = node.integers(1) else { return [.unknown] }
        let axes = Set(try axes(named, rank: extents.count))
        let keeps = try node.attributes.bool("keep_dims")
        return [
            Shape(
                extents.enumerated().compactMap { i, extent -> Int?? in
                    axes.contains(i) ? (keeps ? .some(1) : nil) : .some(extent)
                })
        ]
    }

    private static func axes(_ named: [Int], rank: Int) throws -> [Int] {
        let axes = try normalize(named, rank: rank)
        guard Set(axes).count == axes.count else { throw GraphError("a dimension is named twice in \(named)") }
        return axes
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (input, separator) = (call.inputs[0], Array(try call.attributes.string("separator").utf8))
        let extents = input.shape.knownExtents
        let axes = try axes(call.inputs[1].knownIntegers, rank: extents.count)
        let shape = try infer(
            ShapeContext(
                attributes: call.attributes, inputs: call.inputs.map { TensorSpec($0.dtype, $0.shape) },
                constants: call.inputs.map { $0 }))[0]
        let (strings, strides) = (input.knownStrings, input.shape.strides)
        let kept = extents.indices.filter { !axes.contains($0) }
        let joined = places(kept.reversed(), extents, strides)
        let along = places(axes, extents, strides)
        return [
            call.texts(
                joined.map { start in Array(along.map { strings[start + $0] }.joined(separator: separator)) }, shape)
        ]
    }

    /// Where the elements along some dimensions are. The first dimension varies fastest.
    private static func places(_ axes: [Int], _ extents: [Int], _ strides: [Int]) -> [Int] {
        axes.reduce([0]) { places, axis in
            (0..<extents[axis]).flatMap { i in places.map { $0 + i * strides[axis] } }
        }
    }
}
