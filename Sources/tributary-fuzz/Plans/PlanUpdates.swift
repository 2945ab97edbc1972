import Dataflow

/// Updates of several Variables at once, and of parts of one.
extension PlanBuilder {
    /// The memory of a Variable, under one of its names: the Variable, what the last update yields, a handle passed on.
    func memory(of variable: Int, _ chance: inout Chance) -> Node {
        let state = states[variable]
        guard chance.once(in: 3) else { return state.memory }
        guard state.isReference else { return emit(Identity.self, [state.memory]).output(0) }
        guard state.lastWrites.count == 1, let last = state.lastWrites.first, !last.operation.writes.isEmpty,
            last.inputs[0].vertex === state.memory.vertex
        else { return state.memory }
        return last.output(0)
    }

    /// A value to write with. An update that does not go element by element may not take its own Variable as it is: what
    /// such an update reads of what it has written, no order says.
    private func operand(_ kind: Kind, apartFrom variables: [Int], _ chance: inout Chance) -> Value {
        value(kind, &chance) { Set($0.views.keys).isDisjoint(with: variables) }
            ?? add(constant(tensor(kind, &chance)), kind, chance.next())
    }

    private func tensor(_ kind: Kind, _ chance: inout Chance) -> Tensor {
        Tensor((0..<(kind.shape.elementCount ?? 1)).map { _ in Float(chance.below(33) - 16) / 8 }, sized: kind.shape)
    }

    /// Notes what an update of several Variables has used and written.
    private func wrote(_ variables: [Int], by vertex: Vertex, _ input: Value, _ settled: Set<Int>, _ seed: UInt64) {
        settle(vertex, settled)
        used(vertex, [input])
        for variable in variables { wrote(variable, by: vertex) }
        writes.append((vertex.node, variables[0], seed))
        let state = states[variables[0]]
        guard state.isReference else { return }
        add(vertex.output(0), state.kind, seed, views: [variables[0]: state.version], isMemory: true)
    }

    /// An optimizer's step: a Variable and its slots.
    func optimize(_ chance: inout Chance, _ seed: UInt64) {
        guard let first = choose(Array(states.indices), chance.next(), { states[$0].key }) else { return }
        let own = states[first]
        var slots: [Int] = []
        for _ in 0..<2 {
            let others = states.indices.filter { other in
                other != first && !slots.contains(other) && states[other].kind == own.kind
                    && states[other].isReference == own.isReference
            }
            if let slot = choose(others, chance.next(), { states[$0].key }) { slots.append(slot) }
        }
        guard !slots.isEmpty else { return }
        let isAdam = slots.count == 2 && chance.once(in: 2)
        let written = [first] + (isAdam ? slots : [slots[0]])
        let x = operand(own.kind, apartFrom: written, &chance)
        let (controls, settled) = waits(
            [x], sees: chance.once(in: 2), controls: written.flatMap { before($0, isWrite: true) })
        let (rest, gradient) = carry(controls, x, &chance)
        func number(_ value: Float) -> Node { constant(Tensor(value)) }
        let memory = written.map { self.memory(of: $0, &chance) }
        let vertex: Vertex
        if isAdam {
            let rates = [0.9, 0.99, 0.1, 0.9, 0.99, 0.01].map { number($0) }
            vertex = emit(
                own.isReference ? ApplyAdam.self : ResourceApplyAdam.self, memory + rates + [gradient], controls: rest)
        } else {
            vertex = emit(
                own.isReference ? ApplyMomentum.self : ResourceApplyMomentum.self,
                memory + [number(0.25), gradient, number(0.5)], ["use_nesterov": .bool(chance.once(in: 2))],
                controls: rest)
        }
        wrote(written, by: vertex, x, settled, seed)
    }

    /// Rows of a Variable, or a slice of it.
    func writePart(_ chance: inout Chance, _ seed: UInt64) {
        let parts = states.indices.filter { states[$0].kind != .scalar }
        guard let variable = choose(parts, chance.next(), { states[$0].key }) else { return }
        let state = states[variable]
        let x = operand(state.kind, apartFrom: [variable], &chance)
        let (controls, settled) = waits(
            [x], sees: chance.once(in: 2), controls: before(variable, isWrite: true))
        let (rest, value) = carry(controls, x, &chance)
        let memory = memory(of: variable, &chance)
        let rows = state.kind == .vector ? 4 : 2
        let vertex: Vertex
        if chance.once(in: 2) {
            let first = chance.below(rows - 1)
            func index(_ value: Int) -> Node { constant(Tensor([Int32(value)])) }
            let part = emit(StridedSlice.self, [value, index(first), index(rows), index(1)], controls: rest).output(0)
            vertex = emit(
                state.isReference ? StridedSliceAssign.self : ResourceStridedSliceAssign.self,
                [memory, index(0), index(rows - first), index(1), part], controls: rest)
        } else {
            let reference: [any Dataflow.Operation.Type] = [ScatterUpdate.self, ScatterAdd.self, ScatterSub.self]
            let resource: [any Dataflow.Operation.Type] = [
                ResourceScatterUpdate.self, ResourceScatterAdd.self, ResourceScatterSub.self,
            ]
            let order = (0..<rows).map { Int32(($0 + 1) % rows) }
            vertex = emit(
                chance.pick(state.isReference ? reference : resource), [memory, constant(Tensor(order)), value],
                controls: rest)
        }
        wrote([variable], by: vertex, x, settled, seed)
    }

    /// The gradient of a value that no Variable takes part in, by all placeholders: that of loops runs them backwards.
    func gradient(_ chance: inout Chance, _ seed: UInt64) {
        guard let y = value(nil, &chance, where: { isDifferentiable($0.node) }) else { return }
        let behind = ancestors(of: y.node)
        var needed = Set(behind.map(\.id))
        // TensorFlow's loops bring their gradients with them: of what goes through one none is to be had.
        for exit in behind where exit.operation == Exit.self {
            needed.subtract(ancestors(of: exit.output(0)).map(\.id))
        }
        guard
            let x = choose(
                placeholders.filter { needed.contains($0.vertex.id) }, chance.next(), { UInt64($0.vertex.id) })
        else { return }
        guard let slope = graph.gradients(of: y.node, by: [x])[0], slope.vertex.error == nil else { return }
        note(slope.vertex, "g.gradients(of: \(Self.text(y.node)), by: [\(Self.text(x))])[0]!.vertex")
        guard let kind = Kind.allCases.first(where: { $0.shape == slope.shape }) else { return }
        add(slope, kind, seed)
    }

    private func ancestors(of node: Node) -> [Vertex] {
        var found: [Int: Vertex] = [:]
        var stack = [node.vertex]
        while let vertex = stack.popLast() {
            guard found.updateValue(vertex, forKey: vertex.id) == nil else { continue }
            stack += vertex.inputs.map(\.vertex) + vertex.controls
            if let carried = vertex.loopInput { stack.append(carried.vertex) }
        }
        return Array(found.values)
    }

    /// Whether a value hangs on no state: a gradient would use what was read of it, whatever was written since.
    private func isDifferentiable(_ node: Node) -> Bool {
        !ancestors(of: node).contains { vertex in
            vertex.operation.isVariable || vertex.operation == StatefulPartitionedCall.self
                || vertex.operation == StackPopV2.self || vertex.operation == RandomUniform.self
        }
    }
}
