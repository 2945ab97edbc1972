/// `InTopKV2`: whether each row's target class is among its `k` most probable. Ties with it do not count against it; false
/// for a class out of range and for rows that are not finite.
public enum InTopKV2: Operation {
    public static let signature = Signature(
        ["predictions": "float32", "targets": "T", "k": "T"], to: ["precision": "bool"], types: ["T": DType.indices])
    public static func infer(_ node: Inference) throws -> [Shape] {
        let predictions = try node.shape(0, rank: 2, "'predictions'")
        let targets = try node.shape(1, rank: 1, "'targets'")
        guard let rows = Shape([predictions[0]]).merged(with: targets) else {
            throw GraphError("predictions of shape \(predictions) need as many targets as rows, got \(targets)")
        }
        return [rows]
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        binding.inputs[1].dtype == .int32 ? make(Int32.self, binding) : make(Int64.self, binding)
    }

    private static func make<Index: TensorScalar & FixedWidthInteger>(
        _ type: Index.Type, _ binding: KernelBinding
    ) -> Kernel {
        let (rows, classes) = (binding.outputCount(), binding.inputs[0].shape.concrete[1])
        let (predictions, targets, k, output) = (
            binding.input(0), binding.input(1), binding.input(2), binding.output()
        )
        return { frame in
            let limit = Int(frame.pointer(k, Index.self).pointee)
            for r in 0..<rows {
                let row = frame.pointer(predictions, Float.self) + r * classes
                let target = Int(frame.pointer(targets, Index.self)[r])
                var holds = target >= 0 && target < classes && row[target].isFinite
                if holds {
                    var above = 0
                    for i in 0..<classes {
                        if !row[i].isFinite { holds = false }
                        if row[i] > row[target] { above += 1 }
                    }
                    holds = holds && above < limit
                }
                frame.pointer(output, Bool.self)[r] = holds
            }
        }
    }
}

/// Whether each row's target (int32) is among the `k` largest of its predictions (float32); TensorFlow's
/// `tf.math.in_top_k`.
public func inTopK(
    predictions: any Operand, targets: any Operand, k: Int, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    apply(InTopKV2.self, [predictions, targets, scalar(Double(k), like: targets)], [:], name, file, line)
}
