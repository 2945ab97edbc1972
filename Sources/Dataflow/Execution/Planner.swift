/// Makes a `Plan`: prune → infer static shapes and fold → place → fuse → plan memory by liveness → bind kernels.
struct Planner {
    let fetches: [Node]
    let feeds: [Node: TensorSpec]
    let variables: VariableStore
    let random: RandomState
    let placement: Placement
    let options: SessionOptions
    /// The memory that the plan's kernels compute in.
    private(set) var scratch = KernelScratch()
    /// How much work finding the shapes of this function's body has taken so far.
    var work: ShapeWork?

    /// The planner itself computes values of up to this many elements if they depend on no feed.
    static let foldLimit = 16_384

    /// The memory of a slot.
    enum Source {
        case constant(Tensor)
        case feed
        case variable(VariableBuffer)
        case arena(offset: Int)
        case fetch
        /// Allocated at run time, when the shape is known.
        case dynamic
    }

    var specs: [Node: TensorSpec] = [:]
    var constants: [Node: Tensor] = [:]
    var slots: [Node: Slot] = [:]
    var sources: [Source] = []
    var slotSpecs: [TensorSpec] = []
    var slotDevices: [DeviceID] = []
    /// The devices of the vertices that do not run on the host.
    var vertexDevices: [Int: DeviceID] = [:]
    /// Slots of values that are copied to another device than their own.
    var moved: [Moved: Slot] = [:]
    var dynamicSlots: Set<Slot> = []
    /// The parts of the host's arena that are free after each item, if they were not before.
    var freed: [Int: [Range<Int>]] = [:]
    /// What to do where one run both reads and writes a Variable.
    var hazards: ReadHazards?
    /// The operations that the plan or the planner runs, if a recorder wants to know.
    var recorded: Set<String> = []
    /// The vertices that a `FrameProgram` runs: TensorFlow 1's control flow, and all that depends on it.
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

    /// - Parameter functions: runs the functions that vertices call.
    mutating func plan(_ functions: FunctionRuntime, isOutermost: Bool) throws -> Plan {
        scratch = functions.plans.scratch
        let ownBefore = scratch.ownBytes
        try Planner.check(feeds)
        let reachable = needed { _ in false }
        // Constants come last: an error should name the operation that the user placed, not one of its constants.
        for vertex in reachable where vertex.operation != Const.self { _ = try placement.asked(by: vertex) }
        for vertex in reachable where vertex.operation == Const.self { _ = try placement.asked(by: vertex) }
        for vertex in reachable {
            for input in vertex.operation.writes where feeds[vertex.inputs[input]] != nil {
                throw GraphError("it writes '\(vertex.inputs[input].vertex.name)', but that is fed; feed another node")
                    .at(vertex)
            }
        }
        frameMembers = Planner.decidedByControlFlow(reachable, feeds: feeds)
        for vertex in reachable where !frameMembers.contains(vertex.id) { try infer(vertex) }
        // A vertex whose values are known now need not run, nor what only it needed.
        let all = needed { constants[$0] != nil }
        let members = all.filter { frameMembers.contains($0.id) }
        let order = all.filter { !frameMembers.contains($0.id) } + members
        if options.recorder != nil {
            recorded.formUnion(order.filter { !frameMembers.contains($0.id) }.map { $0.operation.name })
            // To be fed is what a placeholder does.
            recorded.formUnion(feeds.keys.map { $0.vertex.operation.name }.filter { $0.hasPrefix("Placeholder") })
        }
        try placeVertices(order)
        if let log = options.placementLog {
            for vertex in reachable {
                let device = placement.devices.device(vertexDevices[vertex.id] ?? 0)
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
        let units = fusion.units(mayFuse: { mayFuse($0) }, device: { vertexDevices[$0.id] ?? 0 })
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
            sources, specs: slotSpecs, devices: slotDevices, arenas: arenas, placement.devices)
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
            functions: functions, isOutermost: isOutermost, recorded: recorded)
    }

    /// Bytes of the values that the planner has computed.
    private var foldedBytes: Int {
        slots.reduce(0) { bytes, slot in
            guard case .constant(let tensor) = sources[slot.value], slot.key.vertex.operation != Const.self else {
                return bytes
            }
            return bytes + tensor.byteCount
        }
    }

    /// The dtypes of the fetches and what is known of their shapes: the shape rule of a function. Makes no plan.
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

    /// The vertices that the fetches need, in the graph's order. What only feeds and `known` values depend on is left
    /// out, but for what control edges make run before them.
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

    /// Whether a vertex's output 0 is its input 0 unchanged (a sum over no axes, a view of the same shape) or repeated.
    ///
    /// Hazards: not if the input is a Variable's own memory, for each reader must see the value of its own time.
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
        var context = ShapeContext(
            attributes: vertex.attributes, inputs: vertex.inputs.map(spec),
            constants: vertex.inputs.map { constants[$0] })
        context.memoryLimit = options.memoryLimit
        context.work = work
        do {
            try vertex.checkHandles(context.inputs.map(\.dtype))
            let shapes = try vertex.operation.infer(context)
            for (i, shape) in shapes.enumerated() {
                let spec = TensorSpec(memoryType(vertex, i), shape)
                try spec.checkSize(limit: options.memoryLimit)
                specs[Node(vertex: vertex, output: i)] = spec
            }
            for (i, value) in try (vertex.operation.fold(context) ?? fold(vertex, context)).enumerated() {
                let node = Node(vertex: vertex, output: i)
                if feeds[node] == nil { constants[node] = value }
                if options.recorder != nil { recorded.insert(vertex.operation.name) }
            }
        } catch let error as GraphError {
            throw error.at(vertex)
        } catch let error as ShapeWork.Exceeded where work == nil {
            throw GraphError("\(error)").at(vertex)
        }
    }

    /// The outputs of a vertex whose inputs are all known, if they are small; else nothing.
    ///
    /// Hazards: the planner folds only what neither reads nor writes state. A folded vertex keeps its control edges:
    /// what they make run still runs (`needed`), and `Precedence` knows them.
    func fold(_ vertex: Vertex, _ context: ShapeContext) throws -> [Tensor] {
        guard !vertex.operation.isStateful, !vertex.outputs.isEmpty, context.constants.allSatisfy({ $0 != nil })
        else {
            return []
        }
        let outputs = vertex.outputs.indices.map { specs[Node(vertex: vertex, output: $0)]! }
        guard outputs.allSatisfy({ ($0.shape.elementCount ?? .max) <= Planner.foldLimit }) else { return [] }
        return try VertexEvaluator.run(
            vertex, inputs: context.constants.map { $0! }, outputs: outputs, threads: 1,
            precision: options.matrixPrecision,
            random: random)
    }

    /// The dtype of an output. For a handle, the dtype of the memory that it stands for.
    func memoryType(_ vertex: Vertex, _ output: Int) -> DType {
        let dtype = vertex.outputs[output].dtype
        guard dtype == .resource else { return dtype }
        if let own = vertex.variableSpec { return own.dtype }
        return vertex.operation.aliases[output].map { spec(vertex.inputs[$0]).dtype } ?? dtype
    }
}
