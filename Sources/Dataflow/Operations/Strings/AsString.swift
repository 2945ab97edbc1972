#if canImport(Glibc)
    import Glibc
#endif

/// `AsString`: each element as a text, as C's `printf` writes it: with `precision` digits, in `scientific` or the `shortest`
/// form, `width` characters wide, with the flag `fill`.
public enum AsString: StringOperation {
    public static let signature = Signature(
        ["input": "T"], to: ["output": "string"], types: ["T": DType.all + [.string]],
        defaults: [
            "precision": .int(-1), "scientific": .bool(false), "shortest": .bool(false), "width": .int(-1),
            "fill": .string(""),
        ])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try format(node.attributes, node.inputs[0].dtype)
        return [node.shape(0)]
    }

    /// The most characters or digits of a number.
    private static let limit = 1 << 12

    private static func format(_ attributes: Attributes, _ dtype: DType) throws -> String {
        let (precision, width) = (try attributes.int("precision"), try attributes.int("width"))
        let (isScientific, isShortest) = (try attributes.bool("scientific"), try attributes.bool("shortest"))
        let fill = try attributes.string("fill")
        guard precision <= limit, width <= limit else {
            throw GraphError("'precision' and 'width' are at most \(limit), got \(precision) and \(width)")
        }
        guard ["", " ", "+", "-", "0", "#"].contains(fill) else { throw GraphError("'fill' cannot be '\(fill)'") }
        guard !isScientific || !isShortest else { throw GraphError("it cannot be both 'scientific' and 'shortest'") }
        guard dtype.isFloating || (precision < 0 && !isScientific && !isShortest) else {
            throw GraphError(
                "'precision', 'scientific' and 'shortest' are for floating-point numbers, not for \(dtype)")
        }
        // Whole numbers without a sign show none.
        let flag = dtype == .uint8 && (fill == "+" || fill == " ") ? "" : fill
        let digits = precision >= 0 ? ".\(precision)" : ""
        let kind = dtype.isFloating ? (isScientific ? "e" : isShortest ? "g" : "f") : dtype == .string ? "s" : "lld"
        return "%\(flag)\(width >= 0 ? "\(width)" : "")\(digits)\(kind)"
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let input = call.inputs[0]
        let format = try format(call.attributes, input.dtype)
        let width = try call.attributes.int("width")
        let strings: [[UInt8]] =
            switch input.dtype {
            case .bool: input.elements(of: Bool.self).map { Array(($0 ? "true" : "false").utf8) }
            case .string: input.knownStrings.map { padded($0, width, try? call.attributes.string("fill")) }
            case .int64: input.elements(of: Int64.self).map { formatted(format, $0) }
            case let dtype where dtype.isFloating: input.knownDoubles.map { formatted(format, $0) }
            default: input.knownIntegers.map { formatted(format, Int64($0)) }
            }
        return [call.texts(strings, input.shape)]
    }

    /// C's "%5s".
    private static func padded(_ bytes: [UInt8], _ width: Int, _ fill: String?) -> [UInt8] {
        let spaces = [UInt8](repeating: 0x20, count: max(width - bytes.count, 0))
        return fill == "-" ? bytes + spaces : spaces + bytes
    }
}

/// A number as C's `printf` writes it.
func formatted(_ format: String, _ value: some CVarArg) -> [UInt8] {
    withVaList([value]) { arguments in
        var buffer = [CChar](repeating: 0, count: 128)
        let length = Int(vsnprintf(&buffer, buffer.count, format, arguments))
        guard length >= buffer.count else { return buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) } }
        return withVaList([value]) { arguments in
            var long = [CChar](repeating: 0, count: length + 1)
            vsnprintf(&long, long.count, format, arguments)
            return long.dropLast().map { UInt8(bitPattern: $0) }
        }
    }
}
