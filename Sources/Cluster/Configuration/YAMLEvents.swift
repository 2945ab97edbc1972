internal import CYaml

/// The events of a YAML text in order, from libyaml, which is part of Yams.
///
/// Yams's own tree of nodes is not used: it has no limit for depth and aliases, and throws at the first duplicate key.
final class YAMLEvents {
    /// The start or end of a value, or a whole scalar.
    struct Event {
        enum Kind {
            case scalar(String, isPlain: Bool)
            case alias(String)
            case listStart, listEnd, mapStart, mapEnd
            case documentStart(hasTagDirectives: Bool)
            case documentEnd, streamStart, streamEnd
        }
        let kind: Kind
        /// The name after `&`; nil if there is none.
        var anchor: String?
        /// From 1.
        let line: Int
        /// From 1.
        let column: Int
    }

    /// An error in the text.
    struct Problem: Error {
        let line: Int
        var column: Int?
        let text: String
        /// Whether the text is YAML but exceeds a limit.
        var isLimit = false
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) {
        let utf8 = Array(text.utf8)
        bytes = .allocate(capacity: max(utf8.count, 1))
        _ = bytes.update(fromContentsOf: utf8)
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        if yaml_parser_initialize(parser) != 1 { fatalError("libyaml cannot start: there is no memory") }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, utf8.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        bytes.deallocate()
    }

    /// The next event; nil after the last.
    func next() throws(Problem) -> Event? {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw problem }
        defer { yaml_event_delete(&event) }
        guard let kind = Self.kind(event) else { return nil }
        return Event(
            kind: kind, anchor: Self.anchor(event), line: event.start_mark.line + 1, column: event.start_mark.column + 1
        )
    }

    private static func kind(_ event: yaml_event_t) -> Event.Kind? {
        switch event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        case YAML_DOCUMENT_START_EVENT:
            let directives = event.data.document_start.tag_directives
            return .documentStart(hasTagDirectives: directives.start != directives.end)
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias(text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let value = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE || scalar.style == YAML_ANY_SCALAR_STYLE
            return .scalar(String(decoding: value, as: UTF8.self), isPlain: isPlain)
        case YAML_SEQUENCE_START_EVENT: return .listStart
        case YAML_SEQUENCE_END_EVENT: return .listEnd
        case YAML_MAPPING_START_EVENT: return .mapStart
        case YAML_MAPPING_END_EVENT: return .mapEnd
        default: return nil
        }
    }

    private static func anchor(_ event: yaml_event_t) -> String? {
        switch event.type {
        case YAML_SCALAR_EVENT: text(event.data.scalar.anchor)
        case YAML_SEQUENCE_START_EVENT: text(event.data.sequence_start.anchor)
        case YAML_MAPPING_START_EVENT: text(event.data.mapping_start.anchor)
        default: nil
        }
    }

    private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        bytes.map { String(cString: $0) }
    }

    private var problem: Problem {
        let state = parser.pointee
        let words = state.problem.map { String(cString: $0) } ?? "there is not enough memory"
        switch state.error {
        case YAML_SCANNER_ERROR, YAML_PARSER_ERROR:
            let context = state.context.map {
                ", \(String(cString: $0)) that began on line \(state.context_mark.line + 1)"
            }
            return Problem(
                line: state.problem_mark.line + 1, column: state.problem_mark.column + 1, text: words + (context ?? ""))
        case YAML_READER_ERROR:
            let line = bytes.prefix(state.problem_offset).count { $0 == UInt8(ascii: "\n") } + 1
            return Problem(line: line, text: words)
        default: return Problem(line: 1, text: words)
        }
    }
}
