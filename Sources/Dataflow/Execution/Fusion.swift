/// What one step of a plan computes: a vertex, or elementwise ones that run as one pass over memory.
struct PlanUnit {
    /// In the order in which they are computed.
    let vertices: [Vertex]
    /// Values that come from outside, each once.
    let inputs: [Node]
    /// Values that are used outside.
    let outputs: [Node]

    /// A vertex by itself.
    init(_ vertex: Vertex) {
        vertices = [vertex]
        inputs = vertex.inputs
        outputs = vertex.outputs.indices.map(vertex.output)
    }

    /// - Parameter isUsed: whether a value is used by others than `vertices`.
    init(_ vertices: [Vertex], isUsed: (Node) -> Bool) {
        let own = Set(vertices.map(\.id))
        var seen: Set<Node> = []
        self.vertices = vertices
        inputs = vertices.flatMap(\.inputs).filter { !own.contains($0.vertex.id) && seen.insert($0).inserted }
        outputs = vertices.flatMap { vertex in vertex.outputs.indices.map(vertex.output) }.filter(isUsed)
    }

    /// The vertex that runs at the unit's place of the order: the last.
    var last: Vertex { vertices[vertices.count - 1] }
}

/// Joins elementwise operations over one shape, of which one uses what another makes, so that what lies between them never
/// goes to memory.
///
/// A vertex moves from its place of the order to that of its consumer. It may if until then nobody else uses its value or
/// waits for it, and no Variable that it reads is written. So each read stays on its side of each write, and a unit's own
/// update, its last vertex, writes what the others have read already. A vertex that passes its input on as it is, such as a sum over
/// no axes, goes with its consumer and costs nothing; by itself it stays what it was. A product of matrices that is but the
/// gradient of a Variable goes with the update.
struct Fusion {
    private let order: [Vertex]
    private let spec: (Node) -> TensorSpec
    private let isGiven: (Node) -> Bool
    private let passing: Set<Int>
    private let addsProducts: Bool
    private var position: [Int: Int] = [:]
    /// Places of the vertices that use a vertex's value or wait for it.
    private var dependents: [Int: [Int]] = [:]
    private let memory: VariableMemory
    private let fetched: Set<Node>

    /// The most operations of a unit.
    private static let limit = 16

    /// - Parameters:
    ///   - order: the vertices that run, inputs before what uses them.
    ///   - isGiven: whether a value is fed or known.
    ///   - passing: vertices whose output 0 is their input 0, as it is or repeated.
    ///   - addsProducts: whether an update may take a product of matrices in.
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
        for (place, vertex) in order.enumerated() {
            position[vertex.id] = place
            for id in Set(vertex.inputs.map(\.vertex.id) + vertex.controls.map(\.id)) {
                dependents[id, default: []].append(place)
            }
        }
    }

    /// The units, in an order in which they may run.
    ///
    /// - Parameters:
    ///   - mayFuse: leaves out vertices that must stay by themselves.
    ///   - place: where a vertex runs; a unit runs in one place.
    func units(mayFuse: (Vertex) -> Bool, place placeOf: (Vertex) -> Place = { _ in 0 }) -> [PlanUnit] {
        var group = Array(order.indices)
        var members = order.indices.map { [$0] }
        let fusible = order.map { mayFuse($0) && isFusible($0) }
        for (place, vertex) in order.enumerated() where fusible[place] && !passing.contains(vertex.id) {
            var inputs = vertex.inputs
            while let input = inputs.popLast() {
                guard let producer = position[input.vertex.id], producer != place, fusible[producer], !isGiven(input),
                    moves(order[producer]), spec(input).shape == shape(of: vertex),
                    placeOf(order[producer]) == placeOf(vertex)
                else { continue }
                let other = group[producer]
                guard other != group[place] else { continue }
                let joined = (members[other] + members[group[place]]).sorted()
                guard joined.count <= Fusion.limit, mayRun(joined, at: place) else { continue }
                for member in joined { group[member] = place }
                members[place] = joined
                if passing.contains(input.vertex.id) { inputs.append(input.vertex.inputs[0]) }
            }
        }
        for (place, vertex) in order.enumerated() where members[place] == [place] && mayFuse(vertex) {
            guard let producer = productAddedIn(at: place), mayFuse(order[producer]),
                placeOf(vertex) == 0, placeOf(order[producer]) == 0
            else { continue }
            group[producer] = place
            members[place] = [producer, place]
        }
        return order.indices.compactMap { place in
            guard group[place] == place else { return nil }
            let vertices = members[place].map { order[$0] }
            guard vertices.count > 1 else { return PlanUnit(order[place]) }
            let own = Set(members[place])
            return PlanUnit(vertices) { node in
                node.vertex.id == order[place].id || fetched.contains(node)
                    || dependents[node.vertex.id, default: []].contains { user in
                        !own.contains(user) && order[user].inputs.contains(node)
                    }
            }
        }
    }

    /// Where the product is that an update at `place` may add to its Variable by itself: nobody else needs it, and it does
    /// not read what it is added to.
    private func productAddedIn(at place: Int) -> Int? {
        guard addsProducts, let found = ProductUpdate(order[place], spec: spec),
            let producer = position[found.product.id], !isGiven(found.product.output(0)),
            !fetched.contains(found.product.output(0)), dependents[found.product.id] == [place],
            let variable = memory.variable(behind: found.update.inputs[0])
        else { return nil }
        let isFree = found.product.inputs.allSatisfy { input in
            memory.variable(behind: input) != variable && !isWritten(input, between: producer, and: place)
        }
        return isFree ? producer : nil
    }

    /// Elementwise over floating numbers and conditions alone; integers may need to be checked first.
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

    /// Whether a vertex may move to its consumer's place. An update stays where it is.
    private func moves(_ vertex: Vertex) -> Bool {
        passing.contains(vertex.id) || vertex.operation is any ElementwiseOperation.Type
    }

    /// The shape that a vertex loops over.
    private func shape(of vertex: Vertex) -> Shape {
        vertex.operation is any ElementwiseUpdate.Type ? spec(vertex.inputs[0]).shape : spec(vertex.output(0)).shape
    }

    private func mayRun(_ members: [Int], at place: Int) -> Bool {
        let own = Set(members)
        return members.allSatisfy { member in
            guard member == place || moves(order[member]) else { return false }
            let isFree = dependents[order[member].id, default: []].allSatisfy { own.contains($0) || $0 > place }
            // An update writes after the others have read; but what passes memory on stands for it to the end.
            let end = passing.contains(order[member].id) ? place + 1 : place
            return isFree && order[member].inputs.allSatisfy { !isWritten($0, between: member, and: end) }
        }
    }

    /// Whether the Variable that a value was read of is written between two places of the order.
    private func isWritten(_ node: Node, between first: Int, and last: Int) -> Bool {
        guard let variable = memory.variable(behind: node) else { return false }
        return (memory.writers[variable] ?? []).contains { writer in
            position[writer.id].map { $0 > first && $0 < last } ?? false
        }
    }
}

