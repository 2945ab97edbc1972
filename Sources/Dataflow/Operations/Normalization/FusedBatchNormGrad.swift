/// The gradient of batch normalisation by `x`, `scale` and `offset`, from the mean and variance in `reserve_space_1` and
/// `reserve_space_2`: those of the batch in training, else those that were given.
protocol BatchNormGradOperation: GPUOperation {
    static var formats: [String] { get }
}

/// `FusedBatchNormGrad`: the gradient of `FusedBatchNorm`.
public enum FusedBatchNormGrad: BatchNormGradOperation {
    public static let signature = Signature(
        ["y_backprop": "T", "x": "T", "scale": "T", "reserve_space_1": "T", "reserve_space_2": "T"],
        to: [
            "x_backprop": "T", "scale_backprop": "T", "offset_backprop": "T", "reserve_space_3": "T",
            "reserve_space_4": "T",
        ], types: ["T": DType.floats], defaults: batchNormGradDefaults)
    static let formats = FusedBatchNorm.formats
}

/// `FusedBatchNormGradV2`: the gradient of `FusedBatchNormV2`. (TensorFlow's `scale` is float32, which `U` is there too.)
public enum FusedBatchNormGradV2: BatchNormGradOperation {
    public static let signature = Signature(
        ["y_backprop": "T", "x": "T", "scale": "U", "reserve_space_1": "U", "reserve_space_2": "U"],
        to: [
            "x_backprop": "T", "scale_backprop": "U", "offset_backprop": "U", "reserve_space_3": "U",
            "reserve_space_4": "U",
        ], types: ["T": DType.floats, "U": DType.floats], defaults: batchNormGradDefaults)
    static let formats = FusedBatchNormV2.formats
}

/// `FusedBatchNormGradV3`: the gradient of `FusedBatchNormV3`, whose third reserve space is not looked at.
public enum FusedBatchNormGradV3: BatchNormGradOperation {
    public static let signature = Signature(
        [
            "y_backprop": "T", "x": "T", "scale": "U", "reserve_space_1": "U", "reserve_space_2": "U",
            "reserve_space_3": "U",
        ],
        to: [
            "x_backprop": "T", "scale_backprop": "U", "offset_backprop": "U", "reserve_space_4": "U",
            "reserve_space_5": "U",
        ], types: ["T": DType.floats, "U": DType.floats], defaults: batchNormGradDefaults)
    static let formats = FusedBatchNormV3.formats
}

private let batchNormGradDefaults: [String: AttributeValue] = [
    "epsilon": .float(0.0001), "data_format": .string("NHWC"), "is_training": .bool(true),
]

extension BatchNormGradOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try gpuGradient(binding) }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (axis, rank) = try batchNormAxis(node.attributes, formats)
        try checkChannelType(node.attributes)
        let (upstream, x) = (
            try node.shape(0, rank: rank, "'y_backprop'"), try node.shape(1, rank: rank, "'x'")
        )
        guard let both = upstream.merged(with: x) else {
            throw GraphError("'y_backprop' must have the shape \(x) of 'x', got \(upstream)")
        }
        let channels = both[axis] ?? node.shape(2).dimensions?.first ?? nil
        for (input, name) in [(2, "scale"), (3, "reserve_space_1"), (4, "reserve_space_2")] {
            try checkChannels(node, input, name, channels)
        }
        // What cuDNN would have put into the last two is not there on a CPU.
        return [both, [channels], [channels], [0], [0]]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] { try gradientOfGradient(node, formats) }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(BatchNormGradKernel.self, binding.inputs[0].dtype)
    }
}

