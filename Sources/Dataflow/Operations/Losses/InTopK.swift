/// `InTopKV2`: whether each row's target class is among its `k` most probable. Ties with it do not count against it; false
/// for a class out of range and for rows that are not finite.
public enum InTopKV2: Operation {
    public static let signature = Signature(
        ["predictions": "float32", "targets": "T", "k": "T"], to: ["precision": "bool"], types: ["T": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try rowsShape(node) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let k = IndexInput(binding, 2)
        return inTopKernel(binding) { k.read($0, 0) }
    }
}

/// `InTopK`: as `InTopKV2`, with `k` as an attribute.
public enum InTopK: Operation {
    public static let signature = Signature(
        ["predictions": "float32", "targets": "T"], to: ["precision": "bool"], types: ["T": DType.indices],
        required: ["k"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try rowsShape(node) }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let k = try binding.attributes.int("k")
        return inTopKernel(binding) { _ in k }
    }
}

private func rowsShape(_ node: ShapeContext) throws -> [Shape] {
    let predictions = try node.shape(0, rank: 2, "'predictions'")
    let targets = try node.shape(1, rank: 1, "'targets'")
    guard let rows = Shape([predictions[0]]).merged(with: targets) else {
        throw GraphError("predictions of shape \(predictions) need as many targets as rows, got \(targets)")
    }
    return [rows]
}

private func inTopKernel(_ binding: KernelBinding, _ k: @escaping (RunMemory) -> Int) -> Kernel {
    let (rows, classes) = (binding.outputCount(), binding.inputs[0].shape.knownExtents[1])
    let (predictions, targets, output) = (binding.input(0), IndexInput(binding, 1), binding.output())
    return { memory in
        let limit = k(memory)
        for r in 0..<rows {
            let row = memory.pointer(predictions, Float.self) + r * classes
            let target = targets.read(memory, r)
            var holds = target >= 0 && target < classes && row[target].isFinite
            if holds {
                var above = 0
                for i in 0..<classes {
                    if !row[i].isFinite { holds = false }
                    if row[i] > row[target] { above += 1 }
                }
                holds = holds && above < limit
            }
            memory.pointer(output, Bool.self)[r] = holds
        }
    }
}

/// Whether each row's target (int32) is among the `k` largest of its predictions (float32); TensorFlow's
/// `tf.math.in_top_k`.
public func inTopK(
    predictions: any Operand, targets: any Operand, k: Int, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    apply(
        InTopKV2.self, [predictions, targets, targets.node.dtype == .int64 ? Tensor(Int64(k)) : .small(k)], [:], name,
        file, line)
}
