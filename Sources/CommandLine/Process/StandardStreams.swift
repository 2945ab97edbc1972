internal import Glibc
internal import Interchange

/// What the process does where it cannot write.
enum StandardStreams {
    /// Makes calls that cannot write fail, rather than the process. Must be called before anything is opened.
    static func prepare() {
        // A reader that has gone, and `ulimit -f`, show as errors of the call.
        Glibc.signal(SIGPIPE, SIG_IGN)
        Glibc.signal(SIGXFSZ, SIG_IGN)
        // Where a parent has had this ignored, the system reaps children itself: their ends are lost, and their numbers are
        // another process's before that is noticed.
        Glibc.signal(SIGCHLD, SIG_DFL)
        // Where a stream is closed, the next file or socket would take its number, and results would go there. What is
        // opened in its place refuses.
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
            let opened = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY)
            if opened >= 0, opened != stream {
                dup2(opened, stream)
                close(opened)
            }
        }
    }

    /// Whether an error says no more than that the reader of results has gone, as `head` does.
    static func isClosedPipe(_ error: any Error) -> Bool {
        guard let error = error as? FormatError else { return false }
        return error.isOutput && error.systemCode == EPIPE
    }

    /// Ends the process as the system ends one that does not handle SIGPIPE: shells show 141.
    static func endByClosedPipe() -> Never {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        Glibc.signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        // The first process of a container does not end by signals.
        exit(128 + SIGPIPE)
    }
}
