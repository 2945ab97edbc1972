#if canImport(Glibc)
    import Glibc
#endif

/// A file that is written whole or not at all.
///
/// The bytes go to a temporary file in the same folder, are synced to the disk, and take the file's name by a rename;
/// then the folder is synced. Whatever fails, a full disk too, the file is as it was and the temporary one is gone.
public struct AtomicFile: ~Copyable {
    /// The path the file will have.
    public let path: String
    /// Bytes written so far, those in the buffer too.
    public private(set) var count = 0
    package let descriptor: Int32
    private var buffer: [UInt8] = []

    private static let bufferSize = 1 << 16

    package init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
        buffer.reserveCapacity(Self.bufferSize)
    }

    /// Writes the file at `path`: what `body` appends to the file it is given.
    ///
    /// - Throws: what `body` throws; `FormatError` with the system's reason if the file cannot be written.
    public static func write<Result>(
        to path: String, _ body: (inout AtomicFile) throws -> Result
    ) throws -> Result {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        let temporary = "\(folder)/.\(name).\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FormatError(path: path, "cannot be created", systemCode: errno) }
        var isOpen = true
        do {
            var file = AtomicFile(descriptor: descriptor, path: path)
            let result = try body(&file)
            try file.finish()
            isOpen = false
            // A file system over the network may tell only now that the disk is full.
            guard close(descriptor) == 0 else {
                throw FormatError(path: path, "cannot be written", systemCode: errno)
            }
            guard rename(temporary, path) == 0 else {
                throw FormatError(path: path, "cannot be replaced", systemCode: errno)
            }
            try sync(folder: folder)
            return result
        } catch {
            if isOpen { close(descriptor) }
            unlink(temporary)
            throw error
        }
    }

    /// Writes `bytes` as the file at `path`. Throws `FormatError` if it cannot be written.
    public static func write(_ bytes: [UInt8], to path: String) throws {
        try write(to: path) { file in try bytes.withUnsafeBytes { try file.append($0) } }
    }

    /// Appends bytes. Throws `FormatError` if the system refuses, as on a full disk.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) throws {
        count += bytes.count
        if buffer.count + bytes.count > Self.bufferSize { try flush() }
        if bytes.count < Self.bufferSize {
            buffer.append(contentsOf: bytes)
        } else {
            try send(bytes)
        }
    }

    /// Appends bytes. Throws as the other.
    public mutating func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

    package mutating func finish() throws {
        try flush()
        guard fsync(descriptor) == 0 else { throw FormatError(path: path, "cannot be written", systemCode: errno) }
    }

    private mutating func flush() throws {
        try buffer.withUnsafeBytes { try send($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let sent = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else {
                throw FormatError(path: path, "cannot be written", systemCode: sent == 0 ? ENOSPC : errno)
            }
            done += sent
        }
    }

    /// Makes names created in or moved into `folder` outlast a power cut.
    private static func sync(folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FormatError(path: folder, "cannot be synced", systemCode: errno) }
        defer { close(descriptor) }
        // EINVAL: a file system whose folders cannot be synced.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw FormatError(path: folder, "cannot be synced", systemCode: errno)
        }
    }
}
