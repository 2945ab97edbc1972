#if canImport(Glibc)
    import Glibc
#endif

/// A file that is written whole or not at all.
///
/// The bytes go to a temporary file in the same folder, are synced to the disk, and take the file's name by a rename;
/// then the folder is synced. Whatever fails, a full disk too, the file is as it was and the temporary one is gone.
///
/// Of a symbolic link the target is replaced, and the link stays. What is no regular file, such as a device, a FIFO or
/// standard output (`-`), is written to as it stands; so is a file that may be written where no other can be made beside it.
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
    /// - Parameter followsLinks: false: what is at `path`, be it a link, is replaced itself, and a folder is an error. For names
    ///   that a program makes up, in folders in which others may have put something.
    /// - Throws: what `body` throws; `FormatError` with the system's reason if the file cannot be written.
    public static func write<Result>(
        to path: String, followsLinks: Bool = true, _ body: (inout AtomicFile) throws -> Result
    ) throws -> Result {
        switch followsLinks ? try OutputTarget(path) : .file(path) {
        case .descriptor(let number): return try through(fcntl(number, F_DUPFD_CLOEXEC, 0), path, body)
        case .stream(let place): return try through(open(place, O_WRONLY | O_NOCTTY | O_CLOEXEC), path, body)
        case .file(let place): return try replace(place, path, followsLinks: followsLinks, body)
        }
    }

    /// Writes to what a descriptor stands for, which is then closed; one below 0 is the system's refusal.
    private static func through<Result>(
        _ descriptor: Int32, _ path: String, _ body: (inout AtomicFile) throws -> Result
    ) throws -> Result {
        guard descriptor >= 0 else { throw FormatError(writing: path, "cannot be written", systemCode: errno) }
        var isOpen = true
        defer { if isOpen { close(descriptor) } }
        var file = AtomicFile(descriptor: descriptor, path: path)
        let result = try body(&file)
        try file.finish()
        isOpen = false
        guard close(descriptor) == 0 else { throw FormatError(writing: path, "cannot be written", systemCode: errno) }
        return result
    }

    /// Writes a secret to `path`: a file that nobody but its owner can read, from its first moment on.
    ///
    /// The name itself gets the new file. A symbolic link is replaced, and what it leads to stays as it is, so that nobody
    /// who may write in the folder chooses where the secret goes.
    /// - Throws: `FormatError` if it cannot be written.
    package static func write(secret text: String, to path: String) throws {
        try replace(path, path, isSecret: true, followsLinks: false) { file in try file.append(Array(text.utf8)) }
    }

    /// Replaces the file at `place`, which the user calls `path`.
    private static func replace<Result>(
        _ place: String, _ path: String, isSecret: Bool = false, followsLinks: Bool,
        _ body: (inout AtomicFile) throws -> Result
    ) throws -> Result {
        let folder = OutputTarget.folder(of: place)
        // A name may have 255 bytes.
        let name = OutputTarget.name(of: place).unicodeScalars.prefix(40)
        let temporary = "\(folder)/.\(String(name)).\(getpid())-\(UInt32.random(in: 0 ... .max)).tmp"
        let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, isSecret ? 0o600 : mode(of: place))
        guard descriptor >= 0 else {
            let code = errno
            if [EACCES, EPERM, EROFS].contains(code), followsLinks {
                let existing = open(place, O_WRONLY | O_TRUNC | O_CLOEXEC)
                if existing >= 0 { return try through(existing, path, body) }
            }
            throw FormatError(writing: path, "cannot be created", systemCode: code)
        }
        var isOpen = true
        do {
            if !isSecret { takeMode(of: place, descriptor) }
            var file = AtomicFile(descriptor: descriptor, path: path)
            let result = try body(&file)
            try file.finish()
            let isRenamed = rename(temporary, place) == 0
            if !isRenamed {
                // A file that is a mount point, as containers have them, cannot be replaced.
                guard errno == EBUSY, followsLinks else {
                    throw FormatError(writing: path, "cannot be replaced", systemCode: errno)
                }
                try copy(descriptor, to: place, path)
                unlink(temporary)
            }
            isOpen = false
            // A file system over the network may tell only now that the disk is full.
            guard close(descriptor) == 0 else {
                throw FormatError(writing: path, "cannot be written", systemCode: errno)
            }
            if isRenamed { try sync(folder: folder) }
            return result
        } catch {
            if isOpen { close(descriptor) }
            unlink(temporary)
            throw error
        }
    }

    /// With which mode a file is made: the user's umask says, but where it is to replace another, nobody else gets at it before
    /// it has that one's mode.
    private static func mode(of place: String) -> mode_t {
        var old = stat()
        return stat(place, &old) == 0 ? 0o600 : 0o666
    }

    /// Gives a file who may read it, and whose it is, from the one that it will replace.
    private static func takeMode(of place: String, _ descriptor: Int32) {
        var old = stat()
        // `place` is behind all links, or is to be replaced itself.
        guard lstat(place, &old) == 0, old.st_mode & S_IFMT == S_IFREG else { return }
        // Only root may give files away.
        _ = fchown(descriptor, old.st_uid, old.st_gid)
        fchmod(descriptor, old.st_mode & 0o777)
    }

    /// Copies a whole file over what is in another.
    private static func copy(_ descriptor: Int32, to place: String, _ path: String) throws {
        func refused() -> FormatError { FormatError(writing: path, "cannot be written", systemCode: errno) }
        let target = open(place, O_WRONLY | O_TRUNC | O_CLOEXEC)
        guard target >= 0 else { throw refused() }
        defer { close(target) }
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw refused() }
        var buffer = [UInt8](repeating: 0, count: bufferSize)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw refused() }
            if count == 0 { break }
            let code = buffer.withUnsafeBytes {
                Descriptor.write(UnsafeRawBufferPointer(rebasing: $0[..<count]), to: target)
            }
            guard code == 0 else { throw FormatError(writing: path, "cannot be written", systemCode: code) }
        }
        guard fsync(target) == 0 else { throw refused() }
    }

    /// Writes `bytes` as the file at `path`. Throws `FormatError` if it cannot be written.
    public static func write(_ bytes: [UInt8], to path: String, followsLinks: Bool = true) throws {
        try write(to: path, followsLinks: followsLinks) { file in try file.append(bytes) }
    }

    /// Writes `text` as the file at `path`. Throws as the other.
    public static func write(_ text: String, to path: String) throws { try write(Array(text.utf8), to: path) }

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
        // Devices and pipes cannot be synced.
        guard fsync(descriptor) == 0 || [EINVAL, EROFS, EOPNOTSUPP].contains(errno) else {
            throw FormatError(writing: path, "cannot be written", systemCode: errno)
        }
    }

    private mutating func flush() throws {
        try buffer.withUnsafeBytes { try send($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws {
        let code = Descriptor.write(bytes, to: descriptor)
        guard code == 0 else { throw FormatError(writing: path, "cannot be written", systemCode: code) }
    }

    /// Makes names created in or moved into `folder` outlast a power cut.
    private static func sync(folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            // A folder that may be written but not listed.
            if errno == EACCES { return }
            throw FormatError(writing: folder, "cannot be synced", systemCode: errno)
        }
        defer { close(descriptor) }
        // EINVAL: a file system whose folders cannot be synced.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw FormatError(writing: folder, "cannot be synced", systemCode: errno)
        }
    }
}
