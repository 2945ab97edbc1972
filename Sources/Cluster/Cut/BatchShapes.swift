internal import Dataflow

/// The shapes of what depends on examples, and which of them depend on how many there are.
struct BatchShapes {
    private var shapes: [Node: [Shape]] = [:]
    /// How many examples placeholders take, where their shapes fix it: what has such a dimension is taken to be of examples.
    private let fixed: Set<Int>

    /// Whether a batch cannot be divided.
    var isFixed: Bool { !fixed.isEmpty }

    /// - Parameter vertices: of the graph that training needs.
    init(_ vertices: [Vertex], _ facts: TrainingCut.Facts) {
        let inputs = vertices.filter { $0.isPlaceholder && facts.known[$0.node] == nil }
        fixed = Set(inputs.compactMap { $0.node.shape.dimensions?.first ?? nil })
        guard fixed.isEmpty else { return }
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
        guard let known = shapes[node] else {
            guard let extents = node.shape.dimensions, node.shape.isFullyDefined else { return true }
            return extents.contains { $0.map(fixed.contains) ?? true }
        }
        return Set(known).count > 1 || !known.allSatisfy(\.isFullyDefined)
    }

    /// The shape, as far as it is the same for any number of examples.
    func shape(_ node: Node) -> Shape {
        guard let known = shapes[node], let first = known.first, !varies(node) else { return node.shape }
        return first
    }
}
