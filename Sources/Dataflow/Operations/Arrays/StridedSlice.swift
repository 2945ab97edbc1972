private let masks = StridedSlice.masks

/// `StridedSlice`: what `x[begin:end:stride, …]` means in Python, with masks for left-out bounds, single indices, new axes
/// and an ellipsis.
public enum StridedSlice: Operation {
    static let masks: [String: AttributeValue] = [
        "begin_mask": .int(0), "end_mask": .int(0), "ellipsis_mask": .int(0), "new_axis_mask": .int(0),
        "shrink_axis_mask": .int(0),
    ]

    public static let signature = Signature(
        ["input": "T", "begin": "Index", "end": "Index", "strides": "Index"], to: ["output": "T"],
        types: ["T": DType.moved, "Index": DType.indices], defaults: masks)
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(0).rank != nil, let begin = node.integers(1), let end = node.integers(2),
            let strides = node.integers(3)
        else { return [.unknown] }
        return [
            Shape(
                try SliceBounds(node.shape(0), begin: begin, end: end, strides: strides, node.attributes).result)
        ]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let begin = node.input(1)
        let inputs = [shape(node.input(0), as: begin.dtype), begin, node.input(2), node.input(3), node.upstream()]
        return [apply(StridedSliceGrad.self, inputs, node.attributes.only(masks.keys)), nil, nil, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try copy(binding).kernel(binding) }

    fileprivate static func copy(_ binding: KernelBinding) throws -> StridedCopy {
        try SliceBounds(
            binding.inputs[0].shape, begin: binding.integers(1), end: binding.integers(2),
            strides: binding.integers(3), binding.attributes
        ).copy(scatters: false)
    }
}

extension StridedSlice: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try copy(binding).gpu(binding) }
}

/// `StridedSliceGrad`: zeros of the given shape with `dy` where `StridedSlice` would read.
public enum StridedSliceGrad: Operation {
    public static let signature = Signature(
        ["shape": "Index", "begin": "Index", "end": "Index", "strides": "Index", "dy": "T"], to: ["output": "T"],
        types: ["T": DType.all, "Index": DType.indices], defaults: masks)
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.integers(0) else { return [.unknown] }
        guard extents.allSatisfy({ $0 >= 0 }) else { throw GraphError("dimensions are at least 0, got \(extents)") }
        return [Shape(extents)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let inputs = [node.upstream(), node.input(1), node.input(2), node.input(3)]
        return [nil, nil, nil, nil, apply(StridedSlice.self, inputs, node.attributes.only(masks.keys))]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1, 2, 3]) { binding in
            let (clear, copy) = (binding.clearing(), try copy(binding).kernel(binding, from: 4))
            return { memory in
                try clear(memory)
                try copy(memory)
            }
        }
    }

    fileprivate static func copy(_ binding: KernelBinding) throws -> StridedCopy {
        let bounds = try SliceBounds(
            binding.outputs[0].shape, begin: binding.integers(1), end: binding.integers(2),
            strides: binding.integers(3), binding.attributes)
        guard Shape(bounds.result) == binding.inputs[4].shape else {
            throw GraphError("'dy' must have the slice's shape \(Shape(bounds.result)), got \(binding.inputs[4].shape)")
        }
        return bounds.copy(scatters: true)
    }
}

extension StridedSliceGrad: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try copy(binding).gpuIntoZeros(binding, from: 4)
    }
}

extension Attributes {
    /// Those of these names.
    func only(_ names: some Sequence<String>) -> Attributes {
        let wanted = Set(names)
        return Attributes(values.filter { wanted.contains($0.key) })
    }
}

/// `x[begin:end:strides]` of Python in every dimension; TensorFlow's `tf.strided_slice`.
///
/// Bit i of a mask concerns element i of `begin`, `end` and `strides`: `beginMask` and `endMask` leave a bound out,
/// `shrinkAxisMask` takes the single index `begin[i]`, `newAxisMask` puts a dimension of 1 in, `ellipsisMask` stands for as
/// many whole dimensions as are left.
public func stridedSlice(
    _ x: any Operand, begin: [Int], end: [Int], strides: [Int]? = nil, beginMask: Int = 0, endMask: Int = 0,
    ellipsisMask: Int = 0, newAxisMask: Int = 0, shrinkAxisMask: Int = 0, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        StridedSlice.self, [x] + sameWidth([begin, end, strides ?? begin.map { _ in 1 }]),
        [
            "begin_mask": .int(beginMask), "end_mask": .int(endMask), "ellipsis_mask": .int(ellipsisMask),
            "new_axis_mask": .int(newAxisMask), "shrink_axis_mask": .int(shrinkAxisMask),
        ], name, file, line)
}
