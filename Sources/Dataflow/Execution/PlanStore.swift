/// The plans of a session, for runs and for the functions that runs call, and the memory that they share.
///
/// One plan runs at a time. While it calls a function, the function's plan runs, in memory of its own.
final class PlanStore {
    /// The run or call that a plan serves.
    enum Key: Hashable {
        case run(fetches: [Node], feeds: [Node: TensorSpec])
        case call(ObjectIdentifier, [TensorSpec])
    }

    private var cache: PlanCache<Key, Plan>
    private let log: (@Sendable (String) -> Void)?
    private var hasWarned = false
    /// The memory that kernels compute in.
    let scratch = KernelScratch()
    private let devices: SessionDevices
    /// Memory for the values of plans, by depth: the plan of the run, the function that it calls, the one that this
    /// calls, ….
    private var arenas: [PlanArenas]
    private var depth = 0
    /// The memory of the plan that runs now.
    private(set) var current: PlanArenas

    init(options: SessionOptions, devices: SessionDevices) {
        cache = PlanCache(limit: options.planMemory)
        log = options.planLog
        self.devices = devices
        current = PlanArenas(devices)
        arenas = [current]
    }

    var isEmpty: Bool { cache.isEmpty }

    func plan(for key: Key) -> Plan? { cache.value(for: key) }

    /// Keeps a plan. Logs once if plans are made again and again.
    func keep(_ plan: Plan, for key: Key) {
        cache.insert(plan, for: key, bytes: plan.bytes)
        guard cache.remade >= PlanStore.remadeBeforeWarning, !hasWarned else { return }
        hasWarned = true
        log?(
            "runs use more plans than the session keeps: \(cache.remade) were dropped and made again, about a millisecond each. "
                + "\(cache.count) plans fit into the \(cache.limit) bytes of SessionOptions.planMemory; raise it, or feed "
                + "fewer different shapes, such as lengths padded to multiples of 16")
    }

    private static let remadeBeforeWarning = 16

    /// Drops all plans, and their memory if no run uses it.
    func forget() {
        cache.removeAll()
        if depth == 0 { for arena in arenas { arena.release() } }
    }

    /// Runs a function that a plan calls, in memory of its own.
    func nested<Result>(_ body: () throws -> Result) rethrows -> Result {
        depth += 1
        if depth == arenas.count { arenas.append(PlanArenas(devices)) }
        current = arenas[depth]
        defer {
            depth -= 1
            current = arenas[depth]
        }
        return try body()
    }
}

/// The memory that plans share because one of them runs at a time: on each device, as much as the largest plan needs.
final class PlanArenas {
    private struct Part: Hashable {
        let device: DeviceID
        let offset: Int
        let bytes: Int
    }

    private let devices: SessionDevices
    private(set) var host = TensorStorage(byteCount: 0)
    private var wholes: [DeviceID: DeviceMemory] = [:]
    private var parts: [Part: DeviceMemory] = [:]
    /// Counts how often memory has moved. After a move, plans look up their addresses again.
    private(set) var version = 0

    init(_ devices: SessionDevices) { self.devices = devices }

    /// Grows the memory until a plan's arenas fit.
    /// - Throws: `GraphError` if an accelerator has too little memory.
    func reserve(_ arenas: [DeviceID: Arena]) throws {
        for (device, arena) in arenas {
            if device == 0 {
                guard arena.size > host.byteCount else { continue }
                version += 1
                host = TensorStorage(byteCount: 0)
                host = TensorStorage(byteCount: arena.size)
            } else if wholes[device].map({ $0.byteCount < arena.size }) ?? true {
                version += 1
                // Work in the queue may still use the old memory.
                if wholes[device] != nil { try devices.context(device).queue.synchronize() }
                parts = parts.filter { $0.key.device != device }
                wholes[device] = nil
                let what = "the values of a run; it needs the most memory at \(arena.peak)"
                wholes[device] = try devices.context(device).allocate(arena.size, for: "values of runs", what)
            }
        }
    }

    /// The address of a value. It stays the same until `version` changes.
    func address(_ device: DeviceID, offset: Int, bytes: Int) throws -> UnsafeMutableRawPointer {
        guard device != 0, let whole = wholes[device] else { return host.pointer + offset }
        let key = Part(device: device, offset: offset, bytes: bytes)
        if let known = parts[key] { return known.address }
        let part = try devices.context(device).part(of: whole, offset: offset, bytes: bytes)
        parts[key] = part
        return part.address
    }

    func release() {
        version += 1
        host = TensorStorage(byteCount: 0)
        parts = [:]
        wholes = [:]
    }
}
