import Dataflow

/// Branches and loops: TensorFlow 1's, of `Switch`, `Merge` and frames, and those that call functions.
extension PlanBuilder {
    /// A scalar's sign as a predicate.
    private func predicate(_ chance: inout Chance) -> Node {
        guard let x = value(.scalar, &chance, where: { $0.views.isEmpty }) else {
            let truth = Tensor([Float(chance.below(3) - 1)], sized: [])
            return emit(Greater.self, [constant(truth), constant(Tensor(Float(0)))]).output(0)
        }
        return emit(Greater.self, [x.node, constant(Tensor(Float(0.25)))]).output(0)
    }

    private func step(_ x: Node, _ y: Node, _ chance: inout Chance, controls: [Vertex] = []) -> Node {
        let operations: [any Dataflow.Operation.Type] = [AddV2.self, Sub.self, Maximum.self, Minimum.self]
        let sum = emit(chance.pick(operations), [x, y], controls: controls).output(0)
        return chance.once(in: 2) ? emit(Tanh.self, [sum]).output(0) : sum
    }

    /// A Variable to change inside, and what must go before.
    private func changed(_ chance: inout Chance) -> Int? {
        guard chance.once(in: 2) else { return nil }
        return choose(states.indices.filter { states[$0].kind == .vector }, chance.next()) { states[$0].key }
    }

    /// A view of `variable`, if there is one.
    private func view(of variable: Int, _ chance: inout Chance) -> Value? {
        value(.vector, &chance) { Array($0.views.keys) == [variable] }
    }

    private func vectors(_ chance: inout Chance, ofKnownShape isKnown: Bool = false) -> [Value] {
        (0..<2).map { _ in
            value(.vector, &chance) { $0.views.isEmpty && (!isKnown || $0.node.shape.isFullyDefined) }
                ?? add(constant(Tensor([Float(1), -1, 0.5, 2])), .vector, chance.next())
        }
    }

    /// `Switch`, a few operations on either side, `Merge`.
    func branch(_ chance: inout Chance, _ seed: UInt64) {
        let choice = predicate(&chance)
        let inputs = vectors(&chance)
        let switches = inputs.map { emit(Switch.self, [$0.node, choice]) }
        var taken = step(switches[0].output(1), switches[1].output(1), &chance)
        if chance.once(in: 4) {
            let pivot = emit(Identity.self, [emit(Switch.self, [choice, choice]).output(1)])
            taken = innerLoop(taken, switches[1].output(1), pivot, &chance)
        }
        let other =
            chance.once(in: 3) ? switches[0].output(0) : step(switches[1].output(0), switches[0].output(0), &chance)
        let variable = changed(&chance)
        if let variable {
            let state = states[variable]
            let old = view(of: variable, &chance).map { emit(Switch.self, [$0.node, choice]).output(1) }
            let memory = emit(
                state.isReference ? RefSwitch.self : Switch.self, [memory(of: variable, &chance), choice]
            ).output(1)
            let write = emit(
                state.isReference ? AssignAdd.self : AssignAddVariableOp.self, [memory, taken],
                controls: before(variable, isWrite: true))
            if let old {
                // The 2 of `v * 2` has the control edge, or the product.
                let side = chance.once(in: 2)
                let factor = constant(Tensor(Float(2)), controls: side ? [write] : [])
                taken = emit(Mul.self, [old, factor], controls: side ? [] : [write]).output(0)
            } else {
                taken = emit(Identity.self, [taken], controls: [write]).output(0)
            }
        }
        let merge = emit(Merge.self, [other, taken])
        if let variable {
            wrote(variable, by: merge, isCertain: false)
        }
        add(merge.output(0), .vector, seed)
    }

