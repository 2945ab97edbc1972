internal import Dataflow

/// The shapes of what depends on examples, and which of them depend on how many there are.
struct BatchShapes {
    private var shapes: [Node: [Shape]] = [:]

    /// - Parameter vertices: of the graph that training needs.
    init(_ vertices: [Vertex], _ facts: TrainingCut.Facts) {
        guard facts.batches.count > 1, let graph = vertices.first?.graph else { return }
        let nodes = Array(Set(vertices.flatMap { vertex in vertex.outputs.indices.map(vertex.output) }))
        for feeds in facts.batches {
            // What it cannot be fed is told elsewhere; then what the graph itself tells has to do.
            guard let specs = try? graph.specs(of: nodes, feeds: feeds) else {
                shapes = [:]
                return
            }
            for (node, spec) in zip(nodes, specs) { shapes[node, default: []].append(spec.shape) }
        }
    }

    /// Whether the shape depends on the number of examples, or on the examples themselves.
    func varies(_ node: Node) -> Bool {
        guard let known = shapes[node] else { return !node.shape.isFullyDefined }
        return Set(known).count > 1 || !known.allSatisfy(\.isFullyDefined)
    }

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