/// Differentiates the formulas of the kernel, written as nodes, as TensorFlow does.
private func gradientOfGradient(_ node: GradientContext, _ formats: [String]) throws -> [Node?] {
    let (axis, rank) = try batchNormAxis(node.attributes, formats)
    // Copies, for what is wanted is the derivative by each input alone, though the first may be a function of the others.
    let (upstream, x, scale) = (identity(node.input(0)), identity(node.input(1)), identity(node.input(2)))
    let axes = (0..<rank).filter { $0 != axis }
    let aligned = { (vector: Node) in
        reshape(vector, [Int](repeating: 1, count: axis) + [-1] + [Int](repeating: 1, count: rank - axis - 1))
    }
    let epsilon = Double(try node.attributes.float("epsilon"))
    let isTraining = try node.attributes.bool("is_training")
    let average = isTraining ? mean(x, axes: axes, keepDims: true) : aligned(node.input(3))
    let distance = x - average
    let variance = isTraining ? mean(square(distance), axes: axes, keepDims: true) : aligned(node.input(4))
    let inverse = rsqrt(variance + epsilon)
    var direction = upstream
    if isTraining {
        let slope = mean(upstream * distance, axes: axes, keepDims: true)
        direction =
            upstream - mean(upstream, axes: axes, keepDims: true) - distance * slope * square(inverse)
    }
    let results = [
        aligned(scale) * inverse * direction, sum(upstream * distance * inverse, axes: axes),
        sum(upstream, axes: axes),
    ]
    let arrived = results.indices.filter { node.hasUpstream($0) }
    let inputs = node.graph.gradients(
        of: arrived.map { results[$0] }, by: [upstream, x, scale], arrived: arrived.map { node.upstream($0) })
    return inputs + [Node?](repeating: nil, count: node.inputs.count - 3)
}

/// One kernel for all versions.
private enum BatchNormGradKernel: FloatKernel {
    static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let attributes = binding.attributes
        let axis = try batchNormAxis(attributes, FusedBatchNormV3.formats).axis
        let layout = ChannelLayout(binding.inputs[1].shape.knownExtents, axis: axis)
        let epsilon = Double(try attributes.float("epsilon"))
        let (isTraining, threads) = (try attributes.bool("is_training"), binding.threads)
        let inputs = (0..<5).map(binding.input)
        let outputs = (0..<3).map(binding.output)
        return { memory in
            let (dy, x) = (memory.pointer(inputs[0], Scalar.self), memory.pointer(inputs[1], Scalar.self))
            let scale = memory.pointer(inputs[2], Scalar.self)
            let (mean, variance) = (memory.pointer(inputs[3], Scalar.self), memory.pointer(inputs[4], Scalar.self))
            let (dx, scaleGradient) = (memory.pointer(outputs[0], Scalar.self), memory.pointer(outputs[1], Scalar.self))
            let offsetGradient = memory.pointer(outputs[2], Scalar.self)
            let n = max(Double(layout.perChannel), 1)
            let sums = layout.sums(threads) { rows, first, second in
                layout.walk(rows) { i, c in
                    let upstream = Double(dy[i])
                    first[c] += upstream
                    second[c] += upstream * (Double(x[i]) - Double(mean[c]))
                }
            }
            // dx = factor · (dy − shift − (x − mean) · slope)
            withUnsafeTemporaryAllocation(of: Scalar.self, capacity: max(3 * layout.channels, 1)) { buffer in
                let factor = buffer.baseAddress!
                let (shift, slope) = (factor + layout.channels, factor + 2 * layout.channels)
                for c in 0..<layout.channels {
                    let inverse = 1 / (Double(variance[c]) + epsilon).squareRoot()
                    offsetGradient[c] = Scalar(sums.first[c])
                    scaleGradient[c] = Scalar(sums.second[c] * inverse)
                    factor[c] = Scalar(Double(scale[c]) * inverse)
                    shift[c] = isTraining ? Scalar(sums.first[c] / n) : 0
                    slope[c] = isTraining ? Scalar(sums.second[c] / n * inverse * inverse) : 0
                }
                layout.forEachPart(threads) { rows in
                    layout.walk(rows) { i, c in
                        dx[i] = factor[c] * (dy[i] - shift[c] - (x[i] - mean[c]) * slope[c])
                    }
                }
            }
        }
    }
}
