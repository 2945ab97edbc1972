internal import Cluster
internal import Foundation
internal import Glibc

/// Ctrl-C, SIGTERM and SIGHUP: the first one stops the job with a last checkpoint; a second Ctrl-C or SIGTERM ends the
/// process at once.
enum Interruption {
    /// Starts a thread that receives the signals with `sigwait`, so that no code runs in a signal handler.
    ///
    /// Must be called on the main thread before other threads start: they inherit its blocked signals.
    static func listen(_ stop: StopSignal, console: Console) {
        // Writing to a closed connection then is an error of the call and does not kill this process.
        Glibc.signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        // Under `nohup` SIGHUP is ignored, and stays so.
        if !isIgnored(SIGHUP) { sigaddset(&signals, SIGHUP) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let thread = Thread { [signals] in
            var signals = signals
            var requests = StopRequests()
            let start = ContinuousClock.now
            while true {
                var signal: Int32 = 0
                guard sigwait(&signals, &signal) == 0 else { continue }
                let name = ChildEnding.name(ofSignal: signal)
                switch requests.heard(signal, at: ContinuousClock.now - start) {
                case .begin:
                    console.log("\(name): stopping; Ctrl-C once more ends at once")
                    stop.stop(reason: signal == SIGINT ? "interrupted" : "stopped by \(name)")
                case .ignore: break
                case .end:
                    stop.stop(now: true)
                    // Give the job's nodes a moment to receive the request.
                    usleep(100_000)
                    console.close(patience: .milliseconds(100))
                    _exit(ExitStatus.interrupted.rawValue)
                }
            }
        }
        thread.name = "signals"
        thread.start()
    }

    private static func isIgnored(_ signal: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(signal, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
