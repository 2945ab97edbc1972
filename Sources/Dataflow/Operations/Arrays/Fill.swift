/// `Fill`: a tensor of the given shape with every element the same.
public enum Fill: Operation, MovingKernel {
    public static let signature = Signature(
        ["dims": "index_type", "value": "T"], to: ["output": "T"],
        types: ["T": DType.moved, "index_type": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        if let rank = node.shape(1).rank, rank != 0 {
            throw GraphError("the value must be a scalar, got the shape \(node.shape(1))")
        }
        guard let extents = try node.extents(0) else { return [.unknown] }
        guard extents.allSatisfy({ $0 >= 0 }) else { throw GraphError("dimensions are at least 0, got \(extents)") }
        return [Shape(extents)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, sum(node.upstream())] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.moving(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Element: BitwiseCopyable>(_ type: Element.Type, _ binding: KernelBinding) throws -> Kernel {
        let (value, out, count) = (binding.input(1), binding.output(), binding.outputCount())
        return { memory in
            let element = memory.raw(value).load(as: Element.self)
            memory.raw(out).assumingMemoryBound(to: Element.self).update(repeating: element, count: count)
        }
    }
}

/// `Empty`: a tensor of the given shape and dtype. TensorFlow clears it only if `init` is true; here it is always zeros.
public enum Empty: Operation {
    public static let signature = Signature(
        ["shape": "int32"], to: ["output": "dtype"], types: ["dtype": DType.all], defaults: ["init": .bool(false)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(0, rank: 1, "'shape'")
        guard let extents = try node.extents(0) else { return [.unknown] }
        guard extents.allSatisfy({ $0 >= 0 }) else { throw GraphError("dimensions are at least 0, got \(extents)") }
        return [Shape(extents)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { binding.clearing() }
}

/// `ZerosLike`: zeros of the input's shape and dtype; of a list of tensors, a list of zeros.
public enum ZerosLike: Operation {
    public static let signature = Signature.unary(DType.moved + [.variant])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard node.inputs[0].dtype == .variant else { return constantLike(node, 0) }
        return try node.constant(0).map { [try $0.zeroed()] }
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { binding.clearing() }
}

/// `OnesLike`: ones of the input's shape and dtype.
public enum OnesLike: Operation {
    public static let signature = Signature.unary(DType.all)
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? { constantLike(node, 1) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try repeated(1, binding) }
}

/// A known value where the shape is known and small.
private func constantLike(_ node: ShapeContext, _ value: Double) -> [Tensor]? {
    guard let count = node.shape(0).elementCount, count <= Planner.foldLimit else { return nil }
    let dtype = node.inputs[0].dtype
    if value == 0 { return [.zeros(dtype, sized: node.shape(0))] }
    return [.numbers([Double](repeating: value, count: count), dtype: dtype, sized: node.shape(0))]
}

private func repeated(_ value: Double, _ binding: KernelBinding) throws -> Kernel {
    let dtype = binding.outputs[0].dtype
    let element = dtype == .string ? Tensor.zeros(dtype, sized: []) : Tensor.numbers([value], dtype: dtype, sized: [])
    let (size, out) = (element.byteCount, binding.output())
    let bytes = binding.outputCount() * size
    return { memory in
        guard bytes > 0 else { return }
        let target = memory.raw(out)
        element.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: size) }
        // What is there is copied behind itself: twice as much each time.
        var filled = size
        while filled < bytes {
            let count = min(filled, bytes - filled)
            (target + filled).copyMemory(from: target, byteCount: count)
            filled += count
        }
    }
}

/// Zeros of the shape and dtype of `x`; TensorFlow's `tf.zeros_like`.
public func zerosLike(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(ZerosLike.self, [x], [:], name, file, line) }

/// Ones of the shape and dtype of `x`; TensorFlow's `tf.ones_like`.
public func onesLike(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(OnesLike.self, [x], [:], name, file, line) }

/// A tensor of shape `dims` (an int vector) with every element `value` (a scalar); TensorFlow's `tf.fill`.
public func fill(
    _ dims: any Operand, _ value: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Fill.self, [dims, value], [:], name, file, line) }

extension Fill: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { GPUProgram(binding.gpuFill(with: .input(1))) }
}

extension Empty: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { GPUProgram(binding.gpuClearing()) }
}

extension ZerosLike: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { GPUProgram(binding.gpuClearing()) }
}

extension OnesLike: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard let type = binding.outputs[0].dtype.gpuName else { return nil }
        let source = """
            KERNEL void ones(int n, GLOBAL \(type) *y) {
                int i = INDEX;
                if (i < n) y[i] = 1;
            }

            """
        let count = binding.outputCount()
        return GPUProgram(.launch(GPULaunch("ones", source, items: count, memory: [.output(0)])))
    }
}
