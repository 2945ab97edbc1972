/// The plans of a session, those of the functions that its runs call among them, and the memory that they share: one plan
/// runs at a time, and while it calls a function that one's plan does.
final class PlanStore {
    /// What a plan was made for.
    enum Key: Hashable {
        case run(fetches: [Node], feeds: [Node: TensorSpec])
        case call(ObjectIdentifier, [TensorSpec])
    }

    private var cache: PlanCache<Key, Plan>
    private let log: (@Sendable (String) -> Void)?
    private var hasTold = false
    /// What kernels compute in.
    let scratch = KernelScratch()
    private let devices: SessionDevices
    /// The values of plans: of those that runs are made of, of those that these call, ….
    private var arenas: [PlanArenas]
    private var depth = 0
    /// Those of the plan that runs now.
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

    /// Keeps a plan. Says once if plans are made again and again.
    func keep(_ plan: Plan, for key: Key) {
        cache.insert(plan, for: key, bytes: plan.bytes)
        guard cache.remade >= PlanStore.remadeBeforeTold, !hasTold else { return }
        hasTold = true
        log?(
            "runs go through more plans than are kept: \(cache.remade) were made again after they had been dropped, which "
                + "takes about a millisecond each. \(cache.count) plans fit into the \(cache.limit) bytes of "
                + "SessionOptions.planMemory; raise it, or feed fewer different shapes, such as lengths padded to multiples "
                + "of 16")
    }

    private static let remadeBeforeTold = 16

    /// Gives all memory back that no run needs at the moment.
    func forget() {
        cache.removeAll()
        if depth == 0 { for arena in arenas { arena.release() } }
    }

    /// Runs what calls a function: its plan finds memory of its own.
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

/// The memory of the values of plans of which one runs at a time: at each place as large as the largest needs.
final class PlanArenas {
    private struct Part: Hashable {
        let place: Place
        let offset: Int
        let bytes: Int
    }

    private let devices: SessionDevices
    private(set) var host = TensorStorage(byteCount: 0)
    private var wholes: [Place: DeviceMemory] = [:]
    private var parts: [Part: DeviceMemory] = [:]
    /// Counts how often memory has moved: plans then find theirs anew.
    private(set) var version = 0

    init(_ devices: SessionDevices) { self.devices = devices }

    /// Sees to it that a plan's arenas fit.
    /// - Throws: `GraphError` if an accelerator has too little memory.
    func reserve(_ arenas: [Place: Arena]) throws {
        for (place, arena) in arenas {
            if place == 0 {
                guard arena.size > host.byteCount else { continue }
                version += 1
                host = TensorStorage(byteCount: 0)
                host = TensorStorage(byteCount: arena.size)
            } else if wholes[place].map({ $0.byteCount < arena.size }) ?? true {
                version += 1
                // What was put into the queue before may still use it.
                if wholes[place] != nil { try devices.context(place).queue.synchronize() }
                parts = parts.filter { $0.key.place != place }
                wholes[place] = nil
                let what = "the values of a run, of which the most are alive at \(arena.peak)"
                wholes[place] = try devices.context(place).allocate(arena.size, for: "values of runs", what)
            }
        }
    }

    /// Where a value lies. It stays there until `version` changes.
    func address(_ place: Place, offset: Int, bytes: Int) throws -> UnsafeMutableRawPointer {
        guard place != 0, let whole = wholes[place] else { return host.pointer + offset }
        let key = Part(place: place, offset: offset, bytes: bytes)
        if let known = parts[key] { return known.address }
        let part = try devices.context(place).part(of: whole, offset: offset, bytes: bytes)
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
