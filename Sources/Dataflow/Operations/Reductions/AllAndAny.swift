/// `All`: whether every element over some dimensions is true.
public enum All: ReductionOperation {
    public static let signature = boolSignature
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try reductionKernel($0, initial: UInt8(1)) { $0 & $1 } }
    }
}

/// `Any`: whether any element over some dimensions is true.
public enum AnyOperation: ReductionOperation {
    public static var name: String { "Any" }
    public static let signature = boolSignature
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try reductionKernel($0, initial: UInt8(0)) { $0 | $1 } }
    }
}

private let boolSignature = Signature(
    ["input": "bool", "reduction_indices": "Tidx"], to: ["output": "bool"], types: ["Tidx": DType.indices],
    defaults: ["keep_dims": .bool(false)])

/// Whether every element over `axis` or `axes` (all by default) is true; TensorFlow's `tf.reduce_all`.
public func all(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { reduce(All.self, x, axis, axes, keepDims, name, file, line) }

/// Whether any element over `axis` or `axes` (all by default) is true; TensorFlow's `tf.reduce_any`.
public func any(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { reduce(AnyOperation.self, x, axis, axes, keepDims, name, file, line) }
