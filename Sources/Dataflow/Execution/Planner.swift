/// Makes a `Plan`: prune → place → infer static shapes and fold → order → plan memory by liveness → bind kernels.
struct Planner {
    let fetches: [Node]
    let feeds: [Node: TensorSpec]
    let variables: VariableStore
    let random: RandomState
    let placement: Placement
    let threads: Int
    let log: (@Sendable (String) -> Void)?

    /// Values up to this size are computed once, when the plan is made, if nothing that is fed changes them.
    static let foldLimit = 16_384

    /// Where a value's memory comes from.
    enum Source {
        case constant(Tensor)
        case feed
        case variable(VariableBuffer)
        case arena(offset: Int)
        case fetch
        /// Computed at run time with shapes known only then.
        case dynamic
    }

    private var specs: [Node: TensorSpec] = [:]
    private var constants: [Node: Tensor] = [:]
    private var slots: [Node: Slot] = [:]
    private var sources: [Source] = []
    private var slotSpecs: [TensorSpec] = []
    private var dynamicSlots: Set<Slot> = []
    /// Reads of Variables by the vertices that are to see what is written before them.
    private var liveReads: [Int: Set<Int>] = [:]
    /// Vertices that run by tokens: control flow, and all that follows from it.
    private var frameMembers: Set<Int> = []

    init(
        fetches: [Node], feeds: [Node: TensorSpec], variables: VariableStore, random: RandomState,
        placement: Placement, threads: Int, log: (@Sendable (String) -> Void)?
    ) {
        self.fetches = fetches
        self.feeds = feeds
        self.variables = variables
        self.random = random
        self.placement = placement
        self.threads = threads
        self.log = log
    }

    mutating func plan() throws -> Plan {
        try checkFeeds()
        let reachable = needed { _ in false }
        for vertex in reachable {
            let device = try placement.device(for: vertex)
            log?("\(vertex.name): (\(vertex.operation.name)): \(device.name)")
        }
        frameMembers = Planner.decidedByControlFlow(reachable, feeds: feeds)
        for vertex in reachable where !frameMembers.contains(vertex.id) { try infer(vertex) }
        // What is known now need not run, nor what only it needed.
        let all = needed { constants[$0] != nil }
        let members = all.filter { frameMembers.contains($0.id) }
        let order = all.filter { !frameMembers.contains($0.id) } + members
        assignSlots(order)
        let arena = try planMemory(order)
        var steps = try order.dropLast(members.count).compactMap { try step($0) }
        if !members.isEmpty { steps.append(.frames(try frameProgram(members))) }
        return Plan(
            steps: steps, sources: sources, specs: slotSpecs, arenaSize: arena,
            feeds: feeds.map { ($0.key, slots[$0.key], $0.value) },
            fetches: fetches.map { fetch in
                slots[fetch].map { Plan.View(slot: $0, shape: spec(fetch).shape, name: fetch.name) }
            },
            reads: try uninitializedReads(order), random: random, threads: threads)
    }

    private func checkFeeds() throws {
        for (node, spec) in feeds {
            guard node.dtype == spec.dtype else {
                throw GraphError("the feed for \(node.name) must be \(node.dtype), got \(spec.dtype)")
            }
            guard node.shape.isCompatible(with: spec.shape) else {
                throw GraphError(
                    "the feed for \(node.name) must have a shape that fits \(node.shape), got \(spec.shape)")
            }
        }
    }

    /// The vertices that the fetches need, in the graph's order, without going behind feeds and `known` values; what must run
    /// before a known value was made still runs.
    private func needed(known: (Node) -> Bool) -> [Vertex] {
        var found: [Int: Vertex] = [:]
        var passed: Set<Int> = []
        var stack: [(vertex: Vertex, isKnown: Bool)] = []
        func push(_ node: Node) {
            if feeds[node] == nil { stack.append((node.vertex, known(node))) }
        }
        fetches.forEach(push)
        while let (vertex, isKnown) = stack.popLast() {
            if isKnown {
                guard found[vertex.id] == nil, passed.insert(vertex.id).inserted else { continue }
                vertex.inputs.forEach(push)
            } else {
                guard found.updateValue(vertex, forKey: vertex.id) == nil else { continue }
                vertex.inputs.forEach(push)
                if let carried = vertex.loopInput { push(carried) }
            }
            stack += vertex.controls.map { ($0, false) }
        }
        return found.values.sorted { $0.id < $1.id }
    }

    // MARK: Shapes and folding

    private func spec(_ node: Node) -> TensorSpec { feeds[node] ?? specs[node] ?? node.spec }

