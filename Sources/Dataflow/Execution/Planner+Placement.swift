extension Planner {
    /// Decides where each vertex runs, inputs before what uses them.
    mutating func place(_ order: [Vertex]) throws {
        let standard = try placement.standard()
        guard standard != 0 || order.contains(where: { $0.device.kind == .gpu && !placement.isHostOnly }) else {
            return
        }
        /// Values on the host by choice: explicitly placed there, Variables there, and what was computed where they are.
        var staysOnHost: Set<Node> = []
        for vertex in order where !frameMembers.contains(vertex.id) {
            let place = try place(vertex, standard, &staysOnHost)
            if place != 0 { places[vertex.id] = place }
        }
    }

    private func place(_ vertex: Vertex, _ standard: Place, _ staysOnHost: inout Set<Node>) throws -> Place {
        let operation = vertex.operation
        let outputs = vertex.outputs.indices.map(vertex.output)
        // What is given is on the host: such a vertex runs for what waits for it, or for its other outputs.
        if operation == NoOp.self || outputs.contains(where: { feeds[$0] != nil || constants[$0] != nil }) { return 0 }
        if operation.isVariable {
            let buffer = try variables.buffer(for: vertex)
            if buffer.place == 0, !buffer.isBound { staysOnHost.formUnion(outputs) }
            return buffer.place
        }
        let explicit = try placement.asked(by: vertex)
        // A device has no memory for a view whose shape only the run tells.
        if operation.aliases[0] == 0, operation.writes.isEmpty, isDynamic(vertex) { return 0 }
        if let first = operation.writes.first, let variable = vertex.inputs[first].variable {
            let place = try variables.buffer(for: variable).place
            if place == 0 {
                staysOnHost.formUnion(outputs)
                return 0
            }
            if try work(vertex) != nil { return place }
            // The Variable goes to the host and back.
            return 0
        }
        let passes = operation.aliases[0] == 0 && operation.writes.isEmpty
        // A handle that is passed on stands for memory that stays where it is, whatever device was asked for.
        let isHandle = passes && outputs[0].variable != nil
        if passes, explicit == nil || isHandle {
            if staysOnHost.contains(vertex.inputs[0]) { staysOnHost.formUnion(outputs) }
            return homePlace(vertex.inputs[0])
        }
        if let explicit {
            if explicit == 0 {
                staysOnHost.formUnion(outputs)
                return 0
            }
            if passes {
                return isInteger(vertex) || isMadeInRun(vertex.inputs[0]) ? homePlace(vertex.inputs[0]) : explicit
            }
            if try work(vertex) != nil { return explicit }
            if isPinnedToHost(vertex) { return 0 }
            return try placement.fallBack(vertex, from: explicit, because: reasonForCPU(vertex))
        }
        let inputs = vertex.inputs.filter { feeds[$0] == nil && constants[$0] == nil }
        let accelerated = inputs.lazy.map(homePlace).first { $0 != 0 }
        let place = accelerated ?? (inputs.contains(where: staysOnHost.contains) ? 0 : standard)
        guard place != 0 else {
            if inputs.contains(where: staysOnHost.contains) { staysOnHost.formUnion(outputs) }
            return 0
        }
        // What only counts and compares integers follows others to a GPU, but does not begin there.
        if accelerated == nil, isInteger(vertex) { return 0 }
        return try work(vertex) == nil ? 0 : place
    }

    /// Where a value lies when it is made.
    func homePlace(_ node: Node) -> Place {
        feeds[node] != nil || constants[node] != nil ? 0 : places[node.vertex.id] ?? 0
    }

    /// Whether a value's memory is found only when the run has come to it; it is on the host.
    private func isMadeInRun(_ node: Node) -> Bool {
        feeds[node] == nil && constants[node] == nil && isDynamic(node.vertex)
    }

    private func isInteger(_ vertex: Vertex) -> Bool {
        (vertex.inputs + vertex.outputs.indices.map(vertex.output)).allSatisfy { !spec($0).dtype.isFloating }
    }

    /// What is kept on the host even if a GPU is asked for: arithmetic over indices and shapes, as in TensorFlow, and what
    /// calls, prints, or keeps values.
    private func isPinnedToHost(_ vertex: Vertex) -> Bool {
        isInteger(vertex) || vertex.operation is any ValueOperation.Type
            || vertex.operation is any DynamicOperation.Type
    }

    private func reasonForCPU(_ vertex: Vertex) -> String {
        let specs = (vertex.inputs + vertex.outputs.indices.map(vertex.output)).map { spec($0) }
        let name = vertex.operation.name
        if isDynamic(vertex) || specs.contains(where: { !$0.shape.isFullyDefined }) {
            return "\(name) here has shapes that only the run tells"
        }
        let isKnown =
            vertex.operation is any GPUOperation.Type || vertex.operation is any ElementwiseOperation.Type
            || vertex.operation is any ElementwiseUpdate.Type
        if isKnown {
            return
                "\(name) has no kernel for GPUs for \(Set(specs.map(\.dtype.rawValue)).sorted().joined(separator: ", ")) here"
        }
        return "\(name) has no kernel for GPUs"
    }

    /// What a GPU does for a vertex; nil if it is left to the CPU.
    func work(_ vertex: Vertex) throws -> GPUWork? {
        let outputs = vertex.outputs.indices.map { spec(vertex.output($0)) }
        let inputs = vertex.inputs.map { spec($0) }
        let specs = inputs + outputs
        guard !isDynamic(vertex), specs.allSatisfy({ ($0.shape.elementCount ?? .max) < 1 << 31 }),
            !vertex.inputs.contains(where: isMadeInRun),
            // int32 is for shapes and stays on the host, as in TensorFlow.
            !(outputs.contains { $0.dtype == .int32 } && !specs.contains { $0.dtype.isFloating })
        else { return nil }
        if let operation = vertex.operation as? any GPUOperation.Type {
            let binding = KernelBinding(
                name: vertex.name, attributes: vertex.attributes, inputs: inputs, outputs: outputs,
                constants: vertex.inputs.map { constants[$0] }, inputSlots: [], outputSlots: [],
                threads: options.threads, precision: options.matrixPrecision, random: random)
            // What is wrong with it the kernel for the CPU will say.
            if let program = try? operation.gpu(binding) { return .program(program) }
        }
        switch vertex.operation {
        case let operation as any ElementwiseOperation.Type where operation.isElementwise(vertex.attributes): break
        case is any ElementwiseUpdate.Type: break
        default: return nil
        }
        let fused = try FusedProgram(
            PlanUnit(vertex), slots: { Array($0.inputs.indices) }, output: { vertex.inputs.count + $0.output },
            spec: { spec($0) })
        return try fused.gpu() == nil ? nil : .elementwise
    }
}

