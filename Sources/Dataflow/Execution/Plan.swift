/// The part of a graph that given fetches need, ready to run on feeds of given shapes: a flat array of bound kernels.
final class Plan {
    enum Step {
        /// A kernel bound to slots. It may give a Variable its first value.
        case bound(Kernel, initializes: VariableBuffer?)
        /// A vertex whose shapes depend on values. Each run finds its shapes, allocates its outputs and binds its
        /// kernel.
        case dynamic(Vertex, inputs: [View], outputs: [Slot], initializes: VariableBuffer?)
        /// TensorFlow 1's control flow, and all vertices that depend on it.
        case frames(FrameProgram)
    }

    /// A value: its memory, and its shape if that is known. Values of different shapes may share memory.
    struct View {
        let slot: Slot
        let shape: Shape?

        init(slot: Slot, shape: Shape) {
            self.slot = slot
            self.shape = shape.isFullyDefined ? shape : nil
        }

        /// - Throws: `GraphError` if the value has another size than the plan expects.
        func of(_ tensor: Tensor) throws -> Tensor {
            guard let shape else { return tensor }
            guard shape.elementCount == tensor.elementCount else {
                throw GraphError("its value has the shape \(tensor.shape), but the plan expects \(shape)")
            }
            return tensor.viewed(as: shape)
        }
    }

    private let steps: [Step]
    /// A label for each step.
    private let labels: [StepLabel]
    /// The labels in words, made when a profile or a description needs them.
    private lazy var described = labels.map { $0.described(functions.placement.devices, memory: whereabouts) }
    /// The slots that each step reads or writes; nil for a step that may touch any slot.
    private let touched: [[Slot]?]
    /// If the session checks memory: the parts of the arena that are free after each step.
    private let freed: [[Range<Int>]]
    private let fetchNodes: [Node]
    /// The schedule of the last run's exchange.
    private var lastSchedule: ExchangeSchedule?
    private let specs: [TensorSpec]
    private let feeds: [(node: Node, slot: Slot?, spec: TensorSpec)]
    private let fetches: [View?]
    private let reads: [VariableBuffer]
    private let random: RandomState
    private let options: SessionOptions
    /// Runs the functions that vertices call. The session owns it, and it owns this plan.
    private unowned let functions: FunctionRuntime
    /// Whether it is the plan of a run, not of a function that a run calls.
    private let isOutermost: Bool
    /// The operations that a run executes, for `SessionOptions.recorder`.
    private let recorded: Set<String>
    private let evaluator: VertexEvaluator
    private let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private let planMemory: PlanMemory
    private let sources: [Planner.Source]
    private let fetchSlots: [Slot]
    private let variableSlots: [(slot: Slot, buffer: VariableBuffer, isWritten: Bool)]
    private let hasDynamicSteps: Bool
    /// The values of `feeds` during a run.
    private var fed: [Tensor] = []
    /// The index of each of `feeds` among the last run's feeds.
    private var feedOrder: [Int]
    /// During a run, the values whose memory is found at run time.
    private var dynamicValues: [Slot: KeptTensor] = [:]
    private var resources = RunResources()

