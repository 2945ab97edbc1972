internal import Glibc

/// Puts frames together from the bytes of a stream. It reads ahead, so that small frames come in one piece; the rest of a
/// large body goes straight to where it stays.
package struct FrameReader: ~Copyable {
    /// Why a stream cannot be read on.
    package enum Fault: Error {
        case tooLong
        case outOfMemory
        /// The frame is not the peer's who proved the secret.
        case unmarked
    }

    private static let room = 16 << 10
    /// Made when bytes are to come: strangers cost none.
    private var memory: UnsafeMutableRawPointer?
    /// What has come and is not looked at yet.
    private var ahead = 0..<0
    /// The message that is on its way, with the number of bytes that have come.
    private var partial: Message?
    private var head = FrameHead(count: 0, number: 0)
    private var here = 0

    /// Checks the marks; nil where frames have none.
    private var seal: FrameSeal?

    package init() {}

    /// From here on frames must be marked.
    package mutating func require(_ seal: FrameSeal) { self.seal = seal }

    deinit { memory?.deallocate() }

    private var buffer: UnsafeMutableRawPointer {
        mutating get {
            let buffer = memory ?? .allocate(byteCount: FrameReader.room, alignment: 16)
            memory = buffer
            return buffer
        }
    }

    /// Where the next bytes go, in this order: the rest of the message on its way, then what is read ahead.
    package mutating func places() -> (body: UnsafeMutableRawBufferPointer, ahead: UnsafeMutableRawBufferPointer) {
        let free = UnsafeMutableRawBufferPointer(
            start: buffer + ahead.upperBound, count: FrameReader.room - ahead.upperBound)
        guard var message = partial.take() else { return (UnsafeMutableRawBufferPointer(start: nil, count: 0), free) }
        let rest = message.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[here...]) }
        partial = consume message
        return (rest, free)
    }

    /// Takes note of bytes that lie in ``places()`` now.
    package mutating func received(_ count: Int) {
        let toBody = min(count, missing)
        here += toBody
        ahead = ahead.lowerBound..<ahead.upperBound + count - toBody
    }

    /// The bytes that the message on its way lacks.
    private var missing: Int {
        switch partial {
        case .some(let message): message.count - here
        case .none: 0
        }
    }

    /// The next frame that is there as a whole.
    /// - Parameter limit: the most bytes of a body.
    package mutating func next(limit: Int) throws(Fault) -> Frame? {
        if partial == nil { try begin(limit) }
        guard partial != nil, missing == 0, let message = partial.take() else { return nil }
        here = 0
        if let mark = message.withUnsafeBytes({ seal?.next(head: head, body: $0) }), mark != head.mark {
            throw .unmarked
        }
        return Frame(number: head.number, message)
    }

    /// Begins a message, if its head is there.
    private mutating func begin(_ limit: Int) throws(Fault) {
        guard ahead.count >= FrameHead.size else {
            // Room for the rest of the head.
            memmove(buffer, buffer + ahead.lowerBound, ahead.count)
            ahead = 0..<ahead.count
            return
        }
        guard let head = FrameHead(buffer + ahead.lowerBound), head.count <= limit else { throw .tooLong }
        guard var message = Message(ifThereIsMemoryFor: head.count) else { throw .outOfMemory }
        let source = buffer
        let body = ahead.lowerBound + FrameHead.size
        here = min(head.count, ahead.upperBound - body)
        message.withUnsafeMutableBytes { bytes in
            UnsafeMutableRawBufferPointer(rebasing: bytes[..<here]).copyMemory(
                from: UnsafeRawBufferPointer(start: source + body, count: here))
        }
        let rest = body + here
        ahead = rest < ahead.upperBound ? rest..<ahead.upperBound : 0..<0
        self.head = head
        partial = consume message
    }
}
