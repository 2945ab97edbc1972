extension Planner {
    mutating func newSlot(_ source: Source, _ spec: TensorSpec, at place: Place = 0) -> Slot {
        sources.append(source)
        slotSpecs.append(spec)
        slotPlaces.append(place)
        return sources.count - 1
    }

    /// Gives every value of the plan a slot; values that are the same memory share one.
    mutating func assignSlots(_ order: [Vertex]) {
        for (node, spec) in feeds { slots[node] = newSlot(.feed, spec) }
        let used = Set(order.flatMap(\.inputs) + fetches)
        for node in used where feeds[node] == nil {
            if let value = constants[node] {
                slots[node] = newSlot(.constant(value), TensorSpec(value.dtype, value.shape))
            }
        }
    }

    /// Whether the memory of a vertex's outputs is found at run time.
    func isDynamic(_ vertex: Vertex) -> Bool {
        frameMembers.contains(vertex.id) || vertex.operation is any DynamicOperation.Type
            || vertex.outputs.indices.contains { output in
                // A variant is what its tensor owns, not what its bytes say.
                vertex.outputs[output].dtype == .variant || !spec(vertex.output(output)).shape.isFullyDefined
            }
    }

    /// Whether a vertex may share a kernel with others: all its memory is known before the run.
    func mayFuse(_ vertex: Vertex) -> Bool {
        !frameMembers.contains(vertex.id)
            && vertex.inputs.allSatisfy { feeds[$0] != nil || constants[$0] != nil || !isDynamic($0.vertex) }
    }

    /// Places values in the arenas, one for each place, by liveness.
    ///
    /// Hazards: those of `Lifetimes`. A fetched value lies outside of the arena, with all that are views of it.
    mutating func planMemory(_ items: [PlanItem]) throws -> [Place: Arena] {
        let lifetimes = Lifetimes(items, slots: sources.count) { frameMembers.contains($0.id) }
        for fetch in fetches {
            guard let slot = hostSlot(fetch), case .arena = sources[slot] else { continue }
            sources[slot] = .fetch
        }
        var arenas: [Place: Arena] = [:]
        var places: [Slot: (offset: Int, size: Int)] = [:]
        for (index, item) in items.enumerated() {
            for slot in item.made {
                guard case .arena = sources[slot], places[slot] == nil else { continue }
                let bytes = slotSpecs[slot].byteCount ?? 0
                let home = slotPlaces[slot]
                var arena = try arenas.removeValue(forKey: home) ?? Arena(alignment: alignment(home))
                let place =
                    reusableInput(item, index, slot, lifetimes, &places)
                    ?? arena.allocate(bytes, for: item.vertex, slotSpecs[slot])
                arenas[home] = arena
                places[slot] = place
                sources[slot] = .arena(offset: place.offset)
            }
            for slot in Set(item.slots) where lifetimes.mayReuse(slot, after: index) {
                guard let place = places.removeValue(forKey: slot) else { continue }
                arenas[slotPlaces[slot]]?.release(place)
                if slotPlaces[slot] == 0 { freed[index, default: []].append(place.offset..<place.offset + place.size) }
            }
        }
        let size = arenas[0]?.size ?? 0
        guard size <= options.memoryLimit else {
            throw GraphError(
                "the values that are alive at one time take \(size) bytes, the most at \(arenas[0]?.peak ?? ""), more than "
                    + "this machine has or the session may use (\(options.memoryLimit))")
        }
        return arenas
    }

    private func alignment(_ place: Place) throws -> Int {
        place == 0 ? 64 : try placement.devices.context(place).device.alignment
    }

    /// The place of an input that dies here and that an elementwise kernel of the CPU may overwrite.
    ///
    /// Hazards: write after read, also within the kernel: element by element, each is read before it is written. `Lifetimes`
    /// says that nobody else needs the input; only the plan's own memory is in `places`, no Variable, feed or fetch.
    private func reusableInput(
        _ item: PlanItem, _ index: Int, _ slot: Slot, _ lifetimes: Lifetimes,
        _ places: inout [Slot: (offset: Int, size: Int)]
    ) -> (offset: Int, size: Int)? {
        // With several outputs one would be written before another is computed from the input.
        guard case .run(let placed) = item, placed.place == 0, placed.unit.outputs.count == 1,
            let operation = placed.unit.last.operation as? any ElementwiseOperation.Type,
            operation.isElementwise(placed.unit.last.attributes)
        else { return nil }
        for input in placed.unit.inputs {
            guard let own = placed.operands[input], lifetimes.mayReuse(own, after: index),
                slotSpecs[own] == slotSpecs[slot],
                let place = places[own]
            else { continue }
            places[own] = nil
            return place
        }
        return nil
    }

    /// Variables that a step reads before any step of the plan has given them a value.
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
