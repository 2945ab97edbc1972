/// The memory of a plan's slots that stays the same from run to run: arenas, and constants on accelerators.
struct PlanMemory {
    /// For each slot where its memory is; for those that each run finds anew, any place.
    let pointers: [UnsafeMutableRawPointer]
    /// The host's arena.
    let arena: TensorStorage
    /// The accelerators that the plan uses.
    let contexts: [DeviceContext]
    private let held: [DeviceMemory]

    /// - Throws: `GraphError` if an accelerator has too little memory.
    init(
        _ sources: [Planner.Source], specs: [TensorSpec], places: [Place], arenas: [Place: Arena],
        _ devices: SessionDevices
    ) throws {
        let arena = TensorStorage(byteCount: arenas[0]?.size ?? 0)
        var held: [DeviceMemory] = []
        var wholes: [Place: DeviceMemory] = [:]
        for (place, own) in arenas where place != 0 {
            let what = "the values of a run, of which the most are alive at \(own.peak)"
            wholes[place] = try devices.context(place).allocate(own.size, for: "values of runs", what)
        }
        var pointers: [UnsafeMutableRawPointer] = []
        for (slot, source) in sources.enumerated() {
            let place = places[slot]
            let bytes = (specs[slot].shape.elementCount ?? 0) * specs[slot].dtype.size
            switch source {
            case .constant(let tensor) where place == 0: pointers.append(tensor.storage.pointer)
            case .constant(let tensor):
                let context = try devices.context(place)
                let memory = try context.allocate(bytes, for: "constants", "a constant \(specs[slot])")
                try context.queue.upload(tensor.storage.pointer, to: memory.address, bytes: bytes)
                held.append(memory)
                pointers.append(memory.address)
            case .arena(let offset):
                guard place != 0, let whole = wholes[place] else {
                    pointers.append(arena.pointer + offset)
                    continue
                }
                let part = try devices.context(place).part(of: whole, offset: offset, bytes: bytes)
                held.append(part)
                pointers.append(part.address)
            case .variable, .feed, .fetch, .dynamic: pointers.append(arena.pointer)
            }
        }
        self.pointers = pointers
        self.arena = arena
        self.held = held + wholes.values
        contexts = try Set(places).subtracting([0]).sorted().map { try devices.context($0) }
    }
}
