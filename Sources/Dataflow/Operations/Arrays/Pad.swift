/// `Pad`: the input in a border of zeros: `paddings[i]` says how many before and after along dimension i.
public enum Pad: Operation {
    public static let signature = Signature(
        ["input": "T", "paddings": "Tpaddings"], to: ["output": "T"],
        types: ["T": DType.moved, "Tpaddings": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try padded(node)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [unpadded(node), nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let copy = try padding(binding)
        let clear = binding.clearing()
        return { memory in
            try clear(memory)
            try copy(memory)
        }
    }
}

/// `PadV2`: the input in a border of `constant_values`, a scalar.
public enum PadV2: Operation, MovingKernel {
    public static let signature = Signature(
        ["input": "T", "paddings": "Tpaddings", "constant_values": "T"], to: ["output": "T"],
        types: ["T": DType.moved, "Tpaddings": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(2, rank: 0, "'constant_values'")
        return [try padded(node)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [unpadded(node), nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.moving(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Element: BitwiseCopyable>(_ type: Element.Type, _ binding: KernelBinding) throws -> Kernel {
        let copy = try padding(binding)
        let (value, out, count) = (binding.input(2), binding.output(), binding.outputCount())
        return { memory in
            let element = memory.raw(value).load(as: Element.self)
            memory.raw(out).assumingMemoryBound(to: Element.self).update(repeating: element, count: count)
            try copy(memory)
        }
    }
}

private func padded(_ node: ShapeContext) throws -> Shape {
    let shape = node.shape(0)
    guard let paddings = node.integers(1) else { return shape.rank.map(Shape.unknown(rank:)) ?? .unknown }
    let rank = paddings.count / 2
    guard node.shape(1).isCompatible(with: [rank, 2]), shape.rank ?? rank == rank, paddings.allSatisfy({ $0 >= 0 })
    else {
        throw GraphError(
            "'paddings' must be a matrix of two numbers of at least 0 for each dimension of the shape \(shape),"
                + " got \(paddings) of shape \(node.shape(1))")
    }
    return Shape((0..<rank).map { i in shape[i].map { $0 + paddings[2 * i] + paddings[2 * i + 1] } })
}

private func padding(_ binding: KernelBinding) throws -> Kernel {
    try binding.late([1]) { try paddingCopy($0).kernel($0) }
}

/// The copy of the input into the middle of the output.
private func paddingCopy(_ binding: KernelBinding) throws -> StridedCopy {
    let paddings = try binding.integers(1)
    let (shape, strides) = (binding.inputs[0].shape, binding.outputs[0].shape.strides)
    let offset = strides.indices.reduce(0) { $0 + paddings[2 * $1] * strides[$1] }
    return StridedCopy(shape.knownExtents, from: shape.strides, to: strides, toOffset: offset)
}

extension Pad: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try paddingCopy(binding).gpuIntoZeros(binding) }
}

extension PadV2: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        var program = GPUProgram(binding.gpuFill(with: .input(2)))
        let size = binding.outputs[0].dtype.size
        program.add(try paddingCopy(binding).gpu(from: .input(0), to: .output(0), size: size))
        return program
    }
}

/// The middle of the upstream gradient.
private func unpadded(_ node: GradientContext) -> Node {
    let (x, paddings) = (node.input(0), node.input(1))
    let begin = squeeze(slice(paddings, begin: [0, 0], size: [-1, 1]), axes: [1])
    return slice(node.upstream(), begin: begin, size: shape(x, as: paddings.dtype))
}

/// `x` in a border of `value`: `paddings[i]` says how many before and after along dimension i; TensorFlow's `tf.pad`.
public func pad(
    _ x: any Operand, paddings: [(before: Int, after: Int)], value: Double = 0, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let matrix = paddingMatrix(paddings)
    if value == 0 { return apply(Pad.self, [x, matrix], [:], name, file, line) }
    return x.node.graph.located(file, line) {
        apply(PadV2.self, [x, matrix, scalar(value, like: x)], [:], name, file, line)
    }
}

/// [dimensions, 2], as TensorFlow takes paddings.
func paddingMatrix(_ paddings: [(before: Int, after: Int)]) -> Tensor {
    Tensor.small(paddings.flatMap { [$0.before, $0.after] }).viewed(as: [paddings.count, 2])
}
