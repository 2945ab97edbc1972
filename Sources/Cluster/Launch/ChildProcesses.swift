internal import CProcess
internal import Foundation
internal import Glibc
internal import Synchronization

/// Starts programs, reads their output and waits for their ends. A thread does both; children that still run when this
/// value is freed are killed.
///
/// Each child has a process group of its own, so that Ctrl-C in a terminal reaches only the parent. Call `start` from a
/// thread that lives as long as the children: `ParentProcess.follow` ends them when that *thread* ends.
public final class ChildProcesses: Sendable {
    /// A program to start.
    public struct Program: Sendable {
        /// Its name in messages, such as "worker 1".
        public var name: String
        public var path: String
        /// The program's name in `ps`; nil: the path.
        public var title: String?
        /// The arguments, without the program's name.
        public var arguments: [String]
        /// Variables to add to the parent's environment. `TRIBUTARY_TOKEN` is never passed on.
        public var environment: [String: String]

        public init(
            name: String, path: String, title: String? = nil, arguments: [String], environment: [String: String] = [:]
        ) {
            self.name = name
            self.path = path
            self.title = title
            self.arguments = arguments
            self.environment = environment
        }
    }

    private struct Child {
        let name: String
        let pid: pid_t
        /// The read end of its output; nil once the child has closed it.
        var output: Int32?
        var lines = LineBuffer(remembered: 20)
    }

    private struct State {
        /// Children that are not reaped yet: only these get signals, because the id of a reaped one may be reused.
        var running: [Child] = []
        /// The number of children that are reaped, but whose `onExit` has not returned.
        var ending = 0
        var exits: [ChildExit] = []
        var isWatching = false
    }

    private let state = Mutex(State())
    private let onLine: @Sendable (_ name: String, _ line: String) -> Void
    private let onExit: @Sendable (ChildExit) -> Void

    /// - Parameters:
    ///   - onLine: receives each line that a child prints, on the watching thread.
    ///   - onExit: is called once when a child has ended, on the watching thread; must not wait for other children.
    public init(
        onLine: @escaping @Sendable (_ name: String, _ line: String) -> Void = { _, _ in },
        onExit: @escaping @Sendable (ChildExit) -> Void = { _ in }
    ) {
        self.onLine = onLine
        self.onExit = onExit
    }

    deinit {
        let left = state.withLock { $0.running }
        for child in left { _ = Glibc.kill(-child.pid, SIGKILL) }
        for child in left {
            if let output = child.output { close(output) }
            // A killed process ends at once, unless the system hangs.
            for _ in 0..<1000 {
                let ended = waitpid(child.pid, nil, WNOHANG)
                if ended == child.pid || ended < 0 && errno != EINTR { break }
                usleep(1000)
            }
        }
    }

    /// Starts a program and returns its process id.
    /// - Throws: `NodeError` of kind `cannotCreate` with the path and the system's reason.
    @discardableResult
    public func start(_ program: Program) throws -> Int32 {
        var ends: [Int32] = [0, 0]
        var failure = tributary_pipe(&ends)
        var pid: pid_t = 0
        if failure == 0 {
            defer { close(ends[1]) }
            let arguments = ([program.title ?? program.path] + program.arguments).map { strdup($0) }
            var variables = ProcessInfo.processInfo.environment
            variables["TRIBUTARY_TOKEN"] = nil
            variables.merge(program.environment) { _, new in new }
            let environment = variables.map { strdup("\($0.key)=\($0.value)") }
            defer { for text in arguments + environment { free(text) } }
            failure = tributary_spawn(&pid, program.path, arguments + [nil], environment + [nil], ends[1])
            if failure != 0 { close(ends[0]) }
        }
        guard failure == 0 else {
            throw NodeError(
                .cannotCreate,
                "\(program.name) cannot be started: \(program.path): \(String(cString: strerror(failure)))")
        }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        let child = Child(name: program.name, pid: pid, output: ends[0])
        let startsWatching = state.withLock { state in
            state.running.append(child)
            defer { state.isWatching = true }
            return !state.isWatching
        }
        if startsWatching { watch() }
        return pid
    }

