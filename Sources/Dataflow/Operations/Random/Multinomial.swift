#if canImport(Glibc)
    import Glibc
#endif

/// `Multinomial`: classes drawn with the probabilities that the softmax of each row of `logits` gives them. Draws are those
/// of TensorFlow on one thread for the same `seed` and `seed2`: it looks up uniform float64 numbers, one stream through all
/// rows, among the sums of e^(logit − largest). Logits that are not finite have no weight.
public enum Multinomial: Operation, NumericKernel {
    public static let signature = Signature(
        ["logits": "T", "num_samples": "int32"], to: ["output": "output_dtype"],
        types: ["T": DType.numbers, "output_dtype": DType.indices],
        defaults: ["seed": .int(0), "seed2": .int(0), "output_dtype": .type(.int64)])
    public static var isStateful: Bool { true }

    /// [batch, classes] → [batch, num_samples].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let logits = try node.shape(0, rank: 2, "'logits'")
        _ = try node.shape(1, rank: 0, "'num_samples'")
        if logits[1] == 0, logits[0] != 0 { throw GraphError("'logits' of shape \(logits) have no class to draw") }
        let samples = try node.integer(1)
        if let samples, samples < 0 { throw GraphError("'num_samples' must be at least 0, got \(samples)") }
        return [Shape([logits[0], samples])]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let shape = binding.inputs[0].shape.knownExtents
        let (batch, classes) = (shape[0], shape[1])
        let samples = binding.outputs[0].shape.knownExtents[1]
        let (input, output) = (binding.input(0), binding.output())
        let isWide = binding.outputs[0].dtype == .int64
        // Two words for each number, of a row's samples rounded up to a multiple of four.
        let next = try binding.generator(groups: UInt64(batch * ((samples + 3) / 4 * 4)) &* 512)
        return { memory in
            let logits = memory.pointer(input, Scalar.self)
            var words = PhiloxWords(next())
            withUnsafeTemporaryAllocation(of: Double.self, capacity: classes) { sums in
                for row in 0..<batch {
                    let total = accumulate(logits + row * classes, to: sums)
                    for i in row * samples..<(row + 1) * samples {
                        let high = words.next()
                        let drawn = firstAbove(Double.uniform(high, words.next()) * total, in: sums)
                        if isWide {
                            memory.pointer(output, Int64.self)[i] = Int64(drawn)
                        } else {
                            memory.pointer(output, Int32.self)[i] = Int32(drawn)
                        }
                    }
                }
            }
        }
    }

    /// Running sums of the classes' weights; returns the last.
    private static func accumulate<Scalar: NumericScalar>(
        _ logits: UnsafePointer<Scalar>, to sums: UnsafeMutableBufferPointer<Double>
    ) -> Double {
        let finite = { (j: Int) in logits[j].asDouble.isFinite ? logits[j].asDouble : nil }
        let largest = sums.indices.lazy.compactMap(finite).max() ?? 0
        var total = 0.0
        for j in sums.indices {
            if let logit = finite(j) { total += exp(logit - largest) }
            sums.initializeElement(at: j, to: total)
        }
        return total
    }

    /// The first index whose sum is above `x`, or the number of sums.
    private static func firstAbove(_ x: Double, in sums: UnsafeMutableBufferPointer<Double>) -> Int {
        var (low, high) = (0, sums.count)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > x { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// `samples` classes for each row of `logits`, drawn anew in each run with the probabilities of its softmax; TensorFlow's
/// `tf.random.categorical`. No gradient flows.
///
/// - Parameters:
///   - logits: [batch, classes], of any number type.
///   - dtype: int64 or int32, of the classes.
///   - seed: TensorFlow's operation seed. Left out, it follows from the operation's name.
/// - Returns: [batch, samples].
public func multinomial(
    _ logits: any Operand, samples: Int, dtype: DType = .int64, seed: Int? = nil, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let graph = logits.node.graph
    var attributes = graph.seedAttributes(Multinomial.self, seed, name: name)
    attributes.values["output_dtype"] = .type(dtype)
    return apply(Multinomial.self, [logits, Tensor(Int32(clamping: samples))], attributes, name, file, line)
}
