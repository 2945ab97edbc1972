/// `TensorListStack`: the elements of a list one upon the other; zeros where there is none.
public enum TensorListStack: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "element_shape": "int32"], to: ["tensor": "element_dtype"],
        types: ["element_dtype": DType.any], defaults: ["num_elements": .int(-1)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = try node.attributes.int("num_elements")
        return [try node.elementShape(1).stacked(count >= 0 ? count : nil)]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] { [rows(node.upstream()), nil] }

    /// A list of the rows of a node.
    private static func rows(_ x: Node) -> Node {
        x.graph.add(TensorListFromTensor.self, [x, rowShape(x)]).node
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (list, count) = (try call.list(0), try call.attributes.int("num_elements"))
        try list.check(call.attributes.type("element_dtype"))
        guard count < 0 || count == list.count else {
            throw GraphError("the list must have \(count) elements, it has \(list.count)")
        }
        return [try list.stacked(Array(0..<list.count), shape: call.elementShape(1), limit: call.memoryLimit)]
    }
}

/// `TensorListGather`: the elements in the places that `indices` name, one upon the other.
public enum TensorListGather: ListOperation {
    public static let signature = Signature(
        ["input_handle": "variant", "indices": "int32", "element_shape": "int32"], to: ["values": "element_dtype"],
        types: ["element_dtype": DType.any])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [try node.elementShape(2).stacked(node.shape(1, rank: 1, "indices")[0])]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        let list = node.input(0)
        let vacant = node.graph.add(
            TensorListReserve.self, [elementShape(ofList: list), listLength(list)],
            ["element_dtype": .type(node.output().dtype)]
        ).node
        return [
            node.graph.add(TensorListScatterIntoExistingList.self, [vacant, node.upstream(), node.input(1)]).node, nil,
            nil,
        ]
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (list, indices) = (try call.list(0), try call.vector(1, "indices"))
        try list.check(call.attributes.type("element_dtype"))
        if let index = indices.first(where: { !(0..<list.count).contains($0) }) {
            throw GraphError("index \(index) is beyond the list of \(list.count) elements")
        }
        return [try list.stacked(indices, shape: call.elementShape(2), limit: call.memoryLimit)]
    }
}

extension TensorList {
    /// The elements at `indices`, which must be in range, one upon the other.
    fileprivate func stacked(_ indices: [Int], shape told: Shape, limit: Int) throws -> Tensor {
        let own = indices.map { elements[$0] }
        guard var shape = told.merged(with: elementShape) else {
            throw GraphError("the list's elements have the shape \(elementShape), expected \(told)")
        }
        if !shape.isFullyDefined { shape = try common(shape, "the elements cannot be one upon the other") }
        for case let element? in own where !shape.isCompatible(with: element.shape) {
            throw GraphError(
                "the list's elements must have the shape \(shape) to be one upon the other, got \(element.shape)")
        }
        guard shape.isFullyDefined else {
            throw GraphError(
                "the list has no element, and its element_shape \(shape) does not tell of what shape \(count) elements "
                    + "one upon the other are")
        }
        let spec = TensorSpec(dtype, shape.stacked(indices.count))
        try spec.checkSize(limit: limit)
        var zeros: Tensor?
        if own.contains(where: { $0 == nil }) { zeros = try self.zeros(shape, limit: limit) }
        return try .joined(own.map { $0 ?? zeros! }, as: spec, limit: limit)
    }
}

/// What `TensorListConcat` and its second version have in common: the elements of a list one after another, and how many
/// rows each has.
protocol ListJoining: ListOperation {}

extension ListJoining {
    fileprivate static func shapes(_ told: Shape) throws -> [Shape] {
        guard told.rank != 0 else {
            throw GraphError("element_shape must be that of at least a vector, got a scalar's")
        }
        return [told.rank == nil ? .unknown : told.row.stacked(nil), [nil]]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        guard node.hasUpstream(0) else { return node.inputs.map { _ in nil } }
        let split = node.graph.add(
            TensorListSplit.self, [node.upstream(0), elementShape(ofList: node.input(0)), node.output(1)])
        return [split.node] + node.inputs.dropFirst().map { _ in nil }
    }

    /// - Parameter lengths: how many rows of zeros there are where the list has no element.
    fileprivate static func join(_ call: DynamicCall, _ told: Shape, lengths: [Int]) throws -> [Tensor] {
        let list = try call.list(0)
        try list.check(call.attributes.type("element_dtype"))
        guard told.rank != 0, list.elementShape.rank != 0 else {
            throw GraphError("elements must be at least vectors to be one after another")
        }
        let elements = list.elements.all
        var (row, rows) = (told.rank == nil ? Shape.unknown : told.row, told.rank == nil ? nil : told[0])
        if list.elementShape.rank != nil { row = try merged(row, list.elementShape.row) }
        for case let element? in elements {
            guard element.shape.rank != 0 else {
                throw GraphError("elements must be at least vectors to be one after another, got a scalar")
            }
            row = try merged(row, element.shape.row)
        }
        // Without being told, places without elements are as long as all others, if these are of one length.
        let own = Set(elements.compactMap { $0?.shape[0] })
        if rows == nil { rows = own.count == 1 ? own.first : nil }
        guard row.isFullyDefined else {
            throw GraphError("all extents but the first must be known to join an empty list, element_shape is \(told)")
        }
        var total = 0
        let counts = try elements.enumerated().map { i, element -> Int in
            let length =
                element.map { $0.shape.knownExtents[0] } ?? (i < lengths.count && lengths[i] >= 0 ? lengths[i] : rows)
            guard let length else {
                throw GraphError(
                    "place \(i) of the list has no element, and nothing tells how many rows of zeros to put")
            }
            let (sum, overflow) = total.addingReportingOverflow(length)
            guard !overflow else { throw GraphError("the elements have more rows than a tensor may have") }
            total = sum
            return length
        }
        let spec = TensorSpec(list.dtype, row.stacked(total))
        try spec.checkSize(limit: call.memoryLimit)
        let parts = try zip(elements, counts).map { element, count in
            try element ?? list.zeros(row.stacked(count), limit: call.memoryLimit)
        }
        return [
            try .joined(parts, as: spec, limit: call.memoryLimit),
            Tensor(counts.map { Int64($0) }, sized: [counts.count]),
        ]
    }

    private static func merged(_ a: Shape, _ b: Shape) throws -> Shape {
        guard let shape = a.merged(with: b) else {
            throw GraphError("the rows of elements one after another must have one shape, got \(a) and \(b)")
        }
        return shape
    }
}

/// `TensorListConcat`: the elements of a list one after another, and how many rows each has.
public enum TensorListConcat: ListJoining {
    public static let signature = Signature(
        ["input_handle": "variant"], to: ["tensor": "element_dtype", "lengths": "int64"],
        types: ["element_dtype": DType.any], defaults: ["element_shape": .shape(.unknown)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        try shapes(node.attributes.shape("element_shape"))
    }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        try join(call, call.attributes.shape("element_shape"), lengths: [])
    }
}

/// `TensorListConcatV2`: the same, with `leading_dims`: how many rows of zeros there are where the list has no element.
public enum TensorListConcatV2: ListJoining {
    public static let signature = Signature(
        ["input_handle": "variant", "element_shape": "shape_type", "leading_dims": "int64"],
        to: ["tensor": "element_dtype", "lengths": "int64"],
        types: ["element_dtype": DType.any, "shape_type": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(2, rank: 1, "leading_dims")
        return try shapes(node.elementShape(1))
    }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        try join(call, call.elementShape(1), lengths: call.vector(2, "leading_dims"))
    }
}
