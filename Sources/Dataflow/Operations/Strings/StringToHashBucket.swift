private func hashSignature(_ input: String, _ required: [String]) -> Signature {
    Signature([input: "string"], to: ["output": "int64"], required: required)
}

/// `StringToHashBucketFast`: the bucket of `num_buckets` that FarmHash's Fingerprint64 puts each text into.
public enum StringToHashBucketFast: HashingOperation {
    public static let signature = hashSignature("input", ["num_buckets"])
    static func hash(_ attributes: Attributes) throws -> ([UInt8]) -> UInt64 { Fingerprint.farm64 }
}

/// `StringToHashBucketStrong`: the bucket of `num_buckets` that SipHash-2-4 with the two numbers of `key` puts each text into.
public enum StringToHashBucketStrong: HashingOperation {
    public static let signature = hashSignature("input", ["num_buckets", "key"])
    static func hash(_ attributes: Attributes) throws -> ([UInt8]) -> UInt64 {
        let key = try attributes.ints("key").map { UInt64(bitPattern: Int64($0)) }
        guard key.count == 2 else { throw GraphError("'key' must hold 2 numbers, got \(key.count)") }
        return { Fingerprint.sip(key: (key[0], key[1]), $0) }
    }
}

/// `StringToHashBucket`: as `StringToHashBucketFast`, by the hash of TensorFlow's first versions.
public enum StringToHashBucket: HashingOperation {
    public static let signature = hashSignature("string_tensor", ["num_buckets"])
    static func hash(_ attributes: Attributes) throws -> ([UInt8]) -> UInt64 { Fingerprint.murmur64 }
}

/// An operation that puts texts into buckets.
protocol HashingOperation: WholeTensorOperation {
    static func hash(_ attributes: Attributes) throws -> ([UInt8]) -> UInt64
}

extension HashingOperation {
    public static var hostReason: String? { HostReason.texts }
    static func shapes(_ node: ShapeContext) throws -> [Shape] {
        _ = try buckets(node.attributes)
        _ = try hash(node.attributes)
        return [node.shape(0)]
    }

    private static func buckets(_ attributes: Attributes) throws -> UInt64 {
        let count = try attributes.int("num_buckets")
        guard count >= 1 else { throw GraphError("'num_buckets' must be at least 1, got \(count)") }
        return UInt64(count)
    }

    static func compute(_ call: WholeTensors) throws -> [Tensor] {
        let (count, hash) = (try buckets(call.attributes), try hash(call.attributes))
        return [Tensor(call.inputs[0].knownStrings.map { Int64(hash($0) % count) }, sized: call.inputs[0].shape)]
    }
}
