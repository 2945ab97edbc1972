internal import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// The accelerators of this machine, found when first asked for: a driver takes some 0.2 s to answer.
public enum Accelerators {
    private static let found = Mutex<[Bool: [any Accelerator]]>([:])

    /// CUDA's devices, then OpenCL's GPUs that CUDA does not serve, then if allowed OpenCL's CPUs: /device:GPU:0, ….
    static func all(emulated: Bool) -> [any Accelerator] {
        found.withLock { found in
            if let known = found[emulated] { return known }
            let cuda = CUDADevice.all()
            let others = OpenCLDevice.all(emulated: emulated, from: cuda.count, skipsNVIDIA: !cuda.isEmpty)
            let devices: [any Accelerator] = cuda + others
            found[emulated] = devices
            return devices
        }
    }

    /// The GPUs of this machine.
    ///
    /// - Parameter emulated: whether CPUs on which OpenCL emulates a GPU count; their `detail` says so.
    public static func devices(emulated: Bool) -> [any Device] { all(emulated: emulated) }

    /// Whether there may be a GPU: its kernel driver's files are there. Costs nothing, loads nothing.
    static let mayBePresent: Bool = {
        if access("/dev/nvidiactl", F_OK) == 0 || access("/dev/kfd", F_OK) == 0 || access("/dev/dxg", F_OK) == 0 {
            return true
        }
        guard let folder = opendir("/dev/dri") else { return false }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix("renderD") { return true }
        }
        return false
    }()
}
