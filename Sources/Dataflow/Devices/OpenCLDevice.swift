internal import CDevices
internal import Synchronization

/// A GPU of OpenCL's; or a CPU that OpenCL runs kernels on, for tests.
///
/// `@unchecked Sendable`: OpenCL's objects may be used from any thread; the parts table and the programs are behind locks.
final class OpenCLDevice: Accelerator, @unchecked Sendable {
    let name: DeviceName
    let detail: String
    let memory: Int
    let fingerprint: String
    let alignment: Int
    let isEmulated: Bool
    let library: tributary_opencl
    let device: cl_device_id
    let context: cl_context
    /// Whether the device works in the host's memory, so that copies gain nothing from staging.
    let sharesMemory: Bool
    private let largest: Int
    private let cache = KernelCache()
    private let programs = Mutex<[String: Program]>([:])

    /// `@unchecked Sendable`: as the device.
    private struct Program: @unchecked Sendable { let handle: cl_program }

    /// The devices of every platform, GPUs first; CPUs only if asked for.
    ///
    /// - Parameters:
    ///   - first: the index of the first.
    ///   - skipsNVIDIA: whether CUDA serves those already.
    static func all(emulated: Bool, from first: Int, skipsNVIDIA: Bool) -> [OpenCLDevice] {
        guard let library = tributary_opencl_library()?.pointee else { return [] }
        var platforms = [cl_platform_id?](repeating: nil, count: 16)
        var count: UInt32 = 0
        guard library.clGetPlatformIDs(16, &platforms, &count) == 0 else { return [] }
        var found: [OpenCLDevice] = []
        let kinds = [TRIBUTARY_CL_DEVICE_GPU] + (emulated ? [TRIBUTARY_CL_DEVICE_CPU] : [])
        for kind in kinds {
            for platform in platforms.prefix(Int(count)) {
                var devices = [cl_device_id?](repeating: nil, count: 16)
                var there: UInt32 = 0
                guard library.clGetDeviceIDs(platform, UInt64(kind.rawValue), 16, &devices, &there) == 0 else {
                    continue
                }
                for device in devices.prefix(Int(there)).compactMap({ $0 }) {
                    let isEmulated = kind == TRIBUTARY_CL_DEVICE_CPU
                    guard let made = OpenCLDevice(library, device, index: first + found.count, isEmulated: isEmulated),
                        !(skipsNVIDIA && made.detail.hasPrefix("NVIDIA"))
                    else { continue }
                    found.append(made)
                }
            }
        }
        return found
    }

    private init?(_ library: tributary_opencl, _ device: cl_device_id, index: Int, isEmulated: Bool) {
        func text(_ what: tributary_cl_constant) -> String {
            var bytes = [CChar](repeating: 0, count: 512)
            var size = 0
            guard library.clGetDeviceInfo(device, what.rawValue, bytes.count, &bytes, &size) == 0 else { return "" }
            let utf8 = bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            return String(decoding: utf8, as: UTF8.self).split(separator: " ").joined(separator: " ")
        }
        func number(_ what: tributary_cl_constant, bytes: Int) -> Int {
            var value: UInt64 = 0
            return library.clGetDeviceInfo(device, what.rawValue, bytes, &value, nil) == 0 ? Int(clamping: value) : 0
        }
        var status: Int32 = 0
        var handle: cl_device_id? = device
        guard number(TRIBUTARY_CL_MAX_WORK_GROUP_SIZE, bytes: 8) >= GPULaunch.width,
            let context = library.clCreateContext(nil, 1, &handle, nil, nil, &status)
        else { return nil }
        let driver = "\(text(TRIBUTARY_CL_DEVICE_VERSION)), driver \(text(TRIBUTARY_CL_DRIVER_VERSION))"
        name = DeviceName(kind: .gpu, index: index)
        detail = "\(text(TRIBUTARY_CL_DEVICE_NAME)), \(driver)\(isEmulated ? ", emulated on a CPU" : "")"
        fingerprint = "\(text(TRIBUTARY_CL_DEVICE_NAME)); \(driver)"
        memory = number(TRIBUTARY_CL_GLOBAL_MEMORY, bytes: 8)
        largest = number(TRIBUTARY_CL_MAX_ALLOCATION, bytes: 8)
        // OpenCL tells bits. Whole cache lines at least.
        alignment = max(number(TRIBUTARY_CL_BASE_ALIGNMENT, bytes: 4) / 8, 64)
        sharesMemory = number(TRIBUTARY_CL_UNIFIED_MEMORY, bytes: 4) != 0
        self.isEmulated = isEmulated
        self.library = library
        self.device = device
        self.context = context
    }

