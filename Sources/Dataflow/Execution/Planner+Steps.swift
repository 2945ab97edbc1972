extension Planner {
    mutating func step(_ item: PlanItem) throws -> Plan.Step? {
        switch item {
        case .transfer(let transfer): return .bound(try kernel(transfer), initializes: nil)
        case .run(let placed):
            let last = placed.unit.last
            if frameMembers.contains(last.id) { return nil }
            do {
                if placed.device != 0 { return try acceleratedStep(placed) }
                guard placed.unit.vertices.count > 1 else { return try step(placed) }
                if let product = ProductUpdate(last, spec: { spec($0) }), product.product === placed.unit.vertices[0] {
                    let kernel = try product.kernel(inputs: { inputSlots($0, placed) }, spec: { spec($0) })
                    return .bound(kernel, initializes: nil)
                }
                return .bound(try fused(placed).kernel(threads: options.threads, scratch), initializes: nil)
            } catch let error as GraphError {
                throw error.at(last)
            }
        }
    }

    private func fused(_ placed: PlacedUnit) throws -> FusedProgram {
        try FusedProgram(
            placed.unit, slots: { inputSlots($0, placed) },
            output: { node in
                guard let slot = slots[node] else { throw GraphError("\(node.name) has no memory") }
                return slot
            }, spec: { spec($0) })
    }

    /// The slots of the inputs of a vertex; nil for a value made within the same unit, which has no memory.
    private func inputSlots(_ vertex: Vertex, _ placed: PlacedUnit) -> [Slot?] {
        operands(vertex).map { placed.operands[$0] }
    }

    private func kernel(_ transfer: Transfer) throws -> Kernel {
        let (from, to) = (transfer.from, transfer.to)
        let bytes = slotSpecs[to].byteCount ?? 0
        if slotDevices[to] == 0 {
            let queue = try placement.devices.context(slotDevices[from]).queue
            return { memory in try queue.download(memory.raw(from), to: memory.raw(to), bytes: bytes) }
        }
        let queue = try placement.devices.context(slotDevices[to]).queue
        return { memory in try queue.upload(memory.raw(from), to: memory.raw(to), bytes: bytes) }
    }

    /// The step of a unit on an accelerator.
    private func acceleratedStep(_ placed: PlacedUnit) throws -> Plan.Step? {
        let vertex = placed.unit.last
        if vertex.operation.isVariable { return nil }
        let context = try placement.devices.context(placed.device)
        let initializes = try assignedVariable(vertex)
        switch placed.work {
        case .program(let program):
            let inputs = inputSlots(vertex, placed)
            let kernel = try context.kernel(program) { operand in
                switch operand {
                case .input(let i): inputs[i]!
                case .output(let i): placed.outputs[i]
                case .scratch(let i): placed.scratch[i]
                }
            }
            return .bound(kernel, initializes: initializes)
        case .elementwise:
            guard let program = try fused(placed).gpu() else {
                throw GraphError("it has no kernel for these dtypes on \(context.device.name)")
            }
            let kernel = try context.kernel(program) { operand in
                switch operand {
                case .input(let slot), .output(let slot), .scratch(let slot): slot
                }
            }
            return .bound(kernel, initializes: initializes)
        case nil:
            // A view of its input. If it has memory of its own, it had to become a copy.
            guard let from = inputSlots(vertex, placed)[0], from != placed.outputs[0] else { return nil }
            let bytes = slotSpecs[from].byteCount ?? 0
            let program = GPUProgram(.copy(from: .input(from), to: .output(placed.outputs[0]), bytes: bytes))
            let kernel = try context.kernel(program) { operand in
                switch operand {
                case .input(let slot), .output(let slot), .scratch(let slot): slot
                }
            }
            return .bound(kernel, initializes: nil)
        }
    }

    /// The label of a step in profiles and in the plan's description.
    func label(_ item: PlanItem) -> StepLabel {
        switch item {
        case .transfer(let transfer):
            let spec = slotSpecs[transfer.to]
            return StepLabel(
                kind: .transfer(transfer.node, from: slotDevices[transfer.from], to: slotDevices[transfer.to]),
                bytes: spec.byteCount ?? 0, outputs: [(spec, transfer.to)])
        case .run(let placed):
            let unit = placed.unit
            return StepLabel(
                kind: .run(unit.vertices, device: placed.device),
                bytes: (unit.inputs + unit.outputs).reduce(0) { $0 + (spec($1).byteCount ?? 0) },
                outputs: unit.outputs.compactMap { node in slots[node].map { (spec(node), $0) } })
        }
    }

    private mutating func step(_ placed: PlacedUnit) throws -> Plan.Step? {
        let vertex = placed.unit.last
        if vertex.operation.isVariable || vertex.operation == NoOp.self { return nil }
        let outputs = vertex.outputs.indices.map(vertex.output)
        if !outputs.isEmpty, outputs.allSatisfy({ feeds[$0] != nil || constants[$0] != nil }) { return nil }
        let inputSlots = try zip(vertex.inputs, inputSlots(vertex, placed)).map { input, slot in
            guard let slot else { throw GraphError("\(input.name) has no memory") }
            return slot
        }
        let outputSlots = outputs.map { node -> Slot in
            // The vertex runs for its other outputs. A fed output goes to memory that nobody reads.
            if let slot = slots[node], feeds[node] == nil { return slot }
            let slot = newSlot(.dynamic, spec(node))
            dynamicSlots.insert(slot)
            return slot
        }
        let isDynamic =
            vertex.operation is any DynamicOperation.Type || vertex.operation is any ValueOperation.Type
            || (inputSlots + outputSlots).contains { slot in dynamicSlots.contains(slot) }
            || outputs.contains { !spec($0).shape.isFullyDefined }
        if isDynamic {
            let views = zip(vertex.inputs, inputSlots).map { Plan.View(slot: $1, shape: spec($0).shape) }
            return .dynamic(vertex, inputs: views, outputs: outputSlots, initializes: try assignedVariable(vertex))
        }
        var binding = KernelBinding(
            name: vertex.name, attributes: vertex.attributes, inputs: vertex.inputs.map(spec),
            outputs: outputs.map(spec), constants: vertex.inputs.map { constants[$0] }, inputSlots: inputSlots,
            outputSlots: outputSlots, threads: options.threads, precision: options.matrixPrecision, random: random,
            scratch: scratch)
        binding.variable = try vertex.inputs.first?.variable.map { try variables.buffer(for: $0) }
        // A view is its input's memory already, unless it had to become a copy.
        if vertex.operation.aliases[0] == 0, vertex.operation.writes.isEmpty {
            return inputSlots[0] == outputSlots[0] ? nil : .bound(Copy.kernel(binding), initializes: nil)
        }
        return .bound(try vertex.operation.kernel(binding), initializes: try assignedVariable(vertex))
    }

    /// The Variable that a vertex gives a first value.
    func assignedVariable(_ vertex: Vertex) throws -> VariableBuffer? {
        guard vertex.isInitializing else { return nil }
        return try vertex.inputs[0].variable.map { try variables.buffer(for: $0) }
    }

    /// The Variables whose values a vertex reads.
    func readVariables(_ vertex: Vertex) throws -> [VariableBuffer] {
        try vertex.inputs.filter(vertex.readsValue).compactMap { input in
            try input.variable.map { try variables.buffer(for: $0) }
        }
    }
}

extension Vertex {
    /// Whether the vertex gives a Variable (input 0) its first value.
    var isInitializing: Bool { operation == Assign.self || operation == AssignVariableOp.self }

    /// Whether the vertex reads only a Variable's state or shape.
    var ignoresValues: Bool {
        operation == IsVariableInitialized.self || operation == VarIsInitializedOp.self
            || operation == VariableShape.self
    }

    /// Whether an input that is a Variable must have a value.
    func readsValue(of input: Node) -> Bool {
        !ignoresValues && !(operation is any ControlFlowOperation.Type)
            && !(isInitializing && input == inputs.first)
    }
}

/// Copies the bytes of input 0 to output 0.
enum Copy {
    static func kernel(_ binding: KernelBinding) -> Kernel {
        let (from, to, bytes) = (binding.input(0), binding.output(), binding.count(0) * binding.inputs[0].dtype.size)
        return { memory in
            if bytes > 0 { memory.raw(to).copyMemory(from: memory.raw(from), byteCount: bytes) }
        }
    }
}
