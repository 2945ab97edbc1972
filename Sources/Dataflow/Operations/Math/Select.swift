/// `Select`: t where the condition holds, else e, which have one shape; TensorFlow 1's `tf.where`.
///
/// The condition has that shape too, or is a scalar, or a vector that chooses among the rows of the first dimension.
public enum Select: Operation {
    public static let signature = Signature(
        ["condition": "bool", "t": "T", "e": "T"], to: ["output": "T"], types: ["T": DType.numbers + [.bool, .string]])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let condition = node.shape(0)
        guard let shape = node.shape(1).merged(with: node.shape(2)) else {
            throw GraphError("'t' and 'e' must have one shape, got \(node.shape(1)) and \(node.shape(2))")
        }
        guard let rank = condition.rank, let own = shape.dimensions else { return [shape] }
        let choosesRows = rank == 1 && own.first.map { Shape([$0]).isCompatible(with: condition) } ?? false
        guard rank == 0 || choosesRows || condition.isCompatible(with: shape) else {
            throw GraphError(
                "'condition' must be a scalar, have the shape \(shape) of 't' or be a vector of a bool for each of its"
                    + " rows, got \(condition)")
        }
        return [shape]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (condition, upstream) = (node.input(0), node.upstream())
        let zeros = zerosLike(upstream)
        return [
            nil, apply(Select.self, [condition, upstream, zeros]), apply(Select.self, [condition, zeros, upstream]),
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let loop = try ElementwiseLoop(
            [.where_(.input(0), .input(1), .input(2))], inputs: aligned(binding),
            inputSlots: (0..<3).map(binding.input),
            outputs: binding.outputs, outputSlots: [binding.output()], threads: binding.threads)
        binding.scratch.noteOwn(loop.byteCount)
        return { memory in loop.run(memory) }
    }

    /// The inputs, the condition as what broadcasts: a column if it chooses among rows.
    fileprivate static func aligned(_ binding: KernelBinding) -> [TensorSpec] {
        var inputs = binding.inputs
        let (condition, rank) = (inputs[0].shape.knownExtents, inputs[1].shape.knownExtents.count)
        if condition.count == 1, rank > 1 {
            let column = condition + [Int](repeating: 1, count: rank - 1)
            inputs[0] = TensorSpec(.bool, Shape(column))
        }
        return inputs
    }
}

extension Select: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try ElementwiseSource.launch(
            [
                ElementwiseTerm(
                    expression: .where_(.input(0), .input(1), .input(2)), operands: [.input(0), .input(1), .input(2)],
                    output: 0)
            ], inputs: aligned(binding), outputs: binding.outputs, updates: [nil], input: { .input($0) },
            output: { .output($0) })
    }
}
