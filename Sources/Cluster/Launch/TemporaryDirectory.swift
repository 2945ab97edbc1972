internal import Foundation
internal import Glibc
internal import Interchange

/// A folder of mode 0700 with a random name, removed with its content when this value is freed.
///
/// A killed process leaves its folder behind. The next process removes it: folders with such a name, of the same user,
/// whose lock no process holds.
package final class TemporaryDirectory: Sendable {
    package let path: String
    /// The lock, which this process holds until it ends.
    private let lock: Int32

    /// Makes the folder in `$TMPDIR`. It uses /tmp instead if that path is too long for a socket, others could replace the
    /// folder there, or the folder cannot be made.
    /// - Parameter onEvent: receives the reason if `$TMPDIR` is not used.
    /// - Throws: `NodeError` of kind `cannotCreate`.
    package init(onEvent: (String) -> Void = { _ in }) throws {
        let wanted = ProcessInfo.processInfo.environment["TMPDIR"] ?? ""
        var parents = ["/tmp"]
        if !wanted.isEmpty {
            switch Self.usable(wanted) {
            case .success(let parent): parents = [parent, "/tmp"]
            case .failure(let fault): onEvent("using /tmp instead of TMPDIR: \(fault.reason)")
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
            if parent != "/tmp" { onEvent("using /tmp instead of TMPDIR: \(failure)") }
        }
        throw NodeError(.cannotCreate, "\(failure); set TMPDIR to a folder that you can write to")
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

    /// Why other users could replace a folder made in `folder`; nil if they cannot. They can if a folder on the path is
    /// writable for all and has no sticky bit.
    package static func exchange(_ folder: String) -> Fault? {
        guard let real = realpath(folder, nil) else { return nil }
        defer { free(real) }
        var place = String(cString: real)
        while true {
            var facts = stat()
            guard stat(place, &facts) == 0 else { return nil }
            if facts.st_mode & 0o002 != 0, facts.st_mode & S_ISVTX == 0 {
                return Fault(
                    reason: "every user can rename folders in \(place); set its sticky bit (chmod +t)")
            }
            if place == "/" { return nil }
            place = OutputTarget.folder(of: place)
        }
    }

    /// Removes folders that killed processes of this user left behind, and nothing else.
    ///
    /// - Parameter age: seconds. Folders that changed within this time stay: their process may not hold the lock yet.
    package static func removeLeftovers(in parent: String, age: Int = 60) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.isEmpty ? "/" : parent)) ?? []
        for name in names where name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + 6 {
            let path = "\(parent)/\(name)"
            var facts = stat()
            guard lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR, facts.st_uid == geteuid(),
                facts.st_mode & 0o077 == 0, facts.st_mtim.tv_sec <= time(nil) - age
            else { continue }
            // A folder without a lock file is not ours.
            let lock = open("\(path)/\(lockName)", O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard lock >= 0 else { continue }
            defer { close(lock) }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// Writes a file that only this user can read, and returns its path.
    /// - Throws: `NodeError` of kind `cannotCreate`.
    package func keep(_ secret: String, as name: String) throws -> String {
        let file = "\(path)/\(name)"
        do { try AtomicFile.write(secret: secret, to: file) } catch { throw NodeError(.cannotCreate, "\(error)") }
        return file
    }

    /// Removes the folder now, for a process that ends without freeing this value.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }

    deinit {
        remove()
        close(lock)
    }
}
