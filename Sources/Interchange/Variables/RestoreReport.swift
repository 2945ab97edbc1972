public import Dataflow

/// What `Session.restore` did: which Variables have new values, and what had no counterpart.
public struct RestoreReport: Sendable, Equatable, CustomStringConvertible {
    /// A name with what it stands for.
    public struct Entry: Sendable, Hashable, CustomStringConvertible {
        public let name: String
        /// dtype and shape; nil for a tensor in a file of a dtype that is not known here.
        public let spec: TensorSpec?

        public var description: String { spec.map { "\(name) \($0)" } ?? name }
    }

    /// Variables that have the file's values, in the graph's order.
    public let restored: [Entry]
    /// Variables without values in the file: they keep those they had, if any. In the graph's order.
    public let missing: [Entry]
    /// Tensors of the file that no Variable takes, by name.
    public let unused: [Entry]

    public var description: String {
        var text = restored.count == 1 ? "1 Variable restored" : "\(restored.count) Variables restored"
        if !missing.isEmpty { text += "; missing in the file: \(RestoreReport.list(missing))" }
        if !unused.isEmpty { text += "; not used: \(RestoreReport.list(unused))" }
        return text
    }

    static func list(_ entries: [Entry]) -> String { ShortList.text(entries.map(\.description)) }
}
