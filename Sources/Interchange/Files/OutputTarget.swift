#if canImport(Glibc)
    import Glibc
#endif

/// Where that goes which is written to a path.
package enum OutputTarget: Equatable {
    /// A regular file, or one that is to be made: its path behind all symbolic links.
    case file(String)
    /// Something that is written to as it stands, such as a device or a FIFO.
    case stream(String)
    /// A descriptor of this process: `-`, `/dev/stdout`, `/dev/fd/3`. Opened by its path, a file would be written from its
    /// start, over what the process has written already.
    case descriptor(Int32)

    /// As many links as the system follows.
    private static let linkLimit = 40

    /// Follows symbolic links; one that leads nowhere yet leads to the file that is to be made.
    ///
    /// - Parameter path: as the user gave it; "-" is standard output.
    /// - Throws: `FormatError` for a folder, links in a circle, and what cannot be looked at.
    package init(_ path: String) throws {
        self = path == "-" ? .descriptor(STDOUT_FILENO) : try OutputTarget.following(path)
    }

    private static func following(_ path: String) throws -> OutputTarget {
        func refused(_ code: Int32) -> FormatError { FormatError(writing: path, "cannot be written", systemCode: code) }
        var place = path
        for _ in 0...linkLimit {
            var status = stat()
            guard lstat(place, &status) == 0 else {
                if errno == ENOENT, !place.isEmpty, !place.hasSuffix("/") { return .file(place) }
                throw refused(errno)
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG: return .file(place)
            case S_IFDIR: throw refused(EISDIR)
            case S_IFLNK:
                if let open = openFile(place) { return open }
                guard !isForeign(status, in: folder(of: place)) else { throw refused(EACCES) }
                let target = try link(place) ?? { throw refused(errno) }()
                place = target.hasPrefix("/") ? target : "\(folder(of: place))/\(target)"
            default: return .stream(place)
            }
        }
        throw refused(ELOOP)
    }

    /// Whether another user has put a link into a folder that all may write to, such as /tmp, so that what it names be
    /// overwritten. (The kernel's `fs.protected_symlinks`, which does not see who follows links by itself.)
    private static func isForeign(_ link: stat, in folder: String) -> Bool {
        var place = stat()
        guard stat(folder, &place) == 0, place.st_mode & S_ISVTX != 0, place.st_mode & S_IWOTH != 0 else {
            return false
        }
        return link.st_uid != geteuid() && link.st_uid != place.st_uid
    }

    /// What a link in `/proc/PID/fd` stands for, nil for other links.
    private static func openFile(_ link: String) -> OutputTarget? {
        guard let real = realpath(folder(of: link), nil) else { return nil }
        defer { free(real) }
        let words = String(cString: real).split(separator: "/")
        guard words.count >= 3, words[0] == "proc", words.last == "fd" else { return nil }
        guard words[1] == "\(getpid())", let number = Int32(name(of: link)) else { return .stream(link) }
        return .descriptor(number)
    }

    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink(path, buffer.baseAddress!, buffer.count)
            guard count >= 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
        }
    }

    /// The folder that a file is in.
    package static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The file's name in its folder.
    static func name(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }
}

/// Bytes to a descriptor.
package enum Descriptor {
    /// Writes all bytes, waiting where the descriptor does not.
    ///
    /// A reader that has gone, and `ulimit -f`, are errors of the call, also in a program that does not ignore SIGPIPE and
    /// SIGXFSZ, which would end it.
    ///
    /// - Returns: 0, or the system's `errno`; then some of the bytes may be written.
    package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var signals = sigset_t()
        var before = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        sigaddset(&signals, SIGXFSZ)
        pthread_sigmask(SIG_BLOCK, &signals, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let code = writeAll(bytes, to: descriptor)
        if code == EPIPE || code == EFBIG, sigismember(&before, code == EPIPE ? SIGPIPE : SIGXFSZ) == 0 {
            // The signal of this call waits for this thread alone: it is taken before it can be delivered.
            var now = timespec()
            while sigtimedwait(&signals, nil, &now) < 0, errno == EINTR {}
        }
        return code
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var done = 0
        while done < bytes.count {
            let sent = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
            if sent > 0 {
                done += sent
            } else if sent == 0 {
                return ENOSPC
            } else if errno == EAGAIN {
                // A pipe or terminal that another program has told not to wait.
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wanted, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}
