internal import Dataflow
#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The header of a safetensors file: each tensor's dtype, shape and place, and a map of strings.
///
/// See https://github.com/huggingface/safetensors#format
struct SafetensorsHeader: Sendable {
    struct Entry: Sendable, Equatable {
        var dtype: DType
        var shape: Shape
        /// Bytes from the start of the file's data part.
        var range: Range<Int>
    }

    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]

    /// The length that the reference implementation allows, too.
    static let longest = 100_000_000

    static let names: [(name: String, dtype: DType)] = [
        ("F32", .float32), ("F64", .float64), ("I32", .int32), ("I64", .int64), ("U8", .uint8), ("BOOL", .bool),
        ("BF16", .bfloat16),
    ]

    /// Parses the JSON text and checks that the tensors fill `dataSize` bytes without holes or overlaps.
    init(json: [UInt8], dataSize: Int, path: String) throws {
        let fields: Fields
        do {
            fields = try JSONDecoder().decode(Fields.self, from: Data(json))
        } catch let error as FieldError {
            throw FormatError(path: path, "is corrupt: its header's entry \(error.name) is malformed")
        } catch {
            throw FormatError(path: path, "is corrupt: its header is no JSON object")
        }
        metadata = fields.metadata
        for (name, field) in fields.tensors {
            func fail(_ what: String) -> FormatError {
                FormatError(path: path, "is corrupt: the tensor \(name) \(what)")
            }
            guard let dtype = Self.names.first(where: { $0.name == field.dtype })?.dtype else {
                throw FormatError(
                    path: path,
                    "holds the tensor \(name) of the dtype \(field.dtype); "
                        + "one of \(Self.names.map(\.name).joined(separator: ", ")) is wanted")
            }
            guard field.offsets.count == 2, field.offsets[0] >= 0, field.offsets[0] <= field.offsets[1] else {
                throw fail("has the offsets \(field.offsets)")
            }
            guard field.offsets[1] <= dataSize else {
                throw fail("ends at byte \(field.offsets[1]) of \(dataSize) (is the file truncated?)")
            }
            guard field.shape.allSatisfy({ $0 >= 0 }) else { throw fail("has the shape \(field.shape)") }
            let shape = Shape(field.shape)
            let bytes = field.offsets[1] - field.offsets[0]
            guard let count = shape.elementCount,
                count.multipliedReportingOverflow(by: dtype.size) == (bytes, false)
            else { throw fail("of \(dtype) and shape \(shape) does not take \(bytes) bytes") }
            entries[name] = Entry(dtype: dtype, shape: shape, range: field.offsets[0]..<field.offsets[1])
        }
        var end = 0
        for (name, entry) in entries.sorted(by: { Self.inFileOrder($0.value.range, $1.value.range) }) {
            guard entry.range.lowerBound == end else {
                let what = entry.range.lowerBound < end ? "overlaps another" : "leaves a hole before it"
                throw FormatError(path: path, "is corrupt: the tensor \(name) \(what)")
            }
            end = entry.range.upperBound
        }
        guard end == dataSize else {
            throw FormatError(path: path, "is corrupt: \(dataSize - end) bytes follow the last tensor")
        }
    }

    private static func inFileOrder(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
        (a.lowerBound, a.upperBound) < (b.lowerBound, b.upperBound)
    }

    /// Lays tensors out: those of the widest elements first, so that each is aligned, and by name among equals.
    init(
        laying tensors: [(name: String, dtype: DType, shape: Shape)], metadata: [String: String], path: String
    ) throws {
        self.metadata = metadata
        var end = 0
        for tensor in tensors.sorted(by: { ($1.dtype.size, $0.name) < ($0.dtype.size, $1.name) }) {
            guard let count = tensor.shape.elementCount else {
                throw FormatError(
                    path: path, "cannot be written: the shape \(tensor.shape) of \(tensor.name) is not known")
            }
            let entry = Entry(dtype: tensor.dtype, shape: tensor.shape, range: end..<(end + count * tensor.dtype.size))
            guard tensor.name != "__metadata__", entries.updateValue(entry, forKey: tensor.name) == nil else {
                throw FormatError(path: path, "cannot be written: the name \(tensor.name) is taken")
            }
            end = entry.range.upperBound
        }
    }

    /// Names in the order of their bytes.
    var layout: [String] {
        entries.sorted {
            ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
                < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
        }.map(\.key)
    }

    /// The length, the JSON text and spaces up to a multiple of 8 bytes.
    var encoded: [UInt8] {
        var parts: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            parts.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
            let dtype = Self.names.first { $0.dtype == entry.dtype }?.name ?? "?"
            let shape = entry.shape.knownExtents.map(String.init).joined(separator: ",")
            parts.append(
                "\(Self.quoted(name)):{\"dtype\":\"\(dtype)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(entry.range.lowerBound),\(entry.range.upperBound)]}")
        }
        var text = Array("{\(parts.joined(separator: ","))}".utf8)
        text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    private struct FieldError: Error { let name: String }

    /// The JSON object as it stands.
    private struct Fields: Decodable {
        struct Field: Decodable {
            var dtype: String
            var shape: [Int]
            var offsets: [Int]

            enum CodingKeys: String, CodingKey {
                case dtype, shape
                case offsets = "data_offsets"
            }
        }

        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        var tensors: [String: Field] = [:]
        var metadata: [String: String] = [:]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Name.self)
            for key in container.allKeys {
                do {
                    if key.stringValue == "__metadata__" {
                        metadata = try container.decode([String: String].self, forKey: key)
                    } else {
                        tensors[key.stringValue] = try container.decode(Field.self, forKey: key)
                    }
                } catch { throw FieldError(name: key.stringValue) }
            }
        }
    }
}
