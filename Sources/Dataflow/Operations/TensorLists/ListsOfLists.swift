/// `TensorListPushBackBatch`: each of several lists with a row of a tensor at its end.
public enum TensorListPushBackBatch: ListOperation {
    public static let signature = Signature(
        ["input_handles": "variant", "tensor": "element_dtype"], to: ["output_handles": "variant"],
        types: ["element_dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try node.checkRows(1, "the tensor")
        return [try node.shape(0, rank: 1, "the handles")]
    }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (handles, tensor) = (call.inputs[0], call.inputs[1])
        guard handles.shape.rank == 1, tensor.shape.rank != 0, tensor.shape[0] == handles.shape[0] else {
            throw GraphError(
                "there must be a row of the tensor for each list, got the shapes \(tensor.shape) and \(handles.shape)")
        }
        let lists = try zip(handles.variants(), tensor.unstacked()).map { handle, row -> Variant in
            guard case .list(let list) = handle else { throw GraphError("a handle is that of \(handle.kind)") }
            return .list(try list.appending(row))
        }
        return [Tensor(variants: lists, sized: handles.shape)]
    }
}

/// `TensorListConcatLists`: the elements of one list, then those of another; of tensors of lists each with each.
public enum TensorListConcatLists: ListOperation {
    public static let signature = Signature(
        ["input_a": "variant", "input_b": "variant"], to: ["output": "variant"],
        types: ["element_dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let shape = node.shape(0).merged(with: node.shape(1)) else {
            throw GraphError("both inputs must have one shape, got \(node.shape(0)) and \(node.shape(1))")
        }
        return [shape]
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (a, b, dtype) = (call.inputs[0], call.inputs[1], try call.attributes.type("element_dtype"))
        guard a.shape == b.shape else {
            throw GraphError("both inputs must have one shape, got \(a.shape) and \(b.shape)")
        }
        let lists = try zip(a.variants(), b.variants()).map { first, second -> Variant in
            guard case .list(let first) = first, case .list(let second) = second else {
                throw GraphError("a handle is not that of a list of tensors")
            }
            return .list(try first.followed(by: second, of: dtype))
        }
        return [Tensor(variants: lists, sized: a.shape)]
    }
}

extension TensorList {
    fileprivate func followed(by other: TensorList, of dtype: DType) throws -> TensorList {
        try check(dtype)
        try other.check(dtype)
        guard let shape = elementShape.merged(with: other.elementShape) else {
            throw GraphError("lists of elements \(elementShape) and \(other.elementShape) cannot be joined")
        }
        try Self.check(length: count + other.count)
        return TensorList(dtype, elementShape: shape, limit: limit, ElementTree(elements.all + other.elements.all))
    }
}
