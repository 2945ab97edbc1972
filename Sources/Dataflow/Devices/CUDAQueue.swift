internal import CDevices

/// A stream of a CUDA device. Matrix products are cuBLAS's where it is there.
final class CUDAQueue: DeviceQueue {
    private let device: CUDADevice
    private let library: tributary_cuda
    private var stream: tributary_cuda_stream?
    private var blas: (library: tributary_cublas, handle: tributary_cublas_handle)?
    private let computation: Int32
    /// Pinned memory through which copies go, with the event of the copy that reads each piece.
    private var staging: [(memory: UnsafeMutableRawPointer, event: tributary_cuda_event)] = []
    private var turn = 0
    private static let stagingSize = 4 << 20

    init(_ device: CUDADevice, _ options: DeviceOptions) throws {
        self.device = device
        library = device.library
        computation = Int32(
            options.allowsTF32 ? TRIBUTARY_CUBLAS_COMPUTE_32F_FAST_TF32 : TRIBUTARY_CUBLAS_COMPUTE_32F)
        device.use()
        // 1: apart from the stream that all of a process share.
        try device.check(library.cuStreamCreate(&stream, 1), "a stream")
        if let cublas = tributary_cublas_library()?.pointee {
            var handle: tributary_cublas_handle?
            if cublas.cublasCreate(&handle) == 0, let handle, cublas.cublasSetStream(handle, stream) == 0 {
                blas = (cublas, handle)
            }
        }
    }

    deinit {
        device.use()
        _ = library.cuStreamSynchronize(stream)
        if let blas { _ = blas.library.cublasDestroy(blas.handle) }
        for piece in staging {
            _ = library.cuEventDestroy(piece.event)
            _ = library.cuMemFreeHost(piece.memory)
        }
        _ = library.cuStreamDestroy(stream)
    }

    func upload(_ source: UnsafeRawPointer, to address: DeviceAddress, bytes: Int) throws {
        device.use()
        for start in stride(from: 0, to: bytes, by: Self.stagingSize) {
            let count = min(Self.stagingSize, bytes - start)
            let piece = try nextPiece()
            piece.memory.copyMemory(from: source + start, byteCount: count)
            try device.check(
                library.cuMemcpyHtoDAsync(address.cuda + UInt64(start), piece.memory, count, stream), "a copy to it")
            try device.check(library.cuEventRecord(piece.event, stream), "an event")
        }
    }

    /// A piece of pinned memory that no copy reads any more.
    private func nextPiece() throws -> (memory: UnsafeMutableRawPointer, event: tributary_cuda_event) {
        if staging.count < 2 {
            var memory: UnsafeMutableRawPointer?
            var event: tributary_cuda_event?
            try device.check(library.cuMemAllocHost(&memory, Self.stagingSize), "pinned memory")
            // 2: without timing.
            try device.check(library.cuEventCreate(&event, 2), "an event")
            staging.append((memory!, event!))
            turn = staging.count % 2
            return staging[staging.count - 1]
        }
        defer { turn = 1 - turn }
        try device.check(library.cuEventSynchronize(staging[turn].event), "an event")
        return staging[turn]
    }

    func download(_ address: DeviceAddress, to target: UnsafeMutableRawPointer, bytes: Int) throws {
        guard bytes > 0 else { return }
        device.use()
        try device.check(library.cuMemcpyDtoHAsync(target, address.cuda, bytes, stream), "a copy from it")
        try device.check(library.cuStreamSynchronize(stream), "its queue")
    }

    func flush() {}

