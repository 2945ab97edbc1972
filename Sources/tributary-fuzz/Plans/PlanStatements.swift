import Dataflow

/// The statements that random graphs are made of. Each takes its choices from numbers of its own, so that a graph stays
/// much the same when another statement is left out.
extension PlanBuilder {
    func state(_ seed: UInt64) {
        var chance = Chance(seed: seed, input: 0)
        let statements: [(weight: Int, make: (inout Chance, UInt64) -> Void)] = [
            (6, source), (8, unary), (9, binary), (4, reduction), (4, several), (2, dynamic), (6, read), (9, write),
            (6, late),
            (5, array), (4, stack), (3, list), (4, branch), (6, loop), (2, functional), (3, call), (1, random),
            (5, optimize), (5, writePart), (3, gradient),
        ]
        var place = chance.below(statements.reduce(0) { $0 + $1.weight })
        for statement in statements {
            place -= statement.weight
            if place < 0 { return statement.make(&chance, seed) }
        }
    }

    private static func tensor(_ kind: Kind, _ chance: inout Chance) -> Tensor {
        let count = kind.shape.elementCount ?? 1
        return Tensor((0..<count).map { _ in Float(chance.below(33) - 16) / 8 }, sized: kind.shape)
    }

    // MARK: Sources

    private func source(_ chance: inout Chance, _ seed: UInt64) {
        let kind = chance.pick(Kind.allCases)
        switch chance.below(4) {
        case 0 where states.count < 5, 1 where states.isEmpty: variable(kind, &chance, seed)
        case 1:
            let vertex = emit(Placeholder.self, [], ["dtype": .type(.float32), "shape": .shape(kind.shape)])
            placeholders.append(vertex.output(0))
            add(vertex.output(0), kind, seed)
        default: add(constant(Self.tensor(kind, &chance)), kind, seed)
        }
    }

    private func variable(_ kind: Kind, _ chance: inout Chance, _ seed: UInt64) {
        let isReference = !chance.once(in: 3)
        let attributes: [String: AttributeValue] = ["dtype": .type(.float32), "shape": .shape(kind.shape)]
        let memory = emit(isReference ? VariableV2.self : VarHandleOp.self, [], attributes).output(0)
        let first = constant(Self.tensor(kind, &chance))
        let assign = emit(isReference ? Assign.self : AssignVariableOp.self, [memory, first])
        initializers.append(assign.node)
        states.append(State(memory: memory, kind: kind, isReference: isReference, key: seed))
        read(states.count - 1, &chance, seed)
    }

    // MARK: Values

    private func operand(_ chance: inout Chance, _ kind: Kind? = nil) -> Value {
        if let value = value(kind, &chance) { return value }
        let kind = kind ?? .vector
        return add(constant(Self.tensor(kind, &chance)), kind, chance.next())
    }

    /// One vertex over `inputs`, in an order with the writes of what they are views of.
    @discardableResult
    private func compute(
        _ operation: any Dataflow.Operation.Type, _ inputs: [Value], _ more: [Node] = [],
        _ attributes: [String: AttributeValue] = [:], to kind: Kind, isView: Bool = false, _ chance: inout Chance,
        _ seed: UInt64
    ) -> Vertex {
        var nodes = inputs.map(\.node)
        // A view must itself stand before or after each write.
        let viewed = isView ? Array(inputs[0].views.keys) : []
        var (controls, settled) = waits(
            inputs, sees: chance.once(in: 2), controls: viewed.flatMap { before($0, isWrite: false) })
        if let last = inputs.last {
            let carried = carry(controls, last, &chance)
            (controls, nodes[nodes.count - 1]) = (carried.controls, carried.operand)
        }
        let vertex = emit(operation, nodes + more, attributes, controls: controls)
        settled.formUnion(viewed)
        settle(vertex, settled)
        used(vertex, inputs)
        let views = Dictionary(uniqueKeysWithValues: viewed.map { ($0, states[$0].version) })
        add(vertex.output(0), kind, seed, views: views)
        return vertex
    }

    private func unary(_ chance: inout Chance, _ seed: UInt64) {
        let x = operand(&chance)
        switch chance.below(6) {
        case 0: compute(Identity.self, [x], to: x.kind, isView: true, &chance, seed)
        case 1: compute(StopGradient.self, [x], to: x.kind, isView: true, &chance, seed)
        case 2 where x.kind == .matrix:
            let shape = constant(Tensor([Int32(2), 4]))
            compute(Reshape.self, [x], [shape], to: .matrix, isView: true, &chance, seed)
        default:
            let operations: [any Dataflow.Operation.Type] = [Neg.self, Abs.self, Tanh.self, Sigmoid.self, Relu.self]
            compute(chance.pick(operations), [x], to: x.kind, &chance, seed)
        }
    }

