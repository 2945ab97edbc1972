/// A part of a graph made ready to run for given fetches, feeds and feed shapes: a flat array of bound kernels.
final class Plan {
    enum Step {
        /// A kernel bound to slots; the Variable that it gives its first value.
        case bound(Kernel, initializes: VariableBuffer?)
        /// A vertex whose shapes depend on values: inferred, allocated and bound at run time.
        case dynamic(Vertex, inputs: [View], outputs: [Slot], initializes: VariableBuffer?)
        /// What TensorFlow 1's control flow decides, and all that follows from it.
        case frames(FrameProgram)
    }

    /// A value: its memory, and its own shape where that is known, for values of several shapes may share memory.
    struct View {
        let slot: Slot
        let shape: Shape?

        init(slot: Slot, shape: Shape) {
            self.slot = slot
            self.shape = shape.isFullyDefined ? shape : nil
        }

        /// - Throws: `GraphError` if the value came out in another size than was planned.
        func of(_ tensor: Tensor) throws -> Tensor {
            guard let shape else { return tensor }
            guard shape.elementCount == tensor.elementCount else {
                throw GraphError("its value is of the shape \(tensor.shape), where \(shape) was planned")
            }
            return tensor.viewed(as: shape)
        }
    }

    private let steps: [Step]
    /// One for each step.
    private let labels: [StepLabel]
    /// The labels in words, for who asks.
    private lazy var described = labels.map { $0.described(functions.placement.devices, place: place) }
    /// The slots that each step reads or writes; nil for a step of which that is not known.
    private let touched: [[Slot]?]
    /// Of a plan whose memory is checked: what is free in the arena after each step.
    private let freed: [[Range<Int>]]
    private let fetchNodes: [Node]
    /// Of the last exchange that a run was given.
    private var lastPlaces: ExchangePlaces?
    private let specs: [TensorSpec]
    private let feeds: [(node: Node, slot: Slot?, spec: TensorSpec)]
    private let fetches: [View?]
    private let reads: [VariableBuffer]
    private let random: RandomState
    private let options: SessionOptions
    /// What runs the functions that vertices call: the session's, which keeps this plan.
    private unowned let functions: FunctionRuntime
    /// Whether runs are made of it, not calls of a function.
    private let isOutermost: Bool
    private let evaluator: VertexEvaluator
    private let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private let memory: PlanMemory
    private let sources: [Planner.Source]
    private let fetchSlots: [Slot]
    private let variableSlots: [(slot: Slot, buffer: VariableBuffer, isWritten: Bool)]
    private let hasDynamicSteps: Bool
    /// The values of `feeds`, for the time of a run.
    private var fed: [Tensor] = []
    /// Where in the feeds of the last run each of `feeds` was.
    private var places: [Int]
    /// Values of the dynamic region, and what they stand for, for the time of a run.
    private var dynamicValues: [Slot: KeptTensor] = [:]
    private var resources = RunResources()

    init(
        steps: [Step], labels: [StepLabel], touched: [[Slot]?], freed: [[Range<Int>]],
        sources: [Planner.Source], specs: [TensorSpec], memory: PlanMemory, ownBytes: Int, writes: Set<Slot>,
        feeds: [(node: Node, slot: Slot?, spec: TensorSpec)], fetchNodes: [Node], fetches: [View?],
        reads: [VariableBuffer], random: RandomState, options: SessionOptions, functions: FunctionRuntime,
        isOutermost: Bool
    ) {
        self.options = options
        self.steps = steps
        self.labels = labels
        self.touched = touched
        self.freed = freed
        self.fetchNodes = fetchNodes
        hasDynamicSteps = steps.contains { if case .bound = $0 { false } else { true } }
        self.sources = sources
        self.specs = specs
        self.feeds = feeds
        places = Array(feeds.indices)
        self.fetches = fetches
        self.reads = reads
        self.random = random
        self.functions = functions
        self.isOutermost = isOutermost
        evaluator = VertexEvaluator(options: options, random: random, functions: functions)
        self.memory = memory
        pointers = .allocate(capacity: max(sources.count, 1))
        var fetchSlots: [Slot] = []
        var variableSlots: [(slot: Slot, buffer: VariableBuffer, isWritten: Bool)] = []
        for (slot, source) in sources.enumerated() {
            switch source {
            case .variable(let buffer): variableSlots.append((slot, buffer, writes.contains(slot)))
            case .fetch: fetchSlots.append(slot)
            case .constant, .arena, .feed, .dynamic: break
            }
        }
        bytes = ownBytes + memory.ownBytes + steps.count * Plan.stepBytes + sources.count * Plan.slotBytes
        self.fetchSlots = fetchSlots
        self.variableSlots = variableSlots
    }

