internal import Cluster
internal import Dataflow
internal import Foundation
internal import Glibc
internal import Interchange
internal import Synchronization

/// Writes lines to standard error, with a live line at the end, and results to standard output, from any thread.
///
/// A terminal shows the progress line in place. Elsewhere progress is a plain line, at most every two seconds and when the
/// job's phase changes. Control characters are escaped, because texts come from files and other machines.
///
/// Separate threads write, so that a stopped terminal or a full pipe does not block the job. If they cannot keep up, the
/// console drops live lines first, then the oldest messages. Only results block the caller.
final class Console: Sendable {
    private struct State {
        var hasResults = false
        var lastPlain: ContinuousClock.Instant?
        var lastLive: ContinuousClock.Instant?
        var lastPhase: JobPhase?
        var lastEvaluation = ""
    }
    private let state = Mutex(State())
    private let isTerminal: Bool
    /// Writes to standard error.
    private let messages: OutputThread
    /// Writes to standard output. The same thread as `messages` if both streams are one file, to keep the order.
    private let results: OutputThread

    /// How long the end of the process waits for a reader of messages that does not read.
    private static let patience = Duration.seconds(2)

    init() {
        let kind = ProcessInfo.processInfo.environment["TERM"]
        isTerminal = isatty(STDERR_FILENO) == 1 && kind != nil && kind != "dumb"
        messages = OutputThread(OutputBacklog(isInPlace: isTerminal), write: Self.put)
        results = Self.isOneStream ? messages : OutputThread(write: Self.put)
    }

    /// Writes a message on a line of its own; the live line comes back with the next progress.
    func log(_ text: String) { messages.post(.line(TerminalText.escaped(text))) }

    /// Writes a result and waits until it is written.
    /// - Throws: `FormatError` if standard output cannot be written: a full disk, a closed pipe.
    func write(_ text: String) throws {
        state.withLock { $0.hasResults = true }
        messages.post(.clear)
        results.post(.result(TerminalText.escaped(text) + "\n"))
        results.flush()
        if let failure = results.failure { throw failure }
    }

    /// Removes the live line and waits until the messages are written.
    ///
    /// - Parameter patience: how long to wait while nobody reads them.
    func close(patience: Duration = patience) {
        messages.post(.clear)
        messages.flush(patience: patience)
    }

    /// Closes standard output after the last result: some file systems report a full disk only then.
    /// - Throws: as `write`.
    func finish() throws {
        close()
        guard state.withLock({ $0.hasResults }) else { return }
        try Self.checked(Glibc.close(STDOUT_FILENO) == 0 ? 0 : errno)
    }

    private static func checked(_ code: Int32) throws {
        guard code == 0 else {
            throw FormatError(writing: "standard output", "cannot be written", systemCode: code)
        }
    }

    /// Shows the job's progress.
    func show(_ progress: JobProgress) {
        let line = ProgressLine(progress)
        state.withLock { state in
            let evaluation = line.evaluation ?? ""
            if !evaluation.isEmpty, evaluation != state.lastEvaluation {
                log(evaluation)
                state.lastEvaluation = evaluation
            }
            let now = ContinuousClock.now
            let isNewPhase = progress.phase != state.lastPhase
            state.lastPhase = progress.phase
            if isTerminal {
                // Nobody reads more than ten lines a second.
                if !isNewPhase, let last = state.lastLive, now - last < .milliseconds(100) { return }
                state.lastLive = now
                messages.post(.live(TerminalText.escaped(line.text(width: Self.width - 1))))
            } else {
                if !isNewPhase, let last = state.lastPlain, now - last < .seconds(2) { return }
                state.lastPlain = now
                messages.post(.live(TerminalText.escaped(line.text(width: nil))))
            }
        }
    }

    private static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Whether standard output and standard error are one file, terminal or pipe.
    private static var isOneStream: Bool {
        var (output, errors) = (stat(), stat())
        guard fstat(STDOUT_FILENO, &output) == 0, fstat(STDERR_FILENO, &errors) == 0 else { return false }
        return output.st_dev == errors.st_dev && output.st_ino == errors.st_ino
    }

    /// Only results report errors: a closed or full standard error does not end the job.
    @Sendable private static func put(_ bytes: UnsafeRawBufferPointer, _ isResult: Bool) throws {
        let code = Descriptor.write(bytes, to: isResult ? STDOUT_FILENO : STDERR_FILENO)
        if isResult { try checked(code) }
    }
}
