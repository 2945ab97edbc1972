internal import CDevices
internal import Synchronization

/// A GPU of NVIDIA's, by CUDA's driver; kernels are compiled by NVRTC.
///
/// `@unchecked Sendable`: CUDA's context and modules may be used from any thread; the table of modules is behind a lock.
final class CUDADevice: Accelerator, @unchecked Sendable {
    let name: DeviceName
    let detail: String
    let memory: Int
    let fingerprint: String
    /// What vector loads and cuBLAS's kernels like best.
    let alignment = 256
    let library: tributary_cuda
    private let compiler: tributary_nvrtc
    private let context: tributary_cuda_context
    private let architecture: Int
    private let cache = KernelCache()
    private let modules = Mutex<[String: Module]>([:])

    /// `@unchecked Sendable`: as the device.
    private struct Module: @unchecked Sendable { let handle: tributary_cuda_module }

    /// The devices of CUDA's driver, where NVRTC is there to compile for them.
    static func all() -> [CUDADevice] {
        guard let library = tributary_cuda_library()?.pointee, let compiler = tributary_nvrtc_library()?.pointee,
            library.cuInit(0) == 0
        else { return [] }
        var count: Int32 = 0
        guard library.cuDeviceGetCount(&count) == 0 else { return [] }
        return (0..<count).compactMap { CUDADevice(library, compiler, $0) }
    }

    private init?(_ library: tributary_cuda, _ compiler: tributary_nvrtc, _ index: Int32) {
        var (device, major, minor, version): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
        var bytes = 0
        var text = [CChar](repeating: 0, count: 256)
        var context: tributary_cuda_context?
        guard library.cuDeviceGet(&device, index) == 0, library.cuDeviceGetName(&text, 255, device) == 0,
            library.cuDeviceTotalMem(&bytes, device) == 0,
            library.cuDeviceGetAttribute(&major, Int32(TRIBUTARY_CUDA_COMPUTE_MAJOR), device) == 0,
            library.cuDeviceGetAttribute(&minor, Int32(TRIBUTARY_CUDA_COMPUTE_MINOR), device) == 0,
            library.cuDriverGetVersion(&version) == 0,
            library.cuDevicePrimaryCtxRetain(&context, device) == 0, let context
        else { return nil }
        let model = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        name = DeviceName(kind: .gpu, index: Int(index))
        detail = "\(model), compute \(major).\(minor), CUDA \(version / 1000).\(version % 1000 / 10)"
        fingerprint = "CUDA; \(model); \(major).\(minor); \(version)"
        memory = bytes
        architecture = Int(major * 10 + minor)
        self.library = library
        self.compiler = compiler
        self.context = context
    }

    /// Makes the calling thread's calls this device's.
    func use() { _ = library.cuCtxSetCurrent(context) }

    func allocate(_ bytes: Int) -> DeviceAddress? {
        use()
        var address: tributary_cuda_address = 0
        guard library.cuMemAlloc(&address, bytes) == 0 else { return nil }
        return DeviceAddress(bitPattern: UInt(address))
    }

    func free(_ address: DeviceAddress) {
        use()
        _ = library.cuMemFree(address.cuda)
    }

    func part(of address: DeviceAddress, offset: Int, bytes: Int) -> DeviceAddress { address + offset }
    func releasePart(_ address: DeviceAddress) {}

    func makeQueue(_ options: DeviceOptions) throws -> any DeviceQueue { try CUDAQueue(self, options) }

    func check(_ status: Int32, _ what: String) throws {
        if status == TRIBUTARY_CUDA_OUT_OF_MEMORY {
            throw GraphError("\(name) has no memory left for \(what); use smaller batches, or place less there")
        }
        if status == TRIBUTARY_CUDA_UNSUPPORTED_PTX {
            throw GraphError(
                "\(name) (\(detail)): the driver is older than NVRTC and takes none of its code; install the NVRTC of the "
                    + "driver's CUDA version, or a newer driver")
        }
        if status != 0 { throw GraphError("\(name) (\(detail)) failed at \(what): CUDA's error \(status)") }
    }

    /// The kernel `entry` of a source: compiled once in a process, and once for all on disk.
    func function(_ entry: String, of source: String) throws -> tributary_cuda_function {
        use()
        let module = try modules.withLock { modules in
            if let known = modules[source] { return known }
            let text = GPUSource.cuda(source)
            let key = "\(fingerprint)\n\(text)"
            let cached = cache.read(key)
            let code = try cached ?? compile(text)
            var handle: tributary_cuda_module?
            try check(library.cuModuleLoadData(&handle, code + [0]), "loading the kernel \(entry)")
            if cached == nil { cache.write(code, key) }
            let module = Module(handle: handle!)
            modules[source] = module
            return module
        }
        var function: tributary_cuda_function?
        try check(library.cuModuleGetFunction(&function, module.handle, entry), "finding the kernel \(entry)")
        return function!
    }

    /// PTX, text without its closing 0. `make conformance` compiles the same texts with the same options.
    private func compile(_ text: String) throws -> [UInt8] {
        // An NVRTC that is older than the device does not know it; the driver takes the code of an older one.
        for architecture in [architecture] + [90, 80, 75, 70, 60].filter({ $0 < architecture }) {
            if let code = try compile(text, for: architecture) { return code }
        }
        throw GraphError("\(name) (\(detail)): NVRTC compiles for none of its architectures")
    }

    /// nil if NVRTC does not know the architecture.
    private func compile(_ text: String, for architecture: Int) throws -> [UInt8]? {
        var program: tributary_nvrtc_program?
        guard compiler.nvrtcCreateProgram(&program, text, "kernel.cu", 0, nil, nil) == 0 else {
            throw GraphError("NVRTC takes no kernel")
        }
        defer { _ = compiler.nvrtcDestroyProgram(&program) }
        let status = "--gpu-architecture=compute_\(architecture)".withCString { option in
            var option: UnsafePointer<CChar>? = option
            return compiler.nvrtcCompileProgram(program, 1, &option)
        }
        if status == TRIBUTARY_NVRTC_INVALID_OPTION { return nil }
        var size = 0
        guard status == 0 else {
            _ = compiler.nvrtcGetProgramLogSize(program, &size)
            var log = [CChar](repeating: 0, count: size + 1)
            _ = compiler.nvrtcGetProgramLog(program, &log)
            let message = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw GraphError("\(name) cannot compile a kernel: \(message)\n\(text)\n")
        }
        guard compiler.nvrtcGetPTXSize(program, &size) == 0 else { throw GraphError("NVRTC gives no code") }
        var code = [CChar](repeating: 0, count: size)
        guard compiler.nvrtcGetPTX(program, &code) == 0 else { throw GraphError("NVRTC gives no code") }
        return code.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }
}

extension DeviceAddress {
    var cuda: tributary_cuda_address { tributary_cuda_address(UInt(bitPattern: self)) }
}
