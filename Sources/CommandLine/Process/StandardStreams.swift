internal import Glibc
internal import Interchange

/// What the process does when it cannot write its output.
enum StandardStreams {
    /// Makes a failing write an error of the call instead of the death of the process. Must be called before files are opened.
    static func prepare() {
        // Closed pipes, and files larger than `ulimit -f`.
        Glibc.signal(SIGPIPE, SIG_IGN)
        Glibc.signal(SIGXFSZ, SIG_IGN)
        // If the parent process ignored SIGCHLD, the system would reap our children: their exit statuses would be lost, and
        // their ids could belong to other processes before we notice.
        Glibc.signal(SIGCHLD, SIG_DFL)
        // If a stream is closed, the next file or socket would get its number, and results would be written there. So the
        // number gets a file that refuses reads or writes.
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
            let opened = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY)
            if opened >= 0, opened != stream {
                dup2(opened, stream)
                close(opened)
            }
        }
    }

    /// Whether the error is that nothing reads the results any more, as with `| head`.
    static func isClosedPipe(_ error: any Error) -> Bool {
        guard let error = error as? FormatError else { return false }
        return error.isOutput && error.systemCode == EPIPE
    }

    /// Ends the process by SIGPIPE: shells show status 141.
    static func endByClosedPipe() -> Never {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        Glibc.signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        // Signals do not end the first process of a container.
        exit(128 + SIGPIPE)
    }
}
