internal import COneDNN
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#endif

/// How a session runs.
public struct SessionOptions: Sendable {
    /// Threads that a run may use; by default, the cores that this process may use. If several sessions run at the same
    /// time, their threads should add up to the process's cores.
    public var threads: Int
    /// A limit in bytes for each tensor, for the memory of each plan, and for all Variables together; by default the
    /// machine's memory.
    public var memoryLimit: Int
    /// Bytes for the plans that the session keeps, not counting the memory for values, which they share; by default an
    /// eighth of `memoryLimit`. Each set of fetches and shapes of feeds has a plan. The plan unused for longest is
    /// dropped first.
    public var planMemory: Int
    /// The precision of products of float32 matrices: `MatMul` and `BatchMatMul`, in gradients too.
    public var matrixPrecision: MatrixPrecision
    /// How long a run may take; nil: no limit. The session checks the time between operations. TensorFlow's
    /// `timeout_in_ms`.
    public var timeout: Duration?
    /// Whether an operation that asks for a device that is not there runs on the CPU. If not, the run throws. Off by
    /// default, as in TensorFlow 1.
    public var softPlacement: Bool
    /// The job and task of this process, as nodes placed on "/job:…" name it; by default
    /// /job:localhost/replica:0/task:0, as in TensorFlow. If nil, the session ignores the job and task that nodes ask
    /// for.
    public var process: DeviceName?
    /// The devices beside the CPU that the session may use.
    public var devices: DeviceOptions
    /// Receives a line for each kind of operation that runs on the CPU although a GPU was asked for.
    public var fallbackLog: (@Sendable (String) -> Void)?
    /// Receives one line if the session drops plans for lack of `planMemory` and has to make them again and again.
    public var planLog: (@Sendable (String) -> Void)?
    /// Receives a line "name: (Op): /device:CPU:0" for each vertex of a new plan.
    public var placementLog: (@Sendable (String) -> Void)?
    /// Collects the times of the operations of every run. A run may name another profile.
    public var profile: Profile?
    /// Reads and writes checkpoints for the operations that restore and save; nil: such a run throws.
    public var checkpoints: (any CheckpointStore)?
    /// The folders where `PrintV2` may write files; by default none, because a graph may come from somebody else.
    public var writable = WritableFolders.none
    /// How the session executes runs.
    public var plan: PlanKind
    /// Whether memory is filled with NaN as soon as it holds no value, so that a kernel that reads it by mistake is
    /// noticed. Slow, for tests. Off, unless the environment says `TRIBUTARY_CHECK_MEMORY=1`.
    public var checksMemory = SessionOptions.environmentChecksMemory

    /// Records the operations that runs execute, for tests.
    package var recorder = OperationRecorder.current
    /// The ids of vertices whose control edges do not count: they neither make them run nor wait for them. In a
    /// cluster, the servers make these writes of a training graph.
    package var unawaited: Set<Int> = []

    private static let environmentChecksMemory = getenv("TRIBUTARY_CHECK_MEMORY").map { String(cString: $0) } == "1"

    public init(
        threads: Int? = nil, memoryLimit: Int? = nil, planMemory: Int? = nil,
        matrixPrecision: MatrixPrecision = .float32, timeout: Duration? = nil, softPlacement: Bool = false,
        process: DeviceName? = DeviceName(job: "localhost", replica: 0, task: 0),
        devices: DeviceOptions = DeviceOptions(), fallbackLog: (@Sendable (String) -> Void)? = nil,
        planLog: (@Sendable (String) -> Void)? = nil,
        placementLog: (@Sendable (String) -> Void)? = nil, profile: Profile? = nil, plan: PlanKind = .optimized,
        checkpoints: (any CheckpointStore)? = nil
    ) {
        self.threads = max(threads ?? CPUDevice.cores, 1)
        self.memoryLimit = min(memoryLimit ?? CPUDevice.memory, CPUDevice.memory)
        self.planMemory = planMemory ?? self.memoryLimit / 8
        self.matrixPrecision = matrixPrecision
        self.timeout = timeout
        self.softPlacement = softPlacement
        self.process = process
        self.devices = devices
        self.fallbackLog = fallbackLog
        self.planLog = planLog
        self.placementLog = placementLog
        self.profile = profile
        self.checkpoints = checkpoints
        self.plan = plan
    }
}

/// How a session executes its runs.
public enum PlanKind: Sendable {
    /// By a plan: known values are folded, operations fused, and memory used again.
    case optimized
    /// Vertex by vertex, on the CPU, each in fresh memory. This is slow; tests compare plans with it. There is no
    /// `PlanDescription`, and profiles stay empty.
    case reference
}