    private func binary(_ chance: inout Chance, _ seed: UInt64) {
        let x = operand(&chance)
        let y = operand(&chance, chance.once(in: 3) ? .scalar : x.kind)
        let operations: [any Dataflow.Operation.Type] = [
            AddV2.self, Sub.self, Maximum.self, Minimum.self, Mul.self, SquaredDifference.self,
        ]
        compute(chance.pick(operations), [x, y], to: x.kind, &chance, seed)
    }

    /// `v * 2` after all writes so far, where the 2 has the control edges: so TensorFlow writes it under
    /// `control_dependencies`.
    private func late(_ chance: inout Chance, _ seed: UInt64) {
        guard let view = value(nil, &chance, where: { !$0.views.isEmpty }) else { return read(&chance, seed) }
        let (controls, settled) = waits([view], sees: true)
        let factor = constant(Tensor(Float(chance.below(8)) / 4), controls: controls)
        let vertex = emit(chance.once(in: 2) ? Mul.self : AddV2.self, [view.node, factor])
        settle(vertex, settled)
        used(vertex, [view])
        add(vertex.output(0), view.kind, seed)
    }

    private func reduction(_ chance: inout Chance, _ seed: UInt64) {
        switch chance.below(3) {
        case 0:
            let x = operand(&chance, .matrix)
            compute(
                chance.once(in: 2) ? Sum.self : Max.self, [x], [constant(Tensor(Int32(0)))], to: .vector, &chance, seed)
        case 1:
            let x = operand(&chance, .vector)
            compute(Mean.self, [x], [constant(Tensor(Int32(0)))], to: .scalar, &chance, seed)
        default:
            let x = operand(&chance, .matrix)
            let weights = (0..<16).map { _ in Float(chance.below(9) - 4) / 8 }
            compute(MatMul.self, [x], [constant(Tensor(weights, sized: [4, 4]))], to: .matrix, &chance, seed)
        }
    }

    /// Operations of several outputs.
    private func several(_ chance: inout Chance, _ seed: UInt64) {
        switch chance.below(3) {
        case 0:
            let vertex = compute(
                Unpack.self, [operand(&chance, .matrix)], [], ["num": .int(2)], to: .vector, &chance, seed)
            add(vertex.output(1), .vector, seed &+ 1)
        case 1:
            compute(TopKV2.self, [operand(&chance, .vector)], [constant(Tensor(Int32(4)))], to: .vector, &chance, seed)
        default:
            let (x, y) = (operand(&chance), operand(&chance))
            guard x.views.isEmpty, y.views.isEmpty else { return }
            let vertex = emit(IdentityN.self, [x.node, y.node])
            add(vertex.output(0), x.kind, seed)
            add(vertex.output(1), y.kind, seed &+ 1)
        }
    }

    /// Values whose shapes only the run tells.
    private func dynamic(_ chance: inout Chance, _ seed: UInt64) {
        let x = operand(&chance, .vector)
        compute(Relu.self, [x], to: .vector, &chance, seed)
        let relu = values.removeLast()
        let distinct = emit(Unique.self, [relu.node]).output(0)
        let doubled = emit(Mul.self, [distinct, constant(Tensor(Float(2)))]).output(0)
        let sum = emit(Sum.self, [doubled, constant(Tensor(Int32(0)))]).output(0)
        add(sum, .scalar, seed)
    }

    private func random(_ chance: inout Chance, _ seed: UInt64) {
        let shape = constant(Tensor([Int32(4)]))
        let vertex = emit(
            RandomUniform.self, [shape],
            ["dtype": .type(.float32), "seed": .int(1), "seed2": .int(chance.below(1000) + 1)])
        add(vertex.output(0), .vector, seed)
    }

    // MARK: Variables

    private func variable(_ chance: inout Chance) -> Int? {
        choose(Array(states.indices), chance.next()) { states[$0].key }
    }

    private func read(_ chance: inout Chance, _ seed: UInt64) {
        if let variable = variable(&chance) { read(variable, &chance, seed) }
    }

    private func read(_ variable: Int, _ chance: inout Chance, _ seed: UInt64) {
        let state = states[variable]
        var controls = before(variable, isWrite: false)
        if !controls.isEmpty, chance.once(in: 2) { controls = [emit(NoOp.self, [], controls: controls)] }
        let vertex = emit(
            state.isReference ? Identity.self : ReadVariableOp.self, [memory(of: variable, &chance)],
            state.isReference ? [:] : ["dtype": .type(.float32)], controls: controls)
        states[variable].accesses.append(vertex)
        settle(vertex, [variable])
        add(vertex.output(0), state.kind, seed, views: state.isReference ? [variable: state.version] : [:])
    }

