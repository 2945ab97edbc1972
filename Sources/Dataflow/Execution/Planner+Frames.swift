extension Planner {
    /// The ids of the control flow operations among `vertices`, and of all that depends on them.
    static func decidedByControlFlow(_ vertices: [Vertex], feeds: [Node: TensorSpec]) -> Set<Int> {
        var result: Set<Int> = []
        for vertex in vertices {
            if vertex.operation is any ControlFlowOperation.Type
                || vertex.inputs.contains(where: { feeds[$0] == nil && result.contains($0.vertex.id) })
                || vertex.controls.contains(where: { result.contains($0.id) })
            {
                result.insert(vertex.id)
            }
        }
        return result
    }

    func frameProgram(_ vertices: [Vertex]) throws -> FrameProgram {
        var position: [Int: Int] = [:]
        for (i, vertex) in vertices.enumerated() { position[vertex.id] = i }
        // If an input is taken from a Variable (`current`), its own slot is not needed. But the member waits for the
        // vertex that makes it.
        func source(_ node: Node, _ current: Plan.View?) throws -> FrameProgram.Source {
            if feeds[node] == nil, constants[node] == nil, let member = position[node.vertex.id] {
                return .member(member, output: node.output)
            }
            if let current { return .outside(current) }
            guard let slot = hostSlot(node) else { throw GraphError("\(node.name) has no memory") }
            return .outside(Plan.View(slot: slot, shape: spec(node).shape))
        }
        let fetched = Set(fetches)
        var members: [FrameProgram.Member] = []
        for vertex in vertices {
            let nodes = vertex.inputs + (vertex.loopInput.map { [$0] } ?? [])
            var current: [Int: Plan.View] = [:]
            for (input, variable) in hazards?.current[vertex.id] ?? [:] {
                guard let slot = hostSlot(variable) else { throw GraphError("\(variable.name) has no memory") }
                current[input] = Plan.View(slot: slot, shape: spec(vertex.inputs[input]).shape)
            }
            let inputs = try nodes.enumerated().map { try source($1, current[$0]) }
            let waitsFor = inputs.count { if case .member = $0 { true } else { false } }
            let controls = Set(vertex.controls.map(\.id)).compactMap { position[$0] }
            members.append(
                FrameProgram.Member(
                    vertex: vertex, inputs: inputs, waitsFor: waitsFor, controls: controls.count,
                    references: Set(nodes.indices.filter { nodes[$0].variable != nil } + current.keys),
                    current: current,
                    initializes: try assignedVariable(vertex), reads: try readVariables(vertex),
                    variable: try nodes.first?.variable.map { try variables.buffer(for: $0) },
                    role: try FrameProgram.Role(vertex),
                    slots: vertex.outputs.indices.map { output in
                        let node = vertex.output(output)
                        return fetched.contains(node) ? slots[node] : nil
                    }, consumers: Array(repeating: [], count: max(vertex.outputs.count, 1))))
        }
        for (target, vertex) in vertices.enumerated() {
            for (input, source) in members[target].inputs.enumerated() {
                if case .member(let member, let output) = source {
                    members[member].consumers[output].append((target, input))
                }
            }
            for control in Set(vertex.controls.map(\.id)).compactMap({ position[$0] }) {
                members[control].dependents.append(target)
            }
        }
        return FrameProgram(members, recorder: options.recorder)
    }
}