/// Runs parts of a graph and keeps its Variables; TensorFlow's `tf.Session`.
///
/// A run executes on its caller's thread. Runs of one session wait for each other.
public final class Session: Sendable {
    public let graph: Graph
    public let options: SessionOptions
    private let core: Mutex<SessionCore>

    /// - Throws: `GraphError`, the first mistake made while building the graph.
    public init(_ graph: Graph, options: SessionOptions = SessionOptions()) throws {
        try graph.validate()
        self.graph = graph
        self.options = options
        core = Mutex(SessionCore(graph: graph, options: options))
    }

    /// Runs what `fetch` needs and returns its value. A vertex without outputs runs, and its value is a scalar false.
    public func run(_ fetch: any Operand, feeds: Feeds = [:], profile: Profile? = nil) throws -> Tensor {
        try run([fetch], feeds: feeds, profile: profile)[0]
    }

    /// Runs what the fetches need, each vertex once, and returns their values in order.
    ///
    /// - Parameters:
    ///   - fetches: nodes or Variables of the session's graph. A vertex without outputs runs, and its value is a scalar
    ///     false.
    ///   - feeds: values for placeholders, or in place of any other nodes, of shapes that fit: see `Feeds`.
    ///   - profile: collects the time of each operation.
    /// - Throws: `GraphError` for a mistake in the graph, a missing or wrong feed, an uninitialised Variable.
    public func run(
        _ fetches: [any Operand], feeds: Feeds = [:], profile: Profile? = nil
    ) throws -> [Tensor] {
        try graph.validate()
        return try core.withLock { core in try core.run(fetches.map(\.node), feeds, profile ?? options.profile) }
    }

    /// Runs what the fetches need, and exchanges values with the program during the run.
    /// - Throws: also what the closures of `exchange` throw. The run ends then.
    package func run(
        _ fetches: [any Operand], feeds: Feeds, exchange: RunExchange
    ) throws -> [Tensor] {
        try graph.validate()
        return try core.withLock { core in
            try core.run(fetches.map(\.node), feeds, options.profile, exchange: exchange)
        }
    }

    /// Keeps a Variable in the given memory of the host from now on. Its value is what that memory holds. A run on an
    /// accelerator copies it there before the first read.
    /// - Throws: `GraphError` if the memory is of another size.
    package func bind(_ variable: Vertex, to storage: TensorStorage) throws {
        try core.withLock { core in try core.bind(variable, to: storage) }
    }

    /// The plan of a run of `fetches` on feeds of these dtypes and shapes: its kernels in order, the operations fused
    /// into each, its device, and where values lie in memory.
    /// - Throws: what the run would throw before it computes.
    public func plan(for fetches: [any Operand], feeds: [Node: TensorSpec]) throws -> PlanDescription {
        try graph.validate()
        return try core.withLock { core in
            try core.make(fetches.map(\.node), feeds).description
        }
    }

    /// The plan of a run of `fetches` on these feeds.
    /// - Throws: what the run would throw before it computes.
    public func plan(for fetches: [any Operand], feeds: Feeds = [:]) throws -> PlanDescription {
        try plan(for: fetches, feeds: try feeds.tensors().mapValues { TensorSpec($0.dtype, $0.shape) })
    }

    /// Runs `nodes` for their effects.
    public func execute(_ nodes: any Operand..., feeds: Feeds = [:]) throws {
        _ = try run(nodes, feeds: feeds)
    }

    /// The value of a Variable. Nothing runs.
    /// - Throws: `GraphError` if it is not initialised.
    public func value(of variable: Variable) throws -> Tensor { try values(of: [variable])[0] }

    /// The values of Variables, all at the same time.
    /// - Throws: `GraphError` that names all Variables without a value.
    package func values(of variables: [Variable]) throws -> [Tensor] {
        try checkOwn(variables)
        return try core.withLock { core in try core.values(variables.map(\.reference.vertex)) }
    }

    /// Gives a Variable a value, as restoring a checkpoint does.
    /// - Throws: `GraphError` if dtype or shape differ.
    public func assign(_ value: Tensor, to variable: Variable) throws { try assign([(variable, value)]) }

    /// Gives Variables their values between two runs. If one does not fit, none changes.
    /// - Throws: `GraphError` if a dtype or shape differs.
    package func assign(_ values: [(variable: Variable, value: Tensor)]) throws {
        try checkOwn(values.map(\.variable))
        try core.withLock { core in try core.assign(values.map { ($0.variable.reference.vertex, $0.value) }) }
    }

