internal import Dataflow

/// All that servers run of a training graph: the writes, and what these need of the graph up to what workers push.
struct ServerVertices: Sendable {
    /// In the graph's order, Variables among them.
    let vertices: [Vertex]
    private let ids: Set<Int>

    init(_ reached: [Vertex], _ frontier: Frontier, _ dependence: DataDependence, _ order: WriteOrder) {
        func isWorkers(_ vertex: Vertex) -> Bool {
            frontier.dependent.contains(vertex.id) && !frontier.onServers.contains(vertex.id)
        }
        var found: [Int: Vertex] = [:]
        var stack =
            order.writers
            + reached.filter { frontier.onServers.contains($0.id) || order.merges.contains($0.id) && !isWorkers($0) }
        while let vertex = stack.popLast() {
            guard found.updateValue(vertex, forKey: vertex.id) == nil else { continue }
            let values = vertex.inputs + (vertex.loopInput.map { [$0] } ?? [])
            stack += values.map(\.vertex).filter { !isWorkers($0) }
            // A group stands for what it waits for.
            var waiting = vertex.controls
            var seen: Set<Int> = []
            while let before = waiting.popLast() {
                guard !isWorkers(before), seen.insert(before.id).inserted else { continue }
                if before.operation == NoOp.self { waiting += before.controls } else { stack.append(before) }
            }
        }
        vertices = found.values.sorted { $0.id < $1.id }
        ids = Set(found.keys)
    }

    func containsID(_ id: Int) -> Bool { ids.contains(id) }
    func contains(_ vertex: Vertex) -> Bool { ids.contains(vertex.id) }
}