    /// `while i < n`, in a frame.
    func loop(_ chance: inout Chance, _ seed: UInt64) {
        let inputs = vectors(&chance)
        let frame = "f\(graph.vertices.count)"
        let rounds = chance.below(4)
        func enter(_ node: Node, isConstant: Bool, isReference: Bool = false, controls: [Vertex] = []) -> Node {
            let operation: any Dataflow.Operation.Type =
                isReference ? RefEnter.self : Enter.self
            return emit(
                operation, [node], ["frame_name": .string(frame), "is_constant": .bool(isConstant)], controls: controls
            ).output(0)
        }
        // An array takes a value of each iteration.
        let array =
            chance.once(in: 2)
            ? emit(
                TensorArrayV3.self, [constant(Tensor(Int32(rounds)))],
                ["dtype": .type(.float32), "element_shape": .shape([4])]) : nil
        let limit = enter(constant(Tensor(Int32(rounds))), isConstant: true)
        let captured = enter(inputs[1].node, isConstant: true)
        let variable = changed(&chance)
        let old = variable.flatMap { variable in
            view(of: variable, &chance).map {
                enter($0.node, isConstant: true, controls: before(variable, isWrite: false))
            }
        }
        let memory = variable.map { variable in
            enter(
                self.memory(of: variable, &chance), isConstant: true, isReference: states[variable].isReference,
                controls: before(variable, isWrite: true))
        }
        let handle = array.map { enter($0.output(0), isConstant: true) }
        var firsts = [constant(Tensor(Int32(0))), inputs[0].node]
        if let array { firsts.append(array.output(1)) }
        let merges = firsts.map { emit(Merge.self, [enter($0, isConstant: false)], isLoopHead: true) }
        let goesOn = emit(Less.self, [merges[0].output(0), limit]).output(0)
        let condition = emit(LoopCond.self, [goesOn]).output(0)
        let switches = merges.map { emit(Switch.self, [$0.output(0), condition]) }
        let pivot = emit(Identity.self, [switches[0].output(1)])
        let one = constant(Tensor(Int32(1)), controls: chance.once(in: 2) ? [pivot] : [])
        var next = [emit(AddV2.self, [pivot.output(0), one]).output(0)]
        var x = step(switches[1].output(1), captured, &chance)
        if chance.once(in: 3) { x = innerLoop(x, captured, pivot, &chance) }
        if let variable, let memory {
            let isReference = states[variable].isReference
            let operation: any Dataflow.Operation.Type = isReference ? AssignAdd.self : AssignAddVariableOp.self
            // The old view is used before the write of this iteration, or after it.
            let isBefore = chance.once(in: 2)
            if let old, isBefore { x = emit(AddV2.self, [x, old]).output(0) }
            if chance.once(in: 3) {
                x = innerBranch(x, memory, pivot, isReference, operation, &chance)
            }
            let write = emit(operation, [memory, x])
            if let old, !isBefore {
                let side = chance.once(in: 2)
                let factor = constant(Tensor(Float(0.5)), controls: side ? [write] : [])
                let product = emit(Mul.self, [old, factor], controls: side ? [] : [write]).output(0)
                x = emit(AddV2.self, [x, product]).output(0)
            }
            x = emit(Identity.self, [x], controls: [write]).output(0)
        }
        next.append(x)
        if let handle {
            let write = emit(TensorArrayWriteV3.self, [handle, pivot.output(0), x, switches[2].output(1)])
            next.append(write.output(0))
        }
        for (merge, node) in zip(merges, next) { close(merge, from: emit(NextIteration.self, [node]).output(0)) }
        let exits = switches.dropFirst().map { emit(Exit.self, [$0.output(0)]) }
        for exit in exits { maySee(exit, what: next.map(\.vertex)) }
        if let variable {
            wrote(variable, by: exits[0], isCertain: false)
            for exit in exits { maySee(exit, variable) }
        }
        add(exits[0].output(0), .vector, seed)
        if let array, rounds > 0 {
            let all = constant(Tensor((0..<rounds).map { Int32($0) }))
            let gathered = emit(
                TensorArrayGatherV3.self, [array.output(0), all, exits[1].output(0)], ["dtype": .type(.float32)])
            let sum = emit(Sum.self, [gathered.output(0), constant(Tensor(Int32(0)))])
            add(sum.output(0), .vector, seed &+ 1)
        }
    }

    /// A loop within a loop or a branch. Its `pivot` runs once for each time.
    private func innerLoop(_ x: Node, _ y: Node, _ pivot: Vertex, _ chance: inout Chance) -> Node {
        let frame = "f\(graph.vertices.count)"
        func enter(_ node: Node, isConstant: Bool) -> Node {
            emit(Enter.self, [node], ["frame_name": .string(frame), "is_constant": .bool(isConstant)]).output(0)
        }
        func number(_ value: Int, _ pivot: Vertex) -> Node { constant(Tensor(Int32(value)), controls: [pivot]) }
        let limit = enter(number(chance.below(3), pivot), isConstant: true)
        let captured = enter(y, isConstant: true)
        let merges = [number(0, pivot), x].map { emit(Merge.self, [enter($0, isConstant: false)], isLoopHead: true) }
        let condition = emit(LoopCond.self, [emit(Less.self, [merges[0].output(0), limit]).output(0)]).output(0)
        let switches = merges.map { emit(Switch.self, [$0.output(0), condition]) }
        let own = emit(Identity.self, [switches[0].output(1)])
        let next = [
            emit(AddV2.self, [own.output(0), number(1, own)]).output(0),
            step(switches[1].output(1), captured, &chance),
        ]
        for (merge, node) in zip(merges, next) { close(merge, from: emit(NextIteration.self, [node]).output(0)) }
        return emit(Exit.self, [switches[1].output(0)]).output(0)
    }

