extension Planner {
    mutating func newSlot(_ source: Source, _ spec: TensorSpec, on device: DeviceID = 0) -> Slot {
        sources.append(source)
        slotSpecs.append(spec)
        slotDevices.append(device)
        return sources.count - 1
    }

    /// Gives feeds and known values their slots. The other values get theirs in `arrange`.
    mutating func assignSlots(_ order: [Vertex]) {
        for (node, spec) in feeds { slots[node] = newSlot(.feed, spec) }
        let used = Set(order.flatMap(\.inputs) + fetches)
        for node in used where feeds[node] == nil {
            if let value = constants[node] {
                slots[node] = newSlot(.constant(value), TensorSpec(value.dtype, value.shape))
            }
        }
    }

    /// Whether the memory of a vertex's outputs is allocated at run time.
    func isDynamic(_ vertex: Vertex) -> Bool {
        frameMembers.contains(vertex.id) || vertex.operation is any DynamicOperation.Type
            || vertex.outputs.indices.contains { output in
                // A variant's value is an object that its tensor owns, not bytes that could be copied.
                vertex.outputs[output].dtype == .variant || !spec(vertex.output(output)).shape.isFullyDefined
            }
    }

    /// Whether a vertex may share a kernel with others: its memory is known before the run.
    func mayFuse(_ vertex: Vertex) -> Bool {
        !frameMembers.contains(vertex.id)
            && vertex.inputs.allSatisfy { feeds[$0] != nil || constants[$0] != nil || !isDynamic($0.vertex) }
    }

    /// Gives values memory in the arenas, one a device, by liveness.
    ///
    /// Hazards: those of `Lifetimes`. A fetched value, with all views of it, has memory outside the arena.
    mutating func planMemory(_ items: [PlanItem]) throws -> [DeviceID: Arena] {
        let lifetimes = Lifetimes(items, slots: sources.count) { frameMembers.contains($0.id) }
        for fetch in fetches {
            guard let slot = hostSlot(fetch), case .arena = sources[slot] else { continue }
            sources[slot] = .fetch
        }
        var arenas: [DeviceID: Arena] = [:]
        var blocks: [Slot: (offset: Int, size: Int)] = [:]
        for (index, item) in items.enumerated() {
            for slot in item.made {
                guard case .arena = sources[slot], blocks[slot] == nil else { continue }
                let bytes = slotSpecs[slot].byteCount ?? 0
                let home = slotDevices[slot]
                var arena = try arenas.removeValue(forKey: home) ?? Arena(alignment: alignment(home))
                let block =
                    reusableInput(item, index, slot, lifetimes, &blocks)
                    ?? arena.allocate(bytes, for: item.vertex, slotSpecs[slot])
                arenas[home] = arena
                blocks[slot] = block
                sources[slot] = .arena(offset: block.offset)
            }
            for slot in Set(item.slots) where lifetimes.mayReuse(slot, after: index) {
                guard let block = blocks.removeValue(forKey: slot) else { continue }
                arenas[slotDevices[slot]]?.release(block)
                if slotDevices[slot] == 0 { freed[index, default: []].append(block.offset..<block.offset + block.size) }
            }
        }
        let size = arenas[0]?.size ?? 0
        guard size <= options.memoryLimit else {
            throw GraphError(
                "the values of a run take \(size) bytes at one time, the most at \(arenas[0]?.peak ?? ""); this machine has, "
                    + "or the session may use, \(options.memoryLimit)")
        }
        return arenas
    }

    private func alignment(_ device: DeviceID) throws -> Int {
        device == 0 ? 64 : try placement.devices.context(device).device.alignment
    }

    /// The block of an input that nobody needs after this item, and that an elementwise kernel of the CPU may
    /// overwrite.
    ///
    /// Hazards: write after read. The kernel reads each element before it writes it. `Lifetimes` says that no other
    /// item needs the input. `blocks` holds the plan's own memory alone, no Variable, feed or fetch.
    private func reusableInput(
        _ item: PlanItem, _ index: Int, _ slot: Slot, _ lifetimes: Lifetimes,
        _ blocks: inout [Slot: (offset: Int, size: Int)]
    ) -> (offset: Int, size: Int)? {
        // A kernel of several outputs would write one before it computes another from the same input.
        guard case .run(let placed) = item, placed.device == 0, placed.unit.outputs.count == 1,
            let operation = placed.unit.last.operation as? any ElementwiseOperation.Type,
            operation.isElementwise(placed.unit.last.attributes)
        else { return nil }
        for input in placed.unit.inputs {
            guard let own = placed.operands[input], lifetimes.mayReuse(own, after: index),
                slotSpecs[own] == slotSpecs[slot],
                let block = blocks[own]
            else { continue }
            blocks[own] = nil
            return block
        }
        return nil
    }

    /// The Variables that the plan reads before one of its steps gives them a value.
    func uninitializedReads(_ order: [Vertex]) throws -> [VariableBuffer] {
        var assigned: Set<String> = []
        var reads: [VariableBuffer] = []
        for vertex in order where !frameMembers.contains(vertex.id) {
            reads += try readVariables(vertex).filter { !assigned.contains($0.name) }
            if let given = try assignedVariable(vertex) { assigned.insert(given.name) }
            assigned.formUnion(vertex.variablesWrittenByCalls)
        }
        for fetch in fetches where fetch.vertex.operation.isVariable && !assigned.contains(fetch.vertex.name) {
            reads.append(try variables.buffer(for: fetch.vertex))
        }
        return reads
    }
}
