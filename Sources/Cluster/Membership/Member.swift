/// A server or worker as the coordinator knows it.
package struct Member: Equatable, Sendable {
    package typealias State = JobStatus.Node.State

    package var role: Role
    package var number: Int
    package var host: String
    package var pid: Int
    /// Where a server's executors listen; a worker has none.
    package var addresses: [String]
    package var version: String
    /// A name of the cores that it may use; empty for cores of its own.
    package var corePool = ""
    package var incarnation: UInt64
    package var state: State = .joined
    /// Since the coordinator's start.
    package var lastHeard: Duration
    /// The newest view that it acts on; 0 for none.
    package var view: UInt64 = 0
    package var steps: Int = 0
    /// It ends as soon as no step has a part for it.
    package var isLeaving = false

    package var isAlive: Bool { state == .joined || state == .ready }

    /// As people read it: "worker 1".
    package var name: String { "\(role.rawValue) \(number)" }
}

/// A node can't join; asking again without a change won't help.
package struct RegistrationRefused: Error, Equatable, CustomStringConvertible {
    package var description: String
}