    /// A branch within a loop, in which a Variable is written in the first iterations.
    private func innerBranch(
        _ x: Node, _ memory: Node, _ pivot: Vertex, _ isReference: Bool, _ operation: any Dataflow.Operation.Type,
        _ chance: inout Chance
    ) -> Node {
        let last = constant(Tensor(Int32(chance.below(3))), controls: [pivot])
        let choice = emit(Less.self, [pivot.output(0), last]).output(0)
        let sides = emit(Switch.self, [x, choice])
        let target = emit(isReference ? RefSwitch.self : Switch.self, [memory, choice]).output(1)
        let write = emit(operation, [target, sides.output(1)])
        let taken = emit(Identity.self, [sides.output(1)], controls: [write]).output(0)
        return emit(Merge.self, [emit(Neg.self, [sides.output(0)]).output(0), taken]).output(0)
    }

    /// `cond` and `whileLoop`, which call functions.
    func functional(_ chance: inout Chance, _ seed: UInt64) {
        let inputs = vectors(&chance, ofKnownShape: true)
        let (x, y) = (inputs[0].node, inputs[1].node)
        let (a, b) = (Self.text(x), Self.text(y))
        if chance.once(in: 2) {
            let choice = predicate(&chance)
            let result = cond(choice, then: { [tanh(x) + y, y] }, else: { [x, x - y] })
            note(
                result[0].vertex,
                "cond(\(Self.text(choice)), then: { [tanh(\(a)) + \(b), \(b)] }, else: { [\(a), \(a) - \(b)] })[0].vertex"
            )
            add(result[0], .vector, seed)
            add(result[1], .vector, seed &+ 1)
        } else {
            let rounds = Int32(chance.below(4))
            let zero = constant(Tensor(Int32(0)))
            let result = whileLoop(
                [zero, x], while: { less($0[0], graph.constant(rounds)) }, do: { [$0[0] + 1, tanh($0[1]) - y] })
            note(
                result[0].vertex,
                "whileLoop([\(Self.text(zero)), \(a)], while: { less($0[0], g.constant(Int32(\(rounds)))) }, do: { [$0[0] + 1, tanh($0[1]) - \(b)] })[0].vertex"
            )
            add(result[1], .vector, seed)
        }
    }

    /// A call of a function that changes a Variable given by its handle, and yields what it read before or after.
    func call(_ chance: inout Chance, _ seed: UInt64) {
        let handles = states.indices.filter { states[$0].kind == .vector && !states[$0].isReference }
        guard let variable = choose(handles, chance.next(), { states[$0].key }) else { return loop(&chance, seed) }
        let x = vectors(&chance, ofKnownShape: true)[0]
        let (handle, name) = (states[variable].memory.vertex, "f\(graph.vertices.count)")
        let isLate = chance.once(in: 2)
        let body = Graph(function: name, seed: 1)
        let parameter = body.parameter(TensorSpec(.float32, [4]), name: "x")
        let twin = body.add(VarHandleOp.self, [], handle.attributes, exactName: handle.name).output(0)
        let read: Attributes = ["dtype": .type(.float32)]
        let old = body.add(ReadVariableOp.self, [twin], read)
        let write = body.add(AssignAddVariableOp.self, [twin, parameter], controls: [old])
        let new = body.add(ReadVariableOp.self, [twin], read, controls: [write])
        let product = body.add(Mul.self, [old.output(0), parameter], controls: [write])
        let sum = body.add(AddV2.self, [(isLate ? new : old).output(0), product.output(0)])
        let function = Function(
            name: name, graph: body, parameters: [parameter], results: [sum.output(0)], effects: [write])
        let vertex = emit(
            StatefulPartitionedCall.self, [x.node], ["f": .function(function), "Tout": .types([.float32])],
            controls: before(variable, isWrite: true))
        explain(
            vertex,
            """
            let \(name)_body = Graph(function: "\(name)", seed: 1)
            let \(name)_x = \(name)_body.parameter(TensorSpec(.float32, [4]), name: "x")
            let \(name)_v = \(name)_body.add(VarHandleOp.self, [], n\(handle.id).attributes, exactName: n\(handle.id).name).output(0)
            let \(name)_old = \(name)_body.add(ReadVariableOp.self, [\(name)_v], ["dtype": .type(.float32)])
            let \(name)_write = \(name)_body.add(AssignAddVariableOp.self, [\(name)_v, \(name)_x], controls: [\(name)_old])
            let \(name)_new = \(name)_body.add(ReadVariableOp.self, [\(name)_v], ["dtype": .type(.float32)], controls: [\(name)_write])
            let \(name)_product = \(name)_body.add(Mul.self, [\(name)_old.output(0), \(name)_x], controls: [\(name)_write])
            let \(name)_sum = \(name)_body.add(AddV2.self, [\(name)_\(isLate ? "new" : "old").output(0), \(name)_product.output(0)])
            let \(name) = Function(name: "\(name)", graph: \(name)_body, parameters: [\(name)_x], results: [\(name)_sum.output(0)], effects: [\(name)_write])
            """)
        wrote(variable, by: vertex)
        add(vertex.output(0), .vector, seed)
    }
}
