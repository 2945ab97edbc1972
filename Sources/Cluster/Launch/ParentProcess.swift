internal import CProcess
internal import Glibc

/// The process that started this one.
public enum ParentProcess {
    /// Ends this process as soon as its parent has ended for any reason.
    ///
    /// - Parameter pid: the parent's id. If the parent has ended, this process has another parent already.
    /// - Throws: `NodeError` of kind `peerUnavailable` if the parent has ended.
    public static func follow(_ pid: Int32) throws {
        let failure = tributary_end_with_parent()
        guard failure == 0 else {
            throw NodeError(.failed, "the system cannot end this process together with its parent (errno \(failure))")
        }
        // Checked after the request, so that a parent that ends in between is noticed.
        guard getppid() == pid else {
            throw NodeError(.peerUnavailable, "the process \(pid) that started this one has ended")
        }
    }
}