    /// Throws if a Variable belongs to another graph. The session finds Variables by name, and would take this graph's
    /// instead.
    package func checkOwn(_ variables: some Sequence<Variable>) throws {
        for variable in variables where variable.graph !== graph {
            // A Variable that could not be made has an error, which says more.
            if let error = variable.reference.vertex.error { throw error }
            throw GraphError("the Variable '\(variable.name)' belongs to another graph than the session")
        }
    }

    /// Gives a Variable a Swift value: a number, Bool or String, or nested arrays of these. The session converts it to
    /// the Variable's dtype, as `Feeds` do.
    /// - Throws: `GraphError` if the shape differs, or the dtype cannot hold a value.
    @_disfavoredOverload
    public func assign(_ value: some TensorConvertible, to variable: Variable) throws {
        try assign(try value.tensor().converted(to: variable.dtype), to: variable)
    }

    /// Calls `body` with the memory of a Variable; no run goes on meanwhile. For a Variable on an accelerator it is a
    /// copy on the host. A parameter server's replies and a worker's pulls use it.
    /// - Parameter initialize: whether `body` may write. If not, it may only read.
    package func withVariable<Result>(
        _ variable: Vertex, initialize: Bool = false, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) throws -> Result {
        try core.withLock { core in
            let buffer = try core.buffer(variable, mustBeInitialized: !initialize)
            if initialize { buffer.isInitialized = true }
            let storage = try buffer.onHost(writing: initialize)
            return try body(UnsafeMutableRawBufferPointer(start: storage.pointer, count: storage.byteCount))
        }
    }

    /// Makes random operations draw the numbers of run `step` (mixed with `rank` if that is not 0), no matter how often
    /// they ran.
    package func setRandomStep(_ step: Int?, rank: Int = 0) {
        core.withLock { core in core.setRandomStep(step, rank: rank) }
    }
}

extension SessionOptions: CustomStringConvertible {
    /// The resources of runs, and the options that differ from their defaults.
    public var description: String {
        var parts = ["\(threads) thread\(threads == 1 ? "" : "s")", "\(memoryLimit) bytes", "devices: \(devices)"]
        if matrixPrecision != .float32 { parts.append("matrix products in \(matrixPrecision)") }
        if let timeout { parts.append("timeout \(timeout)") }
        if softPlacement { parts.append("soft placement") }
        if plan == .reference { parts.append("vertex by vertex") }
        return parts.joined(separator: ", ")
    }
}

extension Session: CustomStringConvertible {
    public var description: String { "a session of \(graph); \(options)" }
}

/// The state of a session, under its lock.
final class SessionCore {
    private let graph: Graph
    private let options: SessionOptions
    private let variables: VariableStore
    private let random = RandomState()
    private let placement: Placement
    /// Keeps the plans, and runs the functions that they call.
    private let functions: FunctionRuntime
    /// The graph's revision that the plans are of.
    private var revision = 0
    /// The last plan and its fetches, so that a loop over the same run needs no lookup.
    private var last: (fetches: [Node], plan: Plan)?

    init(graph: Graph, options: SessionOptions) {
        self.graph = graph
        self.options = options
        placement = Placement(
            devices: SessionDevices(options.devices), process: options.process, allowsSoft: options.softPlacement,
            onFallback: options.fallbackLog)
        variables = VariableStore(limit: options.memoryLimit, placement: placement, graph: graph)
        functions = FunctionRuntime(variables: variables, random: random, placement: placement, options: options)
    }

    func run(
        _ fetches: [Node], _ feeds: Feeds, _ profile: Profile?, exchange: RunExchange? = nil
    ) throws -> [Tensor] {
        // Before planning, for oneDNN divides a primitive's work among the threads that there are when it is made.
        omp_set_num_threads(Int32(options.threads))
        random.beginRun()
        if options.plan == .reference { return try runReference(fetches, feeds.tensors(), exchange) }
        return try plan(fetches, feeds).run(profile, exchange: exchange)
    }

    private func runReference(
        _ fetches: [Node], _ feeds: [Node: Tensor], _ exchange: RunExchange?
    ) throws -> [Tensor] {
        guard exchange == nil else {
            throw GraphError("a reference run cannot exchange values with the program; use the optimized plan")
        }
        try check(fetches + Array(feeds.keys))
        try Planner.check(feeds.mapValues { TensorSpec($0.dtype, $0.shape) })
        let functions = FunctionRuntime(variables: variables, random: random, placement: placement, options: options)
        functions.end = options.timeout.map { ContinuousClock.now + $0 }
        let values = try ReferenceExecutor(fetches: fetches, feeds: feeds, functions).run()
        for value in values { value.holdTexts() }
        return values
    }

