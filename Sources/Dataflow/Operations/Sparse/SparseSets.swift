/// `SparseToSparseSetOperation`: for each row of the last dimension of two sparse tensors, whose other dimensions are the same,
/// the set "a-b", "b-a", "intersection" or "union" of its elements, sorted; all rows together as a sparse tensor.
public enum SparseToSparseSetOperation: WholeTensorOperation {
    public static let signature = Signature(
        [
            "set1_indices": "int64", "set1_values": "T", "set1_shape": "int64", "set2_indices": "int64",
            "set2_values": "T", "set2_shape": "int64",
        ], to: ["result_indices": "int64", "result_values": "T", "result_shape": "int64"],
        types: ["T": [.int32, .int64, .uint8, .string]], defaults: ["validate_indices": .bool(true)],
        required: ["set_operation"])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let rank = try SparseParts.check(node).rank ?? SparseParts.check(node, first: 3).rank
        return [[nil, rank], [nil], [rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let (a, b) = (try SparseParts(call, name: "set1"), try SparseParts(call, first: 3, name: "set2"))
        return try RowSets.combine(RowSets(a), RowSets(b), call.attributes)
    }
}

/// `DenseToSparseSetOperation`: as `SparseToSparseSetOperation`, of a dense tensor and a sparse one.
public enum DenseToSparseSetOperation: WholeTensorOperation {
    public static let signature = Signature(
        ["set1": "T", "set2_indices": "int64", "set2_values": "T", "set2_shape": "int64"],
        to: ["result_indices": "int64", "result_values": "T", "result_shape": "int64"],
        types: ["T": [.int32, .int64, .uint8, .string]], defaults: ["validate_indices": .bool(true)],
        required: ["set_operation"])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let rank = try node.shape(0).rank ?? SparseParts.check(node, first: 1).rank
        return [[nil, rank], [nil], [rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let (dense, sparse) = (call.inputs[0], try SparseParts(call, first: 1, name: "set2"))
        return try RowSets.combine(RowSets(dense), RowSets(sparse), call.attributes)
    }
}

/// `DenseToDenseSetOperation`: as `SparseToSparseSetOperation`, of two dense tensors.
public enum DenseToDenseSetOperation: WholeTensorOperation {
    public static let signature = Signature(
        ["set1": "T", "set2": "T"], to: ["result_indices": "int64", "result_values": "T", "result_shape": "int64"],
        types: ["T": [.int32, .int64, .uint8, .string]], defaults: ["validate_indices": .bool(true)],
        required: ["set_operation"])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        let (a, b) = (node.shape(0), node.shape(1))
        if let first = a.dimensions, let second = b.dimensions {
            guard first.count == second.count, first.count >= 2,
                Shape(Array(first.dropLast())).isCompatible(with: Shape(Array(second.dropLast())))
            else {
                throw GraphError(
                    "the sets must have at least rank 2 and the same shape but for the last dimension, got \(a) and \(b)"
                )
            }
        }
        let rank = a.rank ?? b.rank
        return [[nil, rank], [nil], [rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        try RowSets.combine(RowSets(call.inputs[0]), RowSets(call.inputs[1]), call.attributes)
    }
}

/// `SetSize`: how many different elements each row of the last dimension of a sparse tensor has; TensorFlow's `tf.sets.size`.
public enum SetSize: WholeTensorOperation {
    public static let signature = Signature(
        ["set_indices": "int64", "set_values": "T", "set_shape": "int64"], to: ["size": "int32"],
        types: ["T": [.int32, .int64, .uint8, .string]], defaults: ["validate_indices": .bool(true)])

    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        guard let rank = try SparseParts.check(node).rank else { return [.unknown] }
        guard rank >= 2 else { throw GraphError("sets must have at least rank 2, got rank \(rank)") }
        return [Shape([Int?](repeating: nil, count: rank - 1))]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let sets = try RowSets(SparseParts(call, name: "set"))
        let shape = try call.told(sets.outer, .int32)
        return [Tensor(sets.counts, sized: shape)]
    }
}

/// Sets of elements by the row that they are in.
private struct RowSets {
    /// The dimensions without the last.
    let outer: [Int]
    private var rows: [[Int]: Set<Element>] = [:]
    private let dtype: DType

