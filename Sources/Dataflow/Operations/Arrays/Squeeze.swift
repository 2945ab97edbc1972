/// `Squeeze`: the same elements without dimensions of 1: those in `squeeze_dims`, or all.
public enum Squeeze: Operation {
    public static let signature = Signature(
        ["input": "T"], to: ["output": "T"], types: ["T": DType.moved], defaults: ["squeeze_dims": .ints([])])
    public static var aliases: [Int: Int] { [0: 0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let axes = try node.attributes.ints("squeeze_dims")
        guard let dimensions = node.shape(0).dimensions else { return [.unknown] }
        if axes.isEmpty {
            return [dimensions.contains(nil) ? .unknown : Shape(dimensions.filter { $0 != 1 })]
        }
        let removed = Set(try normalize(axes, rank: dimensions.count))
        for axis in removed {
            if let extent = dimensions[axis], extent != 1 {
                throw GraphError("dimension \(axis) of the shape \(node.shape(0)) is \(extent), only 1 can be removed")
            }
        }
        return [Shape(dimensions.indices.filter { !removed.contains($0) }.map { dimensions[$0] })]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [reshape(node.upstream(), shape(node.input(0)))]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// The elements of `x` without the dimensions `axes`, each of 1, or without all of 1; TensorFlow's `tf.squeeze`.
public func squeeze(
    _ x: any Operand, axis: Int? = nil, axes: [Int] = [], name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { apply(Squeeze.self, [x], ["squeeze_dims": .ints(axes + (axis.map { [$0] } ?? []))], name, file, line) }
