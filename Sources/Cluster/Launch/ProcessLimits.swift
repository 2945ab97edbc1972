internal import Glibc

/// What the system lets this process have.
public enum ProcessLimits {
    /// Lets this process open as many files and sockets as it may: a server has one for each worker and lane, and shells
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
}
