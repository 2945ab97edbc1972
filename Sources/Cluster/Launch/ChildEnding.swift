internal import Glibc

/// How a process ended.
public enum ChildEnding: Sendable, Equatable, CustomStringConvertible {
    case exited(status: Int32)
    case killed(signal: Int32)

    /// From the status of `waitpid`.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited(status: (waitStatus >> 8) & 0xff) : .killed(signal: signal)
    }

    /// Status 0.
    public var isSuccess: Bool { self == .exited(status: 0) }

    /// The exit status as a shell shows it: 128 and the signal's number for a process that was killed.
    public var status: Int32 {
        switch self {
        case .exited(let status): status
        case .killed(let signal): 128 + signal
        }
    }

    public var description: String {
        switch self {
        case .exited(let status): "exited with status \(status)"
        case .killed(let signal): "was killed by \(Self.name(ofSignal: signal))"
        }
    }

    /// "SIGKILL" for 9; "signal 40" for signals without a name here.
    public static func name(ofSignal signal: Int32) -> String {
        let names: [Int32: String] = [
            SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP",
            SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGSEGV: "SIGSEGV",
            SIGPIPE: "SIGPIPE", SIGALRM: "SIGALRM", SIGTERM: "SIGTERM", SIGUSR1: "SIGUSR1", SIGUSR2: "SIGUSR2",
            SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}

/// A child process that has ended, and its last output.
public struct ChildExit: Sendable, Equatable, CustomStringConvertible {
    /// The parent's name for it, such as "worker 1".
    public let name: String
    public let pid: Int32
    public let ending: ChildEnding
    /// The last lines of its standard error and output, oldest first.
    public let lastLines: [String]

    /// "worker 1 (pid 4711) was killed by SIGKILL; its last lines:" and the lines, indented.
    public var description: String {
        let head = "\(name) (pid \(pid)) \(ending)"
        guard !lastLines.isEmpty else { return head + " and printed nothing" }
        return head + "; its last lines:" + lastLines.map { "\n    \($0)" }.joined()
    }
}
