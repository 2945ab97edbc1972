internal import Foundation
internal import Glibc

/// A folder of mode 0700 with a random name, removed with its content when this value goes away.
package final class TemporaryDirectory: Sendable {
    package let path: String

    /// In `$TMPDIR`, or in /tmp where that is too long for the path of a socket or no folder can be made there.
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
            var template = Array("\(parent)/tributary-XXXXXX".utf8CString)
            if mkdtemp(&template) != nil {
                path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
                return
            }
            failure = "no folder can be made in \(parent): \(String(cString: strerror(errno)))"
            if parent != "/tmp" { onEvent("TMPDIR is not used, but /tmp: \(failure)") }
        }
        throw NodeError(.cannotCreate, "\(failure); set TMPDIR to a folder that can be written to")
    }

    /// Why a folder cannot hold sockets.
    package struct Fault: Error, Equatable {
        package let reason: String
    }

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

    /// Removes it before its time, where the process ends without unwinding.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }

    deinit { remove() }
}
