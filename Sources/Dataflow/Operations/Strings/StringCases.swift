/// `StringLower`: the letters made small: those of ASCII, or with the attribute `encoding` "utf-8" all.
public enum StringLower: StringMapping {
    public static let signature = Signature(
        ["input": "string"], to: ["output": "string"], defaults: ["encoding": .string("")])
    static func map(_ bytes: [UInt8], _ call: DynamicCall) throws -> [UInt8] {
        if try isUnicode(call.attributes) { return Array(String(decoding: bytes, as: UTF8.self).lowercased().utf8) }
        return bytes.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
    }
}

/// `StringUpper`: the letters made large: those of ASCII, or with the attribute `encoding` "utf-8" all.
public enum StringUpper: StringMapping {
    public static let signature = StringLower.signature
    static func map(_ bytes: [UInt8], _ call: DynamicCall) throws -> [UInt8] {
        if try isUnicode(call.attributes) { return Array(String(decoding: bytes, as: UTF8.self).uppercased().utf8) }
        return bytes.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
    }
}

private func isUnicode(_ attributes: Attributes) throws -> Bool {
    switch try attributes.string("encoding") {
    case "": return false
    case "utf-8": return true
    case let other: throw GraphError("'encoding' must be \"\" or \"utf-8\", got \"\(other)\"")
    }
}

/// `StringStrip`: without the white space at both ends.
public enum StringStrip: StringMapping {
    public static let signature = Signature(["input": "string"], to: ["output": "string"])
    static func map(_ bytes: [UInt8], _ call: DynamicCall) throws -> [UInt8] { Array(trimmed(bytes)) }
}

/// Space, tab, line feed, vertical tab, form feed, carriage return.
func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

/// The bytes without white space at both ends.
func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return [] }
    return bytes[first...last]
}

/// What a string is counted in: bytes, or characters of UTF-8.
enum TextUnit {
    case byte, character

    init(_ attributes: Attributes) throws {
        switch try attributes.string("unit") {
        case "BYTE": self = .byte
        case "UTF8_CHAR": self = .character
        case let other: throw GraphError("'unit' must be BYTE or UTF8_CHAR, got '\(other)'")
        }
    }

    /// Where each unit starts, and the end.
    func starts(_ bytes: [UInt8]) -> [Int] {
        switch self {
        case .byte: Array(0...bytes.count)
        case .character: bytes.indices.filter { $0 == 0 || bytes[$0] & 0xC0 != 0x80 } + [bytes.count]
        }
    }
}

/// `StringLength`: how many bytes, or characters of UTF-8, each string has.
public enum StringLength: StringOperation {
    public static let signature = Signature(
        ["input": "string"], to: ["output": "int32"], defaults: ["unit": .string("BYTE")])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let unit = try TextUnit(call.attributes)
        let lengths = call.inputs[0].knownStrings.map { bytes in
            Int32(clamping: unit == .byte ? bytes.count : bytes.count { $0 & 0xC0 != 0x80 })
        }
        return [Tensor(lengths, sized: call.inputs[0].shape)]
    }
}

/// `Substr`: `len` units of each string from `pos` on, which counts from the end if it is negative. The three broadcast.
public enum Substr: StringOperation {
    public static let signature = Signature(
        ["input": "string", "pos": "T", "len": "T"], to: ["output": "string"], types: ["T": DType.indices],
        defaults: ["unit": .string("BYTE")])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (input, places) = (node.shape(0), node.shape(1))
        guard places.isCompatible(with: node.shape(2)) else {
            throw GraphError("'pos' and 'len' must have one shape, got \(places) and \(node.shape(2))")
        }
        guard let shape = input.broadcast(with: places) else {
            throw GraphError("the shapes \(input) of 'input' and \(places) of 'pos' do not broadcast")
        }
        return [shape]
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let unit = try TextUnit(call.attributes)
        let (input, places) = (call.inputs[0], call.inputs[1])
        guard let shape = input.shape.broadcast(with: places.shape) else { return [] }
        let (strings, starts, lengths) = (input.knownStrings, places.knownIntegers, call.inputs[2].knownIntegers)
        let pairs = zip(sources(input.shape, in: shape), sources(places.shape, in: shape))
        let result = try pairs.map { string, place in
            let (bytes, start, length) = (strings[string], starts[place], lengths[place])
            let units = unit.starts(bytes)
            let count = units.count - 1
            guard start >= -count, start <= count else {
                throw GraphError("'pos' is \(start), beyond a string of \(count) units")
            }
            let first = start < 0 ? start + count : start
            // As in TensorFlow, a length below 0 is all that is left.
            let taken = length < 0 ? count - first : min(length, count - first)
            return Array(bytes[units[first]..<units[first + taken]])
        }
        return [call.texts(result, shape)]
    }
}