    private func check(_ nodes: [Node]) throws {
        for node in nodes {
            guard node.graph === graph else {
                // A node that could not be made has an error, which says more.
                if let error = node.vertex.error { throw error }
                throw GraphError("\(node.name) belongs to another graph than the session").at(node.vertex)
            }
            if let mistake = node.mistake { throw mistake }
        }
    }

    private func plan(_ fetches: [Node], _ feeds: Feeds) throws -> Plan {
        if graph.revision != revision {
            // The graph has asked for the gradient of a loop. The loop now keeps its history: it has inputs and outputs
            // that the old plans lack.
            forgetPlans()
            revision = graph.revision
        }
        if let last, last.fetches == fetches, last.plan.take(feeds) { return last.plan }
        let specs = try feeds.tensors().mapValues { TensorSpec($0.dtype, $0.shape) }
        let key = PlanStore.Key.run(fetches: fetches, feeds: specs)
        let plan: Plan
        if let known = functions.plans.plan(for: key) {
            plan = known
        } else {
            plan = try make(fetches, specs)
            functions.plans.keep(plan, for: key)
        }
        last = (fetches, plan)
        guard plan.take(feeds) else { fatalError("a plan fits the feeds that it was made for") }
        return plan
    }

    func make(_ fetches: [Node], _ feeds: [Node: TensorSpec]) throws -> Plan {
        try check(fetches + Array(feeds.keys))
        func attempt() throws -> Plan {
            var planner = Planner(
                fetches: fetches, feeds: feeds, variables: variables, random: random, placement: placement,
                options: options)
            let plan = try planner.plan(functions, isOutermost: true)
            try plan.settle()
            return plan
        }
        do { return try attempt() } catch let error as GraphError
            where error.isOutOfMemory && !functions.plans.isEmpty
        {
            // Try again without the memory of the other plans.
            forgetPlans()
            return try attempt()
        }
    }

    private func forgetPlans() {
        functions.forgetPlans()
        last = nil
    }

    func buffer(_ vertex: Vertex, mustBeInitialized: Bool) throws -> VariableBuffer {
        if let error = vertex.error { throw error }
        let buffer = try variables.buffer(for: vertex)
        if mustBeInitialized, !buffer.isInitialized { throw buffer.uninitialized }
        return buffer
    }

    func values(_ vertices: [Vertex]) throws -> [Tensor] {
        let buffers = try vertices.map { try buffer($0, mustBeInitialized: false) }
        let missing = buffers.filter { !$0.isInitialized }
        guard missing.count < 2 else {
            throw GraphError(
                "the Variables '\(missing.map(\.name).joined(separator: "', '"))' are not initialised; "
                    + "run graph.globalVariablesInitializer() first")
        }
        if let buffer = missing.first { throw buffer.uninitialized }
        return try buffers.map { buffer in
            let storage = try buffer.onHost(writing: false)
            let value = Tensor(dtype: buffer.spec.dtype, sized: buffer.spec.shape) { bytes in
                bytes.copyMemory(from: UnsafeRawBufferPointer(start: storage.pointer, count: storage.byteCount))
            }
            value.holdTexts()
            return value
        }
    }

    func assign(_ values: [(vertex: Vertex, value: Tensor)]) throws {
        let buffers = try values.map { vertex, value in
            let buffer = try buffer(vertex, mustBeInitialized: false)
            guard value.dtype == buffer.spec.dtype, value.shape == buffer.spec.shape else {
                throw GraphError(
                    "the Variable '\(vertex.name)' is \(buffer.spec), it cannot become \(value.dtype)\(value.shape)"
                ).at(vertex)
            }
            return buffer
        }
        let memories = try buffers.map { try $0.onHost(writing: true) }
        for (i, value) in values.map(\.value).enumerated() {
            value.keepTexts()
            value.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                memories[i].pointer.copyMemory(from: base, byteCount: bytes.count)
            }
            buffers[i].isInitialized = true
        }
    }

    func bind(_ vertex: Vertex, to storage: TensorStorage) throws {
        let buffer = try buffer(vertex, mustBeInitialized: false)
        guard storage.byteCount == buffer.byteCount else {
            throw GraphError(
                "the Variable '\(vertex.name)' has \(buffer.byteCount) bytes, the memory \(storage.byteCount)"
            ).at(vertex)
        }
        // Plans made before take it to be on the accelerator.
        if buffer.device != 0 { forgetPlans() }
        buffer.bind(to: storage)
    }

    func setRandomStep(_ step: Int?, rank: Int) {
        random.step = step.map(UInt64.init)
        random.rank = UInt64(rank)
    }
}
