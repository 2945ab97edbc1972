internal import Cluster
internal import Dataflow
internal import Foundation
internal import Glibc
internal import Interchange
internal import Synchronization

/// Standard error with one live line at its end, and standard output; from any thread, line by line.
///
/// In a terminal the progress line is rewritten in place. Elsewhere it is a plain line at most every two seconds, and
/// when the job's phase changes. What a terminal would obey is written out: texts come from files and from peers.
final class Console: Sendable {
    private struct State {
        var hasResults = false
        var hasLiveLine = false
        var lastPlain: ContinuousClock.Instant?
        var lastLive: ContinuousClock.Instant?
        var lastPhase = ""
        var lastEvaluation = ""
    }
    private let state = Mutex(State())
    private let isTerminal: Bool

    init() {
        let kind = ProcessInfo.processInfo.environment["TERM"]
        isTerminal = isatty(STDERR_FILENO) == 1 && kind != nil && kind != "dumb"
    }

    /// A message on a line of its own; the live line comes back with the next progress.
    func log(_ text: String) {
        state.withLock { state in
            clear(&state)
            Self.put(text + "\n", STDERR_FILENO)
        }
    }

    /// A result.
    /// - Throws: `FormatError` if standard output cannot be written: a full disk, a reader that has gone.
    func write(_ text: String) throws {
        try state.withLock { state in
            clear(&state)
            state.hasResults = true
            try Self.checked(Self.put(text + "\n", STDOUT_FILENO))
        }
    }

    /// Closes standard output after the last result: some file systems tell only then that a disk is full.
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

    /// How the job goes.
    func show(_ progress: Cluster.Progress) {
        let line = ProgressLine(progress)
        state.withLock { state in
            let evaluation = line.evaluation ?? ""
            if !evaluation.isEmpty, evaluation != state.lastEvaluation {
                clear(&state)
                Self.put(evaluation + "\n", STDERR_FILENO)
                state.lastEvaluation = evaluation
            }
            let now = ContinuousClock.now
            let isNewPhase = progress.phase != state.lastPhase
            state.lastPhase = progress.phase
            if isTerminal {
                // Ten times a second is as much as one reads.
                if !isNewPhase, let last = state.lastLive, now - last < .milliseconds(100) { return }
                state.lastLive = now
                state.hasLiveLine = true
                Self.put(line.text(width: Self.width - 1), STDERR_FILENO, isLive: true)
            } else {
                if !isNewPhase, let last = state.lastPlain, now - last < .seconds(2) { return }
                state.lastPlain = now
                Self.put(line.text(width: nil) + "\n", STDERR_FILENO)
            }
        }
    }

    /// Takes the live line away.
    func close() { state.withLock { clear(&$0) } }

    private func clear(_ state: inout State) {
        guard state.hasLiveLine else { return }
        Self.put("", STDERR_FILENO, isLive: true)
        state.hasLiveLine = false
    }

    private static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// The system's `errno` or 0. A closed or full standard error ends nothing but the messages.
    ///
    /// - Parameter isLive: whether the text takes the place of the line at hand.
    @discardableResult
    private static func put(_ text: String, _ descriptor: Int32, isLive: Bool = false) -> Int32 {
        let shown = TerminalText.escaped(text)
        var text = isLive ? "\r\(shown)\u{1b}[K" : shown
        return text.withUTF8 { Descriptor.write(UnsafeRawBufferPointer($0), to: descriptor) }
    }
}
