internal import Glibc
internal import Interchange
internal import Synchronization

/// Writes "step,loss" lines, on a thread of its own: a reader that does not read holds up neither the job nor its nodes.
///
/// A full disk ends the file and not the job; so does, without a word, a reader that has gone.
struct LossFile {
    /// The file as its thread sees it.
    private final class Target: Sendable {
        private let path: String
        private let file = Mutex<OutputFile?>(nil)

        init(_ path: String) { self.path = path }

        /// Opens the file with the first bytes. A FIFO without a reader, or a file system that does not answer, may take any
        /// time.
        func write(_ bytes: UnsafeRawBufferPointer) throws {
            let file = try file.withLock { file in
                let opened = try file ?? OutputFile(path)
                file = opened
                return opened
            }
            try file.write(bytes)
        }

        func close() throws { try file.withLock { try $0?.close() } }
    }

    /// The most bytes of losses that wait for a slow reader.
    static let limit = 16 << 20
    private let path: String
    private var thread: OutputThread?
    private var hasSaidThatItWaits = false
    /// Whether no more are taken.
    private var isEnded = false
    /// Why not all losses are in the file.
    private(set) var error: String?

    /// - Parameter path: nil for none.
    /// - Throws: `NodeError` if the file cannot be made. What has not been opened within a second is opened while the job
    ///   goes on.
    init(_ path: String?) throws {
        self.path = path ?? ""
        guard let path else { return }
        let target = Target(path)
        let thread = OutputThread(write: { bytes, _ in try target.write(bytes) }, end: { try target.close() })
        thread.post(.result("step,loss\n"))
        thread.flush(patience: .seconds(1))
        if let error = thread.failure {
            thread.finish()
            throw NodeError(.cannotCreate, "the losses: \(error)")
        }
        self.thread = thread
    }

    /// Has losses written; returns at once. What to tell of it, once, if that has failed.
    mutating func write(_ entries: [TrainingRecord.Entry]) -> String? {
        guard let thread, !isEnded else { return nil }
        if let failure = thread.failure { return end(failure) }
        guard !entries.isEmpty else { return nil }
        let text = entries.map { "\($0.batch),\($0.meanLoss.isFinite ? "\($0.meanLoss)" : "null")\n" }.joined()
        guard thread.resultBytes + text.utf8.count <= LossFile.limit else {
            return end("\(place) is not read: \(LossFile.limit >> 20) MiB wait to be written")
        }
        thread.post(.result(text))
        return nil
    }

    /// No more losses come.
    func finish() { thread?.finish() }

    /// Whether nothing is left to be written, or could not be.
    var isWritten: Bool { isEnded || thread?.isOver ?? true }

    /// What to tell, once, where the losses have waited for long.
    mutating func waits(since start: Duration, now: Duration) -> String? {
        guard !hasSaidThatItWaits, now - start > .seconds(2) else { return nil }
        hasSaidThatItWaits = true
        return "the job is over; its losses wait until \(place) is read"
    }

    /// Ends the file; what to tell of it, if not all was written and that was not told.
    mutating func end() -> String? {
        guard let thread, !isEnded else { return nil }
        if let failure = thread.failure { return end(failure) }
        return thread.isOver ? nil : end("\(place) was not read to the job's end")
    }

    private var place: String { path == "-" ? "standard output" : path }

    private mutating func end(_ failure: any Error) -> String? {
        guard (failure as? FormatError)?.systemCode != EPIPE else {
            isEnded = true
            return nil
        }
        return end("\(failure)")
    }

    private mutating func end(_ reason: String) -> String {
        isEnded = true
        error = reason
        return "the losses: \(reason); no more are written"
    }
}
