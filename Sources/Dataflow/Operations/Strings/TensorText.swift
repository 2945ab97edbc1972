/// A tensor's elements as TensorFlow prints them (tensorflow/core/framework/tensor.cc, `SummarizeValue`).
struct TensorText {
    private(set) var bytes: [UInt8] = []
    private let element: (Int) -> [UInt8]
    private let extents: [Int]
    private let strides: [Int]
    private let count: Int
    private let limit: Int

    /// What `tf.print` and `tf.strings.format` show: nested brackets, and of each dimension the first and last `edge`
    /// elements; all if that is negative.
    static func edges(of tensor: Tensor, _ edge: Int) -> [UInt8] {
        guard let text = TensorText(tensor, edge, quotes: true) else { return handles(tensor, edge, brackets: true) }
        var result = text
        // Of no bool TensorFlow shows nothing at all.
        if tensor.dtype == .bool, text.limit == 0 { return [] }
        if text.extents.isEmpty { return text.flat() }
        result.edges(dimension: 0, at: 0)
        return result.bytes
    }

    /// What `tf.Print` and `tf.Assert` show: the first `limit` elements; all if that is negative.
    static func start(of tensor: Tensor, _ limit: Int) -> [UInt8] {
        guard let text = TensorText(tensor, limit, quotes: false) else {
            return handles(tensor, limit, brackets: false)
        }
        var result = text
        if tensor.dtype == .bool, text.limit == 0 { return [] }
        if text.extents.isEmpty { return text.flat() }
        var at = 0
        result.start(dimension: 0, &at)
        if result.count > result.limit { result.append("...") }
        return result.bytes
    }

    private init?(_ tensor: Tensor, _ limit: Int, quotes: Bool) {
        guard let element = TensorText.elements(tensor, quotes: quotes) else { return nil }
        self.element = element
        extents = tensor.shape.knownExtents
        strides = tensor.shape.strides
        count = tensor.elementCount
        self.limit = limit < 0 ? count : min(limit, count)
    }

    private static func handles(_ tensor: Tensor, _ limit: Int, brackets: Bool) -> [UInt8] {
        let shown = limit < 0 ? tensor.elementCount : min(limit, tensor.elementCount)
        let names = repeatElement("<\(tensor.dtype)>", count: shown).joined(separator: " ")
        let text = names + (limit >= 0 && limit < tensor.elementCount ? "..." : "")
        return Array((brackets && tensor.shape.rank != 0 ? "[\(text)]" : text).utf8)
    }

    /// The text of element i; nil for handles.
    private static func elements(_ tensor: Tensor, quotes: Bool) -> ((Int) -> [UInt8])? {
        switch tensor.dtype {
        case .resource, .variant: return nil
        case .float32:
            let values = tensor.elements(of: Float.self)
            return { number(values[$0]) }
        case .bfloat16:
            let values = tensor.elements(of: BFloat16.self)
            return { number(values[$0].float) }
        case .float64:
            let values = tensor.elements(of: Double.self)
            return { number(values[$0]) }
        case .bool:
            let values = tensor.elements(of: Bool.self)
            return { values[$0] ? [0x31] : [0x30] }
        case .string:
            let values = tensor.knownStrings
            return { quotes ? [0x22] + escaped(values[$0]) + [0x22] : escaped(values[$0]) }
        default:
            let values = tensor.knownIntegers
            return { Array("\(values[$0])".utf8) }
        }
    }

    /// Six digits if they are enough, else nine. TensorFlow's kernels take denormal numbers for zero.
    private static func number(_ value: Float) -> [UInt8] {
        if value.isNaN { return Array("nan".utf8) }
        let value = value.isSubnormal ? (value < 0 ? -0.0 : 0) : value
        let short = formatted("%.6g", Double(value))
        if Float(String(decoding: short, as: UTF8.self)) == value { return short }
        return formatted("%.9g", Double(value))
    }

    /// Fifteen digits if they are enough, else seventeen.
    private static func number(_ value: Double) -> [UInt8] {
        if value.isNaN { return Array("nan".utf8) }
        let value = value.isSubnormal ? (value < 0 ? -0.0 : 0) : value
        let short = formatted("%.15g", value)
        if Double(String(decoding: short, as: UTF8.self)) == value { return short }
        return formatted("%.17g", value)
    }

