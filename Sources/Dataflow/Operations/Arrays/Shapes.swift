/// `Shape`: the extents of a tensor as a vector.
public enum ShapeOperation: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static var name: String { "Shape" }
    public static let signature = Signature(
        ["input": "T"], to: ["output": "out_type"], types: ["T": DType.moved + [.variant], "out_type": DType.indices],
        defaults: ["out_type": .type(.int32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [Shape([node.shape(0).rank])] }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard node.shape(0).isFullyDefined else { return nil }
        let extents = node.shape(0).knownExtents
        return [
            .numbers(extents.map(Double.init), dtype: try node.attributes.type("out_type"), sized: [extents.count])
        ]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `ShapeN`: the extents of each of some tensors of one dtype.
public enum ShapeN: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["input": "N * T"], to: ["output": "N * out_type"], types: ["T": DType.moved, "out_type": DType.indices],
        defaults: ["out_type": .type(.int32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { node.inputs.map { Shape([$0.shape.rank]) } }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard node.inputs.allSatisfy(\.shape.isFullyDefined) else { return nil }
        let type = try node.attributes.type("out_type")
        return node.inputs.map { input in
            let extents = input.shape.knownExtents
            return .numbers(extents.map(Double.init), dtype: type, sized: [extents.count])
        }
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { node.inputs.map { _ in nil } }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `BroadcastArgs`: the shape that tensors of the shapes `s0` and `s1` broadcast to.
public enum BroadcastArgs: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(["s0": "T", "s1": "T"], to: ["r0": "T"], types: ["T": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        for i in 0...1 { _ = try node.shape(i, rank: 1, "'\(signature.inputs[i].name)'") }
        if let known = try fold(node) { return [known[0].shape] }
        guard let a = node.shape(0).elementCount, let b = node.shape(1).elementCount else { return [[nil]] }
        return [[Swift.max(a, b)]]
    }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard let a = try node.extents(0), let b = try node.extents(1) else { return nil }
        guard (a + b).allSatisfy({ $0 >= 0 }), let both = Shape(a).broadcast(with: Shape(b)) else {
            throw GraphError("the shapes \(a) and \(b) do not broadcast")
        }
        let extents = both.knownExtents
        return [.numbers(extents.map(Double.init), dtype: node.inputs[0].dtype, sized: [extents.count])]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([0, 1]) { try foldedKernel(Self.self, $0) }
    }
}

/// A kernel that writes what `fold` gives for these shapes: for operations over shapes alone.
func foldedKernel(_ operation: any Operation.Type, _ binding: KernelBinding) throws -> Kernel {
    let context = ShapeContext(
        attributes: binding.attributes, inputs: binding.inputs, constants: binding.inputs.indices.map(binding.constant))
    guard let values = try operation.fold(context) else {
        throw GraphError("its value is not known from shapes alone")
    }
    let slots = values.indices.map { binding.output($0) }
    return { memory in
        for (slot, value) in zip(slots, values) where value.byteCount > 0 {
            memory.raw(slot).copyMemory(from: value.storage.pointer, byteCount: value.byteCount)
        }
    }
}

/// `BroadcastGradientArgs`: the dimensions over which the gradients of two broadcast operands are summed.
public enum BroadcastGradientArgs: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["s0": "T", "s1": "T"], to: ["r0": "T", "r1": "T"], types: ["T": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try fold(node).map { $0.map(\.shape) } ?? [[nil], [nil]]
    }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard let a = try node.extents(0), let b = try node.extents(1) else { return nil }
        let rank = max(a.count, b.count)
        let padded = [a, b].map { Array(repeating: 1, count: rank - $0.count) + $0 }
        guard Shape(a).broadcast(with: Shape(b)) != nil else {
            throw GraphError("the shapes \(a) and \(b) do not broadcast")
        }
        return [(0, 1), (1, 0)].map { own, other in
            // TensorFlow also reduces where both are 1, which changes nothing.
            let axes = (0..<rank).filter {
                padded[own][$0] == 1 && (padded[other][$0] != 1 || padded[own] != padded[other])
            }
            return .numbers(axes.map(Double.init), dtype: node.inputs[0].dtype, sized: [axes.count])
        }
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `Reshape`: the same elements under another shape; one −1 stands for what is left.
public enum Reshape: Operation {
    public static let signature = Signature(
        ["tensor": "T", "shape": "Tshape"], to: ["output": "T"], types: ["T": DType.moved, "Tshape": DType.indices])
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let wanted = node.integers(1) else { return [.unknown] }
        let count = node.shape(0).elementCount
        guard wanted.allSatisfy({ $0 >= -1 }), wanted.count(where: { $0 == -1 }) <= 1 else {
            throw GraphError("the shape \(wanted) may hold one −1 and no other negative number")
        }
        let known = wanted.filter { $0 >= 0 }.reduce((1, false)) { r, n in
            let (p, o) = r.0.multipliedReportingOverflow(by: n)
            return (p, r.1 || o)
        }
        guard !known.1 else { throw GraphError("the shape \(wanted) has too many elements") }
        guard let count else { return [Shape(wanted.map { $0 < 0 ? nil : $0 })] }
        guard let hole = wanted.firstIndex(of: -1) else {
            guard known.0 == count else {
                throw GraphError("\(count) elements of shape \(node.shape(0)) do not fill the shape \(wanted)")
            }
            return [Shape(wanted)]
        }
        guard known.0 > 0, count % known.0 == 0 else {
            throw GraphError("\(count) elements of shape \(node.shape(0)) do not fill the shape \(wanted)")
        }
        var result = wanted
        result[hole] = count / known.0
        return [Shape(result)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [reshape(node.upstream(), shape(node.input(0))), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// The extents of `x` as an int32 vector; TensorFlow's `tf.shape`.
public func shape(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(ShapeOperation.self, [x], [:], name, file, line) }

/// The elements of `x` under another shape, an int vector; TensorFlow's `tf.reshape`.
public func reshape(
    _ x: any Operand, _ shape: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Reshape.self, [x, shape], [:], name, file, line) }

/// The elements of `x` under another shape, in which one −1 stands for what is left.
public func reshape(
    _ x: any Operand, _ shape: [Int], name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Reshape.self, [x, Tensor.small(shape)], [:], name, file, line) }