    deinit { pointers.deallocate() }

    /// About how many bytes it takes that no other plan shares: constants, what its kernels keep, and itself.
    let bytes: Int
    /// What a step and a slot take, about: closures, labels, shapes.
    private static let (stepBytes, slotBytes) = (2048, 256)

    var description: PlanDescription { PlanDescription(steps: described, arenaBytes: memory.arenaBytes) }

    /// Where a value lies, in words.
    private func place(_ slot: Slot) -> String {
        switch sources[slot] {
        case .constant: "known"
        case .feed: "fed"
        case .variable(let buffer): "in '\(buffer.name)'"
        case .arena(let offset): "at \(offset)"
        case .fetch: "fetched"
        case .dynamic: "placed at run time"
        }
    }

    /// Finds the plan's memory, if it is not where it was in the last run.
    /// - Throws: `GraphError` if an accelerator has too little memory.
    @inline(__always)
    func settle() throws {
        let arenas = functions.plans.current
        guard !memory.isSettled(in: arenas) else { return }
        try memory.settle(in: arenas, pointers, count: sources.count)
    }

    /// Keeps the feeds for the next run, if they are those that the plan was made for.
    func take(_ feeds: Feeds) -> Bool {
        let entries = feeds.entries
        guard entries.count == self.feeds.count else { return false }
        for i in self.feeds.indices {
            let node = self.feeds[i].node
            if entries[places[i]].node != node { places[i] = entries.firstIndex { $0.node == node } ?? 0 }
            let entry = entries[places[i]]
            guard entry.node == node, case .success(let tensor) = entry.value,
                tensor.dtype == self.feeds[i].spec.dtype, tensor.shape == self.feeds[i].spec.shape
            else {
                fed.removeAll(keepingCapacity: true)
                return false
            }
            fed.append(tensor)
        }
        return true
    }

    /// For each feed its place among `parameters`, for `take(_:order:)`.
    func order(in parameters: [Node]) -> [Int] {
        feeds.map { feed in parameters.firstIndex(of: feed.node) ?? 0 }
    }

    /// Keeps values, which must be those that the plan was made for, as the feeds of the next run.
    func take(_ values: [Tensor], order: [Int]) {
        fed.removeAll(keepingCapacity: true)
        for i in order { fed.append(values[i]) }
    }

    /// Where in the steps the groups of `exchange` have their turns.
    private func places(of exchange: RunExchange) -> ExchangePlaces {
        if let lastPlaces, lastPlaces.exchange === exchange { return lastPlaces }
        let made = ExchangePlaces(
            exchange, touched: touched.map { $0.map(Set.init) },
            slot: { [self] node in fetchNodes.firstIndex(of: node).flatMap { fetches[$0]?.slot } },
            isOwn: { [self] slot in if case .fetch = sources[slot] { true } else { false } },
            variables: { [self] vertex in
                variableSlots.filter { $0.buffer.name == vertex.name }.map(\.slot)
            })
        lastPlaces = made
        return made
    }

