/// `StringToNumber`: the number that each string is the text of.
public enum StringToNumber: StringOperation {
    public static let signature = Signature(
        ["string_tensor": "string"], to: ["output": "out_type"],
        types: ["out_type": [.float32, .float64, .int32, .int64]], defaults: ["out_type": .type(.float32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (strings, shape) = (call.inputs[0].knownStrings, call.inputs[0].shape)
        func numbers<Scalar: TensorScalar>(_ parse: (String) -> Scalar?) throws -> [Tensor] {
            [
                Tensor(
                    try strings.map { bytes in
                        let text = String(decoding: trimmed(bytes), as: UTF8.self)
                        guard let number = parse(text) else {
                            throw GraphError("'\(String(decoding: bytes, as: UTF8.self))' is no \(Scalar.dtype)")
                        }
                        return number
                    }, sized: shape)
            ]
        }
        switch try call.attributes.type("out_type") {
        case .float32: return try numbers { Float($0) }
        case .float64: return try numbers { Double($0) }
        case .int32: return try numbers { Int32($0) }
        case .int64: return try numbers { Int64($0) }
        case let other: throw GraphError("no numbers of \(other)")
        }
    }
}

/// `DecodeRaw`: the bytes of each string as numbers, in a dimension of their own. The strings must be of one length.
public enum DecodeRaw: StringOperation {
    public static let signature = Signature(
        ["bytes": "string"], to: ["output": "out_type"], types: ["out_type": DType.all],
        defaults: ["little_endian": .bool(true)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [node.shape(0).dimensions.map { Shape($0 + [nil]) } ?? .unknown]
    }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (strings, dtype) = (call.inputs[0].knownStrings, try call.attributes.type("out_type"))
        let length = strings.first?.count ?? 0
        if let i = strings.firstIndex(where: { $0.count != length }) {
            throw GraphError(
                "the strings must be of one length, element 0 has \(length) bytes and \(i) \(strings[i].count)")
        }
        guard length % dtype.size == 0 else {
            throw GraphError("strings of \(length) bytes are no numbers of \(dtype), of \(dtype.size) bytes")
        }
        let isSwapped = try !call.attributes.bool("little_endian")
        var joined = Array(strings.joined())
        if isSwapped, dtype.size > 1 {
            for start in stride(from: 0, to: joined.count, by: dtype.size) {
                joined[start..<start + dtype.size].reverse()
            }
        }
        // Any other byte than 0 and 1 is no Bool in Swift.
        if dtype == .bool { for i in joined.indices where joined[i] > 1 { joined[i] = 1 } }
        let shape = Shape(call.inputs[0].shape.knownExtents + [length / dtype.size])
        return [Tensor(dtype: dtype, sized: shape) { target in joined.withUnsafeBytes { target.copyMemory(from: $0) } }]
    }
}