    private mutating func infer(_ vertex: Vertex) throws {
        if vertex.operation == Placeholder.self, feeds[vertex.output(0)] == nil {
            throw GraphError(
                "the placeholder '\(vertex.name)' was not fed; give run(…, feeds:) a \(vertex.outputs[0])",
                location: vertex.location)
        }
        let inference = Inference(
            attributes: vertex.attributes, inputs: vertex.inputs.map(spec),
            constants: vertex.inputs.map { constants[$0] })
        do {
            let shapes = try vertex.operation.infer(inference)
            for (i, shape) in shapes.enumerated() {
                let spec = TensorSpec(memoryType(vertex, i), shape)
                try spec.checkSize()
                specs[Node(vertex: vertex, output: i)] = spec
            }
            for (i, value) in try (vertex.operation.fold(inference) ?? fold(vertex, inference)).enumerated() {
                let node = Node(vertex: vertex, output: i)
                if feeds[node] == nil { constants[node] = value }
            }
        } catch let error as GraphError {
            throw error.at("\(vertex.operation.name) '\(vertex.name)'", vertex.location)
        }
    }

    /// The outputs of a vertex, if all its inputs are known and it is small; else nothing.
    private func fold(_ vertex: Vertex, _ inference: Inference) throws -> [Tensor] {
        guard !vertex.operation.isStateful, !vertex.outputs.isEmpty, inference.constants.allSatisfy({ $0 != nil })
        else {
            return []
        }
        let outputs = vertex.outputs.indices.map { specs[Node(vertex: vertex, output: $0)]! }
        guard outputs.allSatisfy({ ($0.shape.elementCount ?? .max) <= Planner.foldLimit }) else { return [] }
        return try Plan.evaluate(
            vertex, inputs: inference.constants.map { $0! }, outputs: outputs, threads: 1, random: random)
    }

    /// The dtype of an output; of a handle, that of the memory it stands for.
    private func memoryType(_ vertex: Vertex, _ output: Int) -> DType {
        let dtype = vertex.outputs[output].dtype
        guard dtype == .resource else { return dtype }
        if let own = vertex.variableSpec { return own.dtype }
        return vertex.operation.aliases[output].map { spec(vertex.inputs[$0]).dtype } ?? dtype
    }

    // MARK: Slots

    private mutating func newSlot(_ source: Source, _ spec: TensorSpec) -> Slot {
        sources.append(source)
        slotSpecs.append(spec)
        return sources.count - 1
    }

    /// Gives every value of the plan a slot; values that are the same memory share one.
    private mutating func assignSlots(_ order: [Vertex]) {
        for (node, spec) in feeds { slots[node] = newSlot(.feed, spec) }
        let used = Set(order.flatMap(\.inputs) + fetches)
        for node in used where feeds[node] == nil {
            if let value = constants[node] {
                slots[node] = newSlot(.constant(value), TensorSpec(value.dtype, value.shape))
            }
        }
    }

    /// Places values in the arena by liveness. Returns its size in bytes.
    private mutating func planMemory(_ order: [Vertex]) throws -> Int {
        let hazards = copiesNeeded(order)
        // Which slot each value shares, found in order; then the last step that touches each slot.
        for vertex in order {
            let dynamic =
                frameMembers.contains(vertex.id) || vertex.operation is any DynamicOperation.Type
                || vertex.outputs.indices.contains { !spec(Node(vertex: vertex, output: $0)).shape.isFullyDefined }
            for i in vertex.outputs.indices {
                let node = Node(vertex: vertex, output: i)
                guard slots[node] == nil else { continue }
                if vertex.operation.isVariable {
                    let buffer = try variables.buffer(for: vertex)
                    slots[node] = newSlot(.variable(buffer), buffer.spec)
                } else if dynamic {
                    slots[node] = newSlot(.dynamic, spec(node))
                    dynamicSlots.insert(slots[node]!)
                } else if let input = vertex.operation.aliases[i], !hazards.contains(vertex.id),
                    let shared = slots[vertex.inputs[input]], !dynamicSlots.contains(shared)
                {
                    slots[node] = shared
                } else {
                    slots[node] = newSlot(.arena(offset: 0), spec(node))
                }
            }
        }
        var lastUse = [Int](repeating: -1, count: sources.count)
        for (index, vertex) in order.enumerated() {
            for node in vertex.inputs + vertex.outputs.indices.map(vertex.output) {
                if let slot = slots[node] { lastUse[slot] = index }
            }
        }
        for fetch in fetches {
            guard let slot = slots[fetch], case .arena = sources[slot] else { continue }
            sources[slot] = .fetch
        }
        var memory = MemoryPlan()
        var places: [Slot: (offset: Int, size: Int)] = [:]
        for (index, vertex) in order.enumerated() {
            for i in vertex.outputs.indices {
                guard let slot = slots[vertex.output(i)], case .arena = sources[slot], places[slot] == nil else {
                    continue
                }
                let bytes = (slotSpecs[slot].shape.elementCount ?? 0) * slotSpecs[slot].dtype.size
                let place = reusableInput(vertex, index, slot, lastUse, &places) ?? memory.allocate(bytes)
                places[slot] = place
                sources[slot] = .arena(offset: place.offset)
            }
            for slot in Set((vertex.inputs + vertex.outputs.indices.map(vertex.output)).compactMap { slots[$0] })
            where lastUse[slot] == index {
                if let place = places.removeValue(forKey: slot) { memory.release(place) }
            }
        }
        return memory.size
    }

