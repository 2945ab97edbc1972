/// `TopKV2`: the `k` largest elements of each row of the last dimension, largest first, and where they are.
/// Of equal elements the one of lower index comes first.
public enum TopKV2: Operation, NumericKernel {
    public static let signature = Signature(
        ["input": "T", "k": "Tk"], to: ["values": "T", "indices": "index_type"],
        types: ["T": DType.numbers, "Tk": DType.indices, "index_type": DType.indices],
        defaults: ["sorted": .bool(true), "Tk": .type(.int32), "index_type": .type(.int32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(1, rank: 0, "'k'")
        return try largestShapes(node, k: node.integer(1))
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] { [largestGradient(node), nil] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        binding.outputs[1].dtype == .int64
            ? largestKernel(type, Int64.self, binding) : largestKernel(type, Int32.self, binding)
    }
}

/// `NthElement`: the element of each row of the last dimension that would be at place `n` if the row were sorted, ascending
/// or (`reverse`) descending.
public enum NthElement: Operation, NumericKernel {
    public static let signature = Signature(
        ["input": "T", "n": "int32"], to: ["values": "T"], types: ["T": DType.numbers],
        defaults: ["reverse": .bool(false)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(1, rank: 0, "'n'")
        guard let dimensions = node.shape(0).dimensions else { return [.unknown] }
        guard let last = dimensions.last else { throw GraphError("the input must have at least rank 1") }
        if let n = try node.integer(1), n < 0 || n >= last ?? .max {
            throw GraphError("'n' is \(n), the rows of the shape \(node.shape(0)) have \(last ?? 0) elements")
        }
        return [Shape(Array(dimensions.dropLast()))]
    }

    /// Equal shares for all elements of the value.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let x = node.input(0)
        let isValue = cast(equal(expandDims(node.output(), axis: -1), x), to: x.dtype)
        return [isValue / sum(isValue, axes: [-1], keepDims: true) * expandDims(node.upstream(), axis: -1), nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (input, place, output) = (binding.input(0), IndexInput(binding, 1), binding.output())
        let (rows, length) = (binding.outputCount(), binding.inputs[0].shape.knownExtents.last ?? 1)
        let isReversed = try binding.attributes.bool("reverse")
        return { memory in
            let n = place.read(memory, 0)
            guard n >= 0, n < length else {
                throw GraphError("'n' is \(n), the rows have \(length) elements")
            }
            for row in 0..<rows {
                let x = UnsafeBufferPointer(start: memory.pointer(input, Scalar.self) + row * length, count: length)
                memory.pointer(output, Scalar.self)[row] = x.sorted()[isReversed ? length - 1 - n : n]
            }
        }
    }
}

private func largestShapes(_ node: ShapeContext, k: Int?) throws -> [Shape] {
    guard var dimensions = node.shape(0).dimensions else { return [.unknown, .unknown] }
    guard let last = dimensions.last else { throw GraphError("the input must have at least rank 1") }
    if let k, k < 0 || k > last ?? k {
        throw GraphError("'k' is \(k), the rows of the shape \(node.shape(0)) have \(last ?? 0) elements")
    }
    dimensions[dimensions.count - 1] = k
    return [Shape(dimensions), Shape(dimensions)]
}

/// Every gradient added where the value came from.
private func largestGradient(_ node: GradientContext) -> Node {
    let x = node.input(0)
    let graph = node.graph
    let last = dimension(shape(x), -1)
    let rows = size(sum(x, axes: [-1]))
    let starts = range(0, rows) * last
    let pairs = stack([rows, dimension(shape(node.output(1)), -1)])
    let ids = expandDims(starts, axis: 1) + reshape(cast(node.output(1), to: .int32), pairs)
    let count = reshape(size(node.output(1)), [1])
    let flat = graph.add(
        UnsortedSegmentSum.self, [reshape(node.upstream(), count), reshape(ids, count), size(x)])
    return reshape(flat.node, shape(x))
}

private func largestKernel<Scalar: NumericScalar, Index: TensorScalar & FixedWidthInteger>(
    _ type: Scalar.Type, _ index: Index.Type, _ binding: KernelBinding
) -> Kernel {
    let n = binding.inputs[0].shape.knownExtents.last ?? 1
    let k = binding.outputs[0].shape.knownExtents.last ?? 1
    let rows = binding.inputs[0].shape.knownExtents.dropLast().reduce(1, *)
    let (input, values, indices) = (binding.input(0), binding.output(0), binding.output(1))
    return { memory in
        for row in 0..<rows {
            let x = memory.pointer(input, Scalar.self) + row * n
            let order = (0..<n).sorted { x[$0] > x[$1] || (x[$0] == x[$1] && $0 < $1) }
            for i in 0..<k {
                memory.pointer(values, Scalar.self)[row * k + i] = x[order[i]]
                memory.pointer(indices, Index.self)[row * k + i] = Index(order[i])
            }
        }
    }
}

/// The `k` largest elements of each row of the last dimension, largest first, and their indices; `tf.math.top_k`.
public func topK(
    _ x: any Operand, k: Int, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> (values: Node, indices: Node) {
    let vertex = apply(TopKV2.self, [x, Tensor.small(k)], [:], name, file, line).vertex
    return (vertex.output(0), vertex.output(1))
}
