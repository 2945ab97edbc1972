/// `BroadcastTo`: the input repeated to the given shape.
public enum BroadcastTo: Operation {
    public static let signature = Signature(
        ["input": "T", "shape": "Tidx"], to: ["output": "T"],
        types: ["T": DType.moved.filter { $0 != .bfloat16 }, "Tidx": DType.indices], defaults: [:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.integers(1) else { return [.unknown] }
        guard extents.allSatisfy({ $0 >= 0 }) else { throw GraphError("dimensions are at least 0, got \(extents)") }
        let target = Shape(extents)
        guard let joined = node.shape(0).broadcast(with: target), !joined.isFullyDefined || joined == target else {
            throw GraphError("the shape \(node.shape(0)) does not broadcast to \(target)")
        }
        return [target]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let x = node.input(0)
        let reductions = node.graph.add(BroadcastGradientArgs.self, [shape(x), shape(node.output())])
        return [reshape(apply(Sum.self, [node.upstream(), reductions.output(0)]), shape(x)), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let loop = try ElementwiseLoop(
            [.input(0)], inputs: [binding.inputs[0]], inputSlots: [binding.input(0)], outputs: binding.outputs,
            outputSlots: [binding.output()], threads: binding.threads)
        binding.scratch.noteOwn(loop.byteCount)
        return { memory in loop.run(memory) }
    }
}

extension BroadcastTo: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        let (shape, extents) = (binding.inputs[0].shape, binding.outputs[0].shape.knownExtents)
        let missing = extents.count - shape.knownExtents.count
        let from = extents.indices.map { i in
            i < missing || shape.knownExtents[i - missing] == 1 ? 0 : shape.strides[i - missing]
        }
        return StridedCopy(extents, from: from).gpu(binding)
    }
}

/// `x` repeated to the shape `shape`, an int vector; TensorFlow's `tf.broadcast_to`.
public func broadcast(
    _ x: any Operand, to shape: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(BroadcastTo.self, [x, shape], [:], name, file, line) }

/// `x` repeated to `shape`, fully known, by the rules of broadcasting.
public func broadcast(
    _ x: any Operand, to shape: [Int], name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(BroadcastTo.self, [x, Tensor.small(shape)], [:], name, file, line) }
