internal import Glibc

/// `LRN`: local response normalisation (Krizhevsky, Sutskever and Hinton, 2012) along the last of four dimensions:
/// y = x / (bias + alpha · Σ x²)^beta, summed over the `depth_radius` channels to either side and the channel itself.
/// float64 goes beyond TensorFlow, whose kernel takes float32.
public enum LRN: Operation, FloatKernel {
    public static let signature = Signature(
        ["input": "T"], to: ["output": "T"], types: ["T": DType.floats], defaults: Normalizer.defaults)

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try Normalizer(node.attributes)
        return [try node.shape(0, rank: 4, "'input'")]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(LRNGrad.self, [node.upstream(), node.input(0), node.output()], node.attributes)]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.outputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let normalizer = try Normalizer(binding.attributes)
        let rows = Rows(binding)
        let (input, output) = (binding.input(0), binding.output())
        return { memory in
            let (x, y) = (memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self))
            rows.forEach { row in
                for c in 0..<rows.channels {
                    let scaled = normalizer.base(x + row, c, rows.channels)
                    y[row + c] = Scalar(Double(x[row + c]) * Glibc.pow(scaled, -normalizer.beta))
                }
            }
        }
    }
}

/// `LRNGrad`: the gradient of `LRN` by its input. TensorFlow gives it none of its own.
public enum LRNGrad: Operation, FloatKernel {
    public static let signature = Signature(
        ["input_grads": "T", "input_image": "T", "output_image": "T"], to: ["output": "T"],
        types: ["T": DType.floats], defaults: Normalizer.defaults)

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try Normalizer(node.attributes)
        var shape = try node.shape(0, rank: 4, "'input_grads'")
        for (i, name) in [(1, "input_image"), (2, "output_image")] {
            let other = try node.shape(i, rank: 4, "'\(name)'")
            guard let both = shape.merged(with: other) else {
                throw GraphError("'\(name)' must have the shape \(shape) of the inputs before it, got \(other)")
            }
            shape = both
        }
        return [shape]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.outputs[0].dtype)
    }

    /// dx[k] = Σ over the j that k counts for of dy[j] · (base[j]^−beta if j = k, − 2 · alpha · beta · x[k] · y[j] / base[j]).
    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let normalizer = try Normalizer(binding.attributes)
        let rows = Rows(binding)
        let inputs = (0..<3).map(binding.input)
        let output = binding.output()
        return { memory in
            let (dy, x) = (memory.pointer(inputs[0], Scalar.self), memory.pointer(inputs[1], Scalar.self))
            let (y, dx) = (memory.pointer(inputs[2], Scalar.self), memory.pointer(output, Scalar.self))
            rows.forEach { row in
                (dx + row).update(repeating: 0, count: rows.channels)
                for j in 0..<rows.channels {
                    let base = normalizer.base(x + row, j, rows.channels)
                    let upstream = Double(dy[row + j])
                    let common = -2 * normalizer.alpha * normalizer.beta * Double(y[row + j]) / base * upstream
                    for k in normalizer.neighbours(j, rows.channels) {
                        let own = k == j ? Glibc.pow(base, -normalizer.beta) * upstream : 0
                        dx[row + k] += Scalar(common * Double(x[row + k]) + own)
                    }
                }
            }
        }
    }
}

/// What a channel's value is divided by.
private struct Normalizer: Sendable {
    let radius: Int
    let bias: Double
    let alpha: Double
    let beta: Double

    static let defaults: [String: AttributeValue] = [
        "depth_radius": .int(5), "bias": .float(1), "alpha": .float(1), "beta": .float(0.5),
    ]

    init(_ attributes: Attributes) throws {
        radius = try attributes.int("depth_radius")
        bias = Double(try attributes.float("bias"))
        alpha = Double(try attributes.float("alpha"))
        beta = Double(try attributes.float("beta"))
        guard radius >= 0, radius < WindowAxis.limit else {
            throw GraphError("depth_radius must be at least 0 and below \(WindowAxis.limit), got \(radius)")
        }
    }

    @inline(__always) func neighbours(_ channel: Int, _ channels: Int) -> Range<Int> {
        max(0, channel - radius)..<min(channels, channel + radius + 1)
    }

    /// bias + alpha · Σ x² around the channel.
    @inline(__always)
    func base<Scalar: BinaryFloatingPoint>(_ x: UnsafePointer<Scalar>, _ channel: Int, _ channels: Int) -> Double {
        var total = 0.0
        for k in neighbours(channel, channels) { total += Double(x[k]) * Double(x[k]) }
        return bias + alpha * total
    }
}

/// The rows of channels of an image, divided among threads.
private struct Rows: Sendable {
    let channels: Int
    private let count: Int
    private let threads: Int

    init(_ binding: KernelBinding) {
        let shape = binding.outputs[0].shape.knownExtents
        channels = shape[3]
        count = shape[..<3].reduce(1, *)
        // A power costs as much as some ten sums.
        threads = min(usefulThreads(binding.threads, work: binding.outputCount() * 16), max(count, 1))
    }

    /// Calls `body` with the offset of each row.
    @inline(__always) func forEach(_ body: (Int) -> Void) {
        parallel(threads) { part in
            for row in count * part / threads..<count * (part + 1) / threads { body(row * channels) }
        }
    }
}

/// Local response normalisation along the channels, the last dimension of four; TensorFlow's
/// `tf.nn.local_response_normalization`.
///
/// - Returns: x / (bias + alpha · Σ x²)^beta, with the sum over `depthRadius` channels to either side; of the shape of `x`.
public func localResponseNormalization(
    _ x: any Operand, depthRadius: Int = 5, bias: Float = 1, alpha: Float = 1, beta: Float = 0.5, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        LRN.self, [x],
        ["depth_radius": .int(depthRadius), "bias": .float(bias), "alpha": .float(alpha), "beta": .float(beta)], name,
        file, line)
}
