import Foundation
import Messaging
import Synchronization

/// A plain socket that says whatever a test wants.
struct RawConnection: ~Copyable {
    private let descriptor: Int32

    init(to address: Address) throws {
        if let port = address.port {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = in_port_t(port).bigEndian
            name.sin_addr.s_addr = inet_addr(address.host)
            try Self.withGeneric(&name) { try Self.check(connect(descriptor, $0, $1)) }
        } else {
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var name = Self.name(path: address.host)
            try Self.withGeneric(&name) { try Self.check(connect(descriptor, $0, $1)) }
        }
    }

    deinit { close(descriptor) }

    /// Sends the bytes and gives the peer a moment to read them.
    func send(_ bytes: [UInt8]) throws {
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        Thread.sleep(forTimeInterval: 0.02)
    }

    /// A descriptor bound to `path` that nobody listens on.
    static func bind(path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var name = name(path: path)
        return withGeneric(&name) { Glibc.bind(descriptor, $0, $1) } == 0 ? descriptor : -1
    }

    private static func name(path: String) -> sockaddr_un {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8) }
        return name
    }

    private static func withGeneric<Name, Result>(
        _ name: inout Name, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        try withUnsafeBytes(of: &name) {
            try body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    private static func check(_ result: Int32) throws {
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}

/// The error of a body that ran on another thread.
final class ErrorBox: Sendable {
    private let value = Mutex<MessagingError?>(nil)
    var error: MessagingError? { value.withLock { $0 } }

    func record(_ body: () throws -> Void) {
        do { try body() } catch { value.withLock { $0 = error as? MessagingError } }
    }
}
