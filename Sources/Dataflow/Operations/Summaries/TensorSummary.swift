/// `TensorSummary`: a summary with a whole tensor, under the vertex's name.
public enum TensorSummary: StringOperation {
    public static let signature = Signature(
        ["tensor": "T"], to: ["summary": "string"], types: ["T": DType.all + [.string]],
        defaults: ["description": .string(""), "labels": .strings([]), "display_name": .string("")])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let tensor = try tensorMessage(call.inputs[0])
        let value = SummaryBytes.message { message in
            message.add(7, bytes: call.name.utf8)
            message.add(8, bytes: tensor, always: true)
        }
        return [call.text(SummaryBytes.summary([value]))]
    }
}

/// `TensorSummaryV2`: a summary with a whole tensor, under a tag, with metadata (a serialised `SummaryMetadata`).
public enum TensorSummaryV2: StringOperation {
    public static let signature = Signature(
        ["tag": "string", "tensor": "T", "serialized_summary_metadata": "string"], to: ["summary": "string"],
        types: ["T": DType.all + [.string]])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        for i in [0, 2] where !node.shape(i).isCompatible(with: []) {
            throw GraphError("'\(signature.inputs[i].name)' must be a scalar, got the shape \(node.shape(i))")
        }
        return [[]]
    }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (tag, metadata) = try (call.bytes(0, "'tag'"), call.bytes(2, "the metadata"))
        let tensor = try tensorMessage(call.inputs[1])
        let value = SummaryBytes.message { message in
            message.add(1, bytes: tag)
            message.add(8, bytes: tensor, always: true)
            message.add(9, bytes: metadata, always: true)
        }
        return [call.text(SummaryBytes.summary([value]))]
    }
}

/// A `TensorProto`: dtype, shape, and the elements as they lie in memory, or strings one by one.
private func tensorMessage(_ tensor: Tensor) throws -> [UInt8] {
    // TensorFlow's numbers of dtypes (tensorflow/core/framework/types.proto).
    let numbers: [DType: Int] = [
        .float32: 1, .float64: 2, .int32: 3, .uint8: 4, .string: 7, .int64: 9, .bool: 10, .bfloat16: 14,
    ]
    guard let number = numbers[tensor.dtype] else { throw GraphError("a \(tensor.dtype) cannot be in a summary") }
    let shape = SummaryBytes.message { shape in
        for extent in tensor.shape.knownExtents {
            shape.add(2, bytes: SummaryBytes.message { $0.add(1, integer: extent) }, always: true)
        }
    }
    return SummaryBytes.message { message in
        message.add(1, integer: number)
        message.add(2, bytes: shape, always: true)
        if tensor.dtype == .string {
            for text in tensor.knownStrings { message.add(8, bytes: text, always: true) }
        } else {
            tensor.withUnsafeBytes { message.add(4, bytes: $0) }
        }
    }
}
