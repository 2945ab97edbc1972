/// `ScalarSummary`: a summary (a serialised `Summary` message) with a number for each tag.
public enum ScalarSummary: StringOperation {
    public static let signature = Signature(
        ["tags": "string", "values": "T"], to: ["summary": "string"], types: ["T": DType.numbers + [.bfloat16]])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(0).isCompatible(with: node.shape(1)) else {
            throw GraphError("'tags' and 'values' must have one shape, got \(node.shape(0)) and \(node.shape(1))")
        }
        return [[]]
    }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let values = zip(call.inputs[0].knownStrings, call.inputs[1].knownDoubles).map { tag, value in
            SummaryBytes.message { message in
                message.add(1, bytes: tag)
                message.add(2, float: Float(value), always: true)
            }
        }
        return [call.text(SummaryBytes.summary(values))]
    }
}

/// `MergeSummary`: one summary of the values of several. A tag that comes twice throws.
public enum MergeSummary: StringOperation {
    public static let signature = Signature(["inputs": "N * string"], to: ["summary": "string"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard !node.inputs.isEmpty else { throw GraphError("takes at least one summary") }
        return [[]]
    }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        var (values, tags): ([[UInt8]], Set<[UInt8]>) = ([], [])
        for (i, input) in call.inputs.enumerated() {
            for summary in input.knownStrings {
                guard let fields = SummaryBytes.fields(summary[...]) else {
                    throw GraphError("input \(i) is no summary")
                }
                for value in fields where value.field == 1 {
                    guard let inner = SummaryBytes.fields(value.bytes) else {
                        throw GraphError("input \(i) is no summary")
                    }
                    let tag = Array(inner.last { $0.field == 1 }?.bytes ?? [])
                    guard tag.isEmpty || tags.insert(tag).inserted else {
                        throw GraphError("the tag '\(String(decoding: tag, as: UTF8.self))' comes twice")
                    }
                    values.append(Array(value.bytes))
                }
            }
        }
        return [call.text(SummaryBytes.summary(values))]
    }
}