    init(
        steps: [Step], labels: [StepLabel], touched: [[Slot]?], freed: [[Range<Int>]],
        sources: [Planner.Source], specs: [TensorSpec], memory: PlanMemory, ownBytes: Int, writes: Set<Slot>,
        feeds: [(node: Node, slot: Slot?, spec: TensorSpec)], fetchNodes: [Node], fetches: [View?],
        reads: [VariableBuffer], random: RandomState, options: SessionOptions, functions: FunctionRuntime,
        isOutermost: Bool, recorded: Set<String>
    ) {
        self.recorded = recorded
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
        feedOrder = Array(feeds.indices)
        self.fetches = fetches
        self.reads = reads
        self.random = random
        self.functions = functions
        self.isOutermost = isOutermost
        evaluator = VertexEvaluator(options: options, random: random, functions: functions)
        planMemory = memory
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

    /// About how many bytes it takes that it shares with no other plan: constants, what its kernels keep, and itself.
    let bytes: Int
    /// About how many bytes a step and a slot take: closures, labels, shapes.
    private static let (stepBytes, slotBytes) = (2048, 256)

    var description: PlanDescription { PlanDescription(steps: described, arenaBytes: planMemory.arenaBytes) }

    /// Says in words where a value lies.
    private func whereabouts(_ slot: Slot) -> String {
        switch sources[slot] {
        case .constant: "known"
        case .feed: "fed"
        case .variable(let buffer): "in '\(buffer.name)'"
        case .arena(let offset): "at \(offset)"
        case .fetch: "fetched"
        case .dynamic: "allocated at run time"
        }
    }

    /// Finds the plan's memory again if it has moved since the last run.
    /// - Throws: `GraphError` if an accelerator has too little memory.
    @inline(__always)
    func settle() throws {
        let arenas = functions.plans.current
        guard !planMemory.isSettled(in: arenas) else { return }
        try planMemory.settle(in: arenas, pointers, count: sources.count)
    }

    /// Keeps the feeds for the next run. False if their nodes, dtypes or shapes are not the plan's.
    func take(_ feeds: Feeds) -> Bool {
        let entries = feeds.entries
        guard entries.count == self.feeds.count else { return false }
        for i in self.feeds.indices {
            let node = self.feeds[i].node
            if entries[feedOrder[i]].node != node { feedOrder[i] = entries.firstIndex { $0.node == node } ?? 0 }
            let entry = entries[feedOrder[i]]
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

    /// The index of each feed's node among `parameters`, for `take(_:order:)`.
    func order(in parameters: [Node]) -> [Int] {
        feeds.map { feed in parameters.firstIndex(of: feed.node) ?? 0 }
    }

    /// Keeps values as the feeds of the next run. Their dtypes and shapes must be the plan's.
    func take(_ values: [Tensor], order: [Int]) {
        fed.removeAll(keepingCapacity: true)
        for i in order { fed.append(values[i]) }
    }

    /// The steps before and after which the groups of `exchange` have their turns.
    private func schedule(of exchange: RunExchange) -> ExchangeSchedule {
        if let lastSchedule, lastSchedule.exchange === exchange { return lastSchedule }
        let made = ExchangeSchedule(
            exchange, touched: touched.map { $0.map(Set.init) },
            slot: { [self] node in fetchNodes.firstIndex(of: node).flatMap { fetches[$0]?.slot } },
            isOwn: { [self] slot in if case .fetch = sources[slot] { true } else { false } },
            variables: { [self] vertex in
                variableSlots.filter { $0.buffer.name == vertex.name }.map(\.slot)
            })
        lastSchedule = made
        return made
    }

    /// Runs the steps on the feeds that `take` has kept.
    func run(_ profile: Profile? = nil, exchange: RunExchange? = nil) throws -> [Tensor] {
        defer { fed.removeAll(keepingCapacity: true) }
        try settle()
        let schedule = exchange.map { self.schedule(of: $0) }
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
            let given = schedule?.destinations[slot]?.storage
            let storage = given?.byteCount == bytes ? given! : TensorStorage(byteCount: bytes)
            pointers[slot] = storage.pointer
            results.append((slot, Tensor(dtype: spec.dtype, shape: spec.shape, storage: storage)))
        }
        let memory = RunMemory(pointers: pointers)
        defer {
            if hasDynamicSteps {
                dynamicValues.removeAll(keepingCapacity: true)
                resources = RunResources()
                if isOutermost { functions.texts.release() }
            }
        }
        // A local copy: `functions` is unowned, and every use of it would count references.
        let functions = functions
        if isOutermost { functions.end = options.timeout.map { ContinuousClock.now + $0 } }
        let isTimed = functions.end != nil
        if isTimed { try functions.checkTime() }
        let checksMemory = !freed.isEmpty
        if checksMemory { planMemory.spoil(0..<planMemory.arenaBytes) }
        defer { if checksMemory { planMemory.spoil(0..<planMemory.arenaBytes) } }
        if isTimed || schedule != nil || profile != nil || checksMemory {
            for i in steps.indices {
                if isTimed { try functions.checkTime() }
                for group in schedule?.before[i] ?? [] { try exchange?.willUse(group) }
                if let profile {
                    try profile.measure(described[i]) { try runToEnd(i, memory) }
                } else {
                    try run(i..<i + 1, memory)
                }
                if checksMemory { freed[i].forEach(planMemory.spoil) }
                for group in schedule?.after[i] ?? [] { try exchange?.isFinal(group) }
            }
        } else {
            try run(0..<steps.count, memory)
        }
        options.recorder?.note(recorded)
        for context in planMemory.contexts { try context.queue.flush() }
        for group in schedule?.atEnd ?? [] { try exchange?.willUse(group) }
        let values = try fetches.enumerated().map { i, view in
            guard let view else { return Tensor.nothing }
            do {
                let value =
                    try view.of(results.first { $0.slot == view.slot }?.tensor ?? value(view.slot, copy: true))
                value.holdTexts()
                return try delivered(value, to: exchange?.destinations[fetchNodes[i]])
            } catch let error as GraphError { throw error.at(fetchNodes[i].vertex) }
        }
        for group in schedule?.atEnd ?? [] { try exchange?.isFinal(group) }
        return values
    }

    /// The value of a fetch, copied to its destination if it has one.
    private func delivered(_ value: Tensor, to destination: Tensor?) throws -> Tensor {
        guard let destination, destination.storage !== value.storage else { return value }
        guard destination.byteCount == value.byteCount else {
            throw GraphError(
                "its value has \(value.byteCount) bytes, but the memory to copy it to has \(destination.byteCount)")
        }
        value.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                destination.storage.pointer.copyMemory(from: base, byteCount: bytes.count)
            }
        }
        return Tensor(dtype: value.dtype, shape: value.shape, storage: destination.storage)
    }

