private func initializing(_ handle: String) -> Signature {
    Signature(
        ["table_handle": handle, "keys": "Tkey", "values": "Tval"], to: [:],
        types: ["Tkey": DType.any, "Tval": DType.any])
}

private func reading(_ handle: String) -> Signature {
    Signature(
        ["table_handle": handle, "filename": "string"], to: [:],
        defaults: ["vocab_size": .int(-1), "delimiter": .string("\t"), "offset": .int(0)],
        required: ["key_index", "value_index"])
}

/// `InitializeTableV2`: fills a table once with keys and values. A second time they must be the same.
public enum InitializeTableV2: TableInitializer {
    public static let signature = initializing("resource")
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { try initialize(call) }
}

/// `InitializeTable`: as `InitializeTableV2`, of TensorFlow's first versions.
public enum InitializeTable: TableInitializer {
    public static let signature = initializing("ref string")
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { try initialize(call) }
}

/// `InitializeTableFromTextFileV2`: fills a table from the lines of a text file. `key_index` and `value_index` say what is the
/// key and what the value: a column between delimiters, −2 the whole line, −1 its number counted from `offset`.
public enum InitializeTableFromTextFileV2: TableInitializer {
    public static let signature = reading("resource")
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { try read(call) }
}

/// `InitializeTableFromTextFile`: as `InitializeTableFromTextFileV2`, of TensorFlow's first versions.
public enum InitializeTableFromTextFile: TableInitializer {
    public static let signature = reading("ref string")
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] { try read(call) }
}

protocol TableInitializer: TableAccess {}

extension TableInitializer {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }

    static func initialize(_ call: DynamicCall) throws -> [Tensor] {
        let table = try call.session.table(call.inputs[0])
        guard table.kind == .fixed else { throw GraphError("a mutable table has no initialiser") }
        try table.initialize(call.inputs[1], call.inputs[2])
        return []
    }

    static func read(_ call: DynamicCall) throws -> [Tensor] {
        let table = try call.session.table(call.inputs[0])
        guard table.kind == .fixed else { throw GraphError("a mutable table has no initialiser") }
        guard let path = call.inputs[1].knownTexts.first, call.inputs[1].elementCount == 1 else {
            throw GraphError("'filename' must be one text, got the shape \(call.inputs[1].shape)")
        }
        let file = try VocabularyFile(path, call.attributes)
        try table.initialize(
            file.column(try call.attributes.int("key_index"), table.keyType, "key_index"),
            file.column(try call.attributes.int("value_index"), table.valueType, "value_index"))
        return []
    }
}

/// The lines of a text file that a table is made from.
private struct VocabularyFile {
    private let path: String
    private let lines: [[UInt8]]
    private let delimiter: UInt8
    private let offset: Int

    init(_ path: String, _ attributes: Attributes) throws {
        self.path = path
        offset = try attributes.int("offset")
        let text = try attributes.string("delimiter")
        guard text.utf8.count == 1, let byte = text.utf8.first else {
            throw GraphError("'delimiter' must be one character, got '\(text)'")
        }
        delimiter = byte
        let (wanted, all) = (try attributes.int("vocab_size"), try TextLines.read(path))
        guard wanted == -1 || wanted > 0 else {
            throw GraphError("'vocab_size' must be at least 1, or -1 for all lines; got \(wanted)")
        }
        guard wanted <= all.count else {
            throw GraphError("the file \(path) has \(all.count) lines, 'vocab_size' says \(wanted)")
        }
        lines = wanted == -1 ? all : Array(all.prefix(wanted))
        if lines.isEmpty { throw GraphError("the file \(path) has no lines") }
        if let odd = lines.firstIndex(of: []) { throw GraphError("line \(odd + 1) of \(path) is empty") }
    }

    /// What `index` names of each line.
    func column(_ index: Int, _ dtype: DType, _ name: String) throws -> Tensor {
        switch index {
        case -1:
            guard dtype == .int64, !offset.addingReportingOverflow(lines.count).overflow else {
                throw GraphError("'\(name)' says the number of the line, which is int64, not \(dtype)")
            }
            return Tensor(lines.indices.map { Int64($0 + offset) })
        case -2:
            return try numbers(lines, dtype)
        default:
            guard index >= 0 else { throw GraphError("'\(name)' must be at least -2, got \(index)") }
            let cells = try lines.enumerated().map { i, line -> [UInt8] in
                let parts = line.split(separator: delimiter, omittingEmptySubsequences: false)
                guard index < parts.count else {
                    throw GraphError("line \(i + 1) of \(path) has \(parts.count) columns, '\(name)' says \(index)")
                }
                return Array(parts[index])
            }
            return try numbers(cells, dtype)
        }
    }

    private func numbers(_ cells: [[UInt8]], _ dtype: DType) throws -> Tensor {
        func parsed<Number: TensorScalar>(_ parse: (String) -> Number?) throws -> Tensor {
            Tensor(
                try cells.enumerated().map { i, cell in
                    let text = String(decoding: cell.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
                    guard let number = parse(text) else {
                        throw GraphError("line \(i + 1) of \(path) has '\(text)' where a number of \(dtype) is wanted")
                    }
                    return number
                })
        }
        switch dtype {
        case .string: return Tensor(strings: cells, sized: [cells.count])
        case .int32: return try parsed { Int32($0) }
        case .int64: return try parsed { Int64($0) }
        case .float32: return try parsed { Float($0) }
        case .float64: return try parsed { Double($0) }
        default: throw GraphError("a text file gives no \(dtype)")
        }
    }
}
