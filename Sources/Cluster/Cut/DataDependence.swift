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
        var mayBeDead: Set<Int> = []
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
                let inputs = (vertex.inputs + (vertex.loopInput.map { [$0] } ?? [])).map(\.vertex.id)
                // Whether the vertex runs at all depends on what the predicate of the switch before it does.
                let deciding = vertex.controls.map(\.id).filter(mayBeDead.contains)
                if !vertex.isMerge, vertex.isSwitch || (inputs + deciding).contains(where: mayBeDead.contains) {
                    mayBeDead.insert(vertex.id)
                }
                let sources = inputs + deciding
                if sources.contains(where: data.contains) { data.insert(vertex.id) }
                if sources.contains(where: noise.contains) { noise.insert(vertex.id) }
                if !Self.shapeOnly.contains(vertex.operation.name), sources.contains(where: values.contains) {
                    values.insert(vertex.id)
                }
            }
        }
        self.mayBeDead = mayBeDead
    }

    /// Vertices that run only if a predicate says so.
    private(set) var mayBeDead: Set<Int> = []
}

extension Vertex {
    var isPlaceholder: Bool { operation.name.hasPrefix("Placeholder") }
}
