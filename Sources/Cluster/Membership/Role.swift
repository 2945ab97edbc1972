/// What a node of a job is.
public enum NodeRole: String, Hashable, Codable, Sendable, CaseIterable {
    case server, worker
}

package typealias Role = NodeRole
