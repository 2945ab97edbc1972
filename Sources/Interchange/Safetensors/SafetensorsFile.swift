public import Dataflow

/// A safetensors file that is read: its header at once, its tensors one by one. Several threads may read at once.
public final class SafetensorsFile: Sendable {
    private let file: InputFile
    private let header: SafetensorsHeader
    private let dataOffset: Int
    public var path: String { file.path }
    /// The tensors' names, sorted.
    public let names: [String]
    /// The strings that the writer added.
    public var metadata: [String: String] { header.metadata }
    /// CRC-32C of all bytes before the data.
    package let headerChecksum: UInt32
    /// Whether every tensor has a checksum.
    package var hasChecksums: Bool { names.allSatisfy { metadata[Safetensors.checksumKey($0)] != nil } }

    /// Reads and checks the header.
    ///
    /// - Throws: `FormatError` if the file cannot be read, is truncated, or the header is not one whose tensors fill the
    ///   file exactly.
    public init(_ path: String) throws {
        file = try InputFile(path: path)
        guard file.size >= 8 else {
            throw FormatError(path: path, "is truncated: \(file.size) bytes are no safetensors header")
        }
        let first = try file.bytes(at: 0, count: 8)
        let length = first.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(SafetensorsHeader.longest) else {
            throw FormatError(path: path, "is no safetensors file: its header would take \(length) bytes")
        }
        guard length <= UInt64(file.size - 8) else {
            throw FormatError(path: path, "is truncated: its header takes \(length) bytes, \(file.size - 8) are there")
        }
        dataOffset = 8 + Int(length)
        let text = try file.bytes(at: 8, count: Int(length))
        headerChecksum = text.withUnsafeBytes {
            CRC32C.checksum($0, after: first.withUnsafeBytes { CRC32C.checksum($0) })
        }
        header = try SafetensorsHeader(json: text, dataSize: file.size - dataOffset, path: path)
        names = header.entries.keys.sorted()
    }

    /// A tensor's dtype, nil if there is none of this name.
    public func dtype(named name: String) -> DType? { header.entries[name]?.dtype }

    /// A tensor's shape, nil if there is none of this name.
    public func shape(named name: String) -> Shape? { header.entries[name]?.shape }

    /// Reads one tensor. Throws `FormatError` if there is none of this name, the file cannot be read, or the tensor has a
    /// checksum and it is not this.
    public func tensor(named name: String) throws -> Tensor {
        guard let entry = header.entries[name] else { throw FormatError(path: path, "holds no tensor \(name)") }
        return try Tensor(dtype: entry.dtype, sized: entry.shape) { bytes in
            try file.read(at: dataOffset + entry.range.lowerBound, into: bytes)
            try check(name, CRC32C.checksum(UnsafeRawBufferPointer(bytes)))
            if entry.dtype == .bool {
                // Any other byte than 0 and 1 is no Bool in Swift.
                for i in bytes.indices where bytes[i] > 1 { bytes[i] = 1 }
            }
        }
    }

    /// Reads every tensor that has a checksum, piece by piece. Throws `FormatError` if one is not as it was written.
    package func verify() throws {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { piece.deallocate() }
        for name in names {
            guard let entry = header.entries[name], metadata[Safetensors.checksumKey(name)] != nil else { continue }
            var checksum: UInt32 = 0
            var offset = entry.range.lowerBound
            while offset < entry.range.upperBound {
                let count = min(piece.count, entry.range.upperBound - offset)
                let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[..<count])
                try file.read(at: dataOffset + offset, into: bytes)
                checksum = CRC32C.checksum(UnsafeRawBufferPointer(bytes), after: checksum)
                offset += count
            }
            try check(name, checksum)
        }
    }

    private func check(_ name: String, _ checksum: UInt32) throws {
        guard let expected = metadata[Safetensors.checksumKey(name)], expected != Safetensors.text(checksum) else {
            return
        }
        throw FormatError(
            path: path,
            "is damaged: the tensor \(name) has the checksum \(Safetensors.text(checksum)), not \(expected)")
    }
}

extension SafetensorsFile: CustomStringConvertible {
    public var description: String {
        let entries = header.entries.sorted { $0.key < $1.key }
        return "\(path): \(ShortList.text(entries.map { "\($0.key) \($0.value.dtype)\($0.value.shape)" }))"
    }
}
