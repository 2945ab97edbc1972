/// `ArgMax`: where along a dimension the largest element is; the first of several; a NaN is passed over.
public enum ArgMax: Operation, NumericKernel {
    public static let signature = argSignature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try argShape(node)] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try argKernel(Self.self, binding) }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        try argKernel(binding, worst: Scalar.lowest) { (candidate: Scalar, best: Scalar) in candidate > best }
    }
}

/// `ArgMin`: where along a dimension the smallest element is; the first of several; a NaN is passed over.
public enum ArgMin: Operation, NumericKernel {
    public static let signature = argSignature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try argShape(node)] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try argKernel(Self.self, binding) }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        try argKernel(binding, worst: Scalar.highest) { (candidate: Scalar, best: Scalar) in candidate < best }
    }
}

private let argSignature = Signature(
    ["input": "T", "dimension": "Tidx"], to: ["output": "output_type"],
    types: ["T": DType.numbers + [.bool], "Tidx": DType.indices, "output_type": DType.indices],
    defaults: ["output_type": .type(.int64)])

/// The input's shape without the dimension.
private func argShape(_ node: ShapeContext) throws -> Shape {
    guard var dimensions = node.shape(0).dimensions else { return .unknown }
    guard let axes = node.integers(1) else { return .unknown(rank: Swift.max(dimensions.count - 1, 0)) }
    guard axes.count == 1 else { throw GraphError("'dimension' must be one number, got \(axes)") }
    let axis = try normalize(axes, rank: dimensions.count)[0]
    if dimensions[axis] == 0 { throw GraphError("dimension \(axis) of the shape \(node.shape(0)) has no elements") }
    dimensions.remove(at: axis)
    return Shape(dimensions)
}

/// bool is looked at as bytes.
private func argKernel<K: NumericKernel>(_ kernel: K.Type, _ binding: KernelBinding) throws -> Kernel {
    let dtype = binding.inputs[0].dtype
    return try binding.late([1]) { try $0.numeric(kernel, dtype == .bool ? .uint8 : dtype) }
}

@inline(__always)
private func argKernel<Scalar: NumericScalar>(
    _ binding: KernelBinding, worst: Scalar, _ isBetter: @escaping (Scalar, Scalar) -> Bool
) throws -> Kernel {
    let extents = binding.inputs[0].shape.knownExtents
    let axis = try normalize(binding.integers(1), rank: extents.count)[0]
    let length = extents[axis]
    let inner = extents[(axis + 1)...].reduce(1, *)
    let count = binding.outputCount()
    let isWide = binding.outputs[0].dtype == .int64
    let (input, output) = (binding.input(0), binding.output())
    return { memory in
        let x = memory.pointer(input, Scalar.self)
        for k in 0..<count {
            let row = x + k / inner * length * inner + k % inner
            var place = 0
            // A NaN is better than nothing.
            var best = row[0].isNotANumber ? worst : row[0]
            for i in 1..<Swift.max(length, 1) where isBetter(row[i * inner], best) {
                best = row[i * inner]
                place = i
            }
            if isWide {
                memory.pointer(output, Int64.self)[k] = Int64(place)
            } else {
                memory.pointer(output, Int32.self)[k] = Int32(place)
            }
        }
    }
}

/// Where along `axis` the largest element is, int64; TensorFlow's `tf.argmax`.
public func argMax(
    _ x: any Operand, axis: Int = 0, outputType: DType = .int64, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    apply(
        ArgMax.self, [x, Tensor.small(axis)], ["output_type": .type(outputType)], name, file, line)
}

/// Where along `axis` the smallest element is, int64; TensorFlow's `tf.argmin`.
public func argMin(
    _ x: any Operand, axis: Int = 0, outputType: DType = .int64, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    apply(
        ArgMin.self, [x, Tensor.small(axis)], ["output_type": .type(outputType)], name, file, line)
}

extension ArgMax: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try argProgram(binding, "v > best", "-INFINITY") }
}

extension ArgMin: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try argProgram(binding, "v < best", "INFINITY") }
}

private func argProgram(_ binding: KernelBinding, _ isBetter: String, _ worst: String) throws -> GPUProgram? {
    guard binding.inputs[0].dtype == .float32, let index = binding.outputs[0].dtype.gpuName else { return nil }
    let extents = binding.inputs[0].shape.knownExtents
    let axis = try normalize(binding.integers(1), rank: extents.count)[0]
    let (count, inner) = (binding.outputCount(), extents[(axis + 1)...].reduce(1, *))
    let source = """
        KERNEL void find(int n, GLOBAL const float *x, GLOBAL \(index) *y, int length, int inner) {
            int k = INDEX;
            if (k >= n) return;
            x += k / inner * length * inner + k % inner;
            int place = 0;
            float best = x[0] != x[0] ? \(worst) : x[0];
            for (int i = 1; i < length; i++) {
                float v = x[i * inner];
                if (\(isBetter)) { best = v; place = i; }
            }
            y[k] = place;
        }

        """
    return GPUProgram(
        .launch(
            GPULaunch(
                "find", source, items: count, memory: [.input(0), .output(0)], integers: [extents[axis], inner])))
}
