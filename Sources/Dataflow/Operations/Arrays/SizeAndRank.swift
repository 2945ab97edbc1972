/// `Size`: the number of elements of a tensor.
public enum Size: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["input": "T"], to: ["output": "out_type"], types: ["T": DType.moved, "out_type": DType.indices],
        defaults: ["out_type": .type(.int32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard let count = node.shape(0).elementCount else { return nil }
        return [.numbers([Double(count)], dtype: try node.attributes.type("out_type"), sized: [])]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `Rank`: the number of dimensions of a tensor.
public enum Rank: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(["input": "T"], to: ["output": "int32"], types: ["T": DType.moved])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? { node.shape(0).rank.map { [Tensor(Int32($0))] } }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// The number of elements of `x`, an int32 scalar; TensorFlow's `tf.size`.
public func size(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Size.self, [x], [:], name, file, line) }

/// The number of dimensions of `x`, an int32 scalar; TensorFlow's `tf.rank`.
public func rank(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Rank.self, [x], [:], name, file, line) }
