public import Dataflow

/// Writes safetensors files: named tensors and a map of strings.
///
/// The header lists the tensors by name; the data lies with the widest elements first, as other readers want alignment.
public enum Safetensors {
    /// What is known of a tensor before its elements are.
    public struct Declaration: Sendable {
        public var name: String
        public var dtype: DType
        public var shape: Shape

        /// `shape` is fully defined.
        public init(name: String, dtype: DType, shape: Shape) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
        }
    }

    /// Writes a file, whole or not at all, tensor by tensor: each is asked for when its turn comes, and forgotten.
    ///
    /// - Parameter tensor: gives the declared tensor of a name. Traps if it is not as declared.
    /// - Returns: the file's length in bytes.
    /// - Throws: `FormatError` if the file cannot be written or a name occurs twice; what `tensor` throws.
    @discardableResult
    public static func write(
        _ declarations: [Declaration], metadata: [String: String] = [:], to path: String, followsLinks: Bool = true,
        tensor: (String) throws -> Tensor
    ) throws -> Int {
        let header = try header(declarations, metadata: metadata, path: path)
        return try AtomicFile.write(to: path, followsLinks: followsLinks) { file in
            try emit(header, tensor: tensor) { try file.append($0) }
            return file.count
        }
    }

    /// Writes a file, whole or not at all; its length in bytes. Throws as the other.
    @discardableResult
    public static func write(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String,
        followsLinks: Bool = true
    ) throws -> Int {
        let byName = Dictionary(tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        return try write(declared(tensors), metadata: metadata, to: path, followsLinks: followsLinks) { byName[$0]! }
    }

    /// Writes a file whose tensors have checksums, whole or not at all: its length in bytes, and the checksum of its header.
    /// A link at `path` is replaced and not followed, unless told. Throws as the others.
    package static func writeChecked(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to path: String,
        followsLinks: Bool = false
    ) throws -> (bytes: Int, headerChecksum: UInt32) {
        var metadata = metadata
        for (name, tensor) in tensors {
            metadata[checksumKey(name)] = text(tensor.withUnsafeBytes { CRC32C.checksum($0) })
        }
        let header = try header(declared(tensors), metadata: metadata, path: path).encoded
        let bytes = try write(tensors, metadata: metadata, to: path, followsLinks: followsLinks)
        return (bytes, header.withUnsafeBytes { CRC32C.checksum($0) })
    }

    /// Under which a file's metadata have a tensor's CRC-32C, in eight hexadecimal digits.
    static func checksumKey(_ name: String) -> String { "crc32c:\(name)" }

    package static func text(_ checksum: UInt32) -> String {
        let digits = String(checksum, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The bytes of a file. Throws `FormatError` if a name occurs twice.
    public static func encode(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:]
    ) throws -> [UInt8] {
        let byName = Dictionary(tensors.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
        var bytes: [UInt8] = []
        try emit(header(declared(tensors), metadata: metadata, path: "safetensors"), tensor: { byName[$0]! }) {
            bytes += $0
        }
        return bytes
    }

    private static func declared(_ tensors: [(name: String, tensor: Tensor)]) -> [Declaration] {
        tensors.map { Declaration(name: $0.name, dtype: $0.tensor.dtype, shape: $0.tensor.shape) }
    }

    private static func header(
        _ declarations: [Declaration], metadata: [String: String], path: String
    ) throws -> SafetensorsHeader {
        try SafetensorsHeader(
            laying: declarations.map { ($0.name, $0.dtype, $0.shape) }, metadata: metadata, path: path)
    }

    private static func emit(
        _ header: SafetensorsHeader, tensor: (String) throws -> Tensor,
        append: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try header.encoded.withUnsafeBytes(append)
        for name in header.layout {
            let value = try tensor(name)
            let entry = header.entries[name]
            require(
                value.dtype == entry?.dtype && value.shape == entry?.shape,
                "the tensor \(name) is \(value.dtype)\(value.shape), not as declared")
            try value.withUnsafeBytes(append)
        }
    }
}
