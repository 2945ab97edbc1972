internal import Dispatch
internal import Foundation
internal import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Writes texts one after the other on a thread of its own, so that who has something to tell never waits for a reader: a
/// stopped terminal, a full pipe, a file system that does not answer.
package final class OutputThread: Sendable {
    private struct State {
        var backlog: OutputBacklog
        var isStarted = false
        /// Whether the thread is at a piece that it has taken.
        var isWriting = false
        /// Whether the thread ends when all is written.
        var isEnding = false
        var isOver = false
        /// Grows with everything that is written.
        var progress = 0
        var failure: (any Error)?
        /// Those who wait for progress.
        var waiting: [DispatchSemaphore] = []

        var isDone: Bool { isOver || !isStarted || !isWriting && backlog.isEmpty }

        mutating func next() -> OutputBacklog.Piece? {
            let piece = backlog.next()
            isWriting = piece != nil
            if piece == nil { tell() }
            return piece
        }

        mutating func tell() {
            progress += 1
            for waiter in waiting { waiter.signal() }
            waiting = []
        }
    }

    private let state: Mutex<State>
    private let work = DispatchSemaphore(value: 0)
    private let write: @Sendable (_ bytes: UnsafeRawBufferPointer, _ isResult: Bool) throws -> Void
    private let end: @Sendable () throws -> Void

    /// So much is written by one call: what a pipe holds. A slow reader can then be told from one that does not read.
    private static let chunk = 1 << 16

    /// - Parameters:
    ///   - write: writes bytes, on the thread. Once it has thrown for a result, no more results are written.
    ///   - end: called on the thread when all is written, after ``finish()``.
    package init(
        _ backlog: OutputBacklog = OutputBacklog(),
        write: @escaping @Sendable (_ bytes: UnsafeRawBufferPointer, _ isResult: Bool) throws -> Void,
        end: @escaping @Sendable () throws -> Void = {}
    ) {
        state = Mutex(State(backlog: backlog))
        self.write = write
        self.end = end
    }

    /// Has a text written soon; returns at once.
    package func post(_ text: OutputBacklog.Text) {
        change { $0.backlog.add(text) }
    }

    /// No more is posted: the thread ends when all is written.
    package func finish() {
        change { $0.isEnding = true }
    }

    /// Why a result could not be written; nil if none failed so far.
    package var failure: (any Error)? { state.withLock { $0.failure } }

    /// The bytes of the results that wait to be written.
    package var resultBytes: Int { state.withLock { $0.backlog.resultBytes } }

    /// Whether the thread has ended, all written or not.
    package var isOver: Bool { state.withLock { $0.isOver } }

    /// Waits until all that was posted is written.
    ///
    /// - Parameter patience: how long to wait while nothing at all is taken from it; nil: for ever.
    /// - Returns: whether all was written.
    @discardableResult
    package func flush(patience: Duration? = nil) -> Bool {
        var seen = -1
        var since = ContinuousClock.now
        while true {
            let changed = DispatchSemaphore(value: 0)
            let (isDone, progress) = state.withLock { state in
                if !state.isDone { state.waiting.append(changed) }
                return (state.isDone, state.progress)
            }
            if isDone { return true }
            if progress != seen { (seen, since) = (progress, .now) }
            guard let patience else {
                changed.wait()
                continue
            }
            let rest = patience - (ContinuousClock.now - since)
            guard rest > .zero else { return false }
            _ = changed.wait(timeout: .now() + rest / .seconds(1))
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let isFirst = state.withLock { state in
            body(&state)
            defer { state.isStarted = true }
            return !state.isStarted
        }
        if isFirst { start() }
        work.signal()
    }

    private func start() {
        let thread = Thread { [self] in run() }
        thread.name = "output"
        // The thread inherits that it takes no signals: the program's own threads do.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        thread.start()
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    private func run() {
        while true {
            let (piece, isEnding) = state.withLock { state -> (OutputBacklog.Piece?, Bool) in
                let piece = state.next()
                return (piece, state.isEnding)
            }
            if let piece {
                send(piece)
            } else if isEnding {
                let failure = Result { try end() }
                return state.withLock { state in
                    if case .failure(let error) = failure { state.failure = state.failure ?? error }
                    state.isOver = true
                    state.tell()
                }
            } else {
                work.wait()
            }
        }
    }

    private func send(_ piece: OutputBacklog.Piece) {
        var text = piece.text
        let failure: (any Error)? = text.withUTF8 { bytes in
            let bytes = UnsafeRawBufferPointer(bytes)
            for start in stride(from: 0, to: bytes.count, by: Self.chunk) {
                if piece.isResult, let earlier = self.failure { return earlier }
                let part = UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + Self.chunk, bytes.count)])
                do { try write(part, piece.isResult) } catch { return error }
                state.withLock { $0.tell() }
            }
            return nil
        }
        state.withLock { state in
            if piece.isResult { state.failure = state.failure ?? failure }
            state.isWriting = false
            state.tell()
        }
    }
}
