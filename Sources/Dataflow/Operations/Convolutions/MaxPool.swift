internal import CKernels

/// `MaxPool`: the largest element of each window of each channel: [batch, height, width, channels] or
/// [batch, channels, height, width] with fewer rows and columns.
///
/// As in TensorFlow's kernel NaN is passed over, and of a window that has nothing larger the result is the smallest finite
/// number.
public enum MaxPool: Operation, NumericKernel {
    public static let signature = poolingSignature(["input": "T"], types: DType.numbers, allowsExplicitPadding: true)

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [try PoolingGeometry.output(try node.shape(0, rank: 4, "'input'"), node.attributes)]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(MaxPoolGrad.self, [node.input(0), node.output(), node.upstream()], node.attributes)]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let geometry = try PoolingGeometry(input: binding.inputs[0].shape.knownExtents, binding.attributes)
        let (input, output, threads, channels) = (
            binding.input(0), binding.output(), binding.threads, geometry.channels
        )
        let smallest: Scalar =
            switch Scalar.dtype {
            case .float32: Scalar(-Double(Float.greatestFiniteMagnitude))
            case .float64: Scalar(-Double.greatestFiniteMagnitude)
            default: Scalar.lowest
            }
        return { memory in
            let (x, y) = (memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self))
            geometry.forEachPart(threads) { images in
                geometry.forEachWindow(images) { target, window in
                    let largest = y + target
                    largest.update(repeating: smallest, count: channels)
                    window.forEachPixel { pixel in
                        let values = x + pixel
                        for c in 0..<channels { largest[c] = largest[c] < values[c] ? values[c] : largest[c] }
                    }
                }
            }
        }
    }
}

/// `MaxPoolGrad`: the gradient of `MaxPool` by its input: of each window, `grad` goes to the first of the largest elements.
public enum MaxPoolGrad: Operation, NumericKernel {
    public static let signature = poolingSignature(
        ["orig_input": "T", "orig_output": "T", "grad": "T"], types: DType.numbers, allowsExplicitPadding: true)

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let input = try node.shape(0, rank: 4, "'orig_input'")
        let output = try PoolingGeometry.output(input, node.attributes)
        try checkPooled(try node.shape(1, rank: 4, "'orig_output'"), output, "orig_output", input)
        try checkPooled(try node.shape(2, rank: 4, "'grad'"), output, "grad", input)
        return [input]
    }

    /// `MaxPoolGradGrad` has no explicit paddings in TensorFlow, and refuses them here.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        var attributes = node.attributes
        attributes.values["explicit_paddings"] = nil
        let (input, output) = (node.input(0), node.input(1))
        return [
            zerosLike(input), zerosLike(output),
            apply(MaxPoolGradGrad.self, [input, output, node.upstream()], attributes),
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let geometry = try PoolingGeometry(input: binding.inputs[0].shape.knownExtents, binding.attributes)
        let (input, grad, output) = (binding.input(0), binding.input(2), binding.output())
        let (threads, channels) = (binding.threads, geometry.channels)
        let tiles = geometry.windowsTile
        return { memory in
            let (x, dy) = (memory.pointer(input, Scalar.self), memory.pointer(grad, Scalar.self))
            let dx = memory.pointer(output, Scalar.self)
            geometry.forEachPart(threads) { images in
                let size = geometry.inputImage
                if !tiles { (dx + images.lowerBound * size).update(repeating: Scalar(0.0), count: images.count * size) }
                geometry.forEachWindow(images) { source, window in
                    route(x + window.first, dy + source, dx + window.first, window, channels, adding: !tiles)
                }
            }
        }
    }

    /// In C, where there is a loop for each vector width.
    @inline(__always)
    private static func route<Scalar: NumericScalar>(
        _ x: UnsafePointer<Scalar>, _ dy: UnsafePointer<Scalar>, _ dx: UnsafeMutablePointer<Scalar>,
        _ window: PoolingWindow, _ channels: Int, adding: Bool
    ) {
        let (rows, columns, step) = (window.rows, window.columns, window.rowStep)
        switch (x, dy, dx) {
        case let (x, dy, dx) as (UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>):
            tributary_route_to_largest_f32(x, dy, dx, rows, columns, step, channels, adding ? 1 : 0)
        case let (x, dy, dx) as (UnsafePointer<Double>, UnsafePointer<Double>, UnsafeMutablePointer<Double>):
            tributary_route_to_largest_f64(x, dy, dx, rows, columns, step, channels, adding ? 1 : 0)
        default:
            for c in 0..<channels {
                if !adding { window.forEachPixel { dx[$0 - window.first + c] = Scalar(0.0) } }
                var (largest, place) = (x[c], 0)
                for row in 0..<rows {
                    for column in 0..<columns {
                        let pixel = row * step + column * channels + c
                        if largest < x[pixel] { (largest, place) = (x[pixel], pixel - c) }
                    }
                }
                dx[place + c] = Scalar.wrappingAdd(dx[place + c], dy[c])
            }
        }
    }
}

/// `MaxPoolGradGrad`: the gradient of `MaxPoolGrad` by its `grad`: for each window the element of `grad` (of the images'
/// shape) that lies where `orig_input` first equals `orig_output`; 0 where nothing does.
public enum MaxPoolGradGrad: Operation, NumericKernel {
    public static let signature = poolingSignature(
        ["orig_input": "T", "orig_output": "T", "grad": "T"], types: DType.numbers)

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let input = try node.shape(0, rank: 4, "'orig_input'")
        let output = try PoolingGeometry.output(input, node.attributes)
        try checkPooled(try node.shape(1, rank: 4, "'orig_output'"), output, "orig_output", input)
        try checkPooled(try node.shape(2, rank: 4, "'grad'"), input, "grad", input)
        return [output]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (input, output) = (node.input(0), node.input(1))
        return [
            zerosLike(input), zerosLike(output),
            apply(MaxPoolGrad.self, [input, output, node.upstream()], node.attributes),
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let geometry = try PoolingGeometry(input: binding.inputs[0].shape.knownExtents, binding.attributes)
        let (input, pooled, grad, output) = (binding.input(0), binding.input(1), binding.input(2), binding.output())
        let (threads, channels) = (binding.threads, geometry.channels)
        return { memory in
            let (x, y) = (memory.pointer(input, Scalar.self), memory.pointer(pooled, Scalar.self))
            let (upstream, result) = (memory.pointer(grad, Scalar.self), memory.pointer(output, Scalar.self))
            geometry.forEachPart(threads) { images in
                geometry.forEachWindow(images) { target, window in
                    (result + target).update(repeating: Scalar(0.0), count: channels)
                    // From the last pixel to the first, so that the first that equals is what stays.
                    for i in stride(from: window.count - 1, through: 0, by: -1) {
                        let pixel = window.first + i / window.columns * window.rowStep + i % window.columns * channels
                        for c in 0..<channels where x[pixel + c] == y[target + c] {
                            result[target + c] = upstream[pixel + c]
                        }
                    }
                }
            }
        }
    }
}

/// The largest elements of windows of images; TensorFlow's `tf.nn.max_pool2d`.
///
/// - Parameters:
///   - x: [batch, height, width, channels], or [batch, channels, height, width] if `dataFormat` is "NCHW".
///   - size: of a window, height and width.
///   - strides: from one window to the next; those of `size` by default.
public func maxPool(
    _ x: any Operand, size: [Int], strides: [Int]? = nil, padding: WindowPadding = .valid, dataFormat: String = "NHWC",
    name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(MaxPool.self, [x], poolingAttributes(size, strides ?? size, padding, dataFormat), name, file, line)
}
