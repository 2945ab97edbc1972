internal import Glibc

/// What the system lets this process have.
public enum ProcessLimits {
    /// Lets this process open as many files and sockets as it may: a server has one for each worker and executor, and shells
    /// start programs with 1,024.
    public static func raiseOpenFiles() throws {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(resource, &limit) == 0 else {
            throw NodeError(.cannotCreate, "the limit of open files cannot be raised (errno \(errno))")
        }
    }

    /// Has no core be written of this process and its children, for a core has the job's token in it.
    ///
    /// `PR_SET_DUMPABLE` would do so too, but it gives `/proc/PID/fd` to root, and servers open the memory that a worker of
    /// their machine shares with them there. A limit of one byte, unlike 0, also keeps cores from the programs that
    /// `/proc/sys/kernel/core_pattern` names behind a `|`, such as systemd-coredump (`coredump` in the kernel's fs/coredump.c).
    public static func forbidCores() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_CORE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = min(1, limit.rlim_max)
        setrlimit(resource, &limit)
    }
}