    private func write(_ chance: inout Chance, _ seed: UInt64) {
        guard let variable = variable(&chance) else { return source(&chance, seed) }
        let state = states[variable]
        let x = operand(&chance, state.kind)
        let (controls, settled) = waits([x], sees: chance.once(in: 2), controls: before(variable, isWrite: true))
        let reference: [any Dataflow.Operation.Type] = [Assign.self, AssignAdd.self, AssignSub.self]
        let resource: [any Dataflow.Operation.Type] = [
            AssignVariableOp.self, AssignAddVariableOp.self, AssignSubVariableOp.self,
        ]
        let (rest, value) = carry(controls, x, &chance)
        let vertex = emit(
            chance.pick(state.isReference ? reference : resource), [memory(of: variable, &chance), value],
            controls: rest)
        settle(vertex, settled)
        used(vertex, [x])
        wrote(variable, by: vertex)
        writes.append((vertex.node, variable, seed))
        if state.isReference {
            add(
                vertex.output(0), state.kind, seed, views: [variable: states[variable].version], isMemory: true)
        }
    }

    // MARK: What lives for one run

    private func array(_ chance: inout Chance, _ seed: UInt64) {
        guard let index = choose(Array(arrays.indices), chance.next(), { arrays[$0].key }), !chance.once(in: 4) else {
            let vertex = emit(
                TensorArrayV3.self, [constant(Tensor(Int32(3)))],
                ["dtype": .type(.float32), "clear_after_read": .bool(false), "dynamic_size": .bool(true)])
            arrays.append(Storage(handle: vertex.output(0), flow: vertex.output(1), count: 0, key: seed))
            return
        }
        let array = arrays[index]
        if array.count == 0 || chance.once(in: 2) {
            let x = operand(&chance, .vector)
            guard x.views.isEmpty else { return }
            let at = constant(Tensor(Int32(array.count)))
            let vertex = emit(TensorArrayWriteV3.self, [array.handle, at, x.node, array.flow])
            arrays[index].flow = vertex.output(0)
            arrays[index].count += 1
            return
        }
        if chance.once(in: 2) {
            let at = constant(Tensor(Int32(chance.below(array.count))))
            let vertex = emit(TensorArrayReadV3.self, [array.handle, at, array.flow], ["dtype": .type(.float32)])
            add(vertex.output(0), .vector, seed)
        } else {
            let all = constant(Tensor((0..<array.count).map { Int32($0) }))
            let vertex = emit(TensorArrayGatherV3.self, [array.handle, all, array.flow], ["dtype": .type(.float32)])
            let sum = emit(Sum.self, [vertex.output(0), constant(Tensor(Int32(0)))])
            add(sum.output(0), .vector, seed)
        }
    }

    private func stack(_ chance: inout Chance, _ seed: UInt64) {
        guard let index = choose(Array(stacks.indices), chance.next(), { stacks[$0].key }), !chance.once(in: 5) else {
            let handle = emit(StackV2.self, [constant(Tensor(Int32(-1)))], ["elem_type": .type(.float32)]).output(0)
            stacks.append(Storage(handle: handle, flow: handle, count: 0, key: seed))
            return
        }
        let stack = stacks[index]
        let controls = stack.flow == stack.handle ? [] : [stack.flow.vertex]
        if stack.count == 0 || chance.once(in: 2) {
            let x = operand(&chance, .vector)
            guard x.views.isEmpty else { return }
            let vertex = emit(StackPushV2.self, [stack.handle, x.node], controls: controls)
            stacks[index].flow = vertex.output(0)
            stacks[index].count += 1
        } else {
            let vertex = emit(StackPopV2.self, [stack.handle], ["elem_type": .type(.float32)], controls: controls)
            stacks[index].flow = vertex.output(0)
            stacks[index].count -= 1
            add(vertex.output(0), .vector, seed)
        }
    }

    private func list(_ chance: inout Chance, _ seed: UInt64) {
        guard let index = choose(Array(lists.indices), chance.next(), { lists[$0].key }), !chance.once(in: 5) else {
            let shape = constant(Tensor([Int32(4)]))
            let handle = emit(
                EmptyTensorList.self, [shape, constant(Tensor(Int32(-1)))], ["element_dtype": .type(.float32)]
            ).output(0)
            lists.append(Storage(handle: handle, flow: handle, count: 0, key: seed))
            return
        }
        let list = lists[index]
        if list.count == 0 || chance.once(in: 2) {
            let x = operand(&chance, .vector)
            guard x.views.isEmpty else { return }
            lists[index].flow = emit(TensorListPushBack.self, [list.flow, x.node]).output(0)
            lists[index].count += 1
        } else {
            let shape = constant(Tensor([Int32(4)]))
            let vertex = emit(TensorListPopBack.self, [list.flow, shape], ["element_dtype": .type(.float32)])
            lists[index].flow = vertex.output(0)
            lists[index].count -= 1
            add(vertex.output(1), .vector, seed)
        }
    }
}
