#if canImport(Glibc)
    import Glibc
#endif

/// Compiled kernels on disk, by a hash of their source and what compiled them: $XDG_CACHE_HOME/tributary, or
/// ~/.cache/tributary. Where there is no such folder, or others can write to it, nothing is kept: what is read runs.
package struct KernelCache {
    private let folder: String?

    init() {
        let base = getenv("XDG_CACHE_HOME").map { String(cString: $0) }
        let home = getenv("HOME").map { String(cString: $0) }
        let root = base.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home.map { "\($0)/.cache" }
        self.init(folder: root.map { "\($0)/tributary" })
    }

    /// - Parameter folder: nil for none.
    package init(folder: String?) { self.folder = folder }

    /// The binary for `key`, if there is one.
    package func read(_ key: String) -> [UInt8]? {
        guard let folder, Self.isPrivate(folder), let file = fopen("\(folder)/\(Self.name(key))", "rbe") else {
            return nil
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&block, 1, block.count, file), count > 0 { bytes += block[..<count] }
        // Two sources may have one hash: the key itself stands before the binary.
        let header = Array(key.utf8) + [0]
        guard bytes.starts(with: header) else { return nil }
        return Array(bytes[header.count...])
    }

    /// Keeps a binary; not being able to is no mistake.
    package func write(_ binary: [UInt8], _ key: String) {
        guard let folder else { return }
        // Its parent is there where there is a home.
        if let slash = folder.lastIndex(of: "/") { mkdir(String(folder[..<slash]), 0o700) }
        mkdir(folder, 0o700)
        guard Self.isPrivate(folder) else { return }
        let path = "\(folder)/\(Self.name(key))"
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max))"
        guard let file = fopen(temporary, "wbxe") else { return }
        let bytes = Array(key.utf8) + [0] + binary
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count, rename(temporary, path) == 0 else {
            unlink(temporary)
            return
        }
    }

    /// Whether a folder is this user's, and only this user can write to it. In a place that others can write to, such as
    /// /tmp, one of them may have made it.
    private static func isPrivate(_ folder: String) -> Bool {
        var (link, facts) = (stat(), stat())
        return lstat(folder, &link) == 0 && link.st_uid == geteuid() && stat(folder, &facts) == 0
            && facts.st_mode & S_IFMT == S_IFDIR && facts.st_uid == geteuid() && facts.st_mode & 0o022 == 0
    }

    /// FNV-1a over 64 bits, from two bases.
    private static func name(_ key: String) -> String {
        let hashes = [UInt64(0xCBF2_9CE4_8422_2325), 0x8422_2325_CBF2_9CE4].map { base in
            key.utf8.reduce(base) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        }
        return hashes.map { String($0, radix: 16) }.joined(separator: "-") + ".kernel"
    }
}
