/// A piece of an accelerator's memory, given back when nobody holds it any more.
final class DeviceMemory {
    let address: DeviceAddress
    let byteCount: Int
    private let release: () -> Void

    init(address: DeviceAddress, byteCount: Int, release: @escaping () -> Void) {
        self.address = address
        self.byteCount = byteCount
        self.release = release
    }

    deinit { release() }
}

/// An accelerator as one session uses it: a queue, and memory up to the session's limit. Opened when something is first
/// placed on the device.
final class DeviceContext {
    let device: any Accelerator
    let queue: any DeviceQueue
    private var pool: BufferPool<DeviceAddress>

    init(_ device: any Accelerator, _ options: DeviceOptions) throws {
        self.device = device
        queue = try device.makeQueue(options)
        pool = BufferPool(limit: min(options.memoryLimit ?? .max, device.memory))
    }

    deinit {
        try? queue.synchronize()
        for address in pool.drain() { device.free(address) }
    }

    /// Fresh memory, not cleared.
    ///
    /// - Parameters:
    ///   - owner: what it is for, as errors of others will say.
    ///   - what: what does not fit if it does not: "MatMul 'layer1/MatMul', float32[64, 10]".
    /// - Throws: `GraphError` that says what holds the memory.
    func allocate(_ bytes: Int, for owner: String, _ what: String) throws -> DeviceMemory {
        for _ in 0..<2 {
            switch pool.take(bytes, for: owner) {
            case .reuse(let address): return memory(address, bytes)
            case .make(let size, let freeing):
                // What was given back may still be read by what is in the queue.
                if !freeing.isEmpty { try queue.synchronize() }
                for address in freeing { device.free(address) }
                if let address = device.allocate(size) {
                    pool.made(address, bytes: size, for: owner)
                    return memory(address, bytes)
                }
                // The device is fuller than the pool knows: others use it too.
                try queue.synchronize()
                for address in pool.drain() { device.free(address) }
            case .refuse: break
            }
        }
        let text = ByteSize.text
        throw GraphError(
            "\(device.name) has no memory left for \(text(bytes)) of \(what): of \(text(pool.limit)) that this session may"
                + " use, \(text(pool.inUse)) are held (\(pool.holders)). Use smaller batches, place less there, or raise"
                + " the limit (devices.gpu_memory)", isOutOfMemory: true)
    }

    private func memory(_ address: DeviceAddress, _ bytes: Int) -> DeviceMemory {
        DeviceMemory(address: address, byteCount: bytes) { [self] in pool.giveBack(address) }
    }

    /// Part of `whole`, which it keeps alive.
    func part(of whole: DeviceMemory, offset: Int, bytes: Int) throws -> DeviceMemory {
        let address = try device.part(of: whole.address, offset: offset, bytes: max(bytes, 1))
        return DeviceMemory(address: address, byteCount: bytes) { [device] in
            device.releasePart(address)
            withExtendedLifetime(whole) {}
        }
    }

    /// Makes the kernel of a program: its commands one after the other.
    func kernel(_ program: GPUProgram, _ slot: @escaping (GPUOperand) -> Slot) throws -> Kernel {
        let kernels = try program.commands.map { try queue.kernel($0, slot) }
        if kernels.count == 1 { return kernels[0] }
        return { memory in for kernel in kernels { try kernel(memory) } }
    }
}
