internal import Dataflow

/// The header of a `.npy` file, versions 1 to 3: a Python dictionary of dtype, order and shape.
///
/// See https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
struct NpyHeader {
    /// NumPy's name of the dtype without its byte order: `f4`, `u1`, …
    var element: String
    var isBigEndian: Bool
    var isFortranOrder: Bool
    var shape: [Int]
    /// Where the elements start.
    var dataOffset: Int

    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// NumPy's types that can be read, with their size and the dtype they become.
    static let elements: [String: (size: Int, dtype: DType)] = [
        "f2": (2, .float32), "f4": (4, .float32), "f8": (8, .float64), "i1": (1, .int32), "i2": (2, .int32),
        "u2": (2, .int32), "i4": (4, .int32), "i8": (8, .int64), "u1": (1, .uint8), "b1": (1, .bool),
    ]

    init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
        func fail(_ what: String) -> FormatError { FormatError(path: path, what) }
        guard bytes.count >= 10 else { throw fail("is truncated: \(bytes.count) bytes are no .npy header") }
        guard bytes.prefix(6).elementsEqual(Self.magic) else {
            throw fail("is no .npy file: it lacks the magic \\x93NUMPY")
        }
        let version = bytes[6]
        guard (1...3).contains(version) else { throw fail("is .npy of version \(version); 1 to 3 are known") }
        let start = version == 1 ? 10 : 12
        guard bytes.count >= start else { throw fail("is truncated in its header") }
        let length =
            version == 1
            ? Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self).littleEndian)
            : Int(bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self).littleEndian)
        guard bytes.count - start >= length else { throw fail("is truncated in its header") }
        dataOffset = start + length
        var text = PythonLiteral(Array(bytes[start..<dataOffset]))
        guard let fields = text.dictionary() else {
            throw fail("has a header that is no dictionary of descr, fortran_order and shape")
        }
        guard let descr = fields["descr"] else { throw fail("has a header without descr") }
        guard case .string(let name) = descr, let order = name.first, name.count > 1, "<>|=".contains(order) else {
            throw fail("holds elements of the dtype \(descr); one of \(Self.known) is wanted")
        }
        element = String(name.dropFirst())
        isBigEndian = order == ">"
        guard Self.type(of: element) != nil else {
            throw fail("holds elements of the dtype '\(name)'; one of \(Self.known) is wanted")
        }
        guard case .bool(let isFortran)? = fields["fortran_order"] else {
            throw fail("has a header without fortran_order")
        }
        isFortranOrder = isFortran
        guard case .tuple(let extents)? = fields["shape"] else { throw fail("has a header without shape") }
        shape = extents
    }

    private static var known: String { elements.keys.sorted().joined(separator: ", ") + ", S, U" }

    /// The size of an element and the dtype it becomes; nil if it is not known.
    var type: (size: Int, dtype: DType)? { Self.type(of: element) }

    private static func type(of element: String) -> (size: Int, dtype: DType)? {
        if let known = elements[element] { return known }
        guard let kind = element.first, kind == "S" || kind == "U", let length = Int(element.dropFirst()), length > 0,
            length < 1 << 28
        else { return nil }
        return (kind == "U" ? 4 * length : length, .string)
    }

    /// The header of a little-endian, row-major array, padded so that the elements start at a multiple of 64.
    static func encode(descr: String, shape: [Int]) -> [UInt8] {
        let extents = shape.count == 1 ? "(\(shape[0]),)" : "(\(shape.map(String.init).joined(separator: ", ")))"
        var text = Array("{'descr': '\(descr)', 'fortran_order': False, 'shape': \(extents), }".utf8)
        let prefix = text.count + 11 <= 65_535 ? 10 : 12
        text += [UInt8](repeating: UInt8(ascii: " "), count: 63 - (prefix + text.count) % 64)
        text.append(UInt8(ascii: "\n"))
        let length = (0..<(prefix == 10 ? 2 : 4)).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
        return magic + [prefix == 10 ? 1 : 2, 0] + length + text
    }
}

/// As much of Python's syntax as NumPy writes into a header.
struct PythonLiteral {
    enum Value: CustomStringConvertible {
        case string(String)
        case bool(Bool)
        case tuple([Int])
        /// A list: what NumPy writes for structured dtypes.
        case other(String)

        var description: String {
            switch self {
            case .string(let text): "'\(text)'"
            case .bool(let value): value ? "True" : "False"
            case .tuple(let values): "(\(values.map(String.init).joined(separator: ", ")))"
            case .other(let text): text
            }
        }
    }

    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func peek() -> UInt8? {
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0A { at += 1 }
        return at < bytes.count ? bytes[at] : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    /// `{'key': value, …}`; nil if it is anything else.
    mutating func dictionary() -> [String: Value]? {
        guard take("{") else { return nil }
        var result: [String: Value] = [:]
        while !take("}") {
            guard let key = string(), take(":"), let value = value() else { return nil }
            result[key] = value
            guard take(",") || peek() == UInt8(ascii: "}") else { return nil }
        }
        return peek() == nil ? result : nil
    }

    private mutating func string() -> String? {
        guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else { return nil }
        guard let end = bytes[(at + 1)...].firstIndex(of: quote) else { return nil }
        defer { at = end + 1 }
        return String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
    }

    private mutating func value() -> Value? {
        switch peek() {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return string().map(Value.string)
        case UInt8(ascii: "T"): return word("True") ? .bool(true) : nil
        case UInt8(ascii: "F"): return word("False") ? .bool(false) : nil
        case UInt8(ascii: "("): return tuple().map(Value.tuple)
        case UInt8(ascii: "["):
            guard let end = bytes[at...].lastIndex(of: UInt8(ascii: "]")) else { return nil }
            defer { at = end + 1 }
            return .other(String(decoding: bytes[at...end], as: UTF8.self))
        default: return nil
        }
    }

    private mutating func word(_ word: String) -> Bool {
        guard bytes[at...].starts(with: word.utf8) else { return false }
        at += word.utf8.count
        return true
    }

    private mutating func tuple() -> [Int]? {
        guard take("(") else { return nil }
        var values: [Int] = []
        while !take(")") {
            guard peek() != nil else { return nil }
            let start = at
            while at < bytes.count, (0x30...0x39).contains(bytes[at]) { at += 1 }
            guard let value = Int(String(decoding: bytes[start..<at], as: UTF8.self)) else { return nil }
            values.append(value)
            guard take(",") || peek() == UInt8(ascii: ")") else { return nil }
        }
        return values
    }
}
