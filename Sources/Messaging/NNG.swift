internal import CNNG
internal import Glibc

/// What the whole process shares of nng.
enum NNG {
    /// Prepares the process once, before the first message or socket.
    static func prepare() { _ = prepared }

    /// glibc maps every block of 128 KiB and more anew and gives it back when it is freed, so that each large message
    /// would fault its pages in again, which costs more than moving them. 32 MiB is the most that mallopt takes.
    private static let prepared: Bool = {
        let mapped = mallopt(M_MMAP_THRESHOLD, 32 << 20)
        let trimmed = mallopt(M_TRIM_THRESHOLD, 128 << 20)
        return mapped == 1 && trimmed == 1
    }()

    static func number(_ code: nng_errno_enum) -> Int32 { Int32(bitPattern: code.rawValue) }

    static var connectionReset: Int32 { number(NNG_ECONNRESET) }

    static var outOfMemory: Int32 { number(NNG_ENOMEM) }

    /// The user at the other end of a stream within this machine, if that is neither this process's nor root.
    static func foreignUser(of stream: OpaquePointer) -> UInt64? {
        var user: UInt64 = .max
        guard nng_stream_get_uint64(stream, NNG_OPT_IPC_PEER_UID, &user) == 0 else { return .max }
        return user == UInt64(geteuid()) || user == 0 ? nil : user
    }

    static func text(_ number: Int32) -> String { String(cString: nng_strerror(number)).lowercased() }

    static func check(
        _ result: Int32, _ operation: MessagingError.Operation, _ address: Address
    ) throws(MessagingError) {
        if result != 0 { throw MessagingError(nng: result, operation, address) }
    }
}

extension Duration {
    /// Whole milliseconds as nng takes them, rounded up so that no wait is cut short; never negative.
    var milliseconds: nng_duration {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        guard seconds < Int64(Int32.max) / 1000 - 1 else { return Int32.max }
        return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
