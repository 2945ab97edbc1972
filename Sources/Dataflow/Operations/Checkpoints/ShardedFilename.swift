/// `ShardedFilename`: the name of file `shard` of `num_shards`: "base-00001-of-00004".
public enum ShardedFilename: StringOperation {
    public static let signature = Signature(
        ["basename": "string", "shard": "int32", "num_shards": "int32"], to: ["filename": "string"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        for (i, input) in node.inputs.enumerated() {
            guard input.shape.isCompatible(with: []) else {
                throw GraphError("'\(signature.inputs[i].name)' must be a scalar, got the shape \(input.shape)")
            }
        }
        return [[]]
    }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (shard, count) = (call.inputs[1].knownIntegers[0], call.inputs[2].knownIntegers[0])
        return [call.text(try call.bytes(0, "the name") + Array("-\(padded(shard))-of-\(padded(count))".utf8))]
    }
}

/// `ShardedFilespec`: what all files of `num_shards` are called: "base-?????-of-00004".
public enum ShardedFilespec: StringOperation {
    public static let signature = Signature(
        ["basename": "string", "num_shards": "int32"], to: ["filename": "string"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try ShardedFilename.infer(node) }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        [call.text(try call.bytes(0, "the name") + Array("-?????-of-\(padded(call.inputs[1].knownIntegers[0]))".utf8))]
    }
}

/// C's "%05d".
private func padded(_ number: Int) -> String {
    let digits = String(number.magnitude)
    let zeros = String(repeating: "0", count: max(5 - digits.count - (number < 0 ? 1 : 0), 0))
    return (number < 0 ? "-" : "") + zeros + digits
}
