internal import Dataflow

/// The shapes of what depends on examples, and which of them depend on how many there are.
struct BatchShapes {
    private var shapes: [Node: [Shape]] = [:]
    /// The numbers of examples that placeholders take, where their shapes fix it. A node with such a dimension counts as one
    /// that has an element for each example.
    private let fixed: Set<Int>

    /// Whether a batch cannot be divided.
    var isFixed: Bool { !fixed.isEmpty }

    /// - Parameter vertices: of the graph that training needs.
    init(_ vertices: [Vertex], _ facts: TrainingCut.Facts) {
        let unfed = facts.unfed(vertices)
        let inputs = vertices.filter { $0.isPlaceholder && !unfed.contains($0.node) }
        fixed = Set(inputs.compactMap { $0.node.shape.dimensions?.first ?? nil })
        guard fixed.isEmpty else { return }
        guard facts.batches.count > 1, let graph = vertices.first?.graph else { return }
        let nodes = Array(Set(vertices.flatMap { vertex in vertex.outputs.indices.map(vertex.output) }))
        let exits = vertices.filter(\.isLoopExit)
        for feeds in facts.batches {
            // What it cannot be fed is an error elsewhere; here the graph's own facts have to do.
            guard var specs = BatchShapes.specs(of: nodes, graph, feeds) else {
                shapes = [:]
                return
            }
            // A loop's values keep their shapes: what leaves it has that of what entered.
            var known = feeds
            var count = -1
            while count != known.count {
                count = known.count
                for exit in exits where specs[exit.node]?.shape.isFullyDefined == false {
                    guard let entered = exit.loopEntrance.flatMap({ specs[$0] }), let size = entered.shape.elementCount,
                        size > 0
                    else { continue }
                    known[exit.node] = entered
                }
                guard count != known.count, let more = BatchShapes.specs(of: nodes, graph, known) else { break }
                specs = more
            }
            for (node, spec) in specs { shapes[node, default: []].append(spec.shape) }
        }
    }

    private static func specs(of nodes: [Node], _ graph: Graph, _ feeds: [Node: TensorSpec]) -> [Node: TensorSpec]? {
        guard let specs = try? graph.specs(of: nodes, feeds: feeds) else { return nil }
        return Dictionary(zip(nodes, specs), uniquingKeysWith: { first, _ in first })
    }

    /// Whether the shape depends on the number of examples, or on the examples themselves.
    func varies(_ node: Node) -> Bool {
        guard let known = shapes[node] else {
            guard let extents = node.shape.dimensions, node.shape.isFullyDefined else { return true }
            return extents.contains { $0.map(fixed.contains) ?? true }
        }
        return Set(known).count > 1 || !known.allSatisfy(\.isFullyDefined)
    }

    /// Its shape for a batch, if it is not one number.
    func severalNumbers(_ node: Node) -> Shape? {
        (shapes[node] ?? [node.shape]).first { $0.elementCount.map { $0 != 1 } ?? false }
    }

    /// Whether nothing tells its shape, as of what leaves a loop within a loop.
    func isUnknown(_ node: Node) -> Bool { shapes[node].map { !$0.allSatisfy(\.isFullyDefined) } ?? false }

    /// Whether it has more for each example the more examples there are, as a matrix of all pairs has.
    func isOfPairs(_ node: Node) -> Bool {
        guard let known = shapes[node], known.count > 1, let few = known[0].elementCount,
            let more = known[1].elementCount
        else { return false }
        return more * BatchShapes.counts[0] > few * BatchShapes.counts[1]
    }

    /// The numbers of examples that shapes are inferred for: two that no other dimension of a model is likely to have.
    static let counts = [2, 3]

    /// The shape, as far as it is the same for any number of examples.
    func shape(_ node: Node) -> Shape {
        guard let known = shapes[node], let first = known.first, !varies(node) else { return node.shape }
        return first
    }
}

extension Vertex {
    /// Of an `Exit`: the first value of what leaves the loop.
    fileprivate var loopEntrance: Node? {
        guard let test = inputs.first?.vertex, test.isSwitch, let head = test.inputs.first?.vertex, head.isMerge,
            let enter = head.inputs.first?.vertex, enter.operation == Enter.self || enter.operation == RefEnter.self
        else { return nil }
        return enter.inputs.first
    }
}
