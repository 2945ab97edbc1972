/// Values that stand in for nodes in a run: TensorFlow's `feed_dict`.
///
/// `feeds: [x: [[0, 0], [0, 1]], y: labels, rate: 0.1]`: keys are nodes (placeholders or any others) and Variables, which
/// stand for their value; values are tensors, numbers, truth values, texts, and arrays of them to any rank. A value is
/// converted to the key's dtype: decimals are rounded to a floating dtype, all else must be exact. What does not fit is
/// thrown by the run.
///
/// Values are converted here, once; a loop over the same feeds makes them before it.
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

    /// What a key is fed, in its dtype; nil: nothing, or what does not fit it.
    public subscript(key: any Operand) -> Tensor? {
        let node = key.node
        return entries.first { $0.node == node }.flatMap { try? $0.value.get() }
    }

    /// What a key is fed. Setting nil feeds it no longer.
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
        if let place = entries.firstIndex(where: { $0.node == entry.node }) {
            entries[place] = entry
        } else {
            entries.append(entry)
        }
    }

    /// Takes over the feeds of `other`; where both feed a node, those of `other` count.
    public mutating func merge(_ other: Feeds) {
        for entry in other.entries { put(entry) }
    }

    /// Both feeds; where both feed a node, those of `other` count.
    public func merging(_ other: Feeds) -> Feeds {
        var merged = self
        merged.merge(other)
        return merged
    }

    /// The values by node.
    /// - Throws: `GraphError`, the first value that its key cannot take.
    package func tensors() throws -> [Node: Tensor] {
        var tensors: [Node: Tensor] = [:]
        tensors.reserveCapacity(entries.count)
        for entry in entries { tensors[entry.node] = try entry.value.get() }
        return tensors
    }

    /// The dtypes and shapes of the values by node, without those that their keys cannot take.
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
            // Of a node that is no output of its vertex the run tells that.
            if tensor.dtype == node.dtype || node.mistake != nil { return .success(tensor) }
            do { return .success(try tensor.converted(to: node.dtype)) } catch let error as GraphError {
                throw GraphError(
                    "the feed for \(node.name) must be \(node.dtype)\(node.shape), got \(tensor.dtype)\(tensor.shape): "
                        + error.message)
            }
        } catch let error {
            let error = error as? GraphError ?? GraphError("the feed for \(node.name) is no tensor: \(error)")
            return .failure(error.at(node.vertex))
        }
    }
}

extension Feeds: ExpressibleByDictionaryLiteral {
    /// Of a node that is fed twice the last value counts.
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