    func allocate(_ bytes: Int) -> DeviceAddress? {
        guard bytes <= largest else { return nil }
        var status: Int32 = 0
        let memory = library.clCreateBuffer(context, UInt64(TRIBUTARY_CL_READ_WRITE.rawValue), bytes, nil, &status)
        return status == 0 ? memory.map { DeviceAddress($0) } : nil
    }

    func free(_ address: DeviceAddress) { _ = library.clReleaseMemObject(cl_mem(address)) }

    func part(of address: DeviceAddress, offset: Int, bytes: Int) throws -> DeviceAddress {
        var status: Int32 = 0
        var region = (offset, bytes)
        let part = library.clCreateSubBuffer(
            cl_mem(address), UInt64(TRIBUTARY_CL_READ_WRITE.rawValue), TRIBUTARY_CL_BUFFER_REGION.rawValue, &region,
            &status)
        guard status == 0, let part else { throw error("cannot divide its memory", status) }
        return DeviceAddress(part)
    }

    func releasePart(_ address: DeviceAddress) { _ = library.clReleaseMemObject(cl_mem(address)) }

    func makeQueue(_ options: DeviceOptions) throws -> any DeviceQueue { try OpenCLQueue(self) }

    func error(_ what: String, _ status: Int32) -> GraphError {
        switch status {
        case Int32(TRIBUTARY_CL_OUT_OF_MEMORY), Int32(TRIBUTARY_CL_OUT_OF_RESOURCES):
            GraphError("\(name) has no memory left: \(what); use smaller batches, or place less there")
        default: GraphError("\(name) (\(detail)) \(what): OpenCL's error \(status)")
        }
    }

    /// The compiled program of a source: made once in a process, and once for all on disk.
    func program(_ source: String) throws -> cl_program {
        try programs.withLock { programs in
            if let known = programs[source] { return known }
            let program = Program(handle: try build(source))
            programs[source] = program
            return program
        }.handle
    }

    private func build(_ source: String) throws -> cl_program {
        let text = GPUSource.openCL(source)
        let key = "\(fingerprint)\n\(text)"
        if let binary = cache.read(key), let program = load(binary) { return program }
        var status: Int32 = 0
        let program = text.withCString { text in
            var text: UnsafePointer<CChar>? = text
            return library.clCreateProgramWithSource(context, 1, &text, nil, &status)
        }
        guard status == 0, let program else { throw error("takes no kernel", status) }
        var handle: cl_device_id? = device
        status = library.clBuildProgram(program, 1, &handle, "", nil, nil)
        guard status == 0 else {
            var log = [CChar](repeating: 0, count: 1 << 14)
            _ = library.clGetProgramBuildInfo(
                program, device, TRIBUTARY_CL_BUILD_LOG.rawValue, log.count - 1, &log, nil)
            let message = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw error("cannot compile a kernel: \(message)\n\(source)\n", status)
        }
        if let binary = binary(of: program) { cache.write(binary, key) }
        return program
    }

    private func load(_ binary: [UInt8]) -> cl_program? {
        var (status, loaded): (Int32, Int32) = (0, 0)
        var handle: cl_device_id? = device
        var size = binary.count
        let program = binary.withUnsafeBufferPointer { bytes in
            var pointer = bytes.baseAddress
            return library.clCreateProgramWithBinary(context, 1, &handle, &size, &pointer, &loaded, &status)
        }
        guard let program else { return nil }
        guard status == 0, loaded == 0, library.clBuildProgram(program, 1, &handle, "", nil, nil) == 0 else {
            _ = library.clReleaseProgram(program)
            return nil
        }
        return program
    }

    private func binary(of program: cl_program) -> [UInt8]? {
        var size = 0
        let wanted = MemoryLayout<Int>.size
        guard library.clGetProgramInfo(program, TRIBUTARY_CL_PROGRAM_BINARY_SIZES.rawValue, wanted, &size, nil) == 0,
            size > 0
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        let status = bytes.withUnsafeMutableBufferPointer { buffer in
            var pointer = buffer.baseAddress
            return library.clGetProgramInfo(program, TRIBUTARY_CL_PROGRAM_BINARIES.rawValue, wanted, &pointer, nil)
        }
        return status == 0 ? bytes : nil
    }
}
