/// `OneHot`: along a new axis of `depth`, `on_value` at the index and `off_value` elsewhere.
public enum OneHot: Operation, MovingKernel {
    public static let signature = Signature(
        ["indices": "TI", "depth": "int32", "on_value": "T", "off_value": "T"], to: ["output": "T"],
        types: ["TI": [.uint8, .int32, .int64], "T": DType.moved], defaults: ["axis": .int(-1)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        for i in 1...3 { _ = try node.shape(i, rank: 0, "'\(signature.inputs[i].name)'") }
        let depth = try node.integer(1)
        if let depth, depth < 0 { throw GraphError("'depth' must be at least 0, got \(depth)") }
        guard var dimensions = node.shape(0).dimensions else { return [.unknown] }
        let axis = try normalize([node.attributes.int("axis")], rank: dimensions.count + 1)[0]
        dimensions.insert(depth, at: axis)
        return [Shape(dimensions)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil, nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.moving(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Element: BitwiseCopyable>(_ type: Element.Type, _ binding: KernelBinding) throws -> Kernel {
        let extents = binding.outputs[0].shape.knownExtents
        let axis = try normalize([binding.attributes.int("axis")], rank: extents.count)[0]
        let depth = extents[axis]
        let inner = extents[(axis + 1)...].reduce(1, *)
        let (indices, on, off, out) = (IndexInput(binding, 0), binding.input(2), binding.input(3), binding.output())
        let (count, total) = (binding.count(0), binding.outputCount())
        return { memory in
            let result = memory.raw(out).assumingMemoryBound(to: Element.self)
            let value = memory.raw(on).load(as: Element.self)
            result.update(repeating: memory.raw(off).load(as: Element.self), count: total)
            for i in 0..<count {
                let index = indices.read(memory, i)
                // An index out of range is a row of off_value, as in TensorFlow.
                guard index >= 0, index < depth else { continue }
                result[(i / inner * depth + index) * inner + i % inner] = value
            }
        }
    }
}

/// Along a new last axis of `depth`, `on` at each index and `off` elsewhere; TensorFlow's `tf.one_hot`.
public func oneHot(
    _ indices: any Operand, depth: Int, on: Double = 1, off: Double = 0, dtype: DType = .float32, axis: Int = -1,
    name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let values: [any TensorOperand] = [on, off].map {
        indices.node.graph.number($0, dtype, SourceLocation(file: file, line: line))
    }
    return apply(OneHot.self, [indices, Tensor.small(depth)] + values, ["axis": .int(axis)], name, file, line)
}

extension OneHot: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard let index = binding.inputs[0].dtype.gpuName, let type = binding.outputs[0].dtype.gpuName else {
            return nil
        }
        let extents = binding.outputs[0].shape.knownExtents
        let axis = try normalize([binding.attributes.int("axis")], rank: extents.count)[0]
        let (total, inner) = (binding.outputCount(), extents[(axis + 1)...].reduce(1, *))
        let source = """
            KERNEL void one_hot(int n, GLOBAL const \(index) *indices, GLOBAL const \(type) *on,
                GLOBAL const \(type) *off, GLOBAL \(type) *y, int depth, int inner) {
                int i = INDEX;
                if (i >= n) return;
                int c = i % inner, k = i / inner % depth, outer = i / inner / depth;
                y[i] = indices[outer * inner + c] == k ? on[0] : off[0];
            }

            """
        return GPUProgram(
            .launch(
                GPULaunch(
                    "one_hot", source, items: total, memory: [.input(0), .input(2), .input(3), .output(0)],
                    integers: [extents[axis], inner])))
    }
}