    /// Runs the steps on the feeds taken before.
    func run(_ profile: Profile? = nil, exchange: RunExchange? = nil) throws -> [Tensor] {
        defer { fed.removeAll(keepingCapacity: true) }
        try settle()
        let places = exchange.map { self.places(of: $0) }
        for buffer in reads where !buffer.isInitialized { throw buffer.uninitialized }
        for i in feeds.indices {
            if let slot = feeds[i].slot { pointers[slot] = fed[i].storage.pointer }
        }
        for variable in variableSlots {
            let buffer = variable.buffer
            if let profile, buffer.needsUpload {
                try profile.measure(upload(of: buffer)) { _ = try buffer.forRun(writing: false) }
            }
            pointers[variable.slot] = try buffer.forRun(writing: variable.isWritten)
        }
        var results: [(slot: Slot, tensor: Tensor)] = []
        for slot in fetchSlots {
            let spec = specs[slot]
            let bytes = spec.byteCount!
            let given = places?.destinations[slot]?.storage
            let storage = given?.byteCount == bytes ? given! : TensorStorage(byteCount: bytes)
            pointers[slot] = storage.pointer
            results.append((slot, Tensor(dtype: spec.dtype, shape: spec.shape, storage: storage)))
        }
        let frame = Frame(pointers: pointers)
        defer {
            if hasDynamicSteps {
                dynamicValues.removeAll(keepingCapacity: true)
                resources = RunResources()
                if isOutermost { functions.texts.release() }
            }
        }
        // Read once: `functions` is unowned, and each use of it would count references.
        let functions = functions
        if isOutermost { functions.end = options.timeout.map { ContinuousClock.now + $0 } }
        let isTimed = functions.end != nil
        if isTimed { try functions.checkTime() }
        let checksMemory = !freed.isEmpty
        if checksMemory { memory.spoil(0..<memory.arenaBytes) }
        defer { if checksMemory { memory.spoil(0..<memory.arenaBytes) } }
        if isTimed || places != nil || profile != nil || checksMemory {
            for i in steps.indices {
                if isTimed { try functions.checkTime() }
                for group in places?.before[i] ?? [] { try exchange?.willUse(group) }
                if let profile {
                    try profile.measure(described[i]) { try runToEnd(i, frame) }
                } else {
                    try run(i..<i + 1, frame)
                }
                if checksMemory { freed[i].forEach(memory.spoil) }
                for group in places?.after[i] ?? [] { try exchange?.isFinal(group) }
            }
        } else {
            try run(0..<steps.count, frame)
        }
        for context in memory.contexts { try context.queue.flush() }
        for group in places?.atEnd ?? [] { try exchange?.willUse(group) }
        let values = try fetches.enumerated().map { i, view in
            guard let view else { return Tensor.nothing }
            do {
                let value =
                    try view.of(results.first { $0.slot == view.slot }?.tensor ?? value(view.slot, copy: true))
                value.holdTexts()
                return try delivered(value, to: exchange?.destinations[fetchNodes[i]])
            } catch let error as GraphError { throw error.at(fetchNodes[i].vertex) }
        }
        for group in places?.atEnd ?? [] { try exchange?.isFinal(group) }
        return values
    }

