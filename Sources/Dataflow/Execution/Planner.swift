/// Makes a `Plan`: prune → place → infer static shapes and fold → order → plan memory by liveness → bind kernels.
struct Planner {
    let fetches: [Node]
    let feeds: [Node: TensorSpec]
    let variables: VariableStore
    let random: RandomState
    let placement: Placement
    let options: SessionOptions
    /// What the plan's kernels compute in.
    private(set) var scratch = KernelScratch()
    /// What finding shapes has cost so far, of the function's body at hand.
    var work: InferenceWork?

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

    var specs: [Node: TensorSpec] = [:]
    var constants: [Node: Tensor] = [:]
    var slots: [Node: Slot] = [:]
    var sources: [Source] = []
    var slotSpecs: [TensorSpec] = []
    var slotPlaces: [Place] = []
    /// Where vertices run that do not run on the host.
    var places: [Int: Place] = [:]
    /// Values where they are used, if that is not where they were made.
    var moved: [Moved: Slot] = [:]
    var dynamicSlots: Set<Slot> = []
    /// What becomes free in the host's arena after each item.
    var freed: [Int: [Range<Int>]] = [:]
    /// Where Variables are read and written in one run.
    var hazards: ReadHazards?
    /// Vertices that run by tokens: control flow, and all that follows from it.
    var frameMembers: Set<Int> = []

    init(
        fetches: [Node], feeds: [Node: TensorSpec], variables: VariableStore, random: RandomState,
        placement: Placement, options: SessionOptions
    ) {
        self.fetches = fetches
        self.feeds = feeds
        self.variables = variables
        self.random = random
        self.placement = placement
        self.options = options
    }

    /// - Parameter functions: what runs the functions that vertices call.
    mutating func plan(_ functions: FunctionRuntime, isOutermost: Bool) throws -> Plan {
        scratch = functions.plans.scratch
        let ownBefore = scratch.ownBytes
        try Planner.check(feeds)
        let reachable = needed { _ in false }
        // What the program computes is told of before the constants that it computes with.
        for vertex in reachable where vertex.operation != Const.self { _ = try placement.asked(by: vertex) }
        for vertex in reachable where vertex.operation == Const.self { _ = try placement.asked(by: vertex) }
        for vertex in reachable {
            for input in vertex.operation.writes where feeds[vertex.inputs[input]] != nil {
                throw GraphError("it writes '\(vertex.inputs[input].vertex.name)', which is fed and cannot be written")
                    .at(vertex)
            }
        }
        frameMembers = Planner.decidedByControlFlow(reachable, feeds: feeds)
        for vertex in reachable where !frameMembers.contains(vertex.id) { try infer(vertex) }
        // What is known now need not run, nor what only it needed.
        let all = needed { constants[$0] != nil }
        let members = all.filter { frameMembers.contains($0.id) }
        let order = all.filter { !frameMembers.contains($0.id) } + members
        try place(order)
        if let log = options.placementLog {
            for vertex in reachable {
                let device = placement.devices.device(places[vertex.id] ?? 0)
                log("\(vertex.name): (\(vertex.operation.name)): \(device.name)")
            }
        }
        assignSlots(order)
        let variablesMemory = VariableMemory(order, feeds: feeds)
        hazards = ReadHazards(
            order, fetches: fetches, members: frameMembers, memory: variablesMemory,
            precedence: Precedence(reachable, feeds: feeds), isKnown: { spec($0).shape.isFullyDefined })
        let fusion = { [self] in
            Fusion(
                order, fetches: fetches, memory: variablesMemory, spec: { spec($0) },
                isGiven: { feeds[$0] != nil || constants[$0] != nil },
                passing: Set(order.filter(passes).map(\.id)), addsProducts: options.matrixPrecision == .float32)
        }()
        let units = fusion.units(mayFuse: { mayFuse($0) }, place: { places[$0.id] ?? 0 })
        let items = try arrange(order, units)
        let arenas = try planMemory(items)
        var steps: [Plan.Step] = []
        var labels: [StepLabel] = []
        var touched: [[Slot]?] = []
        var freedAfter: [[Range<Int>]] = []
        for (index, item) in items.enumerated() {
            guard let step = try step(item) else {
                if !freedAfter.isEmpty { freedAfter[freedAfter.count - 1] += freed[index] ?? [] }
                continue
            }
            freedAfter.append(freed[index] ?? [])
            steps.append(step)
            labels.append(label(item))
            if case .bound = step { touched.append(item.slots) } else { touched.append(nil) }
        }
        if !members.isEmpty {
            touched.append(nil)
            freedAfter.append([])
            steps.append(.frames(try frameProgram(members)))
            labels.append(StepLabel(kind: .frames, bytes: 0, outputs: []))
        }
        let memory = try PlanMemory(
            sources, specs: slotSpecs, places: slotPlaces, arenas: arenas, placement.devices)
        return Plan(
            steps: steps, labels: labels, touched: touched,
            freed: options.checksMemory ? freedAfter : [], sources: sources, specs: slotSpecs,
            memory: memory, ownBytes: scratch.ownBytes - ownBefore + foldedBytes,
            writes: Set(order.flatMap { vertex in vertex.operation.writes.compactMap { slots[vertex.inputs[$0]] } }),
            feeds: feeds.map { ($0.key, slots[$0.key], $0.value) }, fetchNodes: fetches,
            fetches: fetches.map { fetch in
                hostSlot(fetch).map { Plan.View(slot: $0, shape: spec(fetch).shape) }
            },
            reads: try uninitializedReads(order), random: random, options: options,
            functions: functions, isOutermost: isOutermost)
    }

