/// `DynamicStitch`: slices of several tensors put at the places that indices name; of two at one place the later stays.
///
/// Places that no index names are zeros; TensorFlow leaves them undefined.
public enum DynamicStitch: Operation {
    public static let signature = Signature(
        ["indices": "N * int32", "data": "N * T"], to: ["merged": "T"], types: ["T": DType.moved])

    /// One more than the largest index, then the dimensions that each `data` has beyond its indices'.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = node.inputs.count / 2
        guard count >= 1 else { throw GraphError("takes at least one tensor of indices and one of data") }
        var slice = Shape.unknown
        for i in 0..<count {
            let (indices, data) = (node.shape(i), node.shape(count + i))
            guard let rank = indices.rank, let extents = data.dimensions else { continue }
            guard rank <= extents.count, Shape(Array(extents[..<rank])).isCompatible(with: indices) else {
                throw GraphError("the shape of 'data' \(i), \(data), must begin with that of its indices, \(indices)")
            }
            let own = Shape(Array(extents[rank...]))
            guard let merged = slice.merged(with: own) else {
                throw GraphError("'data' \(i) has slices of the shape \(own), those before it \(slice)")
            }
            slice = merged
        }
        guard let extents = slice.dimensions else { return [.unknown] }
        var rows: Int? = 0
        for i in 0..<count {
            rows = if let known = rows, let own = node.integers(i) { max(known, (own.max() ?? -1) + 1) } else { nil }
        }
        return [Shape([rows] + extents)]
    }

    /// The slices that each tensor gave.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let indices = node.inputs[..<(node.inputs.count / 2)]
        return indices.map { _ in nil } + indices.map { gather(node.upstream(), $0) }
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let count = binding.inputs.count / 2
        let extents = binding.outputs[0].shape.knownExtents
        let bytes = extents.dropFirst().reduce(1, *) * binding.outputs[0].dtype.size
        let parts = (0..<count).map {
            (index: IndexInput(binding, $0), rows: binding.count($0), data: binding.input(count + $0))
        }
        let (clear, out) = (binding.clearing(), binding.output())
        return { memory in
            try clear(memory)
            for (i, part) in parts.enumerated() {
                for row in 0..<part.rows {
                    let place = part.index.read(memory, row)
                    guard place >= 0, place < extents[0] else {
                        throw GraphError("indices \(i)[\(row)] = \(place) is not in [0, \(extents[0]))")
                    }
                    (memory.raw(out) + place * bytes)
                        .copyMemory(from: memory.raw(part.data) + row * bytes, byteCount: bytes)
                }
            }
        }
    }
}

/// The slices of all `data` at the places that the `indices` beside them name; TensorFlow's `tf.dynamic_stitch`.
///
/// Lists of different lengths are a mistake of the graph; empty ones, which tell no graph, of the programmer.
public func dynamicStitch(
    _ indices: [any Operand], _ data: [any Operand], name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    apply(DynamicStitch.self, indices + data, ["N": .int(indices.count)], name, file, line)
}
