internal import Dataflow

/// Puts the nodes of a file in an order in which each comes after what it needs.
struct NodeOrder {
    /// The file's nodes.
    private let names: [String]
    /// The positions of what each needs.
    private let needs: [[Int]]

    init(names: [String], needs: [[Int]]) {
        self.names = names
        self.needs = needs
    }

    /// Positions; those of a file that is in order already stay as they are.
    /// - Throws: `GraphError` that names the nodes of a cycle.
    func sorted() throws -> [Int] {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: names.count)
        var order: [Int] = []
        order.reserveCapacity(names.count)
        // A stack of its own: a chain may be longer than the thread's stack is deep.
        var path: [(node: Int, next: Int)] = []
        for start in names.indices where marks[start] == .new {
            marks[start] = .open
            path.append((start, 0))
            while let (node, next) = path.last {
                guard next < needs[node].count else {
                    marks[node] = .done
                    order.append(node)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let source = needs[node][next]
                switch marks[source] {
                case .new:
                    marks[source] = .open
                    path.append((source, 0))
                case .open: throw cycle(path.map(\.node), from: source)
                case .done: break
                }
            }
        }
        return order
    }

    private func cycle(_ path: [Int], from start: Int) -> GraphError {
        let nodes = path.drop { $0 != start }.reversed().map { "'\(names[$0])'" }
        let shown = nodes.prefix(8) + (nodes.count > 8 ? ["… (\(nodes.count) nodes)"] : [])
        return GraphError(
            "the nodes \(shown.joined(separator: " → ")) feed each other in a cycle "
                + "that does not go round from a NextIteration to a Merge")
    }
}
