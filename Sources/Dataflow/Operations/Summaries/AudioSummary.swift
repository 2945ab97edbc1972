/// `AudioSummary`: a summary with the first `max_outputs` sounds of a batch [n, frames] or [n, frames, channels] of samples
/// from −1 to 1, as WAV of 16 bits.
public enum AudioSummary: StringOperation {
    public static let signature = Signature(
        ["tag": "string", "tensor": "float32"], to: ["summary": "string"], defaults: ["max_outputs": .int(3)],
        required: ["sample_rate"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try soundShapes(node) }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        try sounds(call, rate: call.attributes.float("sample_rate"))
    }
}

/// `AudioSummaryV2`: `AudioSummary` with the sample rate as an input.
public enum AudioSummaryV2: StringOperation {
    public static let signature = Signature(
        ["tag": "string", "tensor": "float32", "sample_rate": "float32"], to: ["summary": "string"],
        defaults: ["max_outputs": .int(3)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(2).isCompatible(with: []) else {
            throw GraphError("'sample_rate' must be a scalar, got the shape \(node.shape(2))")
        }
        return try soundShapes(node)
    }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        try sounds(call, rate: call.inputs[2].scalar(Float.self))
    }
}

private func soundShapes(_ node: ShapeContext) throws -> [Shape] {
    guard node.shape(0).isCompatible(with: []) else {
        throw GraphError("'tag' must be a scalar, got the shape \(node.shape(0))")
    }
    guard [nil, 2, 3].contains(node.shape(1).rank) else {
        throw GraphError("the sounds must have the shape [n, frames] or [n, frames, channels], got \(node.shape(1))")
    }
    return [[]]
}

private func sounds(_ call: DynamicCall, rate: Float) throws -> [Tensor] {
    let (tag, tensor) = (try call.bytes(0, "'tag'"), call.inputs[1])
    let extents = tensor.shape.knownExtents
    let (frames, channels) = (extents[1], extents.count == 3 ? extents[2] : 1)
    guard frames > 0, frames < 1 << 27, channels > 0, channels < 1 << 16, frames * channels < 1 << 29 else {
        throw GraphError("sounds must have samples, less than 1 GiB each, got the shape \(tensor.shape)")
    }
    guard rate >= 1, rate < 1e9 else { throw GraphError("the sample rate must be at least 1, got \(rate)") }
    let limit = try call.attributes.int("max_outputs")
    guard limit > 0 else { throw GraphError("'max_outputs' must be at least 1, got \(limit)") }
    let values = (0..<min(limit, extents[0])).map { i in
        let file = wav(tensor.viewed(rows: i..<i + 1).elements(of: Float.self), rate: Int(rate), channels: channels)
        return SummaryBytes.message { message in
            message.add(1, bytes: tag + Array((limit > 1 ? "/audio/\(i)" : "/audio").utf8))
            message.add(
                6,
                bytes: SummaryBytes.message { audio in
                    audio.add(1, float: rate)
                    audio.add(2, integer: channels)
                    audio.add(3, integer: frames)
                    audio.add(4, bytes: file)
                    audio.add(5, bytes: Array("audio/wav".utf8))
                })
        }
    }
    return [call.text(SummaryBytes.summary(values))]
}

/// A file of 16-bit samples.
private func wav(_ samples: [Float], rate: Int, channels: Int) -> [UInt8] {
    func little(_ value: Int, _ bytes: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    var file = Array("RIFF".utf8) + little(36 + samples.count * 2, 4) + Array("WAVEfmt ".utf8) + little(16, 4)
    file += little(1, 2) + little(channels, 2) + little(rate, 4) + little(rate * channels * 2, 4)
    file += little(channels * 2, 2) + little(16, 2) + Array("data".utf8) + little(samples.count * 2, 4)
    for sample in samples {
        let scaled = (sample * 32768).rounded(.toNearestOrAwayFromZero)
        file += little(scaled.isNaN ? 0 : Int(min(max(scaled, -32768), 32767)), 2)
    }
    return file
}