    /// Runs a step and waits for the work that it put into a device's queue, so that a profile counts that time to the
    /// step.
    private func runToEnd(_ step: Int, _ memory: RunMemory) throws {
        try run(step..<step + 1, memory)
        for context in planMemory.contexts { try context.queue.synchronize() }
    }

    private func upload(of buffer: VariableBuffer) -> PlanDescription.Step {
        PlanDescription.Step(
            name: buffer.name, operation: "Transfer", device: "\(CPUDevice().name) to \(buffer.deviceName)",
            bytes: buffer.byteCount, outputs: [])
    }

    /// Runs steps in order. An error of a kernel gets the vertex's name and the user's line here.
    @inline(__always)
    private func run(_ range: Range<Int>, _ memory: RunMemory) throws {
        var step = range.lowerBound
        do {
            while step < range.upperBound {
                try run(steps[step], memory)
                step += 1
            }
        } catch let error as GraphError {
            options.recorder?.note(Set(labels[...step].flatMap(\.operations)))
            throw labels[step].origin.map(error.at) ?? error
        }
    }

    @inline(__always)
    private func run(_ step: Step, _ memory: RunMemory) throws {
        switch step {
        case .bound(let kernel, let variable):
            try kernel(memory)
            variable?.isInitialized = true
        case .dynamic(let vertex, let inputs, let outputs, let variable):
            try runDynamic(vertex, inputs, outputs)
            variable?.isInitialized = true
        case .frames(let program): try run(program)
        }
    }

    /// The value in a slot as a tensor. With `copy`, memory that later runs change is copied.
    private func value(_ slot: Slot, copy: Bool) throws -> Tensor {
        switch sources[slot] {
        case .constant(let tensor): return tensor
        case .dynamic:
            guard let value = dynamicValues[slot] else {
                throw GraphError("it has no value: it is on the side of a Switch that was not taken")
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
        // A result that is a view of an input may outlive the arena block of that input.
        let shared = Set(vertex.operation.writes.isEmpty ? Array(vertex.operation.aliases.values) : [])
        let values = try inputs.enumerated().map { i, view in
            try view.of(value(view.slot, copy: shared.contains(i)))
        }
        let results = try compute(vertex, values)
        for (output, (slot, result)) in zip(outputs, results).enumerated() {
            // The kernel has written the Variable in place. If it lies on a device, a transfer follows.
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
