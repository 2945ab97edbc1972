package import Dataflow

/// A training graph cut at every write of a Variable that the train operation reaches: what parameter servers do, and what
/// is left to workers.
///
/// To a Variable's server go the Variable, its slots and the write, with what the write needs that depends on no data.
/// What depends on data is computed by workers and pushed. Writes that share a Variable, or of which one goes into another,
/// stay together.
package struct TrainingCut: Sendable {
    /// In the graph's order.
    package let writes: [Write]
    /// Writes that depend on no data (a global step, Adam's powers): every bundle counts its own.
    package let replicatedWrites: [Vertex]
    /// The Variables of `replicatedWrites`.
    package let replicatedVariables: [Vertex]
    /// Variables that training does not write; each worker keeps its own.
    package let localVariables: [Variable]
    /// The `Assign` of each Variable by the Variable's vertex id: its first value is input 1.
    package let initializers: [Int: Vertex]

    /// Adds to the graph what workers compute of updates of rows, see `RowUpdate`.
    ///
    /// - Throws: `GraphError` if `train` writes no Variable, or writes one in two places that no edge orders.
    package init(train: Node) throws {
        let graph = train.graph
        let reached = TrainingCut.ancestors(of: [train.vertex], controls: true)
        let dependsOnData = TrainingCut.dependingOnData(graph)
        let groups = try WriteGroups(reached, dependsOnData: dependsOnData)
        // Variables whose value goes into what workers compute: those must be pulled, so they cannot be replicas.
        var readByWorkers: Set<Int> = []
        for vertex in graph.vertices
        where dependsOnData.contains(vertex.id) && vertex.operation.writes.isEmpty
            && !groups.onServers.contains(vertex.id)
        {
            for input in vertex.inputs {
                if let variable = TrainingCut.variable(behind: input) { readByWorkers.insert(variable.id) }
            }
        }
        var writes: [Write] = []
        var replicated: [Vertex] = []
        for members in groups.members {
            if let write = try Write(members, dependsOnData: dependsOnData, readByWorkers: readByWorkers) {
                writes.append(write)
            } else {
                replicated += members
            }
        }
        guard !writes.isEmpty else {
            throw GraphError("'\(train.name)' trains no Variable: it reaches no write that depends on data")
        }
        self.writes = writes
        replicatedWrites = replicated
        var seen: Set<Int> = []
        replicatedVariables = try replicated.flatMap { try TrainingCut.written(by: $0) }
            .filter { seen.insert($0.id).inserted }
        seen.formUnion(writes.flatMap(\.variables).map(\.id))
        localVariables = graph.variables.filter { !seen.contains($0.reference.vertex.id) }
        initializers = Dictionary(
            graph.variables.map { ($0.reference.vertex.id, $0.initializer.vertex) },
            uniquingKeysWith: { first, _ in first })
    }

    /// What workers compute for servers, each once.
    package var pushedNodes: [Node] {
        var seen: Set<Node> = []
        return writes.flatMap { $0.pushed.sorted { $0.key < $1.key }.map(\.value) }.filter { seen.insert($0).inserted }
    }

    /// The Variables that a vertex overwrites, in the order of its inputs.
    static func written(by vertex: Vertex) throws -> [Vertex] {
        try vertex.operation.writes.sorted().map { index in
            guard let variable = TrainingCut.variable(behind: vertex.inputs[index]) else {
                throw GraphError("input \(index) is not a Variable", node: vertex.name)
            }
            return variable
        }
    }

    /// The Variable whose memory `node` is, if it is a reference.
    static func reference(_ node: Node) -> Vertex? { node.variable }

    /// The Variable that `node` is, or is the plain value of.
    static func variable(behind node: Node) -> Vertex? {
        if let variable = reference(node) { return variable }
        guard node.vertex.operation == Identity.self || node.vertex.operation == ReadVariableOp.self else { return nil }
        return variable(behind: node.vertex.inputs[0])
    }

    /// Vertices that a placeholder or a random number goes into.
    private static func dependingOnData(_ graph: Graph) -> Set<Int> {
        var result: Set<Int> = []
        for vertex in graph.vertices {
            let isSource =
                vertex.operation.isStateful && vertex.operation.writes.isEmpty && !vertex.operation.isVariable
                && vertex.operation != NoOp.self
            if isSource || vertex.inputs.contains(where: { result.contains($0.vertex.id) }) { result.insert(vertex.id) }
        }
        return result
    }

    /// All that `vertices` need, in the graph's order, themselves included; not beyond the nodes in `stop`.
    static func ancestors(of vertices: [Vertex], controls: Bool, stop: Set<Node> = []) -> [Vertex] {
        var found: [Int: Vertex] = [:]
        var stack = vertices
        while let vertex = stack.popLast() {
            guard found.updateValue(vertex, forKey: vertex.id) == nil else { continue }
            stack += vertex.inputs.filter { !stop.contains($0) }.map(\.vertex)
            if controls { stack += vertex.controls }
        }
        return found.values.sorted { $0.id < $1.id }
    }
}
