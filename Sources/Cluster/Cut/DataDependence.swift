internal import Dataflow

/// What the vertices of a training graph depend on: on examples, on random numbers, or on neither.
struct DataDependence {
    /// Vertices that an example goes into.
    private(set) var data: Set<Int> = []
    /// Vertices that an example's numbers go into, not only its shape.
    private(set) var values: Set<Int> = []
    /// Vertices that random numbers go into.
    private(set) var noise: Set<Int> = []

    /// What tells of its inputs no more than their shapes.
    private static let shapeOnly: Set<String> = ["Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"]

    /// - Parameters:
    ///   - vertices: in the graph's order.
    ///   - known: placeholders that are fed alike in every step.
    init(_ vertices: [Vertex], known: Set<Node> = []) {
        for vertex in vertices where vertex.isPlaceholder && !known.contains(vertex.node) {
            data.insert(vertex.id)
            values.insert(vertex.id)
        }
        noise.formUnion(vertices.lazy.filter(\.drawsRandomNumbers).map(\.id))
        var size = -1
        // Once more for what a loop carries round.
        while size != data.count + values.count + noise.count + mayBeDead.count {
            size = data.count + values.count + noise.count + mayBeDead.count
            for vertex in vertices {
                let sources = self.sources(of: vertex).map(\.id)
                if DataDependence.mayBeDead(vertex, sources, mayBeDead) { mayBeDead.insert(vertex.id) }
                if sources.contains(where: data.contains) { data.insert(vertex.id) }
                if sources.contains(where: noise.contains) { noise.insert(vertex.id) }
                if !Self.shapeOnly.contains(vertex.operation.name), sources.contains(where: values.contains) {
                    values.insert(vertex.id)
                }
            }
        }
    }

    /// Vertices that run only if a predicate says so.
    private(set) var mayBeDead: Set<Int> = []

    /// What a vertex's numbers come from: its inputs, and what decides whether it runs at all.
    func sources(of vertex: Vertex) -> [Vertex] {
        (vertex.inputs + (vertex.loopInput.map { [$0] } ?? [])).map(\.vertex) + deciding(vertex)
    }

    /// What decides whether a vertex runs, though it takes nothing of it.
    func deciding(_ vertex: Vertex) -> [Vertex] { vertex.controls.filter { mayBeDead.contains($0.id) } }

    private static func mayBeDead(_ vertex: Vertex, _ sources: [Int], _ known: Set<Int>) -> Bool {
        if vertex.isMerge { return false }
        // What leaves a loop always comes, if the loop is entered.
        if vertex.isLoopExit, let head = vertex.inputs.first?.vertex.inputs.first?.vertex, head.isMerge {
            return head.inputs.contains { known.contains($0.vertex.id) }
        }
        return vertex.isSwitch || sources.contains(where: known.contains)
    }
}

extension Vertex {
    var isLoopExit: Bool { operation == Exit.self || operation == RefExit.self }

    var isPlaceholder: Bool { operation.name.hasPrefix("Placeholder") }
}
