/// A part of a graph made ready to run for given fetches, feeds and feed shapes: a flat array of bound kernels.
final class Plan {
    enum Step {
        /// A kernel bound to slots; the Variable that it gives its first value.
        case bound(Kernel, initializes: VariableBuffer?)
        /// A vertex whose shapes depend on values: inferred, allocated and bound at run time.
        case dynamic(Vertex, inputs: [View], outputs: [Slot])
    }

    /// A value: its memory, and its own shape where that is known, for values of several shapes may share memory.
    struct View {
        let slot: Slot
        let shape: Shape?

        init(slot: Slot, shape: Shape) {
            self.slot = slot
            self.shape = shape.isFullyDefined ? shape : nil
        }

        func of(_ tensor: Tensor) -> Tensor { shape.map { tensor.reshaped($0) } ?? tensor }
    }

    private let steps: [Step]
    private let specs: [TensorSpec]
    private let feeds: [(node: Node, slot: Slot?, shape: Shape)]
    private let fetches: [View?]
    private let reads: [VariableBuffer]
    private let random: RandomState
    private let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private let arena: TensorStorage
    private let sources: [Planner.Source]
    private let fetchSlots: [Slot]
    private let variableSlots: [(slot: Slot, buffer: VariableBuffer)]
    private let hasDynamicSteps: Bool
    /// The values of `feeds`, for the time of a run.
    private var fed: [Tensor] = []
    /// Values of the dynamic region, for the time of a run.
    private var dynamicValues: [Slot: Tensor] = [:]

    init(
        steps: [Step], sources: [Planner.Source], specs: [TensorSpec], arenaSize: Int,
        feeds: [(node: Node, slot: Slot?, shape: Shape)], fetches: [View?], reads: [VariableBuffer], random: RandomState
    ) {
        self.steps = steps
        hasDynamicSteps = steps.contains { if case .dynamic = $0 { true } else { false } }
        self.sources = sources
        self.specs = specs
        self.feeds = feeds
        self.fetches = fetches
        self.reads = reads
        self.random = random
        arena = TensorStorage(byteCount: arenaSize)
        pointers = .allocate(capacity: max(sources.count, 1))
        var fetchSlots: [Slot] = []
        var variableSlots: [(slot: Slot, buffer: VariableBuffer)] = []
        for (slot, source) in sources.enumerated() {
            var pointer = arena.pointer
            switch source {
            case .constant(let tensor): pointer = tensor.storage.pointer
            case .arena(let offset): pointer = arena.pointer + offset
            case .variable(let buffer):
                pointer = buffer.storage.pointer
                variableSlots.append((slot, buffer))
            case .fetch: fetchSlots.append(slot)
            case .feed, .dynamic: break
            }
            (pointers + slot).initialize(to: pointer)
        }
        self.fetchSlots = fetchSlots
        self.variableSlots = variableSlots
    }

    deinit { pointers.deallocate() }

    static func uninitialized(_ name: String) -> GraphError {
        GraphError(
            "the Variable '\(name)' is not initialised; run its initialiser or graph.globalVariablesInitializer() first"
        )
    }

    /// Keeps the feeds for the next run, if they are those that the plan was made for.
    func take(_ feeds: [Node: Tensor]) -> Bool {
        guard feeds.count == self.feeds.count else { return false }
        for i in self.feeds.indices {
            guard let tensor = feeds[self.feeds[i].node], tensor.shape == self.feeds[i].shape else {
                fed.removeAll(keepingCapacity: true)
                return false
            }
            fed.append(tensor)
        }
        return true
    }

    /// Runs the steps on the feeds taken before.
    func run() throws -> [Tensor] {
        defer { fed.removeAll(keepingCapacity: true) }
        for buffer in reads where !buffer.isInitialized { throw Plan.uninitialized(buffer.name) }
        for i in feeds.indices {
            if let slot = feeds[i].slot { pointers[slot] = fed[i].storage.pointer }
        }
        for variable in variableSlots { pointers[variable.slot] = variable.buffer.storage.pointer }
        var results: [(slot: Slot, tensor: Tensor)] = []
        for slot in fetchSlots {
            let spec = specs[slot]
            let storage = TensorStorage(byteCount: spec.shape.elementCount! * spec.dtype.size)
            pointers[slot] = storage.pointer
            results.append((slot, Tensor(dtype: spec.dtype, shape: spec.shape, storage: storage)))
        }
        let frame = Frame(pointers: pointers)
        defer { if hasDynamicSteps { dynamicValues.removeAll(keepingCapacity: true) } }
        for step in steps {
            switch step {
            case .bound(let kernel, let variable):
                try kernel(frame)
                variable?.isInitialized = true
            case .dynamic(let vertex, let inputs, let outputs): try runDynamic(vertex, inputs, outputs)
            }
        }
        return try fetches.map { view in
            guard let view else { return Tensor(false) }
            return view.of(try results.first { $0.slot == view.slot }?.tensor ?? value(view.slot, copy: true))
        }
    }

