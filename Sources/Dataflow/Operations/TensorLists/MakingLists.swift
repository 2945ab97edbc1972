/// `EmptyTensorList`: a list without elements; loops keep what their gradients need in lists.
///
/// `max_num_elements` limits what `TensorListPushBack` may add up to; −1 for any number.
public enum EmptyTensorList: ListOperation {
    public static let signature = Signature(
        ["element_shape": "shape_type", "max_num_elements": "int32"], to: ["handle": "variant"],
        types: ["shape_type": DType.indices, "element_dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.elementShape(0)
        try node.checkScalar(1, "max_num_elements")
        return [[]]
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let limit = try call.scalar(1, "max_num_elements")
        return [
            Tensor(
                .list(
                    TensorList(
                        try call.attributes.type("element_dtype"), elementShape: try call.elementShape(0),
                        limit: limit == -1 ? nil : max(limit, 0))))
        ]
    }
}

/// `TensorListReserve`: a list of `num_elements` places without elements.
public enum TensorListReserve: ListOperation {
    public static let signature = Signature(
        ["element_shape": "shape_type", "num_elements": "int32"], to: ["handle": "variant"],
        types: ["shape_type": DType.indices, "element_dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.elementShape(0)
        try node.checkScalar(1, "num_elements")
        return [[]]
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let count = try call.scalar(1, "num_elements")
        guard count >= 0 else { throw GraphError("the number of elements to reserve must be at least 0, got \(count)") }
        try TensorList.check(length: count)
        return [
            Tensor(
                .list(
                    TensorList(
                        try call.attributes.type("element_dtype"), elementShape: try call.elementShape(0),
                        ElementTree(count: count))))
        ]
    }
}

/// `TensorListFromTensor`: a list of the rows of a tensor.
public enum TensorListFromTensor: ListOperation {
    public static let signature = Signature(
        ["tensor": "element_dtype", "element_shape": "shape_type"], to: ["output_handle": "variant"],
        types: ["element_dtype": DType.any, "shape_type": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try node.checkRows(0, "the tensor")
        try checkRows(node.shape(0), node.elementShape(1))
        return [[]]
    }

    /// Throws if the rows of a tensor are not of the shape that the list's elements are to have.
    fileprivate static func checkRows(_ shape: Shape, _ told: Shape) throws {
        guard shape.rank == nil || shape.row.isCompatible(with: told) else {
            throw GraphError(
                "the tensor's rows have the shape \(shape.row), which element_shape \(told) does not allow")
        }
    }

    /// The list's elements one upon the other.
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let rows = node.input(0).shape.rank == nil ? nil : node.input(0).shape[0]
        return [
            node.graph.add(
                TensorListStack.self, [node.upstream(), rowShape(node.input(0))],
                ["element_dtype": .type(node.input(0).dtype), "num_elements": .int(rows ?? -1)]
            ).node, nil,
        ]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (tensor, shape) = (call.inputs[0], try call.elementShape(1))
        guard tensor.shape.rank != 0 else { throw GraphError("the tensor must be at least a vector, got a scalar") }
        try checkRows(tensor.shape, shape)
        try TensorList.check(length: tensor.shape.knownExtents[0])
        return [Tensor(.list(TensorList(tensor.dtype, elementShape: shape, ElementTree(try tensor.unstacked()))))]
    }
}

/// What `TensorListScatter` and its second version have in common: the rows of a tensor in the places that `indices` name.
protocol ListScattering: ListOperation {}

extension ListScattering {
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try node.checkRows(0, "the tensor")
        _ = try node.shape(1, rank: 1, "indices")
        try TensorListFromTensor.checkRows(node.shape(0), node.elementShape(2))
        return [[]]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        let gathered = node.graph.add(
            TensorListGather.self, [node.upstream(), node.input(1), rowShape(node.input(0))],
            ["element_dtype": .type(node.input(0).dtype)])
        return [gathered.node] + node.inputs.dropFirst().map { _ in nil }
    }

    /// - Parameter count: the list's length; nil for as many as the indices need.
    fileprivate static func scatter(_ call: DynamicCall, count: Int?) throws -> [Tensor] {
        let (tensor, indices, shape) = (call.inputs[0], try call.vector(1, "indices"), try call.elementShape(2))
        try TensorListScatterIntoExistingList.check(tensor, indices)
        try TensorListFromTensor.checkRows(tensor.shape, shape)
        let needed = (indices.max() ?? -1) + 1
        if let count, needed > count {
            throw GraphError("index \(needed - 1) is beyond the list of \(count) elements")
        }
        try TensorList.check(length: count ?? needed)
        let list = TensorList(tensor.dtype, elementShape: shape, ElementTree(count: count ?? needed))
        return [Tensor(.list(try list.setting(tensor, at: indices)))]
    }
}

/// `TensorListScatter`: a list in which row i of a tensor is in the place `indices[i]`.
public enum TensorListScatter: ListScattering {
    public static let signature = Signature(
        ["tensor": "element_dtype", "indices": "int32", "element_shape": "shape_type"],
        to: ["output_handle": "variant"], types: ["element_dtype": DType.any, "shape_type": DType.indices])
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { try scatter(call, count: nil) }
}

/// `TensorListScatterV2`: the same, with the list's length, or −1 for as many as the indices need.
public enum TensorListScatterV2: ListScattering {
    public static let signature = Signature(
        ["tensor": "element_dtype", "indices": "int32", "element_shape": "shape_type", "num_elements": "int32"],
        to: ["output_handle": "variant"], types: ["element_dtype": DType.any, "shape_type": DType.indices])
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let count = try call.scalar(3, "num_elements")
        guard count >= -1 else { throw GraphError("num_elements must be at least −1, got \(count)") }
        return try scatter(call, count: count < 0 ? nil : count)
    }
}

