/// `BiasAdd`: a vector added along the channels: the last dimension ("NHWC") or the second ("NCHW").
public enum BiasAdd: ElementwiseOperation, NumericKernel {
    public static let signature = Signature(
        ["value": "T", "bias": "T"], to: ["output": "T"], types: ["T": DType.numbers],
        defaults: ["data_format": .string("NHWC")])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let bias = try node.shape(1, rank: 1, "'bias'")
        let shape = node.shape(0)
        guard let rank = shape.rank else { return [.unknown] }
        let axis = try channelAxis(node.attributes, rank: rank)
        if let channels = shape[axis], let count = bias[0], channels != count {
            throw GraphError(
                "a bias of shape \(bias) does not fit the \(channels) channels of a value of shape \(shape)")
        }
        return [shape]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let dy = node.upstream()
        let format = try node.attributes.string("data_format")
        return [dy, apply(BiasAddGrad.self, [dy], ["data_format": .string(format)])]
    }

    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] + x[1] }

    /// Channels that stand last broadcast by themselves.
    public static func isElementwise(_ attributes: Attributes) -> Bool {
        attributes["data_format"] == nil || attributes["data_format"] == .string("NHWC")
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        if isElementwise(binding.attributes) { return try elementwiseKernel(Self.self, binding) }
        return try binding.numeric(Self.self, binding.inputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let extents = binding.inputs[0].shape.knownExtents
        let axis = try channelAxis(binding.attributes, rank: extents.count)
        let channels = extents[axis]
        let inner = extents[(axis + 1)...].reduce(1, *)
        let rows = channels * inner == 0 ? 0 : binding.count(0) / (channels * inner)
        let threads = min(usefulThreads(binding.threads, work: binding.count(0)), max(rows, 1))
        let (input, bias, output) = (binding.input(0), binding.input(1), binding.output())
        return { memory in
            let x = memory.pointer(input, Scalar.self)
            let b = memory.pointer(bias, Scalar.self)
            let y = memory.pointer(output, Scalar.self)
            parallel(threads) { part in
                for row in rows * part / threads..<rows * (part + 1) / threads {
                    let (from, to) = (x + row * channels * inner, y + row * channels * inner)
                    for channel in 0..<channels {
                        let term = b[channel]
                        for i in channel * inner..<(channel + 1) * inner {
                            to[i] = Scalar.wrappingAdd(from[i], term)
                        }
                    }
                }
            }
        }
    }
}

/// `BiasAddV1`: a vector added along the last dimension, as graphs of the first versions of TensorFlow have it.
public enum BiasAddV1: ElementwiseOperation {
    public static let signature = Signature(
        ["value": "T", "bias": "T"], to: ["output": "T"], types: ["T": DType.numbers])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try BiasAdd.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [node.upstream(), apply(BiasAddGrad.self, [node.upstream()])]
    }
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] + x[1] }
}

/// `BiasAddGrad`: the sum over all dimensions but that of the channels.
public enum BiasAddGrad: Operation, NumericKernel {
    public static let signature = Signature(
        ["out_backprop": "T"], to: ["output": "T"], types: ["T": DType.numbers],
        defaults: ["data_format": .string("NHWC")])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = node.shape(0)
        guard let rank = shape.rank else { return [.unknown(rank: 1)] }
        return [Shape([shape[try channelAxis(node.attributes, rank: rank)]])]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (upstream, x) = (node.upstream(), node.input(0))
        guard let rank = x.shape.rank else { throw GraphError("its gradient needs a value whose rank is known") }
        let axis = try channelAxis(node.attributes, rank: rank)
        let lined = rank - axis == 1 ? upstream : reshape(upstream, [-1] + Array(repeating: 1, count: rank - axis - 1))
        return [broadcast(lined, to: shape(x))]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let shape = binding.inputs[0].shape
        let rank = shape.knownExtents.count
        let axis = try channelAxis(binding.attributes, rank: rank)
        let layout = ReductionLayout(shape, axes: Set(0..<rank).subtracting([axis]))
        let (input, output) = (binding.input(0), binding.output())
        return { memory in
            layout.reduce(memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self), initial: Scalar(0.0))
            {
                Scalar.wrappingAdd($0, $1)
            }
        }
    }
}

/// Which dimension `data_format` calls channels.
func channelAxis(_ attributes: Attributes, rank: Int) throws -> Int {
    guard rank >= 2 else { throw GraphError("the value must have at least two dimensions, got \(rank)") }
    guard attributes["data_format"] != nil else { return rank - 1 }  // BiasAddV1 has no such attribute.
    switch try attributes.string("data_format") {
    case "NHWC": return rank - 1
    case "NCHW": return 1
    case let other: throw GraphError("data_format must be NHWC or NCHW, got \(other)")
    }
}

/// `bias`, a vector, added along the last dimension of `x` ("NHWC") or the second ("NCHW"); TensorFlow's `tf.nn.bias_add`.
public func biasAdd(
    _ x: any Operand, _ bias: any Operand, dataFormat: String = "NHWC", name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(BiasAdd.self, [x, bias], ["data_format": .string(dataFormat)], name, file, line) }

extension BiasAdd: GPUOperation {
    /// Channels that stand second; those that stand last broadcast by themselves.
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard !isElementwise(binding.attributes) else { return nil }
        let extents = binding.inputs[0].shape.knownExtents
        let axis = try channelAxis(binding.attributes, rank: extents.count)
        let column = Shape([extents[axis]] + [Int](repeating: 1, count: extents.count - axis - 1))
        return try ElementwiseSource.launch(
            [ElementwiseTerm(expression: .input(0) + .input(1), operands: [.input(0), .input(1)], output: 0)],
            inputs: [binding.inputs[0], TensorSpec(binding.inputs[1].dtype, column)], outputs: binding.outputs,
            updates: [nil], input: { .input($0) }, output: { .output($0) })
    }
}

extension BiasAddGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32 else { return nil }
        let shape = binding.inputs[0].shape
        let rank = shape.knownExtents.count
        let axes = Set(0..<rank).subtracting([try channelAxis(binding.attributes, rank: rank)])
        var program = GPUProgram()
        GPUReduction.sum.commands(
            ReductionLayout(shape, axes: axes), from: .input(0), to: .output(0), &program)
        return program
    }
}
