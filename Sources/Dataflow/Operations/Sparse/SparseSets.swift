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

    static func shapes(_ node: Inference) throws -> [Shape] {
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

    static func shapes(_ node: Inference) throws -> [Shape] {
        let rank = try node.shape(0).rank ?? SparseParts.check(node, first: 1).rank
        return [[nil, rank], [nil], [rank]]
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let (dense, sparse) = (call.inputs[0], try SparseParts(call, first: 1, name: "set2"))
        return try RowSets.combine(RowSets(dense), RowSets(sparse), call.attributes)
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
        let extents = dense.shape.concrete
        guard extents.count >= 2 else { throw GraphError("sets must have at least rank 2, got the shape \(extents)") }
        outer = Array(extents.dropLast())
        dtype = dense.dtype
        let width = max(extents[extents.count - 1], 1)
        for (i, element) in Self.elements(dense).enumerated() {
            rows[Self.place(of: i / width, in: outer), default: []].insert(element)
        }
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
        tensor.dtype == .string ? tensor.strings.map(Element.text) : tensor.integers.map(Element.number)
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
            ? Tensor(strings: elements.map(\.text), shape: [elements.count])
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
