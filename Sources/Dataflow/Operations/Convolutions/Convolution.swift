/// A convolution, or the gradient of one by its input or its filter: the same geometry, and each other's gradients.
protocol ConvolutionOperation: GPUOperation, NumericKernel {
    static var role: ConvolutionRole { get }
    static var family: ConvolutionFamily { get }
}

/// The three operations that belong together.
struct ConvolutionFamily: Sendable {
    let output: any Operation.Type
    let inputGradient: any Operation.Type
    let filterGradient: any Operation.Type
    let isDepthwise: Bool

    static let conv2D = ConvolutionFamily(
        output: Convolution2D.self, inputGradient: Conv2DBackpropInput.self, filterGradient: Conv2DBackpropFilter.self,
        isDepthwise: false)
    static let depthwise = ConvolutionFamily(
        output: DepthwiseConv2dNative.self, inputGradient: DepthwiseConv2dNativeBackpropInput.self,
        filterGradient: DepthwiseConv2dNativeBackpropFilter.self, isDepthwise: true)

    static func signature(
        _ inputs: KeyValuePairs<String, String>, types: [DType], defaults: [String: AttributeValue] = [:]
    ) -> Signature {
        let common: [String: AttributeValue] = [
            "explicit_paddings": .ints([]), "data_format": .string("NHWC"), "dilations": .ints([1, 1, 1, 1]),
        ]
        return Signature(
            inputs, to: ["output": "T"], types: ["T": types], defaults: common.merging(defaults) { $1 },
            required: ["strides", "padding"])
    }
}

extension ConvolutionOperation {
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let windows = try WindowAttributes(node.attributes)
        let convolved = { (input: Shape, filter: Shape) in
            try ConvolutionGeometry.output(input: input, filter: filter, isDepthwise: family.isDepthwise, windows)
        }
        switch role {
        case .output:
            return [try convolved(try node.shape(0, rank: 4, "'input'"), try node.shape(1, rank: 4, "'filter'"))]
        case .inputGradient:
            let filter = try node.shape(1, rank: 4, "'filter'")
            let upstream = try node.shape(2, rank: 4, "'out_backprop'")
            let input = try inputShape(node, filter, upstream, windows.format)
            try check(upstream, try convolved(input, filter), "an input of \(input) and a filter of \(filter)")
            return [input]
        case .filterGradient:
            let input = try node.shape(0, rank: 4, "'input'")
            let upstream = try node.shape(2, rank: 4, "'out_backprop'")
            let filter = try extents(node, 1, "filter_sizes", [4]).map { Shape($0) } ?? .unknown(rank: 4)
            try check(upstream, try convolved(input, filter), "an input of \(input) and a filter of \(filter)")
            return [filter]
        }
    }

    /// The shape that `input_sizes` gives: all four extents, or height and width only.
    private static func inputShape(
        _ node: ShapeContext, _ filter: Shape, _ upstream: Shape, _ format: ImageFormat
    ) throws -> Shape {
        guard let sizes = try extents(node, 0, "input_sizes", [2, 4]) else {
            return Shape(format.arranged(batch: upstream[0], height: nil, width: nil, channels: nil))
        }
        if sizes.count == 4 { return Shape(sizes) }
        return Shape(format.arranged(batch: upstream[0], height: sizes[0], width: sizes[1], channels: filter[2]))
    }

    private static func check(_ upstream: Shape, _ expected: Shape, _ what: String) throws {
        guard upstream.isCompatible(with: expected) else {
            throw GraphError("'out_backprop' must have the shape \(expected) for \(what), got \(upstream)")
        }
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (dy, attributes) = (node.upstream(), node.attributes)
        let (a, b) = (node.input(0), node.input(1))
        switch role {
        case .output:
            return [
                apply(family.inputGradient, [shape(a, as: .int32), b, dy], attributes),
                apply(family.filterGradient, [a, shape(b, as: .int32), dy], attributes),
            ]
        case .inputGradient:
            return [
                nil, apply(family.filterGradient, [dy, shape(b, as: .int32), node.input(2)], attributes),
                apply(family.output, [dy, b], attributes),
            ]
        case .filterGradient:
            return [
                apply(family.inputGradient, [shape(a, as: .int32), dy, node.input(2)], attributes), nil,
                apply(family.output, [a, dy], attributes),
            ]
        }
    }

    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try gpuConvolution(binding) }

    static func geometry(_ binding: KernelBinding) throws -> ConvolutionGeometry {
        let input = (role == .inputGradient ? binding.outputs[0] : binding.inputs[0]).shape.knownExtents
        let filter = (role == .filterGradient ? binding.outputs[0] : binding.inputs[1]).shape.knownExtents
        return try ConvolutionGeometry(
            input: input, filter: filter, isDepthwise: family.isDepthwise, WindowAttributes(binding.attributes))
    }

    /// Where the three tensors are: the input or its gradient, the filter or its own, the output or its own.
    private static func slots(_ binding: KernelBinding) -> (x: Slot, filter: Slot, y: Slot) {
        switch role {
        case .output: (binding.input(0), binding.input(1), binding.output())
        case .inputGradient: (binding.output(), binding.input(1), binding.input(2))
        case .filterGradient: (binding.input(0), binding.output(), binding.input(2))
        }
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let dtype = binding.outputs[0].dtype
        let geometry = try geometry(binding)
        // Empty ones have nothing to run; what oneDNN has no code for goes through the loops.
        guard dtype == .float32, geometry.work > 0,
            let primitive = try? ConvolutionPrimitive(role, geometry)
        else { return try binding.numeric(Self.self, dtype) }
        binding.scratch.noteOwn(primitive.byteCount(geometry))
        let slots = slots(binding)
        return { memory in
            try primitive.run(input: memory.raw(slots.x), filter: memory.raw(slots.filter), output: memory.raw(slots.y))
        }
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (geometry, slots, threads) = (try geometry(binding), slots(binding), binding.threads)
        return { memory in
            let x = memory.pointer(slots.x, Scalar.self)
            let filter = memory.pointer(slots.filter, Scalar.self)
            let y = memory.pointer(slots.y, Scalar.self)
            switch role {
            case .output: geometry.convolve(x, filter, y, threads: threads)
            case .inputGradient: geometry.spreadBack(y, filter, x, threads: threads)
            case .filterGradient: geometry.correlate(x, y, filter, threads: threads)
            }
        }
    }
}

/// The known extents that input `i` holds, a vector of one of these lengths; nil if they are not known yet.
func extents(_ node: ShapeContext, _ i: Int, _ name: String, _ lengths: [Int]) throws -> [Int]? {
    let shape = try node.shape(i, rank: 1, "'\(name)'")
    if let length = shape[0], !lengths.contains(length) {
        throw GraphError(
            "'\(name)' must have \(lengths.map(String.init).joined(separator: " or ")) elements, got \(length)")
    }
    guard let values = node.integers(i) else { return nil }
    guard values.allSatisfy({ $0 >= 0 }), Shape(values).elementCount != nil else {
        throw GraphError("'\(name)' must hold extents of at least 0 that memory can have, got \(values)")
    }
    return values
}
