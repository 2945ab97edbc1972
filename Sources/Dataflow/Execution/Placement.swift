/// The number of a device in a session: 0 is the host, 1 is the first accelerator.
typealias DeviceID = Int

/// The devices of a session. The first request for an accelerator looks for them; an accelerator is opened when
/// something is placed on it.
final class SessionDevices {
    let options: DeviceOptions
    private let host = CPUDevice()
    private var contexts: [DeviceID: DeviceContext] = [:]
    /// The texts that were logged already.
    private var logged: Set<String> = []

    init(_ options: DeviceOptions) { self.options = options }

    /// The GPUs in order. The first use looks for them.
    lazy var accelerators: [any Accelerator] =
        options.kernelTexts.map { [PaperDevice($0)] } ?? Accelerators.all(emulated: options.allowsEmulation)

    func device(_ id: DeviceID) -> any Device { id == 0 ? host : accelerators[id - 1] }

    /// An accelerator's queue and memory, opened at the first call.
    func context(_ id: DeviceID) throws -> DeviceContext {
        if let known = contexts[id] { return known }
        let context = try DeviceContext(accelerators[id - 1], options)
        contexts[id] = context
        return context
    }

    /// Whether this text was not logged before.
    func isNews(_ text: String) -> Bool { logged.insert(text).inserted }

    /// The device of operations that nothing else decides.
    lazy var standard: Result<DeviceID, GraphError> = {
        guard let wanted = options.standard else {
            guard Accelerators.mayBePresent || options.allowsEmulation else { return .success(0) }
            return .success(accelerators.isEmpty ? 0 : 1)
        }
        if wanted.kind != .gpu { return .success(0) }
        if let id = id(gpu: wanted.index) { return .success(id) }
        return .failure(GraphError("\(wanted) is to be used, but there is no such device here; \(present(nil))"))
    }()

    func id(gpu index: Int?) -> DeviceID? {
        let found = index ?? 0
        return accelerators.indices.contains(found) ? found + 1 : nil
    }

    /// The devices of this machine in words, for errors.
    func present(_ process: DeviceName?) -> String {
        let all = ([host] as [any Device]) + accelerators
        let names = all.map { "\($0.name.merged(over: process ?? DeviceName()))" }.joined(separator: ", ")
        let hidden = options.allowsEmulation || !accelerators.isEmpty ? [] : Accelerators.all(emulated: true)
        let hint =
            hidden.isEmpty
            ? "" : " (and \(hidden[0].detail), which counts with \(options.names.emulation))"
        return "there are: \(names)\(hint)"
    }
}

/// Decides on which devices the vertices of a plan run. The program's own choice comes first; then the device of the
/// Variable that the vertex writes or passes on; then that of its inputs; then the session's standard device.
struct Placement {
    let devices: SessionDevices
    /// Job and task of this process; nil accepts every job and task.
    let process: DeviceName?
    let allowsSoft: Bool
    /// Whether GPUs are left unused, as within functions.
    var isHostOnly = false
    /// Receives a line for each kind of operation that runs on the CPU instead of the device that the program asks for.
    var onFallback: (@Sendable (String) -> Void)?

    /// The device that the program asks for; nil if it does not.
    /// - Throws: `GraphError` listing the devices that are there, unless soft placement sends the vertex to the CPU.
    func asked(by vertex: Vertex) throws -> DeviceID? {
        let wanted = vertex.device
        if wanted.isEmpty { return nil }
        if isHere(wanted) {
            switch wanted.kind {
            case nil: return nil
            case .cpu: if wanted.index ?? 0 == 0 { return 0 }
            case .gpu where isHostOnly && allowsSoft: return 0
            case .gpu: if let id = devices.id(gpu: wanted.index) { return isHostOnly ? 0 : id }
            }
        }
        let shown = wanted.job == nil ? nil : process
        guard allowsSoft else {
            throw GraphError(
                "it is to run on \(wanted), but there is no such device here; \(devices.present(shown))"
                    + ". Change the device, or set \(devices.options.names.softPlacement) to run it on the CPU",
                node: "\(vertex.operation.name) '\(vertex.name)'", location: vertex.location)
        }
        if devices.isNews("\(wanted)") {
            onFallback?("there is no \(wanted) here; '\(vertex.name)', and others placed there, run on the CPU")
        }
        return 0
    }

    /// The device of a vertex that nothing else decides.
    func standard() throws -> DeviceID {
        if isHostOnly { return 0 }
        switch devices.standard {
        case .success(let id): return id
        case .failure(let error):
            guard allowsSoft else { throw error }
            if devices.isNews(error.message) { onFallback?("\(error.message); the CPU is used") }
            return 0
        }
    }

    /// With soft placement, sends a vertex to the CPU that cannot run on the accelerator that it asks for; else throws.
    func fallBack(_ vertex: Vertex, from device: DeviceID, because reason: String) throws -> DeviceID {
        let name = "\(vertex.operation.name)"
        guard allowsSoft else {
            throw GraphError(
                "it is to run on \(devices.device(device).name), but \(reason). DeviceID it on /cpu:0, or set "
                    + devices.options.names.softPlacement,
                node: "\(name) '\(vertex.name)'", location: vertex.location)
        }
        if devices.isNews("\(name) \(reason)") {
            onFallback?("\(name) '\(vertex.name)', and others like it, run on the CPU: \(reason)")
        }
        return 0
    }

    private func isHere(_ wanted: DeviceName) -> Bool {
        guard let process else { return true }
        return (wanted.job == nil || wanted.job == process.job)
            && (wanted.replica == nil || wanted.replica == process.replica)
            && (wanted.task == nil || wanted.task == process.task)
    }
}