    /// The place of an input that dies here and that an elementwise kernel may overwrite.
    private func reusableInput(
        _ vertex: Vertex, _ index: Int, _ slot: Slot, _ lastUse: [Int], _ places: inout [Slot: (offset: Int, size: Int)]
    ) -> (offset: Int, size: Int)? {
        guard vertex.operation is any ElementwiseOperation.Type else { return nil }
        for input in vertex.inputs {
            guard let own = slots[input], lastUse[own] == index, slotSpecs[own] == slotSpecs[slot],
                let place = places[own]
            else { continue }
            places[own] = nil
            return place
        }
        return nil
    }

    /// Vertices that must copy the Variable they stand for, because it is written while their value is still needed.
    ///
    /// Whoever waits for the write, and reads a reference, is to see the new value, as in TensorFlow: `liveReads`.
    private mutating func copiesNeeded(_ order: [Vertex]) -> Set<Int> {
        var position: [Int: Int] = [:]
        for (index, vertex) in order.enumerated() { position[vertex.id] = index }
        // The Variable behind each alias, and when each Variable is written.
        var root: [Node: Int] = [:]
        var aliasesOf: [Int: [Vertex]] = [:]
        var writes: [Int: [Int]] = [:]
        var lastUse: [Int: Int] = [:]
        for (index, vertex) in order.enumerated() {
            // Members of frames run in an order of their own, after all others.
            let index = frameMembers.contains(vertex.id) ? order.count : index
            if vertex.operation.isVariable { root[vertex.output(0)] = vertex.id }
            for input in vertex.inputs {
                lastUse[input.vertex.id] = frameMembers.contains(vertex.id) ? order.count + 1 : index
            }
            for (output, input) in vertex.operation.aliases {
                guard let variable = root[vertex.inputs[input]] else { continue }
                root[vertex.output(output)] = variable
                if vertex.operation.writes.isEmpty { aliasesOf[variable, default: []].append(vertex) }
            }
            for input in vertex.operation.writes {
                if let variable = root[vertex.inputs[input]] { writes[variable, default: []].append(index) }
            }
        }
        for fetch in fetches { lastUse[fetch.vertex.id] = order.count + 1 }
        var result: Set<Int> = []
        for (variable, aliases) in aliasesOf {
            for alias in aliases.reversed() {
                // An alias of an alias lives as long as the outer one.
                let end = max(
                    lastUse[alias.id] ?? 0,
                    aliases.filter { $0.inputs.contains { $0.vertex === alias } }
                        .map { lastUse[$0.id] ?? 0 }.max() ?? 0)
                lastUse[alias.id] = end
                let start = position[alias.id] ?? 0
                let hazards = writes[variable, default: []].filter { $0 > start && $0 < end }
                guard !hazards.isEmpty else { continue }
                result.insert(alias.id)
                if alias.operation == Identity.self { noteLiveReads(of: alias, order, after: hazards) }
            }
        }
        return result
    }

    /// Notes the consumers of a read that wait for the writes at these places of the order.
    private mutating func noteLiveReads(of alias: Vertex, _ order: [Vertex], after writes: [Int]) {
        guard alias.inputs[0].vertex.operation.isVariable else { return }
        var after: [Int: Int] = [:]
        for (index, vertex) in order.enumerated() {
            let sources = vertex.inputs.map(\.vertex.id) + vertex.controls.map(\.id)
            after[vertex.id] = sources.map { after[$0] ?? 0 }.max() ?? 0
            if writes.contains(index) { after[vertex.id] = 1 }
            // The write itself takes what was read before.
            if after[vertex.id] == 1, !writes.contains(index), vertex.inputs.contains(where: { $0.vertex === alias }) {
                liveReads[vertex.id, default: []].insert(alias.id)
            }
        }
    }