/// What a GPU does for a vertex.
enum GPUWork {
    /// In terms of the vertex's inputs and outputs.
    case program(GPUProgram)
    /// What its expression says, alone or together with others.
    case elementwise
}

extension Placement {
    /// Where a Variable's memory is to be: where it was asked to be, else on the standard device, if whatever writes it or
    /// holds on to it can be there too.
    /// - Parameter decided: the vertices that run by control flow.
    func place(
        ofVariable vertex: Vertex, dtype: DType, consumers: [Vertex], decided: Set<Int>
    ) throws -> Place {
        let explicit = try asked(by: vertex)
        let wanted = try explicit ?? standard()
        guard wanted != 0, dtype.isFloating || dtype == .bool || explicit != nil else { return 0 }
        // As in TensorFlow, int32 is kept on the host.
        if dtype == .int32 || dtype.gpuName == nil { return 0 }
        let obstacle = consumers.first { consumer in
            let operation = consumer.operation
            // Reads a copy of the value.
            if operation is any StringOperation.Type { return false }
            if operation is any ControlFlowOperation.Type || operation is any ValueOperation.Type
                || operation is any DynamicOperation.Type
            {
                return true
            }
            if operation.writes.isEmpty { return false }
            return decided.contains(consumer.id)
                || !(operation is any ElementwiseUpdate.Type) && !(operation is any GPUOperation.Type)
        }
        guard let obstacle else { return wanted }
        if explicit == nil { return 0 }
        return try fallBack(
            vertex, from: wanted,
            because: "\(obstacle.operation.name) '\(obstacle.name)', which uses it, runs on the CPU only here")
    }
}
