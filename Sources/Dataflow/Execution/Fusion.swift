/// The work of one step of a plan: a vertex, or several elementwise vertices that run as one pass over memory.
struct PlanUnit {
    /// The vertices in the order in which they are computed.
    let vertices: [Vertex]
    /// Values that the unit takes from outside, each once.
    let inputs: [Node]
    /// Values that others use.
    let outputs: [Node]

    /// A vertex by itself.
    init(_ vertex: Vertex) {
        vertices = [vertex]
        inputs = vertex.inputs
        outputs = vertex.outputs.indices.map(vertex.output)
    }

    /// - Parameter isUsed: whether others than `vertices` use a value.
    init(_ vertices: [Vertex], isUsed: (Node) -> Bool) {
        let own = Set(vertices.map(\.id))
        var seen: Set<Node> = []
        self.vertices = vertices
        inputs = vertices.flatMap(\.inputs).filter { !own.contains($0.vertex.id) && seen.insert($0).inserted }
        outputs = vertices.flatMap { vertex in vertex.outputs.indices.map(vertex.output) }.filter(isUsed)
    }

    /// The last vertex. The unit runs at its position.
    var last: Vertex { vertices[vertices.count - 1] }
}

/// Joins elementwise operations of one shape into units if one uses what another makes. Values between them then never
/// go to memory.
///
/// A vertex moves from its position in the order to that of its consumer. Hazards: it may move only if, on the way, no
/// other vertex uses its value or waits for it, and none writes a Variable that it reads. So each read stays on its
/// side of each write. If the unit's last vertex is an update, it writes what the others have read already.
///
/// A vertex that passes its input on unchanged, such as a sum over no axes, moves to its consumer and costs nothing. A
/// product of matrices moves to an update if it is the gradient of a Variable and nothing else uses it.
struct Fusion {
    private let order: [Vertex]
    private let spec: (Node) -> TensorSpec
    private let isGiven: (Node) -> Bool
    private let passing: Set<Int>
    private let addsProducts: Bool
    private var positions: [Int: Int] = [:]
    /// The positions of the vertices that use a vertex's value or wait for it.
    private var dependents: [Int: [Int]] = [:]
    private let memory: VariableMemory
    private let fetched: Set<Node>

    /// The most vertices of a unit.
    private static let limit = 16

    /// - Parameters:
    ///   - order: the vertices that run, inputs before what uses them.
    ///   - isGiven: whether a value is fed or known.
    ///   - passing: vertices whose output 0 is their input 0, unchanged or repeated.
    ///   - addsProducts: whether a product of matrices may join an update.
    init(
        _ order: [Vertex], fetches: [Node], memory: VariableMemory, spec: @escaping (Node) -> TensorSpec,
        isGiven: @escaping (Node) -> Bool,
        passing: Set<Int>, addsProducts: Bool
    ) {
        self.memory = memory
        self.passing = passing
        self.addsProducts = addsProducts
        self.order = order
        self.spec = spec
        self.isGiven = isGiven
        fetched = Set(fetches)
        for (position, vertex) in order.enumerated() {
            positions[vertex.id] = position
            for id in Set(vertex.inputs.map(\.vertex.id) + vertex.controls.map(\.id)) {
                dependents[id, default: []].append(position)
            }
        }
    }

