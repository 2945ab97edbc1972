/// The memory of one Variable in a session: on the host, or on an accelerator with a copy on the host for those who look.
final class VariableBuffer {
    let name: String
    private let vertex: Vertex
    let spec: TensorSpec
    private(set) var place: Place
    /// Whether the memory is somebody else's, who changes the value between runs.
    private(set) var isBound = false
    var isInitialized = false
    /// The host's memory; of a Variable on an accelerator made when first needed.
    private lazy var hostStorage = TensorStorage(byteCount: byteCount)
    private var memory: (context: DeviceContext, memory: DeviceMemory)?
    /// Where the newest value is, of a Variable on an accelerator.
    private var (isHostNewest, isDeviceNewest) = (false, false)

    init(_ vertex: Vertex, spec: TensorSpec, place: Place, memory: (context: DeviceContext, memory: DeviceMemory)?) {
        name = vertex.name
        self.vertex = vertex
        self.spec = spec
        self.place = place
        self.memory = memory
    }

    /// What a run throws that reads the Variable before it has a value.
    var uninitialized: GraphError {
        GraphError(
            "the Variable '\(name)' is not initialised; run its initialiser or graph.globalVariablesInitializer() first"
        ).at(vertex)
    }

    /// Where it lies.
    var device: DeviceName { memory?.context.device.name ?? CPUDevice().name }

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
        (place, isBound, isInitialized) = (0, true, true)
        (isHostNewest, isDeviceNewest) = (false, false)
    }

    /// Whether what was written on the host must go to the device before a run.
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
    /// What else lives as long as the session.
    let resources = SessionResources()
    private var buffers: [String: VariableBuffer] = [:]
    private var bytes = 0
    private let limit: Int
    private let placement: Placement
    /// The graph in which Variables are found; that of a function may be the first to ask for one, and does not know who else
    /// uses it.
    private let graph: Graph?
    /// What takes each Variable's memory or handle, or calls a function that writes it, by the Variable's name; and of how many
    /// vertices this was found.
    private var consumers: (found: [String: [Vertex]], vertices: Int) = ([:], 0)
    /// The vertices of the graph that run by control flow, which is on the host.
    private var decided: Set<Int> = []

    /// - Parameters:
    ///   - limit: bytes that all of them may take.
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
                "the Variable '\(vertex.name)', \(spec), and those before it take more memory than there is or the "
                    + "session may use (\(limit) bytes)"
            ).at(vertex)
        }
        let place = try place(of: vertex, spec)
        var memory: (DeviceContext, DeviceMemory)?
        if place != 0 {
            let context = try placement.devices.context(place)
            memory = (
                context, try context.allocate(size, for: "'\(vertex.name)'", "the Variable '\(vertex.name)', \(spec)")
            )
        }
        bytes = total
        let buffer = VariableBuffer(vertex, spec: spec, place: place, memory: memory)
        buffers[vertex.name] = buffer
        return buffer
    }

    private func place(of vertex: Vertex, _ spec: TensorSpec) throws -> Place {
        // Nothing to decide where no accelerator is meant: nothing is looked at.
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
        return try placement.place(
            ofVariable: vertex, dtype: spec.dtype, consumers: consumers.found[vertex.name] ?? [], decided: decided)
    }
}
