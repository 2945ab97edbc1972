internal import CKernels

#if canImport(Glibc)
    import Glibc
#endif

/// The host's processor. float32 matrix products run in oneDNN, everything else in loops of this package.
public struct CPUDevice: Device {
    public let name = DeviceName(kind: .cpu, index: 0)

    public init() {}

    /// The processor's model and its cores.
    public var detail: String { "\(CPUDevice.model), \(CPUDevice.cores) cores" }

    /// Bytes of the machine's memory.
    public var memory: Int { CPUDevice.memory }

    static let memory = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))

    /// Cores that this process may run on.
    public static var cores: Int { Int(tributary_usable_cores()) }

    private static var model: String {
        guard let file = fopen("/proc/cpuinfo", "r") else { return "CPU" }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") {
                return text[text.index(after: colon)...].split(whereSeparator: \.isWhitespace).joined(separator: " ")
            }
        }
        return "CPU"
    }
}
