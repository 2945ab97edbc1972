/// `StridedSliceAssign`: `ref[begin:end:stride, …] = value` of Python, with `StridedSlice`'s masks; TensorFlow's
/// `ref[…].assign(value)`. The value broadcasts to the slice.
public enum StridedSliceAssign: Operation {
    public static let signature = Signature(
        ["ref": "ref T", "begin": "Index", "end": "Index", "strides": "Index", "value": "T"],
        to: ["output_ref": "ref T"], types: ["T": DType.moved, "Index": DType.indices], defaults: StridedSlice.masks)
    public static var isStateful: Bool { true }
    public static var aliases: [Int: Int] { [0: 0] }
    public static var writes: [Int] { [0] }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        if node.shape(0).rank != nil, let begin = node.integers(1), let end = node.integers(2),
            let strides = node.integers(3)
        {
            let bounds = try SliceBounds(
                node.shape(0), begin: begin, end: end, strides: strides, node.attributes)
            try check(node.shape(4), fits: Shape(bounds.result))
        }
        return [node.shape(0)]
    }

    /// The value's shape without what goes beyond the slice's rank: leading dimensions of 1.
    @discardableResult
    private static func check(_ value: Shape, fits slice: Shape) throws -> Shape {
        guard let own = value.dimensions, let rank = slice.rank else { return value }
        let extra = max(own.count - rank, 0)
        let rest = Shape(Array(own[extra...]))
        guard own[..<extra].allSatisfy({ $0 ?? 1 == 1 }),
            slice.broadcast(with: rest).map({ $0.isCompatible(with: slice) }) ?? false
        else {
            throw GraphError("'value' must have the slice's shape \(slice) or broadcast to it, got \(value)")
        }
        return rest
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1, 2, 3]) { binding in
            let bounds = try SliceBounds(
                binding.inputs[0].shape, begin: binding.integers(1), end: binding.integers(2),
                strides: binding.integers(3), binding.attributes)
            let value: Shape
            do { value = try check(binding.inputs[4].shape, fits: Shape(bounds.result)) } catch let error as GraphError
            {
                throw GraphError(error.message)
            }
            return binding.keepingTexts(
                of: 4,
                bounds.assignment(of: value).kernel(
                    from: binding.input(4), to: binding.input(0), size: binding.inputs[0].dtype.size,
                    threads: binding.threads))
        }
    }
}

/// `ResourceStridedSliceAssign`: `StridedSliceAssign` over a handle.
public enum ResourceStridedSliceAssign: Operation {
    public static let signature = StridedSliceAssign.signature.overResources
    public static var isStateful: Bool { true }
    public static var writes: [Int] { [0] }
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try StridedSliceAssign.infer(node)
        return []
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try StridedSliceAssign.kernel(binding) }
}
