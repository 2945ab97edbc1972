/// Where something runs or lies: 0 is the host, other numbers are the accelerators of a session, from 1 on.
typealias Place = Int

/// The devices of a session: the CPU, and accelerators that are looked for when one is asked for, and opened when something
/// is placed there.
final class SessionDevices {
    let options: DeviceOptions
    private let host = CPUDevice()
    private var contexts: [Place: DeviceContext] = [:]
    /// What was told already.
    private var told: Set<String> = []

    init(_ options: DeviceOptions) { self.options = options }

    /// GPUs in their order; looks for them.
    lazy var accelerators: [any Accelerator] =
        options.kernelTexts.map { [PaperDevice($0)] } ?? Accelerators.all(emulated: options.allowsEmulation)

    func device(_ place: Place) -> any Device { place == 0 ? host : accelerators[place - 1] }

    /// An accelerator's queue and memory, opened when first asked for.
    func context(_ place: Place) throws -> DeviceContext {
        if let known = contexts[place] { return known }
        let context = try DeviceContext(accelerators[place - 1], options)
        contexts[place] = context
        return context
    }

    /// Whether this was not said before.
    func isNews(_ text: String) -> Bool { told.insert(text).inserted }

    /// The place where operations go that nothing else tells.
    lazy var standard: Result<Place, GraphError> = {
        guard let wanted = options.standard else {
            guard Accelerators.mayBePresent || options.allowsEmulation else { return .success(0) }
            return .success(accelerators.isEmpty ? 0 : 1)
        }
        if wanted.kind != .gpu { return .success(0) }
        if let place = place(gpu: wanted.index) { return .success(place) }
        return .failure(GraphError("\(wanted) is to be used, but there is no such device here; \(present(nil))"))
    }()

    func place(gpu index: Int?) -> Place? {
        let found = index ?? 0
        return accelerators.indices.contains(found) ? found + 1 : nil
    }

    /// What there is, for errors.
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

/// Where the vertices of a plan run: what the program asked for goes first, then where the Variable lies that is written or
/// passed on, then where the inputs are, then the session's standard device.
struct Placement {
    let devices: SessionDevices
    /// Job and task of this process; nil takes what any job and task is asked for.
    let process: DeviceName?
    let allowsSoft: Bool
    /// Whether GPUs are used at all: not within functions.
    var isHostOnly = false
    /// Receives what runs elsewhere than it was asked to.
    var onFallback: (@Sendable (String) -> Void)?

    /// The place that the program asked for; nil where it said nothing.
    /// - Throws: `GraphError` listing the devices there are, unless soft placement sends it to the CPU.
    func asked(by vertex: Vertex) throws -> Place? {
        let wanted = vertex.device
        if wanted.isEmpty { return nil }
        if isHere(wanted) {
            switch wanted.kind {
            case nil: return nil
            case .cpu: if wanted.index ?? 0 == 0 { return 0 }
            case .gpu where isHostOnly && allowsSoft: return 0
            case .gpu: if let place = devices.place(gpu: wanted.index) { return isHostOnly ? 0 : place }
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
            onFallback?("there is no \(wanted) here; what asks for it, such as '\(vertex.name)', runs on the CPU")
        }
        return 0
    }

    /// The place of what nothing else tells.
    func standard() throws -> Place {
        if isHostOnly { return 0 }
        switch devices.standard {
        case .success(let place): return place
        case .failure(let error):
            guard allowsSoft else { throw error }
            if devices.isNews(error.message) { onFallback?("\(error.message); the CPU is used") }
            return 0
        }
    }

    /// Sends what asked for an accelerator to the CPU, or says why it cannot run there.
    func fallBack(_ vertex: Vertex, from place: Place, because reason: String) throws -> Place {
        let name = "\(vertex.operation.name)"
        guard allowsSoft else {
            throw GraphError(
                "it is to run on \(devices.device(place).name), but \(reason). Place it on /cpu:0, or set "
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