    /// Bytes of the values that were computed for this plan.
    private var foldedBytes: Int {
        slots.reduce(0) { bytes, slot in
            guard case .constant(let tensor) = sources[slot.value], slot.key.vertex.operation != Const.self else {
                return bytes
            }
            return bytes + tensor.byteCount
        }
    }

    /// What is known of the fetches, without making a plan: the shape rule of a function.
    mutating func shapes() throws -> [TensorSpec] {
        try Planner.check(feeds)
        let reachable = needed { _ in false }
        frameMembers = Planner.decidedByControlFlow(reachable, feeds: feeds)
        for vertex in reachable where !frameMembers.contains(vertex.id) { try infer(vertex) }
        return fetches.map(spec)
    }

    static func notFed(_ placeholder: Vertex) -> GraphError {
        GraphError(
            "the placeholder '\(placeholder.name)' was not fed; give run(…, feeds:) a \(placeholder.outputs[0])"
        ).at(placeholder)
    }

    static func check(_ feeds: [Node: TensorSpec]) throws {
        for (node, spec) in feeds {
            guard node.dtype == spec.dtype else {
                throw GraphError("the feed for '\(node.vertex.name)' must be \(node.spec), got \(spec)").at(node.vertex)
            }
            guard node.shape.isCompatible(with: spec.shape) else {
                throw GraphError(
                    "the feed for '\(node.vertex.name)' must have a shape that fits \(node.shape), got \(spec.shape)"
                ).at(node.vertex)
            }
        }
    }

    /// The vertices that the fetches need, in the graph's order, without going behind feeds and `known` values; what must run
    /// before a known value was made still runs.
    func needed(known: (Node) -> Bool) -> [Vertex] {
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
            stack += vertex.controls.filter { !options.unawaited.contains($0.id) }.map { ($0, false) }
        }
        return found.values.sorted { $0.id < $1.id }
    }

    /// Whether a vertex's output 0 is its input 0 as it is: a sum over no axes, another view under the same shape, or the
    /// input repeated.
    ///
    /// Hazards: a Variable's own memory does not count, since who takes it must see it at its own time.
    func passes(_ vertex: Vertex) -> Bool {
        guard vertex.outputs.count == 1, let input = vertex.inputs.first, input.variable == nil,
            spec(input).shape.isFullyDefined, spec(vertex.output(0)).shape.isFullyDefined
        else { return false }
        let operation = vertex.operation
        if operation == BroadcastTo.self { return true }
        guard spec(input) == spec(vertex.output(0)) else { return false }
        if operation == Sum.self || operation == Mean.self { return constants[vertex.inputs[1]] != nil }
        return operation.aliases[0] == 0 && operation.writes.isEmpty && !operation.isStateful
    }

    // MARK: Shapes and folding

    func spec(_ node: Node) -> TensorSpec { feeds[node] ?? specs[node] ?? node.spec }

    mutating func infer(_ vertex: Vertex) throws {
        if vertex.operation == Placeholder.self, feeds[vertex.output(0)] == nil { throw Planner.notFed(vertex) }
        var inference = Inference(
            attributes: vertex.attributes, inputs: vertex.inputs.map(spec),
            constants: vertex.inputs.map { constants[$0] })
        inference.memoryLimit = options.memoryLimit
        inference.work = work
        do {
            try vertex.checkHandles(inference.inputs.map(\.dtype))
            let shapes = try vertex.operation.infer(inference)
            for (i, shape) in shapes.enumerated() {
                let spec = TensorSpec(memoryType(vertex, i), shape)
                try spec.checkSize(limit: options.memoryLimit)
                specs[Node(vertex: vertex, output: i)] = spec
            }
            for (i, value) in try (vertex.operation.fold(inference) ?? fold(vertex, inference)).enumerated() {
                let node = Node(vertex: vertex, output: i)
                if feeds[node] == nil { constants[node] = value }
            }
        } catch let error as GraphError {
            throw error.at(vertex)
        } catch let error as InferenceWork.Exceeded where work == nil {
            throw GraphError("\(error)").at(vertex)
        }
    }

    /// The outputs of a vertex, if all its inputs are known and it is small; else nothing.
    ///
    /// Hazards: only what neither reads nor writes state is folded. The order that hangs on a folded vertex's control edges
    /// stays: what it waits for still runs (`needed`), and `Precedence` knows the edges.
    func fold(_ vertex: Vertex, _ inference: Inference) throws -> [Tensor] {
        guard !vertex.operation.isStateful, !vertex.outputs.isEmpty, inference.constants.allSatisfy({ $0 != nil })
        else {
            return []
        }
        let outputs = vertex.outputs.indices.map { specs[Node(vertex: vertex, output: $0)]! }
        guard outputs.allSatisfy({ ($0.shape.elementCount ?? .max) <= Planner.foldLimit }) else { return [] }
        return try VertexEvaluator.run(
            vertex, inputs: inference.constants.map { $0! }, outputs: outputs, threads: 1,
            precision: options.matrixPrecision,
            random: random)
    }

    /// The dtype of an output; of a handle, that of the memory it stands for.
    func memoryType(_ vertex: Vertex, _ output: Int) -> DType {
        let dtype = vertex.outputs[output].dtype
        guard dtype == .resource else { return dtype }
        if let own = vertex.variableSpec { return own.dtype }
        return vertex.operation.aliases[output].map { spec(vertex.inputs[$0]).dtype } ?? dtype
    }
}
