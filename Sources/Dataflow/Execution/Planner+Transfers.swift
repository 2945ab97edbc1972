/// What a plan does, in order.
enum PlanItem {
    case run(PlacedUnit)
    case transfer(Transfer)

    /// The vertex that it computes, the last of several, or whose value it moves.
    var vertex: Vertex {
        switch self {
        case .run(let placed): placed.unit.last
        case .transfer(let transfer): transfer.node.vertex
        }
    }

    /// The slots that it touches.
    var slots: [Slot] {
        switch self {
        case .run(let placed): Array(placed.operands.values) + made
        case .transfer(let transfer): [transfer.from, transfer.to]
        }
    }

    /// The slots that it needs memory for.
    var made: [Slot] {
        switch self {
        case .run(let placed): placed.outputs + placed.scratch
        case .transfer(let transfer): [transfer.to]
        }
    }
}

/// A unit and where its values are when it runs.
struct PlacedUnit {
    let unit: PlanUnit
    let place: Place
    let work: GPUWork?
    /// Of values that come from outside.
    var operands: [Node: Slot] = [:]
    var outputs: [Slot] = []
    var scratch: [Slot] = []
}

/// A value that goes from the host to an accelerator or back.
struct Transfer {
    let node: Node
    let from: Slot
    let to: Slot
}

extension Planner {
    /// A value as it is known at a place that is not its own.
    struct Moved: Hashable {
        let slot: Slot
        let place: Place
    }

    /// Gives every value a slot where it is made and where it is used; at the borders each goes over once.
    mutating func arrange(_ order: [Vertex], _ units: [PlanUnit]) throws -> [PlanItem] {
        var items: [PlanItem] = []
        for unit in units {
            let place = places[unit.last.id] ?? 0
            var placed = PlacedUnit(
                unit: unit, place: place,
                work: place == 0 ? nil : unit.vertices.count > 1 ? .elementwise : try work(unit.last))
            let written = unit.last.operation.writes.map { unit.last.inputs[$0] }
            for node in neededInputs(placed) {
                if unit.last.ignoresValues {
                    placed.operands[node] = slots[node]
                } else if unit.last.isInitializing, written.contains(node) {
                    placed.operands[node] = slotToFill(node, at: place)
                } else {
                    placed.operands[node] = locate(node, at: place, &items)
                }
            }
            for node in unit.outputs where slots[node] == nil {
                slots[node] = try newSlot(of: node, placed)
            }
            placed.outputs = unit.outputs.compactMap { slots[$0] }
            if case .program(let program)? = placed.work {
                placed.scratch = program.scratch.map {
                    newSlot(.arena(offset: 0), TensorSpec(.uint8, [$0]), at: place)
                }
            }
            items.append(.run(placed))
            for node in written {
                guard let variable = slots[node] else { continue }
                // A kernel of the CPU wrote what stands for a Variable that lies elsewhere.
                if let own = placed.operands[node], slotPlaces[own] != slotPlaces[variable] {
                    items.append(.transfer(Transfer(node: node, from: own, to: variable)))
                }
                moved = moved.filter { $0.key.slot != variable }
            }
            // A function that is called writes the Variables that it knows by name.
            let called = unit.last.variablesWrittenByCalls
            moved = moved.filter { copy, _ in
                guard case .variable(let buffer) = sources[copy.slot] else { return true }
                return !called.contains(buffer.name)
            }
        }
        for fetch in fetches { _ = locate(fetch, at: 0, &items) }
        return items
    }

    /// The memory that a unit's output is: a Variable's, an input's, or its own.
    ///
    /// Hazards: an output that is another view of a Variable is a copy if the Variable is written while it is needed
    /// (`ReadHazards`); a view of a value shares its slot, so that `Lifetimes` counts its readers too.
    private mutating func newSlot(of node: Node, _ placed: PlacedUnit) throws -> Slot {
        let vertex = node.vertex
        if vertex.operation.isVariable {
            let buffer = try variables.buffer(for: vertex)
            return newSlot(.variable(buffer), buffer.spec, at: buffer.place)
        }
        if isDynamic(vertex) {
            let slot = newSlot(.dynamic, spec(node))
            dynamicSlots.insert(slot)
            return slot
        }
        if let input = vertex.operation.aliases[node.output], hazards?.copies.contains(vertex.id) != true {
            // A written Variable stays where it is; another view is one of what lies here.
            let shared =
                vertex.operation.writes.isEmpty
                ? placed.operands[operands(vertex)[input]] : slots[vertex.inputs[input]]
            if let shared, !dynamicSlots.contains(shared) { return shared }
        }
        return newSlot(.arena(offset: 0), spec(node), at: placed.place)
    }

    /// The values from outside that a unit reads; of a read that is to see what was written, the Variable itself.
    private func neededInputs(_ placed: PlacedUnit) -> [Node] {
        var seen: Set<Node> = []
        let outside = Set(placed.unit.inputs)
        var result: [Node] = []
        for vertex in placed.unit.vertices {
            let operands = operands(vertex)
            for i in operands.indices where outside.contains(vertex.inputs[i]) {
                if case .program(let program)? = placed.work, !program.inputs.contains(i) { continue }
                // Another view is one of input 0, and so is what passes its input on within a unit.
                if placed.place != 0, i != 0, isView(vertex, placed) { continue }
                if seen.insert(operands[i]).inserted { result.append(operands[i]) }
            }
        }
        return result
    }

    private func isView(_ vertex: Vertex, _ placed: PlacedUnit) -> Bool {
        placed.work == nil
            || placed.unit.vertices.count > 1 && !(vertex.operation is any ElementwiseOperation.Type)
                && !(vertex.operation is any ElementwiseUpdate.Type)
    }

    /// Where a vertex finds its inputs: where they were made, or in the Variable of which they were read before it was written.
    func operands(_ vertex: Vertex) -> [Node] {
        guard let current = hazards?.current[vertex.id] else { return vertex.inputs }
        return vertex.inputs.enumerated().map { current[$0] ?? $1 }
    }

    /// Memory at a place for a Variable that is overwritten as a whole.
    private mutating func slotToFill(_ node: Node, at place: Place) -> Slot? {
        guard let home = slots[node], slotPlaces[home] != place else { return slots[node] }
        return newSlot(.arena(offset: 0), slotSpecs[home], at: place)
    }

    /// Where a value is at a place, moved there if it is not yet.
    ///
    /// Hazards: a copy of a Variable at another place is one of its time; `arrange` forgets it after a write.
    private mutating func locate(_ node: Node, at place: Place, _ items: inout [PlanItem]) -> Slot? {
        guard let home = slots[node] else { return nil }
        if slotPlaces[home] == place { return home }
        let key = Moved(slot: home, place: place)
        if let known = moved[key] { return known }
        let slot: Slot
        if case .constant = sources[home] {
            // It goes over once, when the plan is made.
            slot = newSlot(sources[home], slotSpecs[home], at: place)
        } else {
            // From one accelerator to another by way of the host.
            let from = slotPlaces[home] == 0 || place == 0 ? home : locate(node, at: 0, &items) ?? home
            slot = newSlot(.arena(offset: 0), slotSpecs[home], at: place)
            items.append(.transfer(Transfer(node: node, from: from, to: slot)))
        }
        moved[key] = slot
        return slot
    }

    /// Where the host finds a value at the end.
    func hostSlot(_ node: Node) -> Slot? {
        slots[node].flatMap { slotPlaces[$0] == 0 ? $0 : moved[Moved(slot: $0, place: 0)] }
    }
}