    /// The names of the children that run.
    public var running: [String] { state.withLock { $0.running.map(\.name) } }

    /// The children that have ended, in order.
    public var exits: [ChildExit] { state.withLock { $0.exits } }

    /// Waits until all children have ended; false if some still run after the time.
    public func waitForAll(atMost time: Duration) -> Bool {
        let deadline = ContinuousClock.now + time
        while state.withLock({ !$0.running.isEmpty || $0.ending > 0 }) {
            if ContinuousClock.now >= deadline { return false }
            usleep(5_000)
        }
        return true
    }

    /// Sends a signal to the process groups of running children.
    ///
    /// - Parameter matches: whether to signal the child of this name; must not use this value.
    public func signal(_ signal: Int32, where matches: (_ name: String) -> Bool = { _ in true }) {
        // The watching thread takes a child out of `running`, under the same lock, before it reaps the child: the id of a
        // reaped child may belong to another process.
        state.withLock { state in
            for child in state.running where matches(child.name) { _ = Glibc.kill(-child.pid, signal) }
        }
    }

    /// Ends all children: SIGTERM, and SIGKILL to those that still run after the grace.
    public func terminate(grace: Duration) {
        signal(SIGTERM)
        if waitForAll(atMost: grace) { return }
        signal(SIGKILL)
        _ = waitForAll(atMost: .seconds(2))
    }

    // MARK: The watching thread

    private func watch() {
        let thread = Thread { [weak self] in
            while let self, self.round() {}
        }
        thread.name = "child processes"
        thread.start()
    }

    /// Waits up to 50 ms for output, passes it on and reaps children that have ended. False when none are left: the thread
    /// ends.
    private func round() -> Bool {
        let children = state.withLock { $0.running }
        var descriptors = children.compactMap(\.output).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        // A child closes its output a moment before it can be reaped: look again soon.
        let isEnding = descriptors.count < children.count
        poll(&descriptors, nfds_t(descriptors.count), isEnding ? 2 : 50)
        for child in children {
            // Only this thread changes or removes children; `start` may add some at the same time.
            let hasEnded = Self.hasEnded(child.pid)
            var child = child
            read(&child)
            state.withLock { state in
                guard let index = state.running.firstIndex(where: { $0.pid == child.pid }) else { return }
                state.running[index] = child
                guard hasEnded else { return }
                state.running.remove(at: index)
                state.ending += 1
            }
            guard hasEnded else { continue }
            var status: Int32 = 0
            while waitpid(child.pid, &status, 0) < 0, errno == EINTR {}
            if let rest = child.lines.finish() { onLine(child.name, rest) }
            if let output = child.output { close(output) }
            let exit = ChildExit(
                name: child.name, pid: child.pid, ending: ChildEnding(waitStatus: status), lastLines: child.lines.last)
            onExit(exit)
            state.withLock { state in
                state.ending -= 1
                state.exits.append(exit)
            }
        }
        return state.withLock { state in
            state.isWatching = !state.running.isEmpty
            return state.isWatching
        }
    }

    /// Whether a child has ended; does not reap it.
    private static func hasEnded(_ pid: pid_t) -> Bool {
        var facts = siginfo_t()
        return waitid(P_PID, id_t(pid), &facts, WEXITED | WNOHANG | WNOWAIT) == 0 && facts.si_signo == SIGCHLD
    }

    /// Reads what is in the pipe.
    private func read(_ child: inout Child) {
        guard let output = child.output else { return }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Glibc.read(output, &bytes, bytes.count)
            if count > 0 {
                for line in child.lines.append(bytes[..<count]) { onLine(child.name, line) }
            } else if count < 0 && errno == EINTR {
                continue
            } else {
                if count == 0 {
                    close(output)
                    child.output = nil
                }
                return
            }
        }
    }
}