    /// The units, in an order in which they may run.
    ///
    /// - Parameters:
    ///   - mayFuse: false for a vertex that must run alone.
    ///   - device: the device of a vertex. A unit runs on one device.
    func units(mayFuse: (Vertex) -> Bool, device deviceOf: (Vertex) -> DeviceID = { _ in 0 }) -> [PlanUnit] {
        var group = Array(order.indices)
        var members = order.indices.map { [$0] }
        let fusible = order.map { mayFuse($0) && isFusible($0) }
        for (position, vertex) in order.enumerated() where fusible[position] && !passing.contains(vertex.id) {
            var inputs = vertex.inputs
            while let input = inputs.popLast() {
                guard let producer = positions[input.vertex.id], producer != position, fusible[producer],
                    !isGiven(input),
                    moves(order[producer]), spec(input).shape == shape(of: vertex),
                    deviceOf(order[producer]) == deviceOf(vertex)
                else { continue }
                let other = group[producer]
                guard other != group[position] else { continue }
                let joined = (members[other] + members[group[position]]).sorted()
                guard joined.count <= Fusion.limit, mayRun(joined, at: position) else { continue }
                for member in joined { group[member] = position }
                members[position] = joined
                if passing.contains(input.vertex.id) { inputs.append(input.vertex.inputs[0]) }
            }
        }
        for (position, vertex) in order.enumerated() where members[position] == [position] && mayFuse(vertex) {
            guard let producer = productAddedIn(at: position), mayFuse(order[producer]),
                deviceOf(vertex) == 0, deviceOf(order[producer]) == 0
            else { continue }
            group[producer] = position
            members[position] = [producer, position]
        }
        return order.indices.compactMap { position in
            guard group[position] == position else { return nil }
            let vertices = members[position].map { order[$0] }
            guard vertices.count > 1 else { return PlanUnit(order[position]) }
            let own = Set(members[position])
            return PlanUnit(vertices) { node in
                node.vertex.id == order[position].id || fetched.contains(node)
                    || dependents[node.vertex.id, default: []].contains { user in
                        !own.contains(user) && order[user].inputs.contains(node)
                    }
            }
        }
    }

    /// The position of the product of matrices that the update at `position` may compute and add at once: nothing else
    /// needs it, and it does not read the Variable that it is added to.
    private func productAddedIn(at position: Int) -> Int? {
        guard addsProducts, let found = ProductUpdate(order[position], spec: spec),
            let producer = positions[found.product.id], !isGiven(found.product.output(0)),
            !fetched.contains(found.product.output(0)), dependents[found.product.id] == [position],
            let variable = memory.variable(behind: found.update.inputs[0])
        else { return nil }
        let isFree = found.product.inputs.allSatisfy { input in
            memory.variable(behind: input) != variable && !isWritten(input, between: producer, and: position)
        }
        return isFree ? producer : nil
    }

    /// Whether a vertex may be fused: it is elementwise, over floats and bools alone. Integers may need a check first.
    private func isFusible(_ vertex: Vertex) -> Bool {
        let isPassing = passing.contains(vertex.id)
        switch vertex.operation {
        case _ where isPassing: if isGiven(vertex.output(0)) { return false }
        case let operation as any ElementwiseOperation.Type:
            guard operation.isElementwise(vertex.attributes), !isGiven(vertex.output(0)) else { return false }
        case is any ElementwiseUpdate.Type: break
        default: return false
        }
        let operands = isPassing ? [vertex.inputs[0]] : vertex.inputs
        return (operands + vertex.outputs.indices.map(vertex.output)).allSatisfy { node in
            let spec = spec(node)
            return spec.shape.isFullyDefined
                && (node.dtype == .resource || [.float32, .float64, .bool].contains(spec.dtype))
        }
    }

    /// Whether a vertex may move to its consumer's position. An update may not.
    private func moves(_ vertex: Vertex) -> Bool {
        passing.contains(vertex.id) || vertex.operation is any ElementwiseOperation.Type
    }

    /// The shape that a vertex loops over.
    private func shape(of vertex: Vertex) -> Shape {
        vertex.operation is any ElementwiseUpdate.Type ? spec(vertex.inputs[0]).shape : spec(vertex.output(0)).shape
    }

    private func mayRun(_ members: [Int], at position: Int) -> Bool {
        let own = Set(members)
        return members.allSatisfy { member in
            guard member == position || moves(order[member]) else { return false }
            let isFree = dependents[order[member].id, default: []].allSatisfy { own.contains($0) || $0 > position }
            // The update writes after the others have read. But a vertex that passes memory on reads it to the end.
            let end = passing.contains(order[member].id) ? position + 1 : position
            return isFree && order[member].inputs.allSatisfy { !isWritten($0, between: member, and: end) }
        }
    }

