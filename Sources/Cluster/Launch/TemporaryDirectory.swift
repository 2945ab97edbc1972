internal import Foundation
internal import Glibc

/// A folder of mode 0700 with a random name, removed with its content when this value goes away.
final class TemporaryDirectory: Sendable {
    let path: String

    /// In `$TMPDIR`, or /tmp where that is too long for the path of a socket.
    /// - Throws: `NodeError` of kind `cannotCreate`.
    init() throws {
        let wanted = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        // A socket's path has 107 bytes at most; the names inside take up to 30.
        let parent = wanted.hasPrefix("/") && wanted.utf8.count < 50 ? wanted : "/tmp"
        var template = Array("\(parent)/tributary-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw NodeError(
                .cannotCreate, "no folder can be made in \(parent): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Removes it before its time, where the process ends without unwinding.
    func remove() { try? FileManager.default.removeItem(atPath: path) }

    deinit { remove() }
}