    func synchronize() throws {
        device.use()
        try device.check(library.cuStreamSynchronize(stream), "its queue")
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
                device.use()
                try device.check(
                    library.cuMemcpyDtoDAsync(memory.raw(to).cuda, memory.raw(from).cuda, bytes, stream), "a copy")
            }
        case .fill(let operand, let byte, let bytes):
            let target = slot(operand)
            return { [self] memory in
                guard bytes > 0 else { return }
                device.use()
                try device.check(
                    library.cuMemsetD8Async(memory.raw(target).cuda, byte, bytes, stream), "filling memory")
            }
        }
    }

    private func kernel(_ launch: GPULaunch, _ slot: (GPUOperand) -> Slot) throws -> Kernel {
        guard launch.groups > 0 else { return { _ in } }
        let function = try device.function(launch.entry, of: launch.source)
        let arguments = LaunchArguments(launch, slot)
        let (groups, entry) = (UInt32(launch.groups), launch.entry)
        return { [self] memory in
            device.use()
            arguments.update(memory)
            try device.check(
                library.cuLaunchKernel(
                    function, groups, 1, 1, UInt32(GPULaunch.width), 1, 1, 0, stream, arguments.pointers, nil),
                "the kernel \(entry)")
        }
    }

    private func kernel(
        _ p: GPUMultiplication, _ blas: (library: tributary_cublas, handle: tributary_cublas_handle),
        _ slot: (GPUOperand) -> Slot
    ) -> Kernel {
        let (a, b, c) = (slot(p.a), slot(p.b), slot(p.c))
        let (m, n, k) = (Int32(p.m), Int32(p.n), Int32(p.k))
        // Without elements there is nothing to do; cuBLAS refuses rows of no length.
        guard m > 0, n > 0, p.batch > 0 else { return { _ in } }
        let (lda, ldb) = (max(p.transposeA ? m : k, 1), max(p.transposeB ? k : n, 1))
        let computation = p.precision == .bfloat16 ? Int32(TRIBUTARY_CUBLAS_COMPUTE_32F_FAST_16BF) : computation
        let (single, algorithm) = (Int32(TRIBUTARY_CUDA_R_32F), Int32(TRIBUTARY_CUBLAS_DEFAULT))
        return { [self] memory in
            var (alpha, beta): (Float, Float) = (1, p.adds ? 1 : 0)
            let x = memory.raw(a) + p.offsets.a * 4
            let y = memory.raw(b) + p.offsets.b * 4
            let z = memory.raw(c) + p.offsets.c * 4
            device.use()
            // cuBLAS reads columns first, so that it sees every matrix transposed: cᵀ = bᵀ · aᵀ.
            let status = blas.library.cublasGemmStridedBatchedEx(
                blas.handle, p.transposeB ? 1 : 0, p.transposeA ? 1 : 0, n, m, k, &alpha, y, single, ldb,
                Int64(p.strides.b), x, single, lda, Int64(p.strides.a), &beta, z, single, n, Int64(p.strides.c),
                Int32(p.batch), computation, algorithm)
            guard status == 0 else {
                throw GraphError(
                    "\(device.name): cuBLAS's product of \(p.m) × \(p.k) and \(p.k) × \(p.n) failed with status \(status)"
                )
            }
        }
    }
}

/// The memory that a launch's arguments are read from.
private final class LaunchArguments {
    let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let values: UnsafeMutablePointer<UInt64>
    private var operands: [(index: Int, slot: Slot)] = []
    private var counters: [(index: Int, value: () -> UInt64)] = []

    init(_ launch: GPULaunch, _ slot: (GPUOperand) -> Slot) {
        let count = launch.arguments.count
        values = .allocate(capacity: max(count, 1))
        pointers = .allocate(capacity: max(count, 1))
        for (i, argument) in launch.arguments.enumerated() {
            values[i] = 0
            pointers[i] = UnsafeMutableRawPointer(values + i)
            switch argument {
            case .memory(let operand): operands.append((i, slot(operand)))
            // The first four bytes, on a little-endian host.
            case .int(let value): values[i] = UInt64(UInt32(bitPattern: Int32(value)))
            case .perRun(let value): counters.append((i, value))
            }
        }
    }

    deinit {
        values.deallocate()
        pointers.deallocate()
    }

    func update(_ memory: RunMemory) {
        for argument in operands { values[argument.index] = memory.raw(argument.slot).cuda }
        for counter in counters { values[counter.index] = counter.value() }
    }
}
