/// Batch normalisation (Ioffe and Szegedy, 2015): each channel to mean 0 and variance 1 over a batch, or over what was
/// gathered in training, then scaled and moved.
///
/// Outputs: `y`; `batch_mean` and `batch_variance` (with n − 1 below), mixed into `mean` and `variance` with the weight
/// `exponential_avg_factor`; for the gradient `reserve_space_1` and `reserve_space_2`, mean and variance (with n below) as
/// they were used. float64 goes beyond TensorFlow, whose kernels take float32.
protocol BatchNormOperation: GPUOperation {
    static var formats: [String] { get }
}

/// `FusedBatchNorm`: batch normalisation.
public enum FusedBatchNorm: BatchNormOperation {
    public static let signature = batchNormSignature(scale: "T", reserved: 2)
    static let formats = ["NHWC", "NCHW"]
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        try batchNormGradient(node, FusedBatchNormGrad.self)
    }
}

/// `FusedBatchNormV2`: batch normalisation, with a type of its own for what belongs to channels.
public enum FusedBatchNormV2: BatchNormOperation {
    public static let signature = batchNormSignature(scale: "U", reserved: 2)
    static let formats = ["NHWC", "NCHW"]
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        try batchNormGradient(node, FusedBatchNormGradV2.self)
    }
}

/// `FusedBatchNormV3`: as V2, also for volumes, and with a third reserve space, which is empty on a CPU.
public enum FusedBatchNormV3: BatchNormOperation {
    public static let signature = batchNormSignature(scale: "U", reserved: 3)
    static let formats = ["NHWC", "NCHW", "NDHWC", "NCDHW"]
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        try batchNormGradient(node, FusedBatchNormGradV3.self)
    }
}

private func batchNormSignature(scale: String, reserved: Int) -> Signature {
    let inputs: KeyValuePairs = ["x": "T", "scale": scale, "offset": scale, "mean": scale, "variance": scale]
    let defaults: [String: AttributeValue] = [
        "epsilon": .float(0.0001), "exponential_avg_factor": .float(1), "data_format": .string("NHWC"),
        "is_training": .bool(true),
    ]
    let types = scale == "T" ? ["T": DType.floats] : ["T": DType.floats, "U": DType.floats]
    if reserved == 2 {
        return Signature(
            inputs,
            to: [
                "y": "T", "batch_mean": scale, "batch_variance": scale, "reserve_space_1": scale,
                "reserve_space_2": scale,
            ], types: types, defaults: defaults)
    }
    return Signature(
        inputs,
        to: [
            "y": "T", "batch_mean": scale, "batch_variance": scale, "reserve_space_1": scale, "reserve_space_2": scale,
            "reserve_space_3": scale,
        ], types: types, defaults: defaults)
}

/// Which dimension the channels are, and the rank that the format tells.
func batchNormAxis(_ attributes: Attributes, _ formats: [String]) throws -> (axis: Int, rank: Int) {
    let format = try attributes.string("data_format")
    guard formats.contains(format) else {
        throw GraphError("data_format must be \(formats.joined(separator: ", ")), got \(format)")
    }
    return (format.hasSuffix("C") ? format.count - 1 : 1, format.count)
}

/// Refuses a vector that has not one element for each channel.
func checkChannels(_ node: ShapeContext, _ input: Int, _ name: String, _ channels: Int?) throws {
    let shape = try node.shape(input, rank: 1, "'\(name)'")
    guard shape.isCompatible(with: Shape([channels])) else {
        throw GraphError(
            "'\(name)' must have one element for each of the \(channels ?? 0) channels of \(node.shape(0)), got \(shape)"
        )
    }
}

/// Refuses channel types that differ from the type of the images: no kernel mixes them.
func checkChannelType(_ attributes: Attributes) throws {
    guard attributes["U"] != nil else { return }
    let (images, channels) = (try attributes.type("T"), try attributes.type("U"))
    guard images == channels else {
        throw GraphError("'scale' must be \(images) like 'x', got \(channels); use cast()")
    }
}

extension BatchNormOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try gpuNormalization(binding) }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (axis, rank) = try batchNormAxis(node.attributes, formats)
        try checkChannelType(node.attributes)
        let x = try node.shape(0, rank: rank, "'x'")
        let channels = x[axis] ?? node.shape(1).dimensions?.first ?? nil
        try checkChannels(node, 1, "scale", channels)
        try checkChannels(node, 2, "offset", channels)
        // A batch alone gives its own mean and variance, whatever came before.
        let isUsed =
            try !node.attributes.bool("is_training") || node.attributes.float("exponential_avg_factor") != 1
        for (input, name) in [(3, "mean"), (4, "variance")] {
            if isUsed {
                try checkChannels(node, input, name, channels)
            } else {
                _ = try node.shape(input, rank: 1, "'\(name)'")
            }
        }
        let vectors = [Shape](repeating: Shape([channels]), count: 4)
        return [x] + vectors + (signature.outputs.count == 6 ? [[0]] : [])
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(BatchNormKernel.self, binding.inputs[0].dtype)
    }
}

