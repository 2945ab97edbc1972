/// `Bitcast`: the same bytes read as another dtype. Of a narrower one the elements get a last dimension; of a wider one they
/// lose it, and it must be as long as the wider is wide.
public enum Bitcast: Operation {
    private static let types = DType.all.filter { $0 != .bool }
    public static let signature = Signature(
        ["input": "T"], to: ["output": "type"], types: ["T": types, "type": types])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (from, to) = (node.inputs[0].dtype.size, try node.attributes.type("type").size)
        guard let dimensions = node.shape(0).dimensions else { return [.unknown] }
        if from == to { return [node.shape(0)] }
        if from > to { return [Shape(dimensions + [from / to])] }
        guard let last = dimensions.last, last ?? to / from == to / from else {
            throw GraphError(
                "the last dimension of the input must be \(to / from) to make one element each of"
                    + " \(try node.attributes.type("type")), got the shape \(node.shape(0)) of \(node.inputs[0].dtype)")
        }
        return [Shape(Array(dimensions.dropLast()))]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { Copy.kernel(binding) }
}

/// The bytes of `x` read as `dtype`; TensorFlow's `tf.bitcast`.
public func bitcast(
    _ x: any Operand, to dtype: DType, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Bitcast.self, [x], ["type": .type(dtype)], name, file, line) }
