internal import Cluster
internal import Foundation
internal import Glibc

/// Ctrl-C and SIGTERM: the first asks the job to end in good order, the second ends the process at once.
enum Interruption {
    /// Starts to listen. Must be called on the main thread before others start: they inherit that the signals wait.
    ///
    /// A thread takes the signals with `sigwait`, so that no code runs in a signal handler.
    static func listen(_ stop: StopSignal, console: Console) {
        // A peer that closes its end shows as an error of the call, not as the death of this process.
        Glibc.signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let thread = Thread { [signals] in
            var signals = signals
            while true {
                var signal: Int32 = 0
                guard sigwait(&signals, &signal) == 0 else { continue }
                let name = ChildEnding.name(ofSignal: signal)
                if stop.request == .none {
                    console.log("\(name): stopping; once more ends at once")
                    stop.stop()
                } else {
                    stop.stop(now: true)
                    // A moment for whoever kills the children and removes their folder.
                    usleep(100_000)
                    console.close()
                    _exit(130)
                }
            }
        }
        thread.name = "signals"
        thread.start()
    }
}
