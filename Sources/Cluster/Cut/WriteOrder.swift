internal import Dataflow

/// The writes of a training graph, the Variables that each overwrites, and what runs after them.
struct WriteOrder {
    /// In the graph's order.
    let writers: [Vertex]
    /// By the writer's id.
    private(set) var variables: [Int: [Vertex]] = [:]
    /// Ids of the Variables that are written.
    private(set) var written: Set<Int> = []
    /// Vertices that take the result of a write, or the value of a Variable after it was written.
    private(set) var afterWrites: Set<Int> = []
    /// Ids of the vertices at which branches come together that may have written.
    private(set) var merges: Set<Int> = []

    /// - Parameter vertices: all that training needs, in the graph's order.
    /// - Throws: `GraphError` for an operation that writes something else than a Variable.
    init(_ vertices: [Vertex]) throws {
        writers = vertices.filter { !$0.operation.writes.isEmpty || !$0.variablesWrittenByCalls.isEmpty }
        var followers: [Int: [Vertex]] = [:]
        for vertex in vertices {
            for id in Set(vertex.inputs.map(\.vertex.id) + vertex.controls.map(\.id)) {
                followers[id, default: []].append(vertex)
            }
        }
        for writer in writers {
            let own = try WriteOrder.variables(writtenBy: writer)
            variables[writer.id] = own
            written.formUnion(own.map(\.id))
            let ids = Set(own.map(\.id))
            var seen: Set<Int> = [writer.id]
            var stack = [writer]
            while let vertex = stack.popLast() {
                for next in followers[vertex.id] ?? [] where seen.insert(next.id).inserted {
                    stack.append(next)
                    if next.isMerge { merges.insert(next.id) }
                    let reads = next.inputs.contains { ids.contains(TrainingCut.variable(behind: $0)?.id ?? -1) }
                    if reads || WriteOrder.takes(vertex, next) { afterWrites.insert(next.id) }
                }
            }
        }
        // What takes the result of one that comes after a write does, too.
        for vertex in vertices where vertex.inputs.contains(where: { isAfter($0) }) { afterWrites.insert(vertex.id) }
    }

    private func isAfter(_ input: Node) -> Bool {
        afterWrites.contains(input.vertex.id) || variables[input.vertex.id] != nil && !input.vertex.outputs.isEmpty
    }

    /// Whether `next` takes a value that the write `vertex` yields.
    private static func takes(_ vertex: Vertex, _ next: Vertex) -> Bool {
        !vertex.operation.writes.isEmpty && next.inputs.contains { $0.vertex === vertex }
    }

    /// The Variables that a vertex overwrites, in the order of its inputs, and those that functions write which it calls.
    static func variables(writtenBy vertex: Vertex) throws -> [Vertex] {
        let direct = try vertex.operation.writes.sorted().map { index in
            guard let variable = TrainingCut.variable(behind: vertex.inputs[index]) else {
                throw GraphError("input \(index) is not a Variable", node: vertex.name)
            }
            return variable
        }
        let called = vertex.variablesWrittenByCalls
        if called.isEmpty { return direct }
        return direct
            + vertex.graph.variables.map(\.reference.vertex).filter { called.contains($0.name) }
    }
}