    /// The value in a slot as a tensor; of memory that changes in later runs a copy if asked for.
    private func value(_ slot: Slot, copy: Bool) throws -> Tensor {
        switch sources[slot] {
        case .constant(let tensor): return tensor
        case .dynamic: return dynamicValues[slot]!
        case .feed:
            guard let index = feeds.firstIndex(where: { $0.slot == slot }) else {
                throw GraphError("a feed is missing")
            }
            return fed[index]
        case .variable, .arena, .fetch:
            let spec = specs[slot]
            let bytes = spec.shape.elementCount! * spec.dtype.size
            if copy {
                return Tensor(dtype: spec.dtype, shape: spec.shape) { target in
                    target.copyMemory(from: UnsafeRawBufferPointer(start: pointers[slot], count: bytes))
                }
            }
            let storage = TensorStorage(pointer: pointers[slot], byteCount: bytes, owner: self)
            return Tensor(dtype: spec.dtype, shape: spec.shape, storage: storage)
        }
    }

    private func runDynamic(_ vertex: Vertex, _ inputs: [View], _ outputs: [Slot]) throws {
        do {
            // What a result is another view of must outlive its place in the arena.
            let shared = Set(vertex.operation.writes.isEmpty ? Array(vertex.operation.aliases.values) : [])
            let values = try inputs.enumerated().map { i, view in
                view.of(try value(view.slot, copy: shared.contains(i)))
            }
            let inference = Inference(
                attributes: vertex.attributes, inputs: values.map { TensorSpec($0.dtype, $0.shape) },
                constants: values.map { $0 })
            let results: [Tensor]
            if let folded = try vertex.operation.fold(inference) {
                results = folded
            } else {
                let shapes = try vertex.operation.infer(inference)
                let specs = zip(vertex.outputs, shapes).map { TensorSpec($0.dtype, $1) }
                results = try Plan.evaluate(vertex, inputs: values, outputs: specs, threads: 1, random: random)
            }
            for (slot, result) in zip(outputs, results) {
                if case .dynamic = sources[slot] {
                    dynamicValues[slot] = result
                    pointers[slot] = result.storage.pointer
                } else {
                    result.withUnsafeBytes { bytes in
                        if let base = bytes.baseAddress, pointers[slot] != base {
                            pointers[slot].copyMemory(from: base, byteCount: bytes.count)
                        }
                    }
                }
            }
        } catch let error as GraphError {
            throw error.at("\(vertex.operation.name) '\(vertex.name)'", vertex.location)
        }
    }

    /// Runs one vertex on given values, apart from any plan.
    static func evaluate(
        _ vertex: Vertex, inputs: [Tensor], outputs: [TensorSpec], threads: Int, random: RandomState
    ) throws -> [Tensor] {
        for spec in outputs where !spec.shape.isFullyDefined {
            throw GraphError("its output's shape \(spec.shape) is not known even at run time")
        }
        let operation = vertex.operation
        var results = outputs.enumerated().map { i, spec -> Tensor in
            if let input = operation.aliases[i] { return inputs[input].reshaped(spec.shape) }
            return Tensor(dtype: spec.dtype, shape: spec.shape) { _ in }
        }
        if operation.aliases[0] == 0, operation.writes.isEmpty { return results }
        let binding = KernelBinding(
            name: vertex.name, attributes: vertex.attributes, inputs: inputs.map { TensorSpec($0.dtype, $0.shape) },
            outputs: outputs, constants: inputs.map { $0 }, inputSlots: Array(inputs.indices),
            outputSlots: outputs.indices.map { $0 + inputs.count }, threads: threads, random: random)
        let kernel = try operation.kernel(binding)
        var pointers = (inputs + results).map(\.storage.pointer)
        try pointers.withUnsafeMutableBufferPointer { try kernel(Frame(pointers: $0.baseAddress!)) }
        if operation.aliases[0] == 0 { results[0] = inputs[0] }
        return results
    }
}