/// `TensorListScatterIntoExistingList`: a list with the rows of a tensor in the places that `indices` name, made longer
/// where these are beyond its end.
public enum TensorListScatterIntoExistingList: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "tensor": "element_dtype", "indices": "int32"],
        to: ["output_handle": "variant"], types: ["element_dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try node.checkRows(1, "the tensor")
        _ = try node.shape(2, rank: 1, "indices")
        return [[]]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (tensor, indices) = (node.input(1), node.input(2))
        let own = node.graph.add(
            TensorListGather.self, [node.upstream(), indices, rowShape(tensor)],
            ["element_dtype": .type(tensor.dtype)]
        ).node
        let others = node.graph.add(Self.self, [node.upstream(), zerosLike(tensor), indices]).node
        // The list may have been made longer; TensorFlow's gradient is too long then, and fails.
        let rest = node.graph.add(TensorListResize.self, [others, listLength(node.input(0))]).node
        return [rest, own, nil]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (list, tensor, indices) = (try call.list(0), call.inputs[1], try call.vector(2, "indices"))
        try check(tensor, indices)
        let needed = (indices.max() ?? -1) + 1
        try TensorList.check(length: needed)
        let long = needed > list.count ? list.resized(to: needed) : list
        return [Tensor(.list(try long.setting(tensor, at: indices)))]
    }

    fileprivate static func check(_ tensor: Tensor, _ indices: [Int]) throws {
        guard tensor.shape.rank != 0, tensor.shape[0] == indices.count else {
            throw GraphError(
                "there must be an index for each row of the tensor, got \(indices.count) for the shape \(tensor.shape)")
        }
        if let index = indices.first(where: { $0 < 0 }) { throw GraphError("indices must be at least 0, got \(index)") }
    }
}

extension TensorList {
    /// Row i of a tensor in the place `indices[i]`; of several for one place the last.
    fileprivate func setting(_ tensor: Tensor, at indices: [Int]) throws -> TensorList {
        var result = self
        for (index, row) in zip(indices, try tensor.unstacked()) { result = try result.setting(row, at: index) }
        return result
    }
}

/// `TensorListSplit`: a list of blocks of rows of a tensor, of the given lengths.
public enum TensorListSplit: ListOperation {
    public static let signature = Signature(
        ["tensor": "element_dtype", "element_shape": "shape_type", "lengths": "int64"],
        to: ["output_handle": "variant"], types: ["element_dtype": DType.any, "shape_type": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try node.checkRows(0, "the tensor")
        _ = try node.shape(2, rank: 1, "lengths")
        try check(node.shape(0), node.elementShape(1))
        return [[]]
    }

    private static func check(_ shape: Shape, _ told: Shape) throws {
        guard told.rank != 0 else {
            throw GraphError("element_shape must be that of at least a vector, got a scalar's")
        }
        guard shape.rank == nil || told.rank == nil || shape.row.isCompatible(with: told.row) else {
            throw GraphError("blocks of rows of a tensor \(shape) are not of the shape \(told)")
        }
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        let unknown = node.graph.constant([Int32(-1)])
        let shape = concat([unknown, rowShape(node.input(0))], axis: 0)
        let joined = node.graph.add(
            TensorListConcatV2.self, [node.upstream(), shape, node.input(2)],
            ["element_dtype": .type(node.input(0).dtype)])
        return [joined.output(0), nil, nil]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (tensor, shape, lengths) = (call.inputs[0], try call.elementShape(1), try call.vector(2, "lengths"))
        guard tensor.shape.rank != 0 else { throw GraphError("the tensor must be at least a vector, got a scalar") }
        try check(tensor.shape, shape)
        try TensorList.check(length: lengths.count)
        var blocks: [Tensor] = []
        var start = 0
        let rows = tensor.shape.knownExtents[0]
        let own = tensor.dtype == .variant ? tensor : tensor.kept()
        for length in lengths {
            guard length >= 0, length <= rows - start else {
                throw GraphError("the lengths must add up to the \(rows) rows of the tensor, got \(lengths.prefix(16))")
            }
            blocks.append(try own.slice(start..<start + length))
            start += length
        }
        guard start == rows else {
            throw GraphError("the lengths must add up to the \(rows) rows of the tensor, got \(start)")
        }
        let list = TensorList(tensor.dtype, elementShape: shape, ElementTree(blocks))
        for block in blocks where !shape.isCompatible(with: block.shape) {
            throw GraphError("the list's elements have the shape \(shape), a block \(block.shape) does not fit")
        }
        return [Tensor(.list(list))]
    }
}
