/// The addresses of a plan's slots that stay the same from run to run: constants, and blocks of the arenas that plans
/// share.
final class PlanMemory {
    /// Constants on the host and on accelerators.
    private let constants: [(slot: Slot, pointer: UnsafeMutableRawPointer)]
    private let values: [(slot: Slot, device: DeviceID, offset: Int, bytes: Int)]
    /// How large the plan's arenas are.
    private let arenas: [DeviceID: Arena]
    /// The accelerators that the plan uses.
    let contexts: [DeviceContext]
    private let held: [DeviceMemory]
    /// The arenas, and their version, that the pointers are of.
    private var settled: (arenas: PlanArenas, version: Int)?

    /// - Throws: `GraphError` if an accelerator has too little memory.
    init(
        _ sources: [Planner.Source], specs: [TensorSpec], devices slotDevices: [DeviceID], arenas: [DeviceID: Arena],
        _ devices: SessionDevices
    ) throws {
        var held: [DeviceMemory] = []
        var constants: [(slot: Slot, pointer: UnsafeMutableRawPointer)] = []
        var values: [(slot: Slot, device: DeviceID, offset: Int, bytes: Int)] = []
        for (slot, source) in sources.enumerated() {
            let device = slotDevices[slot]
            let bytes = specs[slot].byteCount ?? 0
            switch source {
            case .constant(let tensor) where device == 0: constants.append((slot, tensor.storage.pointer))
            case .constant(let tensor):
                let context = try devices.context(device)
                let memory = try context.allocate(bytes, for: "constants", "a constant \(specs[slot])")
                try context.queue.upload(tensor.storage.pointer, to: memory.address, bytes: bytes)
                held.append(memory)
                constants.append((slot, memory.address))
            case .arena(let offset): values.append((slot, device, offset, bytes))
            case .variable, .feed, .fetch, .dynamic: break
            }
        }
        self.constants = constants
        self.values = values
        self.arenas = arenas
        self.held = held
        contexts = try Set(slotDevices).subtracting([0]).sorted().map { try devices.context($0) }
    }

    /// Bytes of the host's arena that the plan uses.
    var arenaBytes: Int { arenas[0]?.size ?? 0 }
    /// Bytes that no other plan shares.
    var ownBytes: Int { held.reduce(0) { $0 + $1.byteCount } }

    /// Whether the pointers are right for `arenas` as they are now.
    @inline(__always)
    func isSettled(in arenas: PlanArenas) -> Bool {
        guard let settled else { return false }
        return settled.arenas === arenas && settled.version == arenas.version
    }

    /// Sets the pointers of `count` slots. Each run sets those of feeds, fetches and Variables itself.
    /// - Throws: `GraphError` if an accelerator has too little memory.
    func settle(in shared: PlanArenas, _ pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>, count: Int) throws {
        settled = nil
        try shared.reserve(arenas)
        for slot in 0..<count { pointers[slot] = shared.host.pointer }
        for (slot, pointer) in constants { pointers[slot] = pointer }
        for value in values {
            pointers[value.slot] = try shared.address(value.device, offset: value.offset, bytes: value.bytes)
        }
        settled = (shared, shared.version)
    }

    /// Fills memory that holds no value with NaN (and −1), so that a kernel that reads it by mistake yields a wrong
    /// result that tests notice.
    func spoil(_ range: Range<Int>) {
        guard let host = settled?.arenas.host else { return }
        UnsafeMutableRawBufferPointer(start: host.pointer + range.lowerBound, count: range.count)
            .initializeMemory(as: UInt8.self, repeating: 0xFF)
    }
}
