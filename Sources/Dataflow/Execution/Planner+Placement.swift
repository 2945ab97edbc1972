extension Planner {
    /// Gives each vertex its device, in an order in which inputs come before what uses them.
    mutating func placeVertices(_ order: [Vertex]) throws {
        let standard = try placement.standard()
        guard standard != 0 || order.contains(where: { $0.device.kind == .gpu && !placement.isHostOnly }) else {
            return
        }
        /// Values that the program keeps on the host: placed there, Variables there, and what is computed from these.
        var staysOnHost: Set<Node> = []
        for vertex in order where !frameMembers.contains(vertex.id) {
            let device = try device(for: vertex, standard, &staysOnHost)
            if device != 0 { vertexDevices[vertex.id] = device }
        }
    }

    private func device(for vertex: Vertex, _ standard: DeviceID, _ staysOnHost: inout Set<Node>) throws -> DeviceID {
        let operation = vertex.operation
        let outputs = vertex.outputs.indices.map(vertex.output)
        // Fed and known values lie on the host. Such a vertex runs only for its control edges, or for its other
        // outputs.
        if operation == NoOp.self || outputs.contains(where: { feeds[$0] != nil || constants[$0] != nil }) { return 0 }
        if operation.isVariable {
            let buffer = try variables.buffer(for: vertex)
            if buffer.device == 0, !buffer.isBound { staysOnHost.formUnion(outputs) }
            return buffer.device
        }
        let explicit = try placement.asked(by: vertex)
        // A view has no memory on a device if its shape is known only at run time.
        if operation.aliases[0] == 0, operation.writes.isEmpty, isDynamic(vertex) { return 0 }
        if let first = operation.writes.first, let variable = vertex.inputs[first].variable {
            let device = try variables.buffer(for: variable).device
            if device == 0 {
                staysOnHost.formUnion(outputs)
                return 0
            }
            if try work(vertex) != nil { return device }
            // The CPU updates a copy: the Variable is copied to the host and back.
            return 0
        }
        let passes = operation.aliases[0] == 0 && operation.writes.isEmpty
        // A handle stands for memory that does not move, whatever device the program asks for.
        let isHandle = passes && outputs[0].variable != nil
        if passes, explicit == nil || isHandle {
            if staysOnHost.contains(vertex.inputs[0]) { staysOnHost.formUnion(outputs) }
            return homeDevice(vertex.inputs[0])
        }
        if let explicit {
            if explicit == 0 {
                staysOnHost.formUnion(outputs)
                return 0
            }
            if passes {
                return isInteger(vertex) || isMadeInRun(vertex.inputs[0]) ? homeDevice(vertex.inputs[0]) : explicit
            }
            if try work(vertex) != nil { return explicit }
            if isPinnedToHost(vertex) { return 0 }
            return try placement.fallBack(vertex, from: explicit, because: reasonForCPU(vertex))
        }
        let inputs = vertex.inputs.filter { feeds[$0] == nil && constants[$0] == nil }
        let accelerated = inputs.lazy.map(homeDevice).first { $0 != 0 }
        let device = accelerated ?? (inputs.contains(where: staysOnHost.contains) ? 0 : standard)
        guard device != 0 else {
            if inputs.contains(where: staysOnHost.contains) { staysOnHost.formUnion(outputs) }
            return 0
        }
        // Arithmetic over integers runs on a GPU only if its inputs are there already.
        if accelerated == nil, isInteger(vertex) { return 0 }
        return try work(vertex) == nil ? 0 : device
    }

    /// The device on which a value is made.
    func homeDevice(_ node: Node) -> DeviceID {
        feeds[node] != nil || constants[node] != nil ? 0 : vertexDevices[node.vertex.id] ?? 0
    }

    /// Whether a value's memory is allocated at run time. Such values lie on the host.
    private func isMadeInRun(_ node: Node) -> Bool {
        feeds[node] == nil && constants[node] == nil && isDynamic(node.vertex)
    }

    private func isInteger(_ vertex: Vertex) -> Bool {
        (vertex.inputs + vertex.outputs.indices.map(vertex.output)).allSatisfy { !spec($0).dtype.isFloating }
    }

    /// Whether a vertex stays on the host even if the program asks for a GPU: arithmetic over indices and shapes, as in
    /// TensorFlow, and operations that call functions, print, or keep values.
    private func isPinnedToHost(_ vertex: Vertex) -> Bool {
        isInteger(vertex) || vertex.operation is any ValueOperation.Type
            || vertex.operation is any DynamicOperation.Type
    }

    private func reasonForCPU(_ vertex: Vertex) -> String {
        let specs = (vertex.inputs + vertex.outputs.indices.map(vertex.output)).map { spec($0) }
        let name = vertex.operation.name
        if isDynamic(vertex) || specs.contains(where: { !$0.shape.isFullyDefined }) {
            return "\(name) here has shapes that are known only at run time"
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

    /// What a GPU does for a vertex; nil if the CPU runs it.
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
            // If this throws, the CPU's kernel throws too, with the message for the user.
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
    /// Commands over the vertex's inputs and outputs.
    case program(GPUProgram)
    /// The kernel of its expression, alone or fused with others.
    case elementwise
}

extension Placement {
    /// The device for a Variable's memory: the one that the program asks for, else the standard one. If a vertex that
    /// writes the Variable or keeps its handle cannot run there, it is the host.
    /// - Parameter decided: the vertices that depend on control flow.
    func device(
        ofVariable vertex: Vertex, dtype: DType, consumers: [Vertex], decided: Set<Int>
    ) throws -> DeviceID {
        let explicit = try asked(by: vertex)
        let wanted = try explicit ?? standard()
        guard wanted != 0, dtype.isFloating || dtype == .bool || explicit != nil else { return 0 }
        // As in TensorFlow, int32 stays on the host.
        if dtype == .int32 || dtype.gpuName == nil { return 0 }
        let obstacle = consumers.first { consumer in
            let operation = consumer.operation
            // It reads a copy of the value.
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