    /// An integer or a text, in their order.
    enum Element: Hashable, Comparable {
        case number(Int)
        case text([UInt8])

        var number: Int { if case .number(let number) = self { number } else { 0 } }
        var text: [UInt8] { if case .text(let text) = self { text } else { [] } }

        static func < (a: Element, b: Element) -> Bool {
            switch (a, b) {
            case (.number(let x), .number(let y)): x < y
            case (.text(let x), .text(let y)): x.lexicographicallyPrecedes(y)
            case (.number, .text): true
            case (.text, .number): false
            }
        }
    }

    init(_ parts: SparseParts) throws {
        guard parts.rank >= 2 else { throw GraphError("sets must have at least rank 2, got the shape \(parts.shape)") }
        outer = Array(parts.shape.dropLast())
        dtype = parts.values.dtype
        for (i, element) in Self.elements(parts.values).enumerated() {
            rows[Array(parts.place(i).dropLast()), default: []].insert(element)
        }
    }

    init(_ dense: Tensor) throws {
        let extents = dense.shape.knownExtents
        guard extents.count >= 2 else { throw GraphError("sets must have at least rank 2, got the shape \(extents)") }
        outer = Array(extents.dropLast())
        dtype = dense.dtype
        let width = max(extents[extents.count - 1], 1)
        for (i, element) in Self.elements(dense).enumerated() {
            rows[Self.place(of: i / width, in: outer), default: []].insert(element)
        }
    }

    /// How many elements each row has, of all rows.
    var counts: [Int32] {
        var counts = [Int32](repeating: 0, count: outer.reduce(1, *))
        for (row, elements) in rows {
            counts[zip(row, outer).reduce(0) { $0 * $1.1 + $1.0 }] = Int32(truncatingIfNeeded: elements.count)
        }
        return counts
    }

    private static func place(of number: Int, in extents: [Int]) -> [Int] {
        var (rest, place): (Int, [Int]) = (number, [])
        for extent in extents.reversed() {
            place.append(rest % max(extent, 1))
            rest /= max(extent, 1)
        }
        return place.reversed()
    }

    private static func elements(_ tensor: Tensor) -> [Element] {
        tensor.dtype == .string ? tensor.knownStrings.map(Element.text) : tensor.knownIntegers.map(Element.number)
    }

    static func combine(_ a: RowSets, _ b: RowSets, _ attributes: Attributes) throws -> [Tensor] {
        guard a.outer == b.outer else {
            throw GraphError("the sets must agree in all dimensions but the last, got \(a.outer) and \(b.outer)")
        }
        var (indices, elements, longest): ([Int], [Element], Int) = ([], [], 0)
        for row in Set(a.rows.keys).union(b.rows.keys).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let (x, y) = (a.rows[row] ?? [], b.rows[row] ?? [])
            let result: Set<Element>
            switch try attributes.string("set_operation") {
            case "a-b": result = x.subtracting(y)
            case "b-a": result = y.subtracting(x)
            case "intersection": result = x.intersection(y)
            case "union": result = x.union(y)
            case let other:
                throw GraphError("'set_operation' must be a-b, b-a, intersection or union, got \(other)")
            }
            longest = max(longest, result.count)
            for (i, element) in result.sorted().enumerated() {
                indices += row + [i]
                elements.append(element)
            }
        }
        let values: Tensor =
            a.dtype == .string
            ? Tensor(strings: elements.map(\.text), sized: [elements.count])
            : .numbers(elements.map(\.number), a.dtype)
        return SparseParts(indices: indices, values: values, shape: a.outer + [longest]).tensors
    }
}

extension Tensor {
    /// A vector of integers of `dtype`.
    fileprivate static func numbers(_ values: [Int], _ dtype: DType) -> Tensor {
        dtype == .uint8 ? Tensor(values.map { UInt8(truncatingIfNeeded: $0) }) : indexTensor(values, dtype)
    }
}
