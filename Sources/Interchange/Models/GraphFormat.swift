internal import SwiftProtobuf

/// What a file that holds a graph is: binary or text, and the kind of message.
struct GraphFormat: Equatable {
    var kind: GraphSource.Kind
    var isText: Bool

    /// By the bytes, whatever the file's name; nil if they are none of these messages.
    init?(_ bytes: [UInt8]) {
        isText = GraphFormat.isText(bytes)
        guard let kind = isText ? GraphFormat.textKind(bytes) : GraphFormat.binaryKind(bytes) else { return nil }
        self.kind = kind
    }

    /// Whether the first bytes are text: a binary message has tags below 32 that no text has.
    static func isText(_ bytes: [UInt8]) -> Bool {
        let start = bytes.prefix(1 << 16)
        return !start.contains { $0 < 9 || (14..<32).contains($0) || $0 == 127 }
            && start.contains { $0 > 32 }
    }

    // MARK: Text

    private static let fields: [String: GraphSource.Kind] = [
        "node": .graph, "versions": .graph, "library": .graph,
        "meta_info_def": .metaGraph, "graph_def": .metaGraph, "saver_def": .metaGraph, "collection_def": .metaGraph,
        "signature_def": .metaGraph, "asset_file_def": .metaGraph, "object_graph_def": .metaGraph,
        "saved_model_schema_version": .savedModel, "meta_graphs": .savedModel,
    ]

    /// By the first field of the outermost message that one of the kinds has.
    private static func textKind(_ bytes: [UInt8]) -> GraphSource.Kind? {
        var (i, depth) = (0, 0)
        while i < bytes.count {
            let byte = bytes[i]
            switch byte {
            case UInt8(ascii: "#"):
                while i < bytes.count, bytes[i] != 10 { i += 1 }
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                i += 1
                while i < bytes.count, bytes[i] != byte { i += bytes[i] == UInt8(ascii: "\\") ? 2 : 1 }
                i += 1
            case UInt8(ascii: "{"), UInt8(ascii: "<"):
                depth += 1
                i += 1
            case UInt8(ascii: "}"), UInt8(ascii: ">"):
                depth -= 1
                i += 1
            default:
                let start = i
                while i < bytes.count, isWord(bytes[i]) { i += 1 }
                if depth == 0, let kind = fields[String(decoding: bytes[start..<i], as: UTF8.self)] {
                    // A field has a value; a word in prose has none.
                    let next = bytes[i...].first { ![9, 10, 13, 32].contains($0) }
                    if let next, Array("{<:".utf8).contains(next) { return kind }
                }
                if i == start { i += 1 }
            }
        }
        return nil
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 95
    }

    // MARK: Binary

    /// The three messages have fields of the same numbers, which hold different things.
    private static func binaryKind(_ bytes: [UInt8]) -> GraphSource.Kind? {
        var first: Range<Int>?
        var firstCount = 0
        var second: Range<Int>?
        var scanner = FieldScanner(bytes, 0..<bytes.count)
        while let field = scanner.next() {
            switch (field.number, field.isMessage) {
            // saved_model_schema_version; GraphDef and MetaGraphDef have messages here.
            case (1, false): return .savedModel
            // saver_def, where GraphDef has a number; asset_file_def, object_graph_def.
            case (3, true), (6, true), (7, true): return .metaGraph
            case (4, true):
                // An entry of collection_def begins with its key; VersionDef has numbers only.
                if let byte = bytes[field.content].first { return byte == 0x0A ? .metaGraph : .graph }
                return .graph
            case (1, true):
                first = first ?? field.content
                firstCount += 1
            case (2, true): second = second ?? field.content
            case (3, false): return .graph
            default: break
            }
        }
        if firstCount > 1 { return .graph }
        if let second { return kind(ofSecond: second, bytes, hasFirst: first != nil) }
        return first == nil ? nil : .graph
    }

    /// Of field 2: a library of functions (GraphDef), a graph (MetaGraphDef) or a MetaGraphDef (SavedModel).
    private static func kind(ofSecond range: Range<Int>, _ bytes: [UInt8], hasFirst: Bool) -> GraphSource.Kind {
        var scanner = FieldScanner(bytes, range)
        var inner: Range<Int>?
        while let field = scanner.next() {
            // versions: a library has none.
            if field.number == 4, field.isMessage {
                return bytes[field.content].first == 0x0A ? .savedModel : .metaGraph
            }
            if field.number == 1, field.isMessage { inner = inner ?? field.content }
        }
        guard let inner else { return hasFirst ? .metaGraph : .graph }
        var content = FieldScanner(bytes, inner)
        // A function begins with its signature, a message; a node with its name.
        guard let field = content.next(), field.isMessage, let byte = bytes[field.content].first else { return .graph }
        return byte == 0x0A ? .graph : .metaGraph
    }
}

/// The fields of a binary message one after the other, as far as its bytes go; what they hold is not looked at.
struct FieldScanner {
    struct Field {
        let number: Int
        /// Whether it holds bytes (a text, a message) and not a number.
        let isMessage: Bool
        let content: Range<Int>
    }

    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// nil at the end, and where no field can begin or a field ends beyond the bytes.
    mutating func next() -> Field? {
        guard let tag = varint(), tag >> 3 > 0, tag >> 3 <= 0x1FFF_FFFF else { return nil }
        let start: Int
        switch tag & 7 {
        case 0:
            start = position
            guard varint() != nil else { return nil }
        case 1, 5:
            start = position
            let size = tag & 7 == 1 ? 8 : 4
            guard end - position >= size else { return nil }
            position += size
        case 2:
            guard let length = varint(), length <= UInt64(end - position) else { return nil }
            start = position
            position += Int(length)
        default: return nil
        }
        return Field(number: Int(tag >> 3), isMessage: tag & 7 == 2, content: start..<position)
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < end else { return nil }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
