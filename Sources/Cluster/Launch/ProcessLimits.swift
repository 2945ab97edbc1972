internal import Glibc

/// The system's limits for this process.
public enum ProcessLimits {
    /// Raises the limit of open files and sockets to the maximum. A server has a socket for each worker and shard executor,
    /// and shells start programs with a limit of 1,024.
    public static func raiseOpenFiles() throws {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        guard setrlimit(resource, &limit) == 0 else {
            throw NodeError(.cannotCreate, "the limit of open files cannot be raised (errno \(errno))")
        }
    }

    /// Forbids core dumps of this process and its children, because a core dump would have the job's token in it.
    ///
    /// `PR_SET_DUMPABLE` does not work here: it gives `/proc/PID/fd` to root, and servers open the shared memory of workers
    /// there. The limit is one byte, because with 0 the kernel still sends cores to a program that
    /// `/proc/sys/kernel/core_pattern` names behind a `|`, such as systemd-coredump (see the kernel's fs/coredump.c).
    public static func forbidCores() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_CORE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = min(1, limit.rlim_max)
        setrlimit(resource, &limit)
    }
}
