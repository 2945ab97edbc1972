/// A node that asks to join.
package struct NodeRegistration: Sendable {
    package var role: Role
    package var host: String
    package var pid: Int
    /// Of the program.
    package var version: String
    /// Random, drawn at the node's start.
    package var incarnation: UInt64
    /// Where a server's executors listen.
    package var addresses: [String] = []
    /// Names the cores that a worker may use; empty for cores of its own.
    package var corePool = ""
    /// The number that it asks for.
    package var wanted: Int?

    package init(_ role: Role, host: String = "", pid: Int = 0, version: String = "", incarnation: UInt64) {
        self.role = role
        self.host = host
        self.pid = pid
        self.version = version
        self.incarnation = incarnation
    }
}