    /// The value of a fetch in the memory that it is to go to.
    private func delivered(_ value: Tensor, to destination: Tensor?) throws -> Tensor {
        guard let destination, destination.storage !== value.storage else { return value }
        guard destination.byteCount == value.byteCount else {
            throw GraphError(
                "its value has \(value.byteCount) bytes, and the memory that it is to go to \(destination.byteCount)")
        }
        value.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                destination.storage.pointer.copyMemory(from: base, byteCount: bytes.count)
            }
        }
        return Tensor(dtype: value.dtype, shape: value.shape, storage: destination.storage)
    }

    /// Runs a step and waits for what it only put into a queue, which counts to the step that did.
    private func runToEnd(_ step: Int, _ frame: Frame) throws {
        try run(step..<step + 1, frame)
        for context in memory.contexts { try context.queue.synchronize() }
    }

    private func upload(of buffer: VariableBuffer) -> PlanDescription.Step {
        PlanDescription.Step(
            name: buffer.name, operation: "Transfer", device: "\(CPUDevice().name) to \(buffer.device)",
            bytes: buffer.byteCount, outputs: [])
    }

    /// Runs steps in order. This is where an error of a kernel gets the vertex's name and the user's place of it.
    @inline(__always)
    private func run(_ range: Range<Int>, _ frame: Frame) throws {
        var step = range.lowerBound
        do {
            while step < range.upperBound {
                try run(steps[step], frame)
                step += 1
            }
        } catch let error as GraphError { throw labels[step].origin.map(error.at) ?? error }
    }

    @inline(__always)
    private func run(_ step: Step, _ frame: Frame) throws {
        switch step {
        case .bound(let kernel, let variable):
            try kernel(frame)
            variable?.isInitialized = true
        case .dynamic(let vertex, let inputs, let outputs, let variable):
            try runDynamic(vertex, inputs, outputs)
            variable?.isInitialized = true
        case .frames(let program): try run(program)
        }
    }

    /// The value in a slot as a tensor; of memory that changes in later runs a copy if asked for.
    private func value(_ slot: Slot, copy: Bool) throws -> Tensor {
        switch sources[slot] {
        case .constant(let tensor): return tensor
        case .dynamic:
            guard let value = dynamicValues[slot] else {
                throw GraphError("it has no value: the side of a Switch that it is on was not taken")
            }
            return value.tensor
        case .feed:
            guard let index = feeds.firstIndex(where: { $0.slot == slot }) else {
                throw GraphError("a feed is missing")
            }
            return fed[index]
        case .variable, .arena, .fetch:
            let spec = specs[slot]
            let bytes = spec.byteCount!
            if copy {
                return Tensor(dtype: spec.dtype, sized: spec.shape) { target in
                    target.copyMemory(from: UnsafeRawBufferPointer(start: pointers[slot], count: bytes))
                }
            }
            let storage = TensorStorage(pointer: pointers[slot], byteCount: bytes, owner: self)
            return Tensor(dtype: spec.dtype, shape: spec.shape, storage: storage)
        }
    }

    private func runDynamic(_ vertex: Vertex, _ inputs: [View], _ outputs: [Slot]) throws {
        // What a result is another view of must outlive its place in the arena.
        let shared = Set(vertex.operation.writes.isEmpty ? Array(vertex.operation.aliases.values) : [])
        let values = try inputs.enumerated().map { i, view in
            try view.of(value(view.slot, copy: shared.contains(i)))
        }
        let results = try compute(vertex, values)
        for (output, (slot, result)) in zip(outputs, results).enumerated() {
            // A Variable that was written: where it lies on a device, a transfer brings it there.
            if !vertex.operation.writes.isEmpty, vertex.operation.aliases[output] != nil { continue }
            if case .dynamic = sources[slot] {
                let value = KeptTensor(result)
                dynamicValues[slot] = value
                pointers[slot] = value.tensor.storage.pointer
            } else {
                result.withUnsafeBytes { bytes in
                    if let base = bytes.baseAddress, pointers[slot] != base {
                        pointers[slot].copyMemory(from: base, byteCount: bytes.count)
                    }
                }
            }
        }
    }

    private func compute(_ vertex: Vertex, _ values: [Tensor], variable: VariableBuffer? = nil) throws -> [Tensor] {
        try evaluator.outputs(of: vertex, values, resources: resources, variable: variable)
    }

    private func run(_ program: FrameProgram) throws {
        try program.run(
            beforeEach: functions.checkTime,
            outside: { view, copy in try view.of(value(view.slot, copy: copy)) },
            compute: { member, values in try compute(member.vertex, values, variable: member.variable) },
            store: { slot, value in dynamicValues[slot] = value })
    }
}
