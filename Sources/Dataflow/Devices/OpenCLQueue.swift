internal import CDevices

/// A queue of an OpenCL device that runs in order. Matrix products are CLBlast's where it is there.
final class OpenCLQueue: DeviceQueue {
    private let device: OpenCLDevice
    private let library: tributary_opencl
    private let blas: tributary_clblast?
    private var queue: cl_command_queue?
    private var staging: Staging?

    init(_ device: OpenCLDevice) throws {
        self.device = device
        library = device.library
        blas = tributary_clblast_library()?.pointee
        var status: Int32 = 0
        queue = library.clCreateCommandQueue(device.context, device.device, 0, &status)
        guard status == 0, queue != nil else { throw device.error("makes no queue", status) }
    }

    deinit {
        _ = library.clFinish(queue)
        staging = nil
        _ = library.clReleaseCommandQueue(queue)
    }

    func upload(_ source: UnsafeRawPointer, to address: DeviceAddress, bytes: Int) throws {
        guard bytes > 0 else { return }
        if device.sharesMemory {
            return try check(
                library.clEnqueueWriteBuffer(queue, cl_mem(address), 1, 0, bytes, source, 0, nil, nil), "a copy to it")
        }
        if staging == nil { staging = try Staging(device, queue) }
        for start in stride(from: 0, to: bytes, by: Staging.size) {
            let count = min(Staging.size, bytes - start)
            try staging?.next { memory, event in
                memory.copyMemory(from: source + start, byteCount: count)
                try check(
                    library.clEnqueueWriteBuffer(queue, cl_mem(address), 0, start, count, memory, 0, nil, &event),
                    "a copy to it")
            }
        }
    }

    func download(_ address: DeviceAddress, to target: UnsafeMutableRawPointer, bytes: Int) throws {
        guard bytes > 0 else { return }
        try check(
            library.clEnqueueReadBuffer(queue, cl_mem(address), 1, 0, bytes, target, 0, nil, nil), "a copy from it")
    }

    func flush() throws { try check(library.clFlush(queue), "its queue") }
    func synchronize() throws { try check(library.clFinish(queue), "its queue") }

    private func check(_ status: Int32, _ what: String) throws {
        if status != 0 { throw device.error("failed at \(what)", status) }
    }

    func kernel(_ command: GPUCommand, _ slot: @escaping (GPUOperand) -> Slot) throws -> Kernel {
        switch command {
        case .launch(let launch): return try kernel(launch, slot)
        case .multiply(let product):
            guard let blas else { return try kernel(GPUMatrixProduct.launch(product), slot) }
            return kernel(product, blas, slot)
        case .copy(let from, let to, let bytes):
            let (from, to) = (slot(from), slot(to))
            return { [self] memory in
                guard bytes > 0, memory.raw(from) != memory.raw(to) else { return }
                try check(
                    library.clEnqueueCopyBuffer(
                        queue, cl_mem(memory.raw(from)), cl_mem(memory.raw(to)), 0, 0, bytes, 0, nil, nil), "a copy")
            }
        case .fill(let operand, let byte, let bytes):
            let target = slot(operand)
            return { [self] memory in
                guard bytes > 0 else { return }
                var pattern = byte
                try check(
                    library.clEnqueueFillBuffer(queue, cl_mem(memory.raw(target)), &pattern, 1, 0, bytes, 0, nil, nil),
                    "filling memory")
            }
        }
    }

    private func kernel(_ launch: GPULaunch, _ slot: (GPUOperand) -> Slot) throws -> Kernel {
        guard launch.groups > 0 else { return { _ in } }
        let bound = try BoundLaunch(device, launch)
        var pointers: [(index: UInt32, slot: Slot)] = []
        var counters: [(index: UInt32, value: () -> UInt64)] = []
        for (i, argument) in launch.arguments.enumerated() {
            switch argument {
            case .memory(let operand): pointers.append((UInt32(i), slot(operand)))
            case .int(let value):
                var number = Int32(value)
                try check(library.clSetKernelArg(bound.kernel, UInt32(i), 4, &number), "an argument of \(launch.entry)")
            case .perRun(let value): counters.append((UInt32(i), value))
            }
        }
        let entry = launch.entry
        return { [self] memory in
            // Each time: memory that was given back and taken anew may have the address that other memory had before.
            for argument in pointers {
                var address: cl_mem? = cl_mem(memory.raw(argument.slot))
                try check(library.clSetKernelArg(bound.kernel, argument.index, 8, &address), "an argument of \(entry)")
            }
            for counter in counters {
                var value = counter.value()
                try check(library.clSetKernelArg(bound.kernel, counter.index, 8, &value), "an argument of \(entry)")
            }
            var (global, local) = (launch.groups * GPULaunch.width, GPULaunch.width)
            try check(
                library.clEnqueueNDRangeKernel(queue, bound.kernel, 1, nil, &global, &local, 0, nil, nil),
                "the kernel \(entry)")
        }
    }

