private let outIndex: [String: AttributeValue] = ["out_idx": .type(.int32)]

/// `Unique`: the distinct elements of a vector in the order in which they first occur, and for each element which it is.
public enum Unique: Operation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = Signature(
        ["x": "T"], to: ["y": "T", "idx": "out_idx"], types: ["T": DType.moved, "out_idx": DType.indices],
        defaults: outIndex)
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        Array(try DistinctSlices.shapes(node).prefix(2))
    }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        try DistinctSlices.values(node).map { Array($0.prefix(2)) }
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `UniqueWithCounts`: as `Unique`, and how often each distinct element occurs.
public enum UniqueWithCounts: Operation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = Signature(
        ["x": "T"], to: ["y": "T", "idx": "out_idx", "count": "out_idx"],
        types: ["T": DType.moved, "out_idx": DType.indices], defaults: outIndex)
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try DistinctSlices.shapes(node) }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? { try DistinctSlices.values(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `UniqueV2`: the distinct slices along an axis; without an axis (an empty vector) the distinct elements of a vector.
public enum UniqueV2: Operation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = Signature(
        ["x": "T", "axis": "Taxis"], to: ["y": "T", "idx": "out_idx"],
        types: ["T": DType.moved, "Taxis": DType.indices, "out_idx": DType.indices], defaults: outIndex)
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        Array(try DistinctSlices.shapes(node).prefix(2))
    }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        try DistinctSlices.values(node).map { Array($0.prefix(2)) }
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// `UniqueWithCountsV2`: as `UniqueV2`, and how often each distinct slice occurs.
public enum UniqueWithCountsV2: Operation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = Signature(
        ["x": "T", "axis": "Taxis"], to: ["y": "T", "idx": "out_idx", "count": "out_idx"],
        types: ["T": DType.moved, "Taxis": DType.indices, "out_idx": DType.indices], defaults: outIndex)
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try DistinctSlices.shapes(node) }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? { try DistinctSlices.values(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// The distinct slices of a tensor along an axis, which the operations above find.
private struct DistinctSlices {
    /// For each distinct slice where it first occurs.
    private(set) var firsts: [Int] = []
    /// For each slice which distinct one it is.
    private(set) var which: [Int] = []
    private(set) var counts: [Int] = []

    /// The axis of `x`, nil where it is not known yet.
    private static func axis(_ node: ShapeContext) throws -> Int? {
        guard let rank = node.shape(0).rank else { return nil }
        guard node.inputs.count > 1, node.shape(1) != [0] else {
            guard rank == 1 else { throw GraphError("'x' must be a vector, got the shape \(node.shape(0))") }
            return 0
        }
        guard let axes = node.integers(1) else { return nil }
        guard axes.count == 1 else { throw GraphError("'axis' must hold one number or none, got \(axes)") }
        return try normalize(axes, rank: rank)[0]
    }

    /// Of y, idx and count. How many distinct slices there are is known only with the values.
    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        guard let axis = try axis(node), var dimensions = node.shape(0).dimensions else {
            return [node.shape(0).rank.map(Shape.unknown(rank:)) ?? .unknown, [nil], [nil]]
        }
        let count = dimensions[axis]
        dimensions[axis] = try values(node).map { $0[2].elementCount }
        return [Shape(dimensions), [count], [dimensions[axis]]]
    }

    /// y, idx and count where `x` is known.
    static func values(_ node: ShapeContext) throws -> [Tensor]? {
        guard let x = node.constant(0), let axis = try axis(node) else { return nil }
        let extents = x.shape.knownExtents
        let (outer, n) = (extents[..<axis].reduce(1, *), extents[axis])
        let inner = extents[(axis + 1)...].reduce(1, *)
        let found = x.withUnsafeBytes { bytes in
            switch x.dtype {
            case .float32: DistinctSlices(bytes, Float.self, outer, n, inner)
            case .float64: DistinctSlices(bytes, Double.self, outer, n, inner)
            case .int32: DistinctSlices(integers: bytes, Int32.self, outer, n, inner)
            case .int64: DistinctSlices(integers: bytes, Int64.self, outer, n, inner)
            case .uint8, .bool: DistinctSlices(bytes, UInt8.self, outer, n, inner)
            case .bfloat16: DistinctSlices(bytes, UInt16.self, outer, n, inner)
            case .string, .resource, .variant: DistinctSlices(bytes, UInt64.self, outer, n, inner)
            }
        }
        var result = extents
        result[axis] = found.firsts.count
        let run = inner * x.dtype.size
        let y = Tensor(dtype: x.dtype, sized: Shape(result)) { target in
            guard run > 0, let to = target.baseAddress else { return }
            x.withUnsafeBytes { source in
                for o in 0..<outer {
                    for (i, first) in found.firsts.enumerated() {
                        (to + (o * found.firsts.count + i) * run)
                            .copyMemory(from: source.baseAddress! + (o * n + first) * run, byteCount: run)
                    }
                }
            }
        }
        let type = try node.attributes.type("out_idx")
        return [y, indexTensor(found.which, type), indexTensor(found.counts, type)]
    }

    private init() {}

    private init<Element: Hashable>(
        _ bytes: UnsafeRawBufferPointer, _ type: Element.Type, _ outer: Int, _ n: Int, _ inner: Int
    ) {
        find(bytes.assumingMemoryBound(to: type), outer, n, inner)
    }

    private mutating func find<Element: Hashable>(
        _ elements: UnsafeBufferPointer<Element>, _ outer: Int, _ n: Int, _ inner: Int
    ) {
        which.reserveCapacity(n)
        if outer * inner == 1 {
            find(n) { elements[$0] }
        } else {
            find(n) { i -> [Element] in
                var slice: [Element] = []
                for o in 0..<outer {
                    let start = (o * n + i) * inner
                    slice.append(contentsOf: elements[start..<start + inner])
                }
                return slice
            }
        }
    }

    private init<Element: FixedWidthInteger>(
        integers bytes: UnsafeRawBufferPointer, _ type: Element.Type, _ outer: Int, _ n: Int, _ inner: Int
    ) {
        self.init()
        let elements = bytes.assumingMemoryBound(to: type)
        if outer * inner == 1, n < Int(Int32.max) { find(elements, n) } else { find(elements, outer, n, inner) }
    }

    /// Numbers by open addressing, several times as fast as a `Dictionary`: the ids of an embedding's rows come this way in
    /// every step.
    private mutating func find<Element: FixedWidthInteger>(_ elements: UnsafeBufferPointer<Element>, _ n: Int) {
        which.reserveCapacity(n)
        firsts.reserveCapacity(n)
        counts.reserveCapacity(n)
        let bits = Int.bitWidth - Swift.max(2 * n - 1, 1).leadingZeroBitCount
        let mask = 1 << bits - 1
        // For each place one more than the number of the distinct element that lies there.
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: mask + 1) { places in
            places.initialize(repeating: 0)
            for i in 0..<n {
                let element = elements[i]
                // Fibonacci hashing (Knuth, volume 3, 6.4): the upper bits of a product.
                let product = UInt64(truncatingIfNeeded: element) &* 0x9E37_79B9_7F4A_7C15
                var place = Int(truncatingIfNeeded: product >> UInt64(64 - bits)) & mask
                while places[place] != 0, elements[firsts[Int(places[place]) - 1]] != element {
                    place = (place + 1) & mask
                }
                if places[place] == 0 {
                    firsts.append(i)
                    counts.append(0)
                    places[place] = Int32(firsts.count)
                }
                let number = Int(places[place]) - 1
                which.append(number)
                counts[number] += 1
            }
        }
    }

    private mutating func find<Key: Hashable>(_ n: Int, _ key: (Int) -> Key) {
        var numbers: [Key: Int] = [:]
        for i in 0..<n {
            let here = key(i)
            if let number = numbers[here] {
                which.append(number)
                counts[number] += 1
            } else {
                numbers[here] = firsts.count
                which.append(firsts.count)
                firsts.append(i)
                counts.append(1)
            }
        }
    }
}

/// A vector of int32 or int64.
func indexTensor(_ values: [Int], _ dtype: DType) -> Tensor {
    dtype == .int64 ? Tensor(values.map { Int64($0) }) : Tensor(values.map { Int32(truncatingIfNeeded: $0) })
}

/// The distinct elements of the vector `x` in the order in which they first occur, for each element which it is, and how
/// often each occurs, both int32; TensorFlow's `tf.unique_with_counts`.
public func unique(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> (values: Node, indices: Node, counts: Node) {
    let vertex = apply(UniqueWithCounts.self, [x], [:], name, file, line).vertex
    return (vertex.output(0), vertex.output(1), vertex.output(2))
}
