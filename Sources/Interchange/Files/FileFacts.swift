#if canImport(Glibc)
    import Glibc
#endif

/// Whose a file is, and who may use it.
package struct FileFacts {
    package enum Kind { case file, folder, other }

    package let kind: Kind
    package let owner: UInt32
    /// The permissions, without the kind.
    package let mode: UInt32
    /// When it was last written, as nanoseconds since 1970.
    package let modified: Int

    /// Of a path; of a symbolic link, the link's own, unless links are to be followed. nil: `errno` says why.
    package init?(of path: String, followingLinks: Bool = false) {
        var status = stat()
        guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        self.init(status)
    }

    /// Of an open file.
    package init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            default: .other
            }
        owner = status.st_uid
        mode = status.st_mode & 0o7777
        modified = status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec
    }

    /// Whether any other user may read, change or enter it.
    package var isOpenToOthers: Bool { mode & 0o077 != 0 }
}