    /// As C writes a string between quotes; bytes of UTF-8 stay.
    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x0A: Array("\\n".utf8)
            case 0x0D: Array("\\r".utf8)
            case 0x09: Array("\\t".utf8)
            case 0x22: Array("\\\"".utf8)
            case 0x27: Array("\\'".utf8)
            case 0x5C: Array("\\\\".utf8)
            case 0x20..<0x7F, 0x80...: [byte]
            default: [0x5C, 0x30 + byte >> 6, 0x30 + byte >> 3 & 7, 0x30 + byte & 7]
            }
        }
    }

    private mutating func append(_ text: String) { bytes += text.utf8 }

    private func flat() -> [UInt8] {
        Array((0..<limit).map(element).joined(separator: [0x20])) + (count > limit ? Array("...".utf8) : [])
    }

    private mutating func edges(dimension: Int, at place: Int) {
        guard dimension < extents.count else {
            bytes += element(place)
            return
        }
        append("[")
        let extent = extents[dimension]
        for i in 0..<min(limit, extent) {
            if i > 0 { space(dimension) }
            edges(dimension: dimension + 1, at: place + i * strides[dimension])
        }
        if extent > 2 * limit {
            space(dimension)
            append("...")
        }
        for i in (0..<extent).dropFirst(max(limit, extent - limit)) {
            space(dimension)
            edges(dimension: dimension + 1, at: place + i * strides[dimension])
        }
        append("]")
    }

    private mutating func space(_ dimension: Int) {
        if dimension == extents.count - 1 { return append(" ") }
        bytes += [UInt8](repeating: 0x0A, count: extents.count - dimension - 1)
        bytes += [UInt8](repeating: 0x20, count: dimension + 1)
    }

    private mutating func start(dimension: Int, _ at: inout Int) {
        if at >= limit { return }
        if dimension == extents.count - 1 {
            for i in 0..<extents[dimension] {
                if at >= limit {
                    if dimension != 0 { append("...") }
                    return
                }
                if i > 0 { append(" ") }
                bytes += element(at)
                at += 1
            }
            return
        }
        for _ in 0..<extents[dimension] {
            // Nothing follows: rows without an end are not walked.
            if at >= limit { return }
            append("[")
            start(dimension: dimension + 1, &at)
            append("]")
        }
    }
}

/// `StringFormat`: the template with each `placeholder` replaced by what `tf.print` shows of a tensor.
public enum StringFormat: StringOperation {
    public static let signature = Signature(
        ["inputs": "list T"], to: ["output": "string"],
        defaults: ["template": .string("%s"), "placeholder": .string("%s"), "summarize": .int(3)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try pieces(node.attributes, node.inputs.count)
        return [[]]
    }

    /// What stands between the placeholders.
    private static func pieces(_ attributes: Attributes, _ count: Int) throws -> [[UInt8]] {
        let template = Array(try attributes.string("template").utf8)
        let placeholder = Array(try attributes.string("placeholder").utf8)
        guard !placeholder.isEmpty else { throw GraphError("'placeholder' must not be empty") }
        var (pieces, start, at): ([[UInt8]], Int, Int) = ([], 0, 0)
        while at + placeholder.count <= template.count {
            if template[at..<at + placeholder.count].elementsEqual(placeholder) {
                pieces.append(Array(template[start..<at]))
                at += placeholder.count
                start = at
            } else {
                at += 1
            }
        }
        pieces.append(Array(template[start...]))
        guard pieces.count - 1 == count else {
            throw GraphError("'template' has \(pieces.count - 1) placeholders for \(count) inputs")
        }
        return pieces
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let pieces = try pieces(call.attributes, call.inputs.count)
        let summarize = try call.attributes.int("summarize")
        var text = pieces[0]
        for (input, piece) in zip(call.inputs, pieces.dropFirst()) {
            text += TensorText.edges(of: input, summarize) + piece
        }
        return [call.text(text)]
    }
}
