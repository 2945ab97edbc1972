internal import CNNG

/// A body of bytes that is sent and received without being copied.
///
/// A message has one owner: sending consumes it, and dropping it frees it.
///
/// ```swift
/// var message = Message(count: 4 << 20)
/// message.withUnsafeMutableBytes { $0.copyMemory(from: source) }
/// let reply = try socket.request(message, timeout: .seconds(5))
/// ```
///
/// The body starts 4 bytes past a multiple of 16.
public struct Message: ~Copyable, @unchecked Sendable {
    // Sendable because a message has a single owner, and its memory belongs to no thread.
    /// nil is the empty message that has not been allocated, or one that was handed over.
    private var memory: UnsafeMutableRawPointer?
    /// The size of the body in bytes.
    public private(set) var count = 0

    /// Room before the body for the head of its frame, after which malloc's alignment is that of the description.
    private static let prefix = FrameHead.size + 4

    /// An empty message.
    public init() { memory = nil }

    /// A message of `count` bytes whose contents are not defined.
    public init(count: Int) {
        if count < 0 { fatalError("a message of \(count) bytes") }
        guard let made = Message(ifThereIsMemoryFor: count) else {
            fatalError("no memory for a message of \(count) bytes")
        }
        self = made
    }

    /// The same; nil where there is no memory.
    init?(ifThereIsMemoryFor count: Int) {
        NNG.prepare()
        guard let memory = malloc(Message.prefix + count) else { return nil }
        self.memory = memory
        self.count = count
    }

    /// A message with a copy of `bytes`.
    public init(_ bytes: [UInt8]) {
        self.init(count: bytes.count)
        bytes.withUnsafeBytes { source in withUnsafeMutableBytes { $0.copyMemory(from: source) } }
    }

    deinit { free(memory) }

    /// A copy of the body.
    public var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// Lends the body for reading; the buffer is valid inside `body` only.
    public borrowing func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: memory.map { $0 + Message.prefix }, count: count))
    }

    /// Lends the body for writing; the buffer is valid inside `body` only.
    public mutating func withUnsafeMutableBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeMutableRawBufferPointer(start: memory.map { $0 + Message.prefix }, count: count))
    }

    /// Cuts bytes off the end, so that `count` remain; nothing is copied.
    public mutating func shrink(to count: Int) {
        if !(0...self.count).contains(count) {
            fatalError("a message of \(self.count) bytes cannot shrink to \(count)")
        }
        self.count = count
    }

    /// Writes a frame's head before the body.
    ///
    /// - Returns: head and body, valid as long as the message.
    mutating func framed(number: UInt64) -> UnsafeMutableRawBufferPointer {
        if memory == nil { self = Message(count: 0) }
        let frame = UnsafeMutableRawBufferPointer(
            start: memory! + Message.prefix - FrameHead.size, count: FrameHead.size + count)
        FrameHead(count: count, number: number).write(to: frame)
        return frame
    }
}
