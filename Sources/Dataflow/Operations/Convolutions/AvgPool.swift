/// `AvgPool`: the mean of each window of each channel, padding left out: [batch, height, width, channels] or
/// [batch, channels, height, width] with fewer rows and columns.
public enum AvgPool: Operation, FloatKernel {
    public static let signature = poolingSignature(["value": "T"], types: DType.floats)

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [try PoolingGeometry.output(try node.shape(0, rank: 4, "'value'"), node.attributes)]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(AvgPoolGrad.self, [shape(node.input(0), as: .int32), node.upstream()], node.attributes)]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let geometry = try PoolingGeometry(input: binding.inputs[0].shape.knownExtents, binding.attributes)
        let (input, output, threads, channels) = (
            binding.input(0), binding.output(), binding.threads, geometry.channels
        )
        return { memory in
            let (x, y) = (memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self))
            geometry.forEachPart(threads) { images in
                geometry.forEachWindow(images) { target, window in
                    let mean = y + target
                    mean.update(repeating: 0, count: channels)
                    window.forEachPixel { pixel in
                        let values = x + pixel
                        for c in 0..<channels { mean[c] += values[c] }
                    }
                    let count = Scalar(window.count)
                    for c in 0..<channels { mean[c] /= count }
                }
            }
        }
    }
}

/// `AvgPoolGrad`: the gradient of `AvgPool` by its input, whose shape is `orig_input_shape`: every window's share of `grad`.
public enum AvgPoolGrad: Operation, FloatKernel {
    public static let signature = poolingSignature(["orig_input_shape": "int32", "grad": "T"], types: DType.floats)

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let grad = try node.shape(1, rank: 4, "'grad'")
        let input = try extents(node, 0, "orig_input_shape", [4]).map { Shape($0) } ?? .unknown(rank: 4)
        try checkPooled(grad, try PoolingGeometry.output(input, node.attributes), "grad", input)
        return [input]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [nil, apply(AvgPool.self, [node.upstream()], node.attributes)]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let geometry = try PoolingGeometry(input: binding.outputs[0].shape.knownExtents, binding.attributes)
        let (input, output, threads, channels) = (
            binding.input(1), binding.output(), binding.threads, geometry.channels
        )
        return { memory in
            let (dy, dx) = (memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self))
            geometry.forEachPart(threads) { images in
                let size = geometry.inputImage
                (dx + images.lowerBound * size).update(repeating: 0, count: images.count * size)
                geometry.forEachWindow(images) { source, window in
                    let share = 1 / Scalar(window.count)
                    window.forEachPixel { pixel in
                        let (target, upstream) = (dx + pixel, dy + source)
                        for c in 0..<channels { target[c] += upstream[c] * share }
                    }
                }
            }
        }
    }
}

/// The means of windows of images; TensorFlow's `tf.nn.avg_pool2d`. Padding does not count.
///
/// - Parameters:
///   - x: [batch, height, width, channels], or [batch, channels, height, width] if `dataFormat` is "NCHW".
///   - size: of a window, height and width.
///   - strides: from one window to the next; those of `size` by default.
///   - padding: `.same` or `.valid`.
public func avgPool(
    _ x: any Operand, size: [Int], strides: [Int]? = nil, padding: WindowPadding = .valid, dataFormat: String = "NHWC",
    name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    var attributes = poolingAttributes(size, strides ?? size, padding, dataFormat)
    attributes.values["explicit_paddings"] = nil  // which the operation does not have, so that it refuses EXPLICIT
    return apply(AvgPool.self, [x], attributes, name, file, line)
}
