internal import CProcess
internal import Glibc

/// The process that started this one.
public enum ParentProcess {
    /// Has this process end as soon as its parent does, however that ends.
    ///
    /// - Parameter pid: The parent as it named itself: if it has gone already, another process has taken its place.
    /// - Throws: `NodeError` of kind `peerUnavailable` if it has gone.
    public static func follow(_ pid: Int32) throws {
        let failure = tributary_end_with_parent()
        guard failure == 0 else {
            throw NodeError(.failed, "the system refuses to end this process with its parent (errno \(failure))")
        }
        // Asked after the request to the system: in between, the parent cannot die unnoticed.
        guard getppid() == pid else {
            throw NodeError(.peerUnavailable, "the process \(pid) that started this one has gone")
        }
    }
}