    private func kernel(
        _ product: GPUMultiplication, _ blas: tributary_clblast, _ slot: (GPUOperand) -> Slot
    ) -> Kernel {
        let (a, b, c) = (slot(product.a), slot(product.b), slot(product.c))
        let p = product
        // Row-major, and whether to transpose: CLBlast's constants.
        let (layout, transposeA, transposeB): (UInt32, UInt32, UInt32) = (
            101, p.transposeA ? 112 : 111, p.transposeB ? 112 : 111
        )
        let (lda, ldb, beta) = (p.transposeA ? p.m : p.k, p.transposeB ? p.k : p.n, p.adds ? Float(1) : 0)
        return { [self] memory in
            let (x, y, z) = (cl_mem(memory.raw(a)), cl_mem(memory.raw(b)), cl_mem(memory.raw(c)))
            let status =
                p.batch == 1
                ? blas.CLBlastSgemm(
                    layout, transposeA, transposeB, p.m, p.n, p.k, 1, x, p.offsets.a, lda, y, p.offsets.b, ldb, beta, z,
                    p.offsets.c, p.n, &queue, nil)
                : blas.CLBlastSgemmStridedBatched(
                    layout, transposeA, transposeB, p.m, p.n, p.k, 1, x, p.offsets.a, lda, p.strides.a, y, p.offsets.b,
                    ldb, p.strides.b, beta, z, p.offsets.c, p.n, p.strides.c, p.batch, &queue, nil)
            try check(status, "CLBlast's product of \(p.m) × \(p.k) and \(p.k) × \(p.n)")
        }
    }
}

/// A kernel with arguments of its own.
private final class BoundLaunch {
    let kernel: cl_kernel
    private let device: OpenCLDevice

    init(_ device: OpenCLDevice, _ launch: GPULaunch) throws {
        self.device = device
        var status: Int32 = 0
        let made = device.library.clCreateKernel(try device.program(launch.source), launch.entry, &status)
        guard status == 0, let made else { throw device.error("has no kernel \(launch.entry)", status) }
        kernel = made
    }

    deinit { _ = device.library.clReleaseKernel(kernel) }
}

/// Two pinned pieces of the host's memory, through which copies to a device with memory of its own go: while one is read
/// by the device, the other is filled.
private final class Staging {
    /// Bytes of a piece.
    static let size = 4 << 20

    private let library: tributary_opencl
    private var pieces: [(buffer: cl_mem, memory: UnsafeMutableRawPointer, event: cl_event?)] = []
    private var turn = 0

    init(_ device: OpenCLDevice, _ queue: cl_command_queue?) throws {
        library = device.library
        for _ in 0..<2 {
            var status: Int32 = 0
            let flags = UInt64(TRIBUTARY_CL_READ_WRITE.rawValue | TRIBUTARY_CL_ALLOCATE_HOST.rawValue)
            let buffer = library.clCreateBuffer(device.context, flags, Self.size, nil, &status)
            guard status == 0, let buffer else { throw device.error("has no pinned memory", status) }
            let memory = library.clEnqueueMapBuffer(
                queue, buffer, 1, UInt64(TRIBUTARY_CL_MAP_READ_WRITE.rawValue), 0, Self.size, 0, nil, nil, &status)
            guard status == 0, let memory else { throw device.error("has no pinned memory", status) }
            pieces.append((buffer, memory, nil))
        }
    }

    deinit {
        for piece in pieces {
            if let event = piece.event { _ = library.clReleaseEvent(event) }
            _ = library.clReleaseMemObject(piece.buffer)
        }
    }

    /// Lends the piece that has waited longest; `body` leaves the event of the copy that reads it.
    func next(_ body: (UnsafeMutableRawPointer, inout cl_event?) throws -> Void) throws {
        if pieces[turn].event != nil {
            _ = library.clWaitForEvents(1, &pieces[turn].event)
            _ = library.clReleaseEvent(pieces[turn].event)
            pieces[turn].event = nil
        }
        try body(pieces[turn].memory, &pieces[turn].event)
        turn = 1 - turn
    }
}
