/// The values of nodes that a run does not compute: TensorFlow's `feed_dict`.
///
/// An example: `feeds: [x: [[0, 0], [0, 1]], y: labels, rate: 0.1]`. Keys are placeholders, any other nodes, and
/// Variables, whose value is then fed. Values are tensors, numbers, Bools, Strings, and nested arrays of these. A value
/// is converted to the key's dtype: decimals are rounded to a floating dtype, all else must be exact. If a value does
/// not fit, the run throws.
///
/// The conversion happens here, once. If all runs of a loop take the same feeds, make them before the loop.
public struct Feeds: Sendable {
    struct Entry: Sendable {
        let node: Node
        let value: Result<Tensor, GraphError>
    }

    private(set) var entries: [Entry] = []

    /// No feeds.
    public init() {}

    /// Feeds that the program has collected.
    public init(_ values: [Node: Tensor]) {
        entries.reserveCapacity(values.count)
        for (node, tensor) in values { entries.append(Entry(node: node, value: Feeds.converted(tensor, for: node))) }
    }

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }
    /// The nodes that are fed.
    public var nodes: [Node] { entries.map(\.node) }

    /// The value for a key, in its dtype; nil if there is none, or if it does not fit.
    public subscript(key: any Operand) -> Tensor? {
        let node = key.node
        return entries.first { $0.node == node }.flatMap { try? $0.value.get() }
    }

    /// The value for a key. Setting nil removes it.
    @_disfavoredOverload
    public subscript(key: any Operand) -> (any TensorConvertible)? {
        get { self[key] as Tensor? }
        set {
            let node = key.node
            if let newValue {
                put(Entry(node: node, value: Feeds.converted(newValue, for: node)))
            } else {
                entries.removeAll { $0.node == node }
            }
        }
    }

    /// A node is fed once: the last value counts.
    private mutating func put(_ entry: Entry) {
        if let index = entries.firstIndex(where: { $0.node == entry.node }) {
            entries[index] = entry
        } else {
            entries.append(entry)
        }
    }

    /// Adds the feeds of `other`. If both feed a node, the value of `other` counts.
    public mutating func merge(_ other: Feeds) {
        for entry in other.entries { put(entry) }
    }

    /// Both feeds together. If both feed a node, the value of `other` counts.
    public func merging(_ other: Feeds) -> Feeds {
        var merged = self
        merged.merge(other)
        return merged
    }

    /// The values by node.
    /// - Throws: `GraphError` for the first value that does not fit its key.
    package func tensors() throws -> [Node: Tensor] {
        var tensors: [Node: Tensor] = [:]
        tensors.reserveCapacity(entries.count)
        for entry in entries { tensors[entry.node] = try entry.value.get() }
        return tensors
    }

    /// The dtypes and shapes of the values that fit, by node.
    package var specs: [Node: TensorSpec] {
        var specs: [Node: TensorSpec] = [:]
        for entry in entries {
            if let tensor = try? entry.value.get() { specs[entry.node] = TensorSpec(tensor.dtype, tensor.shape) }
        }
        return specs
    }

    private static func converted(_ value: any TensorConvertible, for node: Node) -> Result<Tensor, GraphError> {
        do {
            let tensor = try value.tensor()
            // A node that is no output of its vertex: the run reports that.
            if tensor.dtype == node.dtype || node.mistake != nil { return .success(tensor) }
            do { return .success(try tensor.converted(to: node.dtype)) } catch let error as GraphError {
                throw GraphError(
                    "the feed for \(node.name) must be \(node.dtype)\(node.shape), got \(tensor.dtype)\(tensor.shape): "
                        + error.message)
            }
        } catch let error {
            let error = error as? GraphError ?? GraphError("the feed for \(node.name) cannot become a tensor: \(error)")
            return .failure(error.at(node.vertex))
        }
    }
}

extension Feeds: ExpressibleByDictionaryLiteral {
    /// If a node is fed twice, the last value counts.
    public init(dictionaryLiteral elements: (any Operand, any TensorConvertible)...) {
        entries.reserveCapacity(elements.count)
        for (key, value) in elements {
            let node = key.node
            put(Entry(node: node, value: Feeds.converted(value, for: node)))
        }
    }
}

extension Feeds: CustomStringConvertible {
    /// Each key with the dtype and shape of its value.
    public var description: String {
        let parts = entries.map { entry in
            switch entry.value {
            case .success(let tensor): "\(entry.node.name): \(tensor.dtype)\(tensor.shape)"
            case .failure(let error): "\(entry.node.name): \(error.message)"
            }
        }
        return "[\(parts.isEmpty ? ":" : parts.joined(separator: ", "))]"
    }
}