    /// Whether the Variable that a value was read from is written between two positions.
    private func isWritten(_ node: Node, between first: Int, and last: Int) -> Bool {
        guard let variable = memory.variable(behind: node) else { return false }
        return (memory.writers[variable] ?? []).contains { writer in
            positions[writer.id].map { $0 > first && $0 < last } ?? false
        }
    }
}

/// The vertices of a unit as one program over slots.
struct FusedProgram {
    private(set) var terms: [ElementwiseTerm] = []
    private(set) var inputs: [(slot: Slot, spec: TensorSpec)] = []
    private(set) var outputs: [(slot: Slot, spec: TensorSpec)] = []

    /// - Parameters:
    ///   - slots: the slots of a vertex's inputs; nil for what the unit makes itself.
    ///   - output: the slot of a value that others use.
    init(
        _ unit: PlanUnit, slots slotsOf: (Vertex) -> [Slot?], output: (Node) throws -> Slot, spec: (Node) -> TensorSpec
    ) throws {
        var termOf: [Node: Int] = [:]
        let shared = Set(unit.outputs)
        for vertex in unit.vertices {
            let slots = slotsOf(vertex)
            let update = vertex.operation as? any ElementwiseUpdate.Type
            let operation = vertex.operation as? any ElementwiseOperation.Type
            // A vertex that is neither passes its input 0 on.
            let count = update == nil && operation == nil ? 1 : vertex.inputs.count
            let operands = try vertex.inputs.prefix(count).enumerated().map { i, node -> ElementwiseTerm.Operand in
                if let term = termOf[node] { return .term(term) }
                guard let slot = slots[i] else { throw GraphError("\(node.name) has no memory") }
                let own = spec(node)
                if let known = inputs.firstIndex(where: { $0 == (slot, own) }) { return .input(known) }
                inputs.append((slot, own))
                return .input(inputs.count - 1)
            }
            let symbols = vertex.inputs.indices.map { Expression.input($0) }
            if let update {
                for (write, expression) in zip(update.writes, try update.update(symbols, vertex.attributes)) {
                    guard let slot = slots[write] else { throw GraphError("\(vertex.name) writes no memory") }
                    terms.append(ElementwiseTerm(expression: expression, operands: operands, output: outputs.count))
                    outputs.append((slot, spec(vertex.inputs[write])))
                }
            } else {
                let node = vertex.output(0)
                let number = shared.contains(node) ? outputs.count : nil
                if number != nil { outputs.append((try output(node), spec(node))) }
                termOf[node] = terms.count
                terms.append(
                    ElementwiseTerm(
                        expression: try operation?.expression(symbols, vertex.attributes) ?? symbols[0],
                        operands: operands, output: number))
            }
        }
    }

    /// The kernel for the CPU.
    func kernel(threads: Int, _ scratch: KernelScratch) throws -> Kernel {
        let loop = try ElementwiseLoop(
            terms, inputs: inputs.map(\.spec), inputSlots: inputs.map(\.slot), outputs: outputs.map(\.spec),
            outputSlots: outputs.map(\.slot), threads: threads)
        scratch.noteOwn(loop.byteCount)
        return { memory in loop.run(memory) }
    }

    /// The commands for a GPU, whose operands are numbered by slots; nil for dtypes that stay on the CPU.
    func gpu() throws -> GPUProgram? {
        let updates = outputs.map { output in inputs.firstIndex { $0.slot == output.slot } }
        return try ElementwiseSource.launch(
            terms, inputs: inputs.map(\.spec), outputs: outputs.map(\.spec), updates: updates,
            input: { .input(inputs[$0].slot) }, output: { .output(outputs[$0].slot) })
    }
}
