private let denseSignature = Signature(
    ["input_indices": "int64", "input_values": "T", "input_shape": "int64", "reduction_axes": "int32"],
    to: ["output": "T"], types: ["T": DType.numbers], defaults: ["keep_dims": .bool(false)])
private let sparseSignature = Signature(
    ["input_indices": "int64", "input_values": "T", "input_shape": "int64", "reduction_axes": "int32"],
    to: ["output_indices": "int64", "output_values": "T", "output_shape": "int64"], types: ["T": DType.numbers],
    defaults: ["keep_dims": .bool(false)])

/// `SparseReduceSum`: the sum of a sparse tensor's elements along axes, dense.
public enum SparseReduceSum: WholeTensorOperation {
    public static let signature = denseSignature
    static func shapes(_ node: ShapeContext) throws -> [Shape] { [try SparseReduction.shape(node)] }
    static func compute(_ call: WholeTensors) throws -> [Tensor] { [try SparseReduction(call, largest: false).dense()] }

    /// What arrives at a sum goes to each of its elements.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (extents, axes) = (node.input(2), node.input(3))
        let rank = size(extents)
        let positive = floorMod(axes + rank, rank)
        let numbers = range(0, rank)
        // Ones at the reduced axes take the place of the extents.
        let kept = apply(
            DynamicStitch.self,
            [numbers, positive, cast(extents, to: .int32), fill(shape(axes), node.graph.constant(Int32(1)))],
            ["N": .int(2)])
        let divisor = maximum(cast(kept, to: .int64), node.graph.constant(Int64(1)))
        let scale = maximum(floorDiv(extents, divisor), onesLike(extents))
        return [nil, gatherNd(reshape(node.upstream(), kept), floorDiv(node.input(0), scale)), nil, nil]
    }
}

/// `SparseReduceMax`: the largest of a sparse tensor's elements along axes, dense; 0 where there are none.
public enum SparseReduceMax: WholeTensorOperation {
    public static let signature = denseSignature
    static func shapes(_ node: ShapeContext) throws -> [Shape] { [try SparseReduction.shape(node)] }
    static func compute(_ call: WholeTensors) throws -> [Tensor] { [try SparseReduction(call, largest: true).dense()] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        throw GraphError("\(name) has no gradient, as in TensorFlow")
    }
}

/// `SparseReduceSumSparse`: as `SparseReduceSum`, with a sparse result.
public enum SparseReduceSumSparse: WholeTensorOperation {
    public static let signature = sparseSignature
    static func shapes(_ node: ShapeContext) throws -> [Shape] { try SparseReduction.sparseShapes(node) }
    static func compute(_ call: WholeTensors) throws -> [Tensor] { try SparseReduction(call, largest: false).sparse() }
}

/// `SparseReduceMaxSparse`: as `SparseReduceMax`, with a sparse result.
public enum SparseReduceMaxSparse: WholeTensorOperation {
    public static let signature = sparseSignature
    static func shapes(_ node: ShapeContext) throws -> [Shape] { try SparseReduction.sparseShapes(node) }
    static func compute(_ call: WholeTensors) throws -> [Tensor] { try SparseReduction(call, largest: true).sparse() }
}

/// What these operations do: groups of elements whose places agree in the axes that are kept.
private struct SparseReduction {
    let parts: SparseParts
    let kept: [Int]
    /// The result's extents.
    let extents: [Int]
    let keepsDimensions: Bool
    let largest: Bool
    let groups: [[Int]]
    private let call: WholeTensors

    static func shape(_ node: ShapeContext) throws -> Shape {
        let rank = try SparseParts.check(node).rank
        let keeps = try node.attributes.bool("keep_dims")
        guard let rank, let axes = node.integers(3) else {
            return keeps ? rank.map(Shape.unknown(rank:)) ?? .unknown : .unknown
        }
        let reduced = Set(try normalize(axes, rank: rank))
        let known: [Int?] = node.integers(2) ?? [Int?](repeating: nil, count: rank)
        return Shape(
            (0..<rank).compactMap { d -> Int?? in
                if reduced.contains(d) { return keeps ? .some(1) : nil }
                return .some(known[d].flatMap { $0 >= 0 ? $0 : nil })
            })
    }

    static func sparseShapes(_ node: ShapeContext) throws -> [Shape] {
        let shape = try shape(node)
        return [[nil, shape.rank], [nil], [shape.rank]]
    }

    init(_ call: WholeTensors, largest: Bool) throws {
        let parts = try SparseParts(call, name: "input")
        let reduced = Set(try normalize(call.inputs[3].knownIntegers, rank: parts.rank))
        keepsDimensions = try call.attributes.bool("keep_dims")
        kept = (0..<parts.rank).filter { !reduced.contains($0) }
        let keeps = keepsDimensions
        extents = (0..<parts.rank).compactMap { d in
            reduced.contains(d) ? (keeps ? 1 : nil) : parts.shape[d]
        }
        groups = parts.groups(by: kept)
        self.parts = parts
        self.largest = largest
        self.call = call
    }

    /// One value for each group.
    private func values() throws -> Tensor { try Values(reduction: self).run(parts.values.dtype) }

    private struct Values: NumberWork {
        let reduction: SparseReduction
        func run<Scalar: NumericScalar>(_ type: Scalar.Type) -> Tensor {
            let values = reduction.parts.values.elements(of: type)
            return Tensor(
                reduction.groups.map { group in
                    group.dropFirst().reduce(values[group[0]]) { so, i in
                        reduction.largest ? Swift.max(so, values[i]) : Scalar.wrappingAdd(so, values[i])
                    }
                })
        }
    }

    /// Where a group's result is.
    private func place(_ group: [Int]) -> [Int] {
        guard keepsDimensions else { return kept.map { parts[group[0], $0] } }
        return (0..<parts.rank).map { kept.contains($0) ? parts[group[0], $0] : 0 }
    }

    func dense() throws -> Tensor {
        let (dtype, values) = (parts.values.dtype, try values())
        let shape = try call.told(extents, dtype)
        let strides = shape.strides
        return Tensor(dtype: dtype, sized: shape) { target in
            guard let base = target.baseAddress else { return }
            target.initializeMemory(as: UInt8.self, repeating: 0)
            values.withUnsafeBytes { source in
                for (i, group) in groups.enumerated() {
                    let at = zip(place(group), strides).reduce(0) { $0 + $1.0 * $1.1 }
                    (base + at * dtype.size)
                        .copyMemory(from: source.baseAddress! + i * dtype.size, byteCount: dtype.size)
                }
            }
        }
    }

    func sparse() throws -> [Tensor] {
        SparseParts(indices: groups.flatMap(place), values: try values(), shape: extents).tensors
    }
}
