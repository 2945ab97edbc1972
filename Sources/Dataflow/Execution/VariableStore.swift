/// The memory of one Variable in a session: on the host, or on an accelerator with a copy on the host for readers.
final class VariableBuffer {
    let name: String
    private let vertex: Vertex
    let spec: TensorSpec
    private(set) var device: DeviceID
    /// Whether the memory belongs to the program (`bind`), which changes the value between runs.
    private(set) var isBound = false
    var isInitialized = false
    /// The memory on the host. For a Variable on an accelerator, made when first needed.
    private lazy var hostStorage = TensorStorage(byteCount: byteCount)
    private var memory: (context: DeviceContext, memory: DeviceMemory)?
    /// For a Variable on an accelerator: which copy holds a newer value than the other.
    private var (isHostNewest, isDeviceNewest) = (false, false)

    init(_ vertex: Vertex, spec: TensorSpec, device: DeviceID, memory: (context: DeviceContext, memory: DeviceMemory)?)
    {
        name = vertex.name
        self.vertex = vertex
        self.spec = spec
        self.device = device
        self.memory = memory
    }

    /// The error of a run that reads the Variable before it has a value.
    var uninitialized: GraphError {
        GraphError(
            "the Variable '\(name)' is not initialised; run its initialiser or graph.globalVariablesInitializer() first"
        ).at(vertex)
    }

    /// The name of the device that it lies on.
    var deviceName: DeviceName { memory?.context.device.name ?? CPUDevice().name }

    var byteCount: Int { spec.byteCount ?? 0 }

    /// The value's memory on the host, up to date.
    /// - Parameter writing: whether it will be overwritten, at least in part.
    func onHost(writing: Bool) throws -> TensorStorage {
        if let memory {
            if isDeviceNewest {
                try memory.context.queue.download(memory.memory.address, to: hostStorage.pointer, bytes: byteCount)
                isDeviceNewest = false
            }
            if writing { isHostNewest = true }
        }
        return hostStorage
    }

    /// Keeps the value in this memory of the host from now on.
    func bind(to storage: TensorStorage) {
        hostStorage = storage
        memory = nil
        (device, isBound, isInitialized) = (0, true, true)
        (isHostNewest, isDeviceNewest) = (false, false)
    }

    /// Whether the value on the host must be copied to the device before a run.
    var needsUpload: Bool { isHostNewest }

    /// The memory that kernels use in a run: the host's, or the device's, up to date.
    /// - Parameter writing: whether the run will write it.
    func forRun(writing: Bool) throws -> UnsafeMutableRawPointer {
        guard let memory else { return hostStorage.pointer }
        if isHostNewest {
            try memory.context.queue.upload(hostStorage.pointer, to: memory.memory.address, bytes: byteCount)
            isHostNewest = false
        }
        if writing { isDeviceNewest = true }
        return memory.memory.address
    }
}

/// The Variables of a session by name.
final class VariableStore {
    /// Other objects that live as long as the session.
    let resources = SessionResources()
    private var buffers: [String: VariableBuffer] = [:]
    private var bytes = 0
    private let limit: Int
    private let placement: Placement
    /// The session's graph, with all users of its Variables. A function's graph, which may be the first to need a
    /// Variable, does not have them.
    private let graph: Graph?
    /// By the Variable's name, the vertices that take its memory or handle, or call a function that writes it. And how
    /// many vertices the graph had when they were found.
    private var consumers: (found: [String: [Vertex]], vertices: Int) = ([:], 0)
    /// The vertices of the graph that depend on control flow, and so run on the host.
    private var decided: Set<Int> = []

    /// - Parameters:
    ///   - limit: bytes that all Variables may take.
    ///   - graph: the session's.
    init(limit: Int, placement: Placement, graph: Graph? = nil) {
        self.graph = graph
        self.limit = limit
        self.placement = placement
    }

    /// The buffer of the Variable that `vertex` stands for, made when first asked for.
    func buffer(for vertex: Vertex) throws -> VariableBuffer {
        if let buffer = buffers[vertex.name] { return buffer }
        guard let spec = vertex.variableSpec, spec.shape.isFullyDefined else {
            throw GraphError("the Variable '\(vertex.name)' has no known shape").at(vertex)
        }
        try spec.checkSize(limit: limit)
        let size = spec.byteCount ?? 0
        let (total, overflow) = bytes.addingReportingOverflow(size)
        guard !overflow, total <= limit else {
            throw GraphError(
                "the Variable '\(vertex.name)', \(spec), and those before it take more than the \(limit) bytes that this "
                    + "machine has or the session may use"
            ).at(vertex)
        }
        let device = try device(of: vertex, spec)
        var memory: (DeviceContext, DeviceMemory)?
        if device != 0 {
            let context = try placement.devices.context(device)
            memory = (
                context, try context.allocate(size, for: "'\(vertex.name)'", "the Variable '\(vertex.name)', \(spec)")
            )
        }
        bytes = total
        let buffer = VariableBuffer(vertex, spec: spec, device: device, memory: memory)
        buffers[vertex.name] = buffer
        return buffer
    }

    private func device(of vertex: Vertex, _ spec: TensorSpec) throws -> DeviceID {
        // Without an accelerator there is nothing to decide.
        if vertex.device.kind != .gpu, try placement.standard() == 0 { return 0 }
        let vertices = (graph ?? vertex.graph).vertices
        if consumers.vertices != vertices.count {
            consumers = ([:], vertices.count)
            decided = Planner.decidedByControlFlow(vertices, feeds: [:])
            for consumer in vertices {
                let taken = Set(consumer.inputs.compactMap { $0.variable?.name })
                for variable in taken.union(consumer.variablesWrittenByCalls) {
                    consumers.found[variable, default: []].append(consumer)
                }
            }
        }
        return try placement.device(
            ofVariable: vertex, dtype: spec.dtype, consumers: consumers.found[vertex.name] ?? [], decided: decided)
    }
}