    /// Variables that a step reads before any step of the plan has given them a value.
    private func uninitializedReads(_ order: [Vertex]) throws -> [VariableBuffer] {
        var assigned: Set<String> = []
        var reads: [VariableBuffer] = []
        for vertex in order where !frameMembers.contains(vertex.id) {
            reads += try readVariables(vertex).filter { !assigned.contains($0.name) }
            if let given = try assignedVariable(vertex) { assigned.insert(given.name) }
        }
        for fetch in fetches where fetch.vertex.operation.isVariable && !assigned.contains(fetch.vertex.name) {
            reads.append(try variables.buffer(for: fetch.vertex))
        }
        return reads
    }

    // MARK: Steps

    private mutating func step(_ vertex: Vertex) throws -> Plan.Step? {
        if vertex.operation.isVariable || vertex.operation == NoOp.self { return nil }
        let outputs = vertex.outputs.indices.map(vertex.output)
        if !outputs.isEmpty, outputs.allSatisfy({ feeds[$0] != nil || constants[$0] != nil }) { return nil }
        let live = liveReads[vertex.id] ?? []
        let inputSlots = try vertex.inputs.map { input -> Slot in
            let source = live.contains(input.vertex.id) ? input.vertex.inputs[0] : input
            guard let slot = slots[source] else { throw GraphError("\(input.name) has no memory") }
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
            vertex.operation is any DynamicOperation.Type
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
                outputSlots: outputSlots, threads: threads, random: random)
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
}

extension Planner {
    /// The Variable that a vertex gives a first value.
    private func assignedVariable(_ vertex: Vertex) throws -> VariableBuffer? {
        guard vertex.operation == Assign.self || vertex.operation == AssignVariableOp.self else { return nil }
        return try vertex.inputs[0].variable.map { try variables.buffer(for: $0) }
    }

    /// The Variables whose values a vertex needs.
    private func readVariables(_ vertex: Vertex) throws -> [VariableBuffer] {
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

    /// Control flow among `vertices`, and what takes part in it or follows from it.
    private static func decidedByControlFlow(_ vertices: [Vertex], feeds: [Node: TensorSpec]) -> Set<Int> {
        var result: Set<Int> = []
        for vertex in vertices {
            if vertex.operation is any ControlFlowOperation.Type
                || vertex.inputs.contains(where: { feeds[$0] == nil && result.contains($0.vertex.id) })
                || vertex.controls.contains(where: { result.contains($0.id) })
            {
                result.insert(vertex.id)
            }
        }
        return result
    }

    private func frameProgram(_ vertices: [Vertex]) throws -> FrameProgram {
        var position: [Int: Int] = [:]
        for (i, vertex) in vertices.enumerated() { position[vertex.id] = i }
        func source(_ node: Node) throws -> FrameProgram.Source {
            if feeds[node] == nil, constants[node] == nil, let member = position[node.vertex.id] {
                return .member(member, output: node.output)
            }
            guard let slot = slots[node] else { throw GraphError("\(node.name) has no memory") }
            return .outside(Plan.View(slot: slot, shape: spec(node).shape))
        }
        let fetched = Set(fetches)
        var members: [FrameProgram.Member] = []
        for vertex in vertices {
            let nodes = vertex.inputs + (vertex.loopInput.map { [$0] } ?? [])
            let inputs = try nodes.map(source)
            let waitsFor = inputs.count { if case .member = $0 { true } else { false } }
            let controls = Set(vertex.controls.map(\.id)).compactMap { position[$0] }
            members.append(
                FrameProgram.Member(
                    vertex: vertex, inputs: inputs, waitsFor: waitsFor, controls: controls.count,
                    references: Set(nodes.indices.filter { nodes[$0].variable != nil }),
                    initializes: try assignedVariable(vertex), reads: try readVariables(vertex),
                    variable: try nodes.first?.variable.map { try variables.buffer(for: $0) },
                    role: try FrameProgram.Role(vertex),
                    slots: vertex.outputs.indices.map { output in
                        let node = vertex.output(output)
                        return fetched.contains(node) ? slots[node] : nil
                    }, consumers: Array(repeating: [], count: max(vertex.outputs.count, 1))))
        }
        for (target, vertex) in vertices.enumerated() {
            for (input, source) in members[target].inputs.enumerated() {
                if case .member(let member, let output) = source {
                    members[member].consumers[output].append((target, input))
                }
            }
            for control in Set(vertex.controls.map(\.id)).compactMap({ position[$0] }) {
                members[control].dependents.append(target)
            }
        }
        return FrameProgram(members)
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
