/// `ListDiff`: the elements of the vector x that are not in the vector y, in order, and where they are.
public enum ListDiff: Operation {
    public static let signature = Signature(
        ["x": "T", "y": "T"], to: ["out": "T", "idx": "out_idx"],
        types: ["T": DType.moved, "out_idx": DType.indices], defaults: ["out_idx": .type(.int32)])

    public static func infer(_ node: Inference) throws -> [Shape] {
        for i in 0...1 { _ = try node.shape(i, rank: 1, "'\(signature.inputs[i].name)'") }
        return try fold(node).map { $0.map(\.shape) } ?? [[nil], [nil]]
    }

    public static func fold(_ node: Inference) throws -> [Tensor]? {
        guard let x = node.constant(0), let y = node.constant(1) else { return nil }
        let places =
            switch x.dtype {
            case .float32: difference(x, y, Float.self)
            case .float64: difference(x, y, Double.self)
            case .int32: difference(x, y, Int32.self)
            case .int64: difference(x, y, Int64.self)
            case .uint8, .bool: difference(x, y, UInt8.self)
            case .bfloat16: difference(x, y, UInt16.self)
            case .string, .resource, .variant: difference(x, y, UInt64.self)
            }
        let size = x.dtype.size
        let out = Tensor(dtype: x.dtype, shape: [places.count]) { target in
            x.withUnsafeBytes { source in
                for (i, place) in places.enumerated() {
                    (target.baseAddress! + i * size)
                        .copyMemory(from: source.baseAddress! + place * size, byteCount: size)
                }
            }
        }
        return [out, indexTensor(places, try node.attributes.type("out_idx"))]
    }

    private static func difference<Element: Hashable>(_ x: Tensor, _ y: Tensor, _ type: Element.Type) -> [Int] {
        let excluded = y.withUnsafeBytes { Set($0.assumingMemoryBound(to: Element.self)) }
        return x.withUnsafeBytes { bytes in
            let elements = bytes.assumingMemoryBound(to: Element.self)
            return elements.indices.filter { !excluded.contains(elements[$0]) }
        }
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `DenseToDenseSetOperation`: for each row of the last dimension of two tensors, whose other dimensions are the same, the set
/// "a-b", "b-a", "intersection" or "union" of its elements, sorted; all rows together as a sparse tensor.
public enum DenseToDenseSetOperation: Operation {
    public static let signature = Signature(
        ["set1": "T", "set2": "T"], to: ["result_indices": "int64", "result_values": "T", "result_shape": "int64"],
        types: ["T": [.int32, .int64, .uint8]], defaults: ["validate_indices": .bool(true)],
        required: ["set_operation"])

    public static func infer(_ node: Inference) throws -> [Shape] {
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
        if let known = try fold(node) { return known.map(\.shape) }
        let rank = a.rank ?? b.rank
        return [[nil, rank], [nil], [rank]]
    }

    public static func fold(_ node: Inference) throws -> [Tensor]? {
        guard let a = node.constant(0), let b = node.constant(1) else { return nil }
        let (first, second) = (a.shape.concrete, b.shape.concrete)
        guard first.count >= 2, first.dropLast() == second.dropLast() else {
            throw GraphError(
                "the sets must have at least rank 2 and the same shape but for the last dimension, got \(a.shape) and \(b.shape)"
            )
        }
        let groups = Array(first.dropLast())
        let (x, y) = (a.integers, b.integers)
        var (indices, values, longest): ([Int], [Int], Int) = ([], [], 0)
        for group in 0..<groups.reduce(1, *) {
            let row = { (all: [Int], n: Int) in Set(all[group * n..<(group + 1) * n]) }
            let result = try combine(row(x, first.last!), row(y, second.last!), node.attributes).sorted()
            longest = Swift.max(longest, result.count)
            var position: [Int] = []
            var rest = group
            for extent in groups.reversed() {
                position.insert(rest % extent, at: 0)
                rest /= extent
            }
            for (i, value) in result.enumerated() {
                indices += position + [i]
                values.append(value)
            }
        }
        return [
            indexTensor(indices, .int64).reshaped([values.count, first.count]),
            a.dtype == .uint8 ? Tensor(values.map { UInt8($0) }) : indexTensor(values, a.dtype),
            indexTensor(groups + [longest], .int64),
        ]
    }

    private static func combine(_ a: Set<Int>, _ b: Set<Int>, _ attributes: Attributes) throws -> Set<Int> {
        switch try attributes.string("set_operation") {
        case "a-b": return a.subtracting(b)
        case "b-a": return b.subtracting(a)
        case "intersection": return a.intersection(b)
        case "union": return a.union(b)
        case let other:
            throw GraphError("'set_operation' must be a-b, b-a, intersection or union, got \(other)")
        }
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// The elements of the vector `x` that are not in the vector `y`, and where they are (int32); TensorFlow's `tf.setdiff1d`.
public func listDiff(
    _ x: any Operand, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> (values: Node, indices: Node) {
    let vertex = apply(ListDiff.self, [x, y], [:], name, file, line).vertex
    return (vertex.output(0), vertex.output(1))
}
