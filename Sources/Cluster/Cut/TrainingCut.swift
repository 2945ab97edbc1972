package import Dataflow

/// A training graph cut at every write of a Variable that the train operation reaches: what parameter servers do, and what
/// is left to workers.
///
/// To a Variable's server go the Variable, its slots and the write, with what the write needs that depends on no data.
/// What depends on data is computed by workers and pushed.
package struct TrainingCut: Sendable {
    /// A write that depends on data: an optimizer's step on one Variable.
    package struct Write: Sendable {
        /// The `Apply…` (or `Assign…`) vertex.
        package let vertex: Vertex
        /// The `VariableV2` or `VarHandleOp` vertices that it overwrites: the Variable, then its slots.
        package let variables: [Vertex]
        /// The inputs that workers compute: index in the vertex's inputs → node.
        package let pushed: [Int: Node]

        package var variable: Vertex { variables[0] }
        /// Whether each element is updated on its own, so that the Variable can be cut anywhere.
        package var isElementwise: Bool { vertex.operation is any ElementwiseUpdate.Type }
    }

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

    /// - Throws: `GraphError` if `train` writes no Variable, or writes one in two places.
    package init(train: Node) throws {
        let graph = train.graph
        let reached = TrainingCut.ancestors(of: [train.vertex], controls: true)
        let dependsOnData = TrainingCut.dependingOnData(graph)
        var writes: [Write] = []
        var replicated: [Vertex] = []
        var replicatedVariables: [Vertex] = []
        // Variables whose value goes into what depends on data: those must be pulled, so they cannot be replicas.
        var readByData: Set<Int> = []
        for vertex in graph.vertices where dependsOnData.contains(vertex.id) && vertex.operation.writes.isEmpty {
            for input in vertex.inputs {
                if let variable = TrainingCut.variable(behind: input) { readByData.insert(variable.id) }
            }
        }
        for vertex in reached where !vertex.operation.writes.isEmpty {
            let variables = try vertex.operation.writes.sorted().map { index in
                guard let variable = TrainingCut.variable(behind: vertex.inputs[index]) else {
                    throw GraphError("input \(index) is not a Variable", node: vertex.name)
                }
                return variable
            }
            guard
                vertex.operation is any ElementwiseUpdate.Type || vertex.operation == Assign.self
                    || vertex.operation == AssignVariableOp.self
            else {
                throw GraphError(
                    "\(vertex.operation.name) changes some rows of '\(variables[0].name)'; servers take updates of whole "
                        + "Variables so far", node: vertex.name)
            }
            let values = vertex.inputs.indices.filter { TrainingCut.reference(vertex.inputs[$0]) == nil }
            var pushed = values.filter { dependsOnData.contains(vertex.inputs[$0].vertex.id) }
            if pushed.isEmpty, readByData.contains(variables[0].id) { pushed = values }
            if pushed.isEmpty {
                replicated.append(vertex)
                replicatedVariables += variables
            } else {
                writes.append(
                    Write(
                        vertex: vertex, variables: variables,
                        pushed: Dictionary(uniqueKeysWithValues: pushed.map { ($0, vertex.inputs[$0]) })))
            }
        }
        guard !writes.isEmpty else {
            throw GraphError("'\(train.name)' trains no Variable: it reaches no write that depends on data")
        }
        var seen: Set<Int> = []
        for variable in writes.flatMap(\.variables) + replicatedVariables where !seen.insert(variable.id).inserted {
            throw GraphError("the Variable '\(variable.name)' is written in two places of one step; servers can do one")
        }
        self.writes = writes
        replicatedWrites = replicated
        self.replicatedVariables = replicatedVariables
        localVariables = graph.variables.filter { !seen.contains($0.reference.vertex.id) }
        initializers = Dictionary(
            graph.variables.map { ($0.reference.vertex.id, $0.initializer.vertex) },
            uniquingKeysWith: { first, _ in first })
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