/// One kernel for all versions.
private enum BatchNormKernel: FloatKernel {
    static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let attributes = binding.attributes
        let axis = try batchNormAxis(attributes, FusedBatchNormV3.formats).axis
        let layout = ChannelLayout(binding.inputs[0].shape.knownExtents, axis: axis)
        let epsilon = Double(try attributes.float("epsilon"))
        let factor = Double(try attributes.float("exponential_avg_factor"))
        let (isTraining, threads) = (try attributes.bool("is_training"), binding.threads)
        let inputs = (0..<5).map(binding.input)
        let outputs = (0..<5).map(binding.output)
        return { memory in
            let vectors = inputs[1...].map { memory.pointer($0, Scalar.self) }
            let results = outputs[1...].map { memory.pointer($0, Scalar.self) }
            let (x, y) = (memory.pointer(inputs[0], Scalar.self), memory.pointer(outputs[0], Scalar.self))
            let (scale, offset, oldMean, oldVariance) = (vectors[0], vectors[1], vectors[2], vectors[3])
            let (mean, variance) = (results[2], results[3])
            let n = Double(layout.perChannel)
            guard n > 0 else {
                // Of no elements there is no mean, as TensorFlow says.
                for (i, value) in [Scalar.nan, .nan, 0, 0].enumerated() {
                    results[i].update(repeating: value, count: layout.channels)
                }
                return
            }
            if isTraining {
                moments(x, layout, threads, mean, variance)
            } else {
                mean.update(from: oldMean, count: layout.channels)
                variance.update(from: oldVariance, count: layout.channels)
            }
            for c in 0..<layout.channels {
                guard isTraining else {
                    (results[0][c], results[1][c]) = (mean[c], variance[c])
                    continue
                }
                let (newMean, newVariance) = (Double(mean[c]), Double(variance[c]) * n / max(n - 1, 1))
                results[0][c] = Scalar(factor == 1 ? newMean : newMean * factor + Double(oldMean[c]) * (1 - factor))
                results[1][c] = Scalar(
                    factor == 1 ? newVariance : newVariance * factor + Double(oldVariance[c]) * (1 - factor))
            }
            withUnsafeTemporaryAllocation(of: Scalar.self, capacity: max(layout.channels, 1)) { factors in
                let factors = factors.baseAddress!
                for c in 0..<layout.channels {
                    factors[c] = Scalar(Double(scale[c]) / (Double(variance[c]) + epsilon).squareRoot())
                }
                layout.forEachPart(threads) { rows in
                    layout.walk(rows) { i, c in y[i] = (x[i] - mean[c]) * factors[c] + offset[c] }
                }
            }
        }
    }

    /// Mean and variance of each channel, in two passes and with what rounding left of the first taken off in the second.
    private static func moments<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ x: UnsafePointer<Scalar>, _ layout: ChannelLayout, _ threads: Int, _ mean: UnsafeMutablePointer<Scalar>,
        _ variance: UnsafeMutablePointer<Scalar>
    ) {
        let n = Double(layout.perChannel)
        let totals = layout.sums(threads) { rows, first, _ in
            layout.walk(rows) { i, c in first[c] += Double(x[i]) }
        }.first
        for c in 0..<layout.channels { mean[c] = Scalar(totals[c] / n) }
        let deviations = layout.sums(threads) { rows, first, second in
            layout.walk(rows) { i, c in
                let distance = Double(x[i]) - Double(mean[c])
                first[c] += distance
                second[c] += distance * distance
            }
        }
        for c in 0..<layout.channels {
            variance[c] = Scalar((deviations.second[c] - deviations.first[c] * deviations.first[c] / n) / n)
        }
    }
}

/// As TensorFlow's: of `y` alone, not of the means and variances.
private func batchNormGradient(_ node: GradientContext, _ operation: any Operation.Type) throws -> [Node?] {
    let isTraining = try node.attributes.bool("is_training")
    let (mean, variance) = isTraining ? (node.output(3), node.output(4)) : (node.input(3), node.input(4))
    var inputs = [node.upstream(), node.input(0), node.input(1), mean, variance]
    if node.vertex.outputs.count == 6 { inputs.append(node.output(5)) }
    var attributes = node.attributes
    attributes.values["exponential_avg_factor"] = nil
    let vertex = node.graph.add(operation, inputs, attributes)
    return [vertex.output(0), vertex.output(1), vertex.output(2), nil, nil]
}

/// Batch normalisation; TensorFlow's `tf.nn.fused_batch_norm`.
///
/// - Parameters:
///   - x: [batch, height, width, channels], or [batch, channels, height, width] if `dataFormat` is "NCHW".
///   - scale: [channels], what the normalised values are multiplied with.
///   - offset: [channels], what is added then.
///   - mean: [channels], used if not training, or averaged with the batch's; may be left out otherwise.
///   - variance: as `mean`.
///   - averageFactor: the weight of the batch's mean and variance in those returned.
/// - Returns: the result, of the shape of `x`; mean and variance of the batch, [channels]. The gradient flows through the
///   result only.
public func fusedBatchNorm(
    _ x: any Operand, scale: any Operand, offset: any Operand, mean: (any Operand)? = nil,
    variance: (any Operand)? = nil, epsilon: Float = 0.001, averageFactor: Float = 1, isTraining: Bool = true,
    dataFormat: String = "NHWC", name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> (y: Node, mean: Node, variance: Node) {
    let none = Tensor.zeros(scale.node.dtype, sized: [0])
    let y = apply(
        FusedBatchNormV3.self, [x, scale, offset, mean ?? none, variance ?? none],
        [
            "epsilon": .float(epsilon), "exponential_avg_factor": .float(averageFactor),
            "is_training": .bool(isTraining), "data_format": .string(dataFormat),
        ], name, file, line)
    return (y, y.vertex.output(1), y.vertex.output(2))
}
