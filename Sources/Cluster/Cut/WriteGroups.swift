internal import Dataflow

/// Which vertices servers run together: writes that share Variables or that feed each other, and what lies between them.
struct WriteGroups {
    /// For each group its vertices, in the graph's order.
    let members: [[Vertex]]
    /// All vertices of groups.
    let onServers: Set<Int>

    /// - Parameters:
    ///   - reached: all that a train operation needs, in the graph's order.
    ///   - dependsOnData: the vertices that a placeholder or a random number goes into.
    /// - Throws: `GraphError` for two writes of a Variable that no edge orders.
    init(_ reached: [Vertex], dependsOnData: Set<Int>) throws {
        // Each vertex on servers by its number in `vertices`; the groups as a forest over these numbers.
        var numbers: [Int: Int] = [:]
        var vertices: [Vertex] = []
        var parents: [Int] = []
        func root(_ number: Int) -> Int { parents[number] == number ? number : root(parents[number]) }
        var follows: Set<Int> = []
        var writers: [Int: [Vertex]] = [:]
        for vertex in reached {
            let isWrite = !vertex.operation.writes.isEmpty
            // What a data-dependent write yields is used where the write is; so is a value that is read after it.
            var before = vertex.inputs.map(\.vertex).filter { dependsOnData.contains($0.id) || follows.contains($0.id) }
            if !isWrite, !vertex.operation.isVariable, let read = TrainingCut.variable(behind: vertex.node) {
                before += try vertex.controls.filter { control in
                    try dependsOnData.contains(control.id)
                        && TrainingCut.written(by: control).contains { $0 === read }
                }
            }
            let joined = before.compactMap { numbers[$0.id] }
            guard isWrite || !joined.isEmpty else { continue }
            let number = vertices.count
            numbers[vertex.id] = number
            if !isWrite { follows.insert(vertex.id) }
            vertices.append(vertex)
            parents.append(number)
            for other in joined { parents[root(other)] = number }
            guard isWrite else { continue }
            for variable in try TrainingCut.written(by: vertex) {
                if let last = writers[variable.id]?.last {
                    try WriteGroups.check(last, isBefore: vertex, of: variable)
                    parents[root(numbers[last.id]!)] = number
                }
                writers[variable.id, default: []].append(vertex)
            }
        }
        var groups: [Int: [Vertex]] = [:]
        for number in vertices.indices { groups[root(number), default: []].append(vertices[number]) }
        members = groups.values.sorted { $0[0].id < $1[0].id }
        onServers = Set(numbers.keys)
    }

    private static func check(_ first: Vertex, isBefore second: Vertex, of variable: Vertex) throws {
        guard TrainingCut.ancestors(of: [second], controls: true).contains(where: { $0 === first }) else {
            throw GraphError(
                "the Variable '\(variable.name)' is written by '\(first.name)' and '\(second.name)', and nothing says which "
                    + "is first; order them by a control dependency")
        }
    }
}
