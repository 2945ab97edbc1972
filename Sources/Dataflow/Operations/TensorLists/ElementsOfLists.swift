/// `TensorListPushBack`: the list with one more element at its end.
public enum TensorListPushBack: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "tensor": "element_dtype"], to: ["output_handle": "variant"],
        types: ["element_dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        let pop = node.graph.add(
            TensorListPopBack.self, [node.upstream(), shape(node.input(1), as: .int32)],
            ["element_dtype": .type(node.input(1).dtype)])
        return [pop.output(0), pop.output(1)]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        [Tensor(.list(try call.list(0).appending(call.inputs[1])))]
    }
}

/// `TensorListPopBack`: the list without its last element, and that element.
public enum TensorListPopBack: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "element_shape": "int32"],
        to: ["output_handle": "variant", "tensor": "element_dtype"], types: ["element_dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[], try node.elementShape(1)] }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.graph.add(TensorListPushBack.self, [node.upstream(0), node.upstream(1)]).node, nil]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (list, shape) = (try call.list(0), try call.elementShape(1))
        try list.check(call.attributes.type("element_dtype"))
        guard list.count > 0 else { throw GraphError("the list of tensors is empty") }
        let last = try list.element(list.count - 1, shape: shape, limit: call.memoryLimit)
        return [Tensor(.list(list.droppingLast())), last]
    }
}

/// `TensorListGetItem`: the element in a place of a list; zeros of `element_shape` where there is none.
public enum TensorListGetItem: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "index": "int32", "element_shape": "Tshape"], to: ["item": "element_dtype"],
        types: ["element_dtype": DType.any, "Tshape": DType.indices], defaults: ["Tshape": .type(.int32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try node.checkScalar(1, "the index")
        return [try node.elementShape(2)]
    }

    /// A list that has the gradient in the same place and nothing elsewhere.
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let vacant = node.graph.add(
            TensorListReserve.self, [elementShape(ofList: node.input(0)), listLength(node.input(0))],
            ["element_dtype": .type(node.output().dtype)]
        ).node
        return [node.graph.add(TensorListSetItem.self, [vacant, node.input(1), node.upstream()]).node, nil, nil]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (list, index) = (try call.list(0), try call.scalar(1, "the index"))
        try list.check(call.attributes.type("element_dtype"))
        guard (0..<list.count).contains(index) else {
            throw GraphError("index \(index) is beyond the list of \(list.count) elements")
        }
        return [try list.element(index, shape: call.elementShape(2), limit: call.memoryLimit)]
    }
}

/// `TensorListSetItem`: a list with another element in one place.
///
/// `resize_if_index_out_of_bounds` makes the list longer where the place is beyond its end.
public enum TensorListSetItem: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "index": "int32", "item": "element_dtype"], to: ["output_handle": "variant"],
        types: ["element_dtype": DType.any], defaults: ["resize_if_index_out_of_bounds": .bool(false)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try node.checkScalar(1, "the index")
        return [[]]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (list, index, item) = (node.input(0), node.input(1), node.input(2))
        var rest = node.graph.add(TensorListSetItem.self, [node.upstream(), index, zerosLike(item)]).node
        let own = node.graph.add(
            TensorListGetItem.self, [node.upstream(), index, shape(item, as: .int32)],
            ["element_dtype": .type(item.dtype)]
        ).node
        if try node.attributes.bool("resize_if_index_out_of_bounds") {
            rest = node.graph.add(TensorListResize.self, [rest, listLength(list)]).node
        }
        return [rest, nil, own]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        var (list, index) = (try call.list(0), try call.scalar(1, "the index"))
        try list.check(call.inputs[2].dtype)
        if index >= list.count, try call.attributes.bool("resize_if_index_out_of_bounds") {
            try TensorList.check(length: index + 1)
            list = list.resized(to: index + 1)
        }
        guard (0..<list.count).contains(index) else {
            throw GraphError("index \(index) is beyond the list of \(list.count) elements")
        }
        return [Tensor(.list(try list.setting(call.inputs[2], at: index)))]
    }
}

/// `TensorListLength`: how many elements a list has.
public enum TensorListLength: ListOperation {
    public static let signature = Signature(["input_handle": "variant"], to: ["length": "int32"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { [Tensor(Int32(clamping: try call.list(0).count))] }
}

/// `TensorListElementShape`: what is known of the shape of every element: −1 for an unknown extent, the scalar −1 for an
/// unknown shape.
public enum TensorListElementShape: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant"], to: ["element_shape": "shape_type"], types: ["shape_type": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [.unknown] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let dtype = try call.attributes.type("shape_type")
        let dimensions = try call.list(0).elementShape.dimensions
        let values = dimensions.map { $0.map { Double($0 ?? -1) } } ?? [-1]
        return [.numbers(values, dtype: dtype, sized: dimensions.map { [$0.count] } ?? [])]
    }
}

/// `TensorListResize`: a list of another length: shortened at its end, or with places without elements there.
public enum TensorListResize: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "size": "int32"], to: ["output_handle": "variant"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try node.checkScalar(1, "the size")
        return [[]]
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        [node.graph.add(Self.self, [node.upstream(), listLength(node.input(0))]).node, nil]
    }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let size = try call.scalar(1, "the size")
        guard size >= 0 else { throw GraphError("the size must be at least 0, got \(size)") }
        try TensorList.check(length: size)
        return [Tensor(.list(try call.list(0).resized(to: size)))]
    }
}