/// Elementwise vertices as one program over slots.
struct FusedProgram {
    private(set) var terms: [ElementwiseTerm] = []
    private(set) var inputs: [(slot: Slot, spec: TensorSpec)] = []
    private(set) var outputs: [(slot: Slot, spec: TensorSpec)] = []

    /// - Parameters:
    ///   - slots: where a member's inputs are; nil for what the unit makes itself.
    ///   - output: where a value that is used outside goes.
    init(
        _ unit: PlanUnit, slots slotsOf: (Vertex) -> [Slot?], output: (Node) throws -> Slot, spec: (Node) -> TensorSpec
    ) throws {
        var termOf: [Node: Int] = [:]
        let shared = Set(unit.outputs)
        for vertex in unit.vertices {
            let slots = slotsOf(vertex)
            let update = vertex.operation as? any ElementwiseUpdate.Type
            let operation = vertex.operation as? any ElementwiseOperation.Type
            // What is neither passes its input 0 on.
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
                let place = shared.contains(node) ? outputs.count : nil
                if place != nil { outputs.append((try output(node), spec(node))) }
                termOf[node] = terms.count
                terms.append(
                    ElementwiseTerm(
                        expression: try operation?.expression(symbols, vertex.attributes) ?? symbols[0],
                        operands: operands, output: place))
            }
        }
    }

    /// The kernel for the CPU.
    func kernel(threads: Int, _ scratch: KernelScratch) throws -> Kernel {
        let loop = try ElementwiseLoop(
            terms, inputs: inputs.map(\.spec), inputSlots: inputs.map(\.slot), outputs: outputs.map(\.spec),
            outputSlots: outputs.map(\.slot), threads: threads)
        scratch.noteOwn(loop.byteCount)
        return { frame in loop.run(frame) }
    }

    /// What a GPU does, of which the operands' numbers are slots; nil for dtypes that are left to the CPU.
    func gpu() throws -> GPUProgram? {
        let updates = outputs.map { output in inputs.firstIndex { $0.slot == output.slot } }
        return try ElementwiseSource.launch(
            terms, inputs: inputs.map(\.spec), outputs: outputs.map(\.spec), updates: updates,
            input: { .input(inputs[$0].slot) }, output: { .output(outputs[$0].slot) })
    }
}
