/// `RandomShuffle`: the slices along the first dimension in random order, bit for bit TensorFlow's for the same `seed` and
/// `seed2`: Fisher and Yates's shuffle from the front, each choice a random word modulo what is left.
public enum RandomShuffle: Operation {
    public static let signature = Signature(
        ["value": "T"], to: ["output": "T"], types: ["T": DType.moved], defaults: ["seed": .int(0), "seed2": .int(0)])
    public static var isStateful: Bool { true }
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let rows = binding.inputs[0].shape.knownExtents.first ?? 1
        // There is no order to choose, nor a word to draw.
        if rows <= 1 || binding.count(0) <= 1 { return Copy.kernel(binding) }
        let (input, output) = (binding.input(0), binding.output())
        let bytes = binding.count(0) / rows * binding.inputs[0].dtype.size
        // A word for each choice.
        let next = try binding.generator(groups: UInt64(rows + 2) / 4)
        return { memory in
            var words = PhiloxWords(next())
            withUnsafeTemporaryAllocation(of: Int.self, capacity: rows) { order in
                for i in 0..<rows { order.initializeElement(at: i, to: i) }
                for i in 0..<rows - 1 { order.swapAt(i, i + Int(words.next() % UInt32(truncatingIfNeeded: rows - i))) }
                let (source, target) = (memory.raw(input), memory.raw(output))
                for i in 0..<rows {
                    (target + i * bytes).copyMemory(from: source + order[i] * bytes, byteCount: bytes)
                }
            }
        }
    }
}

/// The slices of `x` along its first dimension in an order that is drawn anew in each run; TensorFlow's
/// `tf.random.shuffle`. No gradient flows.
/// - Parameter seed: TensorFlow's operation seed. Left out, it follows from the operation's name.
public func randomShuffle(
    _ x: any Operand, seed: Int? = nil, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        RandomShuffle.self, [x], x.node.graph.seedAttributes(RandomShuffle.self, seed, name: name), name, file, line)
}
