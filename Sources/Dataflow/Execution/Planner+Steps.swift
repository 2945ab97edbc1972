extension Planner {
    mutating func step(_ unit: PlanUnit) throws -> Plan.Step? {
        guard unit.vertices.count > 1 else { return try step(unit.last) }
        do {
            let kernel = try unit.kernel(
                inputs: { inputSlots($0) },
                output: { node in
                    guard let slot = slots[node] else { throw GraphError("\(node.name) has no memory") }
                    return slot
                }, spec: { spec($0) }, threads: options.threads)
            return .bound(kernel, initializes: nil)
        } catch let error as GraphError {
            throw error.at("\(unit.last.operation.name) '\(unit.last.name)'", unit.last.location)
        }
    }

    /// Where the inputs of a vertex are; of a read that is to see what was written, the Variable itself. nil for what is made
    /// within the same unit, which has no memory.
    func inputSlots(_ vertex: Vertex) -> [Slot?] {
        let live = liveReads[vertex.id] ?? []
        return vertex.inputs.map { input in slots[live.contains(input.vertex.id) ? input.vertex.inputs[0] : input] }
    }

    /// The memory that a unit reads or writes.
    func touchedSlots(_ unit: PlanUnit) -> Set<Slot> {
        let read: [Slot?] = unit.vertices.flatMap { inputSlots($0) }
        let written: [Slot?] = unit.outputs.map { slots[$0] }
        return Set((read + written).compactMap { $0 })
    }

    /// What a step is called in profiles and in the plan's description.
    func label(_ unit: PlanUnit) throws -> PlanDescription.Step {
        let device = try placement.device(for: unit.last)
        let specs = (unit.inputs + unit.outputs).map { spec($0) }
        return PlanDescription.Step(
            name: unit.last.name, operation: unit.vertices.map { $0.operation.name }.joined(separator: "+"),
            device: "\(device.name)",
            bytes: specs.reduce(0) { $0 + ($1.shape.elementCount ?? 0) * $1.dtype.size },
            outputs: unit.outputs.compactMap { node in slots[node].map { "\(spec(node)) \(place($0))" } })
    }

    func place(_ slot: Slot) -> String {
        switch sources[slot] {
        case .constant: "known"
        case .feed: "fed"
        case .variable(let buffer): "in '\(buffer.name)'"
        case .arena(let offset): "at \(offset)"
        case .fetch: "fetched"
        case .dynamic: "placed at run time"
        }
    }

    mutating func step(_ vertex: Vertex) throws -> Plan.Step? {
        if vertex.operation.isVariable || vertex.operation == NoOp.self { return nil }
        let outputs = vertex.outputs.indices.map(vertex.output)
        if !outputs.isEmpty, outputs.allSatisfy({ feeds[$0] != nil || constants[$0] != nil }) { return nil }
        let inputSlots = try zip(vertex.inputs, inputSlots(vertex)).map { input, slot in
            guard let slot else { throw GraphError("\(input.name) has no memory") }
            return slot
        }
        let outputSlots = outputs.map { node -> Slot in
            // A fed output of a vertex that runs for its others is computed aside.
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
        do {
            var binding = KernelBinding(
                name: vertex.name, attributes: vertex.attributes, inputs: vertex.inputs.map(spec),
                outputs: outputs.map(spec), constants: vertex.inputs.map { constants[$0] }, inputSlots: inputSlots,
                outputSlots: outputSlots, threads: options.threads, precision: options.matrixPrecision, random: random)
            binding.variable = try vertex.inputs.first?.variable.map { try variables.buffer(for: $0) }
            // An alias is its input's memory already, unless it had to become a copy.
            if vertex.operation.aliases[0] == 0, vertex.operation.writes.isEmpty {
                return inputSlots[0] == outputSlots[0] ? nil : .bound(Copy.kernel(binding), initializes: nil)
            }
            return .bound(try vertex.operation.kernel(binding), initializes: try assignedVariable(vertex))
        } catch let error as GraphError {
            throw error.at("\(vertex.operation.name) '\(vertex.name)'", vertex.location)
        }
    }

    /// The Variable that a vertex gives a first value.
    func assignedVariable(_ vertex: Vertex) throws -> VariableBuffer? {
        guard vertex.operation == Assign.self || vertex.operation == AssignVariableOp.self else { return nil }
        return try vertex.inputs[0].variable.map { try variables.buffer(for: $0) }
    }

    /// The Variables whose values a vertex needs.
    func readVariables(_ vertex: Vertex) throws -> [VariableBuffer] {
        let operation = vertex.operation
        if operation is any ControlFlowOperation.Type || operation == IsVariableInitialized.self
            || operation == VarIsInitializedOp.self || operation == VariableShape.self
        {
            return []
        }
        let isAssign = operation == Assign.self || operation == AssignVariableOp.self
        return try vertex.inputs.dropFirst(isAssign ? 1 : 0).compactMap { input in
            try input.variable.map { try variables.buffer(for: $0) }
        }
    }
}

/// Copies the bytes of input 0 to output 0.
enum Copy {
    static func kernel(_ binding: KernelBinding) -> Kernel {
        let (from, to, bytes) = (binding.input(0), binding.output(), binding.count(0) * binding.inputs[0].dtype.size)
        return { frame in
            if bytes > 0 { frame.raw(to).copyMemory(from: frame.raw(from), byteCount: bytes) }
        }
    }
}
