internal import Foundation
internal import Glibc
internal import Interchange

/// A folder of mode 0700 with a random name, removed with its content when this value goes away.
///
/// A process that is killed leaves its folder. The next one removes it: of the folders of this name, those of the same user
/// whose lock nobody holds any more.
package final class TemporaryDirectory: Sendable {
    package let path: String
    /// The lock, held as long as this process lives.
    private let lock: Int32

    /// In `$TMPDIR`, or in /tmp where that is too long for the path of a socket, where others could exchange the folder, or
    /// where none can be made.
    /// - Parameter onEvent: Told why `$TMPDIR` is not used.
    /// - Throws: `NodeError` of kind `cannotCreate`.
    package init(onEvent: (String) -> Void = { _ in }) throws {
        let wanted = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        var parents = ["/tmp"]
        if !wanted.isEmpty {
            switch Self.usable(wanted) {
            case .success(let parent): parents = [parent, "/tmp"]
            case .failure(let fault): onEvent("TMPDIR is not used, but /tmp: \(fault.reason)")
            }
        }
        var failure = ""
        for parent in parents {
            switch Self.make(in: parent) {
            case .success(let made):
                (path, lock) = (made.path, made.lock)
                return
            case .failure(let fault): failure = fault.reason
            }
            if parent != "/tmp" { onEvent("TMPDIR is not used, but /tmp: \(failure)") }
        }
        throw NodeError(.cannotCreate, "\(failure); set TMPDIR to a folder that can be written to")
    }

    private static func make(in parent: String) -> Result<(path: String, lock: Int32), Fault> {
        if let fault = exchange(parent.isEmpty ? "/" : parent) { return .failure(fault) }
        removeLeftovers(in: parent)
        var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            return .failure(Fault(reason: "no folder can be made in \(parent): \(String(cString: strerror(errno)))"))
        }
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let lock = open("\(path)/\(lockName)", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let reason = "no file can be made in \(path): \(String(cString: strerror(errno)))"
            if lock >= 0 { close(lock) }
            try? FileManager.default.removeItem(atPath: path)
            return .failure(Fault(reason: reason))
        }
        return .success((path, lock))
    }

    /// Why a folder cannot hold sockets.
    package struct Fault: Error, Equatable {
        package let reason: String
    }

    private static let prefix = "tributary-"
    private static let lockName = "lock"

    /// A socket's path has 107 bytes at most; "/tributary-XXXXXX/server-10000-255" takes 34 of them.
    static let longest = 107 - 34

    /// The absolute path of a folder that sockets can be in.
    package static func usable(_ folder: String) -> Result<String, Fault> {
        let path = URL(fileURLWithPath: folder).standardizedFileURL.path
        let count = path.utf8.count
        guard count <= longest else {
            return .failure(
                Fault(reason: "its path has \(count) bytes, and \(longest) leave room for the names of sockets"))
        }
        guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            return .failure(Fault(reason: "its path has a control character"))
        }
        return .success(path == "/" ? "" : path)
    }

    /// Who could put another folder in the place of one made in here: every user, where all may write and no sticky bit keeps
    /// them from renaming what is not theirs.
    package static func exchange(_ folder: String) -> Fault? {
        guard let real = realpath(folder, nil) else { return nil }
        defer { free(real) }
        var place = String(cString: real)
        while true {
            var facts = stat()
            guard stat(place, &facts) == 0 else { return nil }
            if facts.st_mode & 0o002 != 0, facts.st_mode & S_ISVTX == 0 {
                return Fault(
                    reason: "every user may rename what is in \(place); set its sticky bit (chmod +t)")
            }
            if place == "/" { return nil }
            place = OutputTarget.folder(of: place)
        }
    }

    /// Removes what killed processes of this user have left. Nothing is touched that is not surely that.
    ///
    /// - Parameter age: folders that were changed within so many seconds are left alone: their lock may not be taken yet.
    package static func removeLeftovers(in parent: String, age: Int = 60) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.isEmpty ? "/" : parent)) ?? []
        for name in names where name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + 6 {
            let path = "\(parent)/\(name)"
            var facts = stat()
            guard lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == geteuid(),
                facts.st_mode & 0o077 == 0, facts.st_mtim.tv_sec <= time(nil) - age
            else { continue }
            // Without a lock it is none of ours.
            let lock = open("\(path)/\(lockName)", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard lock >= 0 else { continue }
            defer { close(lock) }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Writes a text that only this user may read.
    /// - Returns: the file's path.
    /// - Throws: `NodeError` of kind `cannotCreate`.
    package func keep(_ secret: String, as name: String) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        var code = descriptor >= 0 ? 0 : errno
        if descriptor >= 0 {
            var secret = secret
            code = secret.withUTF8 { Descriptor.write(UnsafeRawBufferPointer($0), to: descriptor) }
            if close(descriptor) != 0, code == 0 { code = errno }
        }
        guard code == 0 else {
            throw NodeError(.cannotCreate, "\(file) cannot be written: \(String(cString: strerror(code)))")
        }
        return file
    }

    /// Removes it before its time, where the process ends without unwinding.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }

    deinit {
        remove()
        close(lock)
    }
}
