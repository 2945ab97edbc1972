internal import Dataflow

/// Which vertices servers run together: writes that share Variables or that feed each other, and what lies between them.
struct WriteGroups {
    /// For each group that workers push to, or read a Variable of: its vertices, in the graph's order.
    let members: [[Vertex]]
    /// Writes that depend on no example and on no Variable of a group.
    let replicated: [Vertex]

    /// - Throws: `GraphError` for two writes of a Variable that no edge orders.
    init(_ server: ServerVertices, _ frontier: Frontier, _ order: WriteOrder, conditional: Set<Int>) throws {
        func after(_ vertex: Vertex) -> [Int] {
            guard conditional.contains(vertex.id) else { return [] }
            return Self.waited(by: vertex).map(\.id).filter(conditional.contains)
        }
        // Vertices and Variables whose values differ from shard to shard.
        var active = frontier.onServers.intersection(
            server.vertices.filter { vertex in
                vertex.inputs.contains(where: frontier.isPushed)
                    || order.variables[vertex.id] == nil && frontier.dependent.contains(vertex.id)
            }.map(\.id))
        var variables = order.written.intersection(frontier.readByWorkers)
        var size = -1
        while size != active.count + variables.count {
            size = active.count + variables.count
            for vertex in server.vertices where !vertex.operation.isVariable {
                let known = Self.variablesKnown(to: vertex)
                if after(vertex).contains(where: active.contains)
                    || vertex.inputs.contains(where: {
                        active.contains($0.vertex.id) || variables.contains($0.vertex.id)
                    })
                    || !variables.isDisjoint(with: known)
                    || (order.variables[vertex.id] ?? []).contains(where: { variables.contains($0.id) })
                {
                    active.insert(vertex.id)
                }
                if active.contains(vertex.id) { variables.formUnion((order.variables[vertex.id] ?? []).map(\.id)) }
            }
        }
        var groups = Groups()
        // What ends a branch waits for the writes in it.
        var writers: [Int: [Vertex]] = [:]
        for vertex in server.vertices where active.contains(vertex.id) {
            let near =
                vertex.inputs.map(\.vertex.id).filter { active.contains($0) || variables.contains($0) }
                + after(vertex).filter(active.contains)
            let known = Self.variablesKnown(to: vertex).intersection(variables)
            let own = order.variables[vertex.id] ?? []
            for id in near + known + own.map(\.id) { groups.join(vertex.id, id) }
            for variable in own {
                if let last = writers[variable.id]?.last {
                    try WriteGroups.check(last, isBefore: vertex, of: variable)
                }
                writers[variable.id, default: []].append(vertex)
            }
        }
        let byRoot = Dictionary(grouping: server.vertices.filter { active.contains($0.id) }) { groups.root($0.id) }
        members = byRoot.values.filter { $0.contains { order.variables[$0.id] != nil } }.sorted { $0[0].id < $1[0].id }
        replicated = order.writers.filter { !active.contains($0.id) }
    }

    /// What a vertex waits for, groups taken apart.
    private static func waited(by vertex: Vertex) -> [Vertex] {
        var found: [Vertex] = []
        var seen: Set<Int> = []
        var stack = vertex.controls
        while let before = stack.popLast() {
            guard seen.insert(before.id).inserted else { continue }
            if before.operation == NoOp.self { stack += before.controls } else { found.append(before) }
        }
        return found
    }

    /// Ids of the Variables that functions know which the vertex calls.
    private static func variablesKnown(to vertex: Vertex) -> Set<Int> {
        let names = vertex.variablesKnownToCalls
        if names.isEmpty { return [] }
        return Set(vertex.graph.variables.map(\.reference.vertex).filter { names.contains($0.name) }.map(\.id))
    }

    private static func check(_ first: Vertex, isBefore second: Vertex, of variable: Vertex) throws {
        guard
            TrainingCut.comes(first, before: second)
                || Branches(first).exclude(Branches(second))
        else {
            throw GraphError(
                "the Variable '\(variable.name)' is written by '\(first.name)' and '\(second.name)', and nothing says which "
                    + "is first; order them by a control dependency")
        }
    }

    /// Sets of ids that are joined (union-find).
    private struct Groups {
        private var parents: [Int: Int] = [:]

        mutating func root(_ id: Int) -> Int {
            var root = id
            while let parent = parents[root] { root = parent }
            if root != id { parents[id] = root }
            return root
        }

        mutating func join(_ a: Int, _ b: Int) {
            let (a, b) = (root(a), root(b))
            if a != b { parents[a] = b }
        }
    }
}
