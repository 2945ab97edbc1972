/// An operation that computes each element of its output from the elements of its inputs at the same place, broadcast.
public protocol ElementwiseOperation: Operation {
    /// One element of the output.
    static func expression(_ x: [Expression], _ attributes: Attributes) throws -> Expression

    /// Whether a vertex with these attributes is one: its inputs broadcast to its output as NumPy's do.
    static func isElementwise(_ attributes: Attributes) -> Bool
}

extension ElementwiseOperation {
    public static func isElementwise(_ attributes: Attributes) -> Bool { true }

    /// The broadcast shape of all inputs.
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try broadcastShape(node)] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try elementwiseKernel(Self.self, binding)
    }
}

// Outside the protocols' extensions, and over metatypes, so that there is one of each and not one for each operation.

@inline(never)
private func broadcastShape(_ node: ShapeContext) throws -> Shape {
    var shape = node.shape(0)
    for i in node.inputs.indices.dropFirst() {
        guard let joined = shape.broadcast(with: node.shape(i)) else {
            throw GraphError(
                "the shapes of its inputs do not broadcast: \(node.inputs.map { "\($0.shape)" }.joined(separator: " and "))"
            )
        }
        shape = joined
    }
    return shape
}

func elementwiseKernel(
    _ operation: any ElementwiseOperation.Type, _ binding: KernelBinding
) throws -> Kernel {
    try elementwiseKernel(
        binding, outputs: binding.outputs, slots: [binding.output()],
        [operation.expression(binding.inputs.indices.map { .input($0) }, binding.attributes)])
}

private func elementwiseKernel(_ operation: any ElementwiseUpdate.Type, _ binding: KernelBinding) throws -> Kernel {
    let writes = operation.writes
    return try elementwiseKernel(
        binding, outputs: writes.map { binding.inputs[$0] }, slots: writes.map(binding.input),
        operation.update(binding.inputs.indices.map { .input($0) }, binding.attributes))
}

private func elementwiseKernel(
    _ binding: KernelBinding, outputs: [TensorSpec], slots: [Slot], _ expressions: [Expression]
) throws -> Kernel {
    let loop = try ElementwiseLoop(
        expressions, inputs: binding.inputs, inputSlots: binding.inputs.indices.map(binding.input), outputs: outputs,
        outputSlots: slots, threads: binding.threads)
    binding.scratch.noteOwn(loop.byteCount)
    guard let check = IntegerDivision.check(expressions, binding) else { return { memory in loop.run(memory) } }
    return { memory in
        try check(memory)
        loop.run(memory)
    }
}

func updatedShape(_ arguments: [Signature.Argument], _ node: ShapeContext) throws -> [Shape] {
    var shape = node.shape(0)
    for (i, argument) in arguments.enumerated() {
        let own = node.shape(i)
        if argument.isReference || ["grad", "delta"].contains(argument.name) {
            guard let merged = shape.merged(with: own) else {
                throw GraphError("'\(argument.name)' must have the Variable's shape \(shape), got \(own)")
            }
            shape = merged
        } else if own.rank != nil, own.rank != 0 {
            throw GraphError("'\(argument.name)' must be a scalar, got the shape \(own)")
        }
    }
    return [shape]
}

/// An operation that updates Variables in place, element by element: an optimizer's step.
public protocol ElementwiseUpdate: Operation {
    /// The new values of the Variables among the inputs, one expression for each of `writes`, computed in that order:
    /// a Variable already written stands for its new value in the expressions that follow.
    static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression]
}

extension ElementwiseUpdate {
    public static var isStateful: Bool { true }
    public static var aliases: [Int: Int] { [0: 0] }

    /// All tensors have the Variable's shape; the others are scalars.
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try updatedShape(signature.inputs, node) }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try elementwiseKernel(Self.self, binding)
    }
}
