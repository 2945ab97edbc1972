internal import CNNG

/// A body of bytes that nng sends and receives without copying it.
///
/// A message has one owner: sending consumes it, and dropping it frees it.
///
/// ```swift
/// var message = Message(count: 4 << 20)
/// message.withUnsafeMutableBytes { $0.copyMemory(from: source) }
/// let reply = try socket.request(message, timeout: .seconds(5))
/// ```
///
/// A received body starts 4 bytes past a multiple of 16.
public struct Message: ~Copyable, @unchecked Sendable {
    // Sendable because a message has a single owner and nng ties none to a thread.
    /// nil is the empty message that has not been allocated, or one that was handed over.
    private var pointer: OpaquePointer?

    /// An empty message.
    public init() { pointer = nil }

    /// A message of `count` bytes whose contents are not defined.
    public init(count: Int) {
        precondition(count >= 0, "a message's size is not negative")
        NNG.prepare()
        var made: OpaquePointer?
        let result = nng_msg_alloc(&made, count)
        precondition(result == 0, "no memory for a message of \(count) bytes")
        pointer = made
    }

    /// A message with a copy of `bytes`.
    public init(_ bytes: [UInt8]) {
        self.init(count: bytes.count)
        bytes.withUnsafeBytes { source in withUnsafeMutableBytes { $0.copyMemory(from: source) } }
    }

    /// Takes over a message of nng's.
    init(owning pointer: OpaquePointer?) { self.pointer = pointer }

    deinit {
        if let pointer { nng_msg_free(pointer) }
    }

    /// The size of the body in bytes.
    public var count: Int { pointer.map { nng_msg_len($0) } ?? 0 }

    /// A copy of the body.
    public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// Lends the body for reading; the buffer is valid inside `body` only.
    public borrowing func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let pointer else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
        return try body(UnsafeRawBufferPointer(start: nng_msg_body(pointer), count: nng_msg_len(pointer)))
    }

    /// Lends the body for writing; the buffer is valid inside `body` only.
    public mutating func withUnsafeMutableBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let pointer else { return try body(UnsafeMutableRawBufferPointer(start: nil, count: 0)) }
        return try body(UnsafeMutableRawBufferPointer(start: nng_msg_body(pointer), count: nng_msg_len(pointer)))
    }

    /// Cuts bytes off the end, so that `count` remain; nothing is copied.
    public mutating func shrink(to count: Int) {
        precondition((0...self.count).contains(count), "a message shrinks to a size between 0 and its own")
        if let pointer { nng_msg_chop(pointer, nng_msg_len(pointer) - count) }
    }

    /// Cuts `count` bytes off the start, such as a header that has been read; nothing is copied.
    public mutating func trim(_ count: Int) {
        precondition((0...self.count).contains(count), "no more can be trimmed than the message holds")
        if let pointer { nng_msg_trim(pointer, count) }
    }

    /// Gives nng the message; what remains is empty. Allocates where there was no message yet.
    mutating func release() -> OpaquePointer {
        if pointer == nil { self = Message(count: 0) }
        defer { pointer = nil }
        return pointer!
    }
}
