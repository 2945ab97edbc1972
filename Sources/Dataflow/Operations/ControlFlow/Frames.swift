/// An operation that directs values instead of computing with them: TensorFlow 1's control flow.
///
/// A plan that meets one hands it, and all that follows from it, to a `FrameProgram`; the kernels are never bound.
protocol ControlFlowOperation: Operation {}

extension ControlFlowOperation {
    public static var hostReason: String? { HostReason.values }
    public static var passesHandles: Bool { true }
    public static var isStateful: Bool { true }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        fatalError("\(name) is carried out by the frames of a plan")
    }
}

private func undifferentiableLoop() -> GraphError {
    GraphError(
        "a loop is differentiated as a whole: TensorFlow's loops bring their gradients with them, and whileLoop's are made"
            + " when they are asked for")
}

/// `Switch`: the value to output 1 where the predicate is true, else to output 0; nothing arrives at the other.
public enum Switch: ControlFlowOperation {
    public static let signature = Signature(
        ["data": "T", "pred": "bool"], to: ["output_false": "T", "output_true": "T"], types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(1).isCompatible(with: []) else {
            throw GraphError("'pred' must be a scalar, got the shape \(node.shape(1))")
        }
        return [node.shape(0), node.shape(0)]
    }

    /// What arrives from either side.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let sides = try (0..<2).map { side in
            // Where only one side gave a gradient, the other passes zeros on, so that one arrives whatever is taken.
            try node.hasUpstream(side) ? node.upstream(side) : zerosOnSide(side, node)
        }
        return [node.graph.add(Merge.self, sides).output(0), nil]
    }

    private static func zerosOnSide(_ side: Int, _ node: GradientContext) throws -> Node {
        zerosLike(node.output(side))
    }
}

/// `Merge`: whichever of its inputs arrives, and which it was.
public enum Merge: ControlFlowOperation {
    public static let signature = Signature(
        ["inputs": "N * T"], to: ["output": "T", "value_index": "int32"], types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard !node.inputs.isEmpty else { throw GraphError("takes at least one input") }
        var shape = node.shape(0)
        for i in node.inputs.indices.dropFirst() where node.shape(i) != shape {
            let (a, b) = (shape.dimensions, node.shape(i).dimensions)
            shape =
                if let a, let b, a.count == b.count { Shape(zip(a, b).map { $0 == $1 ? $0 : nil }) } else { .unknown }
        }
        return [shape, []]
    }

    /// To each input where it was the one, by the predicate of the `Switch` that it comes from.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        guard node.vertex.loopInput == nil else {
            throw undifferentiableLoop()
        }
        let index = node.output(1)
        return node.inputs.indices.map { i in
            let chosen = equal(index, node.graph.constant(Int32(i)))
            return node.graph.add(Switch.self, [node.upstream(), chosen]).output(1)
        }
    }
}

/// `Enter`: a value enters the frame of a loop.
public enum Enter: ControlFlowOperation {
    public static let signature = Signature(
        ["data": "T"], to: ["output": "T"], types: ["T": DType.any],
        defaults: ["is_constant": .bool(false), "parallel_iterations": .int(10)], required: ["frame_name"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { throw undifferentiableLoop() }
}

/// `Exit`: a value leaves the frame of a loop.
public enum Exit: ControlFlowOperation {
    public static let signature = Signature(["data": "T"], to: ["output": "T"], types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { throw undifferentiableLoop() }
}

/// `NextIteration`: a value goes on to the next iteration of a loop.
public enum NextIteration: ControlFlowOperation {
    public static let signature = Exit.signature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { throw undifferentiableLoop() }
}

/// `LoopCond`: whether a loop goes on.
public enum LoopCond: ControlFlowOperation {
    public static let signature = Signature(["input": "bool"], to: ["output": "bool"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try node.shape(0, rank: 0, "'input'")] }
}

/// `ControlTrigger`: nothing, once its control inputs have come, dead or alive.
public enum ControlTrigger: ControlFlowOperation {
    public static let signature = Signature([:], to: [:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [] }
}

/// `RefSwitch`, `RefMerge`, `RefEnter`, `RefExit`, `RefNextIteration`: the same for references of Variables.
public enum RefSwitch: ControlFlowOperation {
    public static let signature = Signature(
        ["data": "ref T", "pred": "bool"], to: ["output_false": "ref T", "output_true": "ref T"],
        types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try Switch.infer(node) }
}

/// `RefMerge`: `Merge` of references.
public enum RefMerge: ControlFlowOperation {
    public static let signature = Signature(
        ["inputs": "ref N * T"], to: ["output": "ref T", "value_index": "int32"], types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try Merge.infer(node) }
}

/// `RefEnter`: `Enter` of a reference.
public enum RefEnter: ControlFlowOperation {
    public static let signature = Signature(
        ["data": "ref T"], to: ["output": "ref T"], types: ["T": DType.any],
        defaults: ["is_constant": .bool(false), "parallel_iterations": .int(10)], required: ["frame_name"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { throw undifferentiableLoop() }
}

/// `RefExit`: `Exit` of a reference.
public enum RefExit: ControlFlowOperation {
    public static let signature = Signature(["data": "ref T"], to: ["output": "ref T"], types: ["T": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { throw undifferentiableLoop() }
}

/// `RefNextIteration`: `NextIteration` of a reference.
public enum RefNextIteration: ControlFlowOperation {
    public static let signature = RefExit.signature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { throw undifferentiableLoop() }
}
