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

    /// Cores that this process may keep busy: those of its affinity mask, but no more than its control groups allow.
    public static var cores: Int { min(Int(tributary_usable_cores()), quota?.wholeCores ?? .max) }

    /// A name of the cores that this process may use: processes with equal names share them.
    ///
    /// It holds the machine's boot, the affinity mask, and the control group that allows less than the mask, if there is
    /// one: two containers of one machine have cores of their own if each has a quota.
    public static var corePool: String {
        let boot = text(of: "/proc/sys/kernel/random/boot_id") ?? ""
        let mask = (text(of: "/proc/self/status") ?? "").split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        var facts = stat()
        let isLimited =
            quota.map { $0.wholeCores < Int(tributary_usable_cores()) && stat($0.group, &facts) == 0 } ?? false
        let group = isLimited ? "group \(facts.st_dev):\(facts.st_ino)" : ""
        return [boot, String(mask ?? ""), group].joined(separator: " ").split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
    }

    private static let quota = CPUQuota.tightest(
        membership: text(of: "/proc/self/cgroup") ?? "", mounts: text(of: "/proc/self/mountinfo") ?? "",
        read: text(of:))

    /// What a small file of the system holds, up to 1 MiB.
    private static func text(of path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static var model: String {
        guard let file = fopen("/proc/cpuinfo", "re") else { return "CPU" }
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

extension CPUDevice: CustomStringConvertible {
    public var description: String { "\(name) (\(detail))" }
}
