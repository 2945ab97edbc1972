/// Texts that wait until an ``OutputThread`` can write them: which comes next, and which are dropped where nobody reads.
///
/// Of live lines only the newest waits. Messages are dropped, the oldest first, where they are more than a limit; one line
/// says how many. Results are never dropped.
package struct OutputBacklog: Sendable {
    package enum Text: Equatable, Sendable {
        /// How things stand, for people. In a terminal it is written over the one before.
        case live(String)
        /// Takes the live line away.
        case clear
        /// A message, without its line end.
        case line(String)
        /// Bytes of a result.
        case result(String)
    }

    /// What is to be written at once.
    package struct Piece: Equatable, Sendable {
        package var text: String
        package var isResult: Bool
    }

    /// Whether a live line is rewritten in place; else it is a line like others.
    private let isInPlace: Bool
    /// The most bytes of messages that wait; the newest one does however long it is.
    private let limit: Int
    /// nil for what was dropped.
    private var texts: [Text?] = []
    /// The place of the oldest.
    private var first = 0
    private var messages = 0
    private var messageBytes = 0
    /// How many messages were dropped since it was told.
    private var dropped = 0
    private var hasLiveWaiting = false
    /// Whether the last that was handed out is a live line in its place.
    private var isLiveShown = false
    /// The bytes of the results that wait.
    package private(set) var resultBytes = 0

    package init(isInPlace: Bool = false, limit: Int = 256 << 10) {
        self.isInPlace = isInPlace
        self.limit = limit
    }

    /// Whether nothing waits.
    package var isEmpty: Bool { texts[first...].allSatisfy { $0 == nil } }

    package mutating func add(_ text: Text) {
        switch text {
        case .live:
            dropLive()
            hasLiveWaiting = true
        case .clear:
            // Elsewhere a live line is a line like others.
            guard isInPlace else { return }
            dropLive()
            if case .clear? = texts.last { return }
        case .line(let line):
            messages += 1
            messageBytes += line.utf8.count + 1
        case .result(let result): resultBytes += result.utf8.count
        }
        texts.append(text)
        if messageBytes > limit { dropLive() }
        while messageBytes > limit, messages > 1 { dropOldestMessage() }
    }

    /// Takes out what is to be written next; nil where nothing waits.
    package mutating func next() -> Piece? {
        while first < texts.count {
            let text = texts[first]
            texts[first] = nil
            first += 1
            compact()
            switch text {
            case nil: continue
            case .live(let line):
                hasLiveWaiting = false
                isLiveShown = isInPlace
                return Piece(text: isInPlace ? "\r\(line)\u{1b}[K" : "\(line)\n", isResult: false)
            case .clear:
                guard isLiveShown else { continue }
                return Piece(text: cleared(), isResult: false)
            case .line(let line):
                messages -= 1
                messageBytes -= line.utf8.count + 1
                let missing = dropped
                dropped = 0
                let notice =
                    missing == 0
                    ? ""
                    : "(\(missing) \(missing == 1 ? "line is" : "lines are") missing here: nobody read them in time)\n"
                return Piece(text: cleared() + notice + line + "\n", isResult: false)
            case .result(let result):
                resultBytes -= result.utf8.count
                return Piece(text: result, isResult: true)
            }
        }
        return nil
    }

    /// What takes the live line away, if one is there.
    private mutating func cleared() -> String {
        defer { isLiveShown = false }
        return isLiveShown ? "\r\u{1b}[K" : ""
    }

    private mutating func dropLive() {
        guard hasLiveWaiting else { return }
        hasLiveWaiting = false
        for i in texts.indices.reversed() {
            guard case .live = texts[i] else { continue }
            if i == texts.count - 1, i >= first { texts.removeLast() } else { texts[i] = nil }
            return
        }
    }

    private mutating func dropOldestMessage() {
        for i in first..<texts.count {
            guard case .line(let line) = texts[i] else { continue }
            texts[i] = nil
            messages -= 1
            messageBytes -= line.utf8.count + 1
            dropped += 1
            break
        }
        while first < texts.count, texts[first] == nil { first += 1 }
        compact()
    }

    private mutating func compact() {
        guard first > 64, first > texts.count / 2 else { return }
        texts.removeFirst(first)
        first = 0
    }
}
