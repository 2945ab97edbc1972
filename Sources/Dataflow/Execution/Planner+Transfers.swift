/// One item of the work of a plan.
enum PlanItem {
    case run(PlacedUnit)
    case transfer(Transfer)

    /// The vertex that it computes (the last of several) or whose value it moves.
    var vertex: Vertex {
        switch self {
        case .run(let placed): placed.unit.last
        case .transfer(let transfer): transfer.node.vertex
        }
    }

    /// The slots that it reads or writes.
    var slots: [Slot] {
        switch self {
        case .run(let placed): Array(placed.operands.values) + made
        case .transfer(let transfer): [transfer.from, transfer.to]
        }
    }

    /// The slots that it gives a value.
    var made: [Slot] {
        switch self {
        case .run(let placed): placed.outputs + placed.scratch
        case .transfer(let transfer): [transfer.to]
        }
    }
}

/// A unit, its device, and the slots of its values.
struct PlacedUnit {
    let unit: PlanUnit
    let device: DeviceID
    let work: GPUWork?
    /// The slots of the values that the unit takes from outside.
    var operands: [Node: Slot] = [:]
    var outputs: [Slot] = []
    var scratch: [Slot] = []
}

/// A copy of a value from the host to an accelerator, or back.
struct Transfer {
    let node: Node
    let from: Slot
    let to: Slot
}

extension Planner {
    /// A value that lies in a slot of another device, and the device that it is copied to.
    struct Moved: Hashable {
        let slot: Slot
        let device: DeviceID
    }

    /// Gives every value a slot on the device that makes it, and one on each other device that uses it. It is copied
    /// there once.
    mutating func arrange(_ order: [Vertex], _ units: [PlanUnit]) throws -> [PlanItem] {
        var items: [PlanItem] = []
        for unit in units {
            let device = vertexDevices[unit.last.id] ?? 0
            var placed = PlacedUnit(
                unit: unit, device: device,
                work: device == 0 ? nil : unit.vertices.count > 1 ? .elementwise : try work(unit.last))
            let written = unit.last.operation.writes.map { unit.last.inputs[$0] }
            for node in neededInputs(placed) {
                if unit.last.ignoresValues {
                    placed.operands[node] = slots[node]
                } else if unit.last.isInitializing, written.contains(node) {
                    placed.operands[node] = slotToFill(node, on: device)
                } else {
                    placed.operands[node] = locate(node, on: device, &items)
                }
            }
            for node in unit.outputs where slots[node] == nil {
                slots[node] = try newSlot(of: node, placed)
            }
            placed.outputs = unit.outputs.compactMap { slots[$0] }
            if case .program(let program)? = placed.work {
                placed.scratch = program.scratch.map {
                    newSlot(.arena(offset: 0), TensorSpec(.uint8, [$0]), on: device)
                }
            }
            items.append(.run(placed))
            for node in written {
                guard let variable = slots[node] else { continue }
                // The kernel wrote a copy of a Variable that lies on another device.
                if let own = placed.operands[node], slotDevices[own] != slotDevices[variable] {
                    items.append(.transfer(Transfer(node: node, from: own, to: variable)))
                }
                moved = moved.filter { $0.key.slot != variable }
            }
            // A function that the unit calls may write Variables by their names.
            let called = unit.last.variablesWrittenByCalls
            moved = moved.filter { copy, _ in
                guard case .variable(let buffer) = sources[copy.slot] else { return true }
                return !called.contains(buffer.name)
            }
        }
        for fetch in fetches { _ = locate(fetch, on: 0, &items) }
        return items
    }

    /// The slot of a unit's output: a Variable's, an input's, or a new one.
    ///
    /// Hazards: an output that is a view of a Variable becomes a copy if the Variable is written while the view is
    /// needed (`ReadHazards`). A view of another value shares its slot, so that `Lifetimes` counts the view's readers
    /// too.
    private mutating func newSlot(of node: Node, _ placed: PlacedUnit) throws -> Slot {
        let vertex = node.vertex
        if vertex.operation.isVariable {
            let buffer = try variables.buffer(for: vertex)
            return newSlot(.variable(buffer), buffer.spec, on: buffer.device)
        }
        if isDynamic(vertex) {
            let slot = newSlot(.dynamic, spec(node))
            dynamicSlots.insert(slot)
            return slot
        }
        if let input = vertex.operation.aliases[node.output], hazards?.copies.contains(vertex.id) != true {
            // A write returns the Variable itself. Any other view is of the copy on this device.
            let shared =
                vertex.operation.writes.isEmpty
                ? placed.operands[operands(vertex)[input]] : slots[vertex.inputs[input]]
            if let shared, !dynamicSlots.contains(shared) { return shared }
        }
        return newSlot(.arena(offset: 0), spec(node), on: placed.device)
    }

    /// The values that a unit reads from outside. For a read that must see a later write, this is the Variable itself.
    private func neededInputs(_ placed: PlacedUnit) -> [Node] {
        var seen: Set<Node> = []
        let outside = Set(placed.unit.inputs)
        var result: [Node] = []
        for vertex in placed.unit.vertices {
            let operands = operands(vertex)
            for i in operands.indices where outside.contains(vertex.inputs[i]) {
                if case .program(let program)? = placed.work, !program.inputs.contains(i) { continue }
                // A view needs its input 0 alone, and so does a vertex that passes its input on within a unit.
                if placed.device != 0, i != 0, isView(vertex, placed) { continue }
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

    /// The values that a vertex takes as its inputs. For a read that must see a later write, this is the Variable
    /// itself.
    func operands(_ vertex: Vertex) -> [Node] {
        guard let current = hazards?.current[vertex.id] else { return vertex.inputs }
        return vertex.inputs.enumerated().map { current[$0] ?? $1 }
    }

    /// A slot on `device` for a Variable that is overwritten as a whole.
    private mutating func slotToFill(_ node: Node, on device: DeviceID) -> Slot? {
        guard let home = slots[node], slotDevices[home] != device else { return slots[node] }
        return newSlot(.arena(offset: 0), slotSpecs[home], on: device)
    }

    /// The slot of a value on `device`. The value is copied there if it has none yet.
    ///
    /// Hazards: a copy of a Variable is old after a write, so `arrange` forgets it then.
    private mutating func locate(_ node: Node, on device: DeviceID, _ items: inout [PlanItem]) -> Slot? {
        guard let home = slots[node] else { return nil }
        if slotDevices[home] == device { return home }
        let key = Moved(slot: home, device: device)
        if let known = moved[key] { return known }
        let slot: Slot
        if case .constant = sources[home] {
            // The constant is copied once, when the plan is made.
            slot = newSlot(sources[home], slotSpecs[home], on: device)
        } else {
            // A copy from one accelerator to another goes through the host.
            let from = slotDevices[home] == 0 || device == 0 ? home : locate(node, on: 0, &items) ?? home
            slot = newSlot(.arena(offset: 0), slotSpecs[home], on: device)
            items.append(.transfer(Transfer(node: node, from: from, to: slot)))
        }
        moved[key] = slot
        return slot
    }

    /// The slot of a value on the host.
    func hostSlot(_ node: Node) -> Slot? {
        slots[node].flatMap { slotDevices[$0] == 0 ? $0 : moved[Moved(slot: $0, device: 0)] }
    }
}
