import Foundation
import Messaging
import Synchronization

/// A plain socket that says whatever a test wants.
struct RawConnection: ~Copyable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

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

    /// Sends what the peer takes without waiting for it.
    func sendAtOnce(_ bytes: [UInt8]) {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress! + sent, bytes.count - sent, flags)
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Waits for so many bytes; fewer where the peer closes, or is silent for so long.
    func receive(_ count: Int, within seconds: Double = 10) -> [UInt8] {
        var bytes: [UInt8] = []
        let end = Date().addingTimeInterval(seconds)
        while bytes.count < count, Date() < end {
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 50) > 0 else { continue }
            var some = [UInt8](repeating: 0, count: count - bytes.count)
            let got = recv(descriptor, &some, some.count, 0)
            guard got > 0 else { break }
            bytes += some.prefix(got)
        }
        return bytes
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

    static func withGeneric<Name, Result>(
        _ name: inout Name, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
    ) rethrows -> Result {
        try withUnsafeBytes(of: &name) {
            try body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    static func check(_ result: Int32) throws {
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

/// A plain socket that listens where a server could.
final class RawListener {
    let address: Address
    private let descriptor: Int32

    init(at address: Address) throws {
        let made: Int32
        var bound = address
        if address.port != nil {
            made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_addr.s_addr = inet_addr(address.host)
            try RawConnection.withGeneric(&name) { try RawConnection.check(bind(made, $0, $1)) }
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            _ = withUnsafeMutableBytes(of: &name) {
                getsockname(made, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &size)
            }
            bound = address.with(known: Int(in_port_t(bigEndian: name.sin_port)))
        } else {
            made = RawConnection.bind(path: address.host)
        }
        (self.address, descriptor) = (bound, made)
        listen(made, 5)
    }

    deinit { close(descriptor) }

    func accept() throws -> RawConnection {
        let connection = Glibc.accept(descriptor, nil, nil)
        try RawConnection.check(connection < 0 ? -1 : 0)
        return RawConnection(connection)
    }
}

/// Keeps a connection open.
final class RawBox {
    let connection: RawConnection
    init(_ connection: consuming RawConnection) { self.connection = connection }
}
