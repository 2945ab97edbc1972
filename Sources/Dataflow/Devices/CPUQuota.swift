/// How much of the processor the control groups of a process let it use, of version 1 or 2.
package struct CPUQuota: Equatable, Sendable {
    /// Processor seconds a second: 1.5 is one core and a half.
    package var cores: Double
    /// The folder of the group that says so, the tightest of those that the process is in.
    package var group: String

    package init(cores: Double, group: String) {
        self.cores = cores
        self.group = group
    }

    /// Whole cores to keep busy: a part of one counts as one, so that none of the quota stays unused.
    package var wholeCores: Int { cores >= 1_000_000 ? 1_000_000 : max(Int(cores.rounded(.up)), 1) }

    /// The tightest quota on the way from the process's groups up to the roots; nil where nothing limits it.
    ///
    /// - Parameters:
    ///   - membership: the text of `/proc/self/cgroup`.
    ///   - mounts: the text of `/proc/self/mountinfo`.
    ///   - read: the text of a file; nil where there is none.
    package static func tightest(
        membership: String, mounts: String, read: (_ path: String) -> String?
    ) -> CPUQuota? {
        let mounted = mounts.split(whereSeparator: \.isNewline).compactMap { Mount($0) }
        var found: CPUQuota?
        for line in membership.split(whereSeparator: \.isNewline) {
            // "0::/user.slice" in version 2, "4:cpu,cpuacct:/user.slice" in version 1.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("cpu"),
                let mount = mounted.first(where: { isUnified ? $0.isUnified : $0.hasProcessor })
            else { continue }
            for folder in mount.folders(of: fields[2]) {
                let limit =
                    isUnified
                    ? read("\(folder)/cpu.max").flatMap { cores(maximum: $0) }
                    : cores(
                        quota: read("\(folder)/cpu.cfs_quota_us") ?? "",
                        period: read("\(folder)/cpu.cfs_period_us") ?? "")
                guard let limit, limit < found?.cores ?? .infinity else { continue }
                found = CPUQuota(cores: limit, group: folder)
            }
        }
        return found
    }

    /// Of version 2's `cpu.max`: microseconds of processor time, or "max", and the period that they are for.
    package static func cores(maximum text: String) -> Double? {
        let words = text.split(whereSeparator: \.isWhitespace)
        // Without a period it is the kernel's own.
        return words.first.flatMap { cores(quota: $0, period: words.count > 1 ? words[1] : "100000") }
    }

    /// Of version 1's `cpu.cfs_quota_us`, −1 for no limit, and `cpu.cfs_period_us`; nil for no limit, or what makes no
    /// sense.
    package static func cores(quota: some StringProtocol, period: some StringProtocol) -> Double? {
        func number(_ text: some StringProtocol) -> Int? {
            text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
        }
        guard let quota = number(quota), let period = number(period), quota > 0, period > 0 else { return nil }
        return Double(quota) / Double(period)
    }

    /// Where a hierarchy of groups can be read.
    private struct Mount {
        var point: String
        /// The group that the folder is of.
        var root: String
        var isUnified: Bool
        var hasProcessor: Bool

        /// - Parameter line: such as `32 31 0:29 /docker/1f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct`.
        init?(_ line: Substring) {
            let words = line.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), dash >= 5, words.count > dash + 3 else { return nil }
            isUnified = words[dash + 1] == "cgroup2"
            hasProcessor = words[dash + 1] == "cgroup" && words[dash + 3].split(separator: ",").contains("cpu")
            guard isUnified || hasProcessor else { return nil }
            root = Mount.plain(words[3])
            point = Mount.plain(words[4])
        }

        /// The kernel writes a space as `\040`.
        private static func plain(_ text: Substring) -> String {
            var bytes: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while let byte = rest.popFirst() {
                let digits = rest.prefix(3)
                if byte == UInt8(ascii: "\\"), digits.count == 3,
                    let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
                {
                    bytes.append(code)
                    rest = rest.dropFirst(3)
                } else {
                    bytes.append(byte)
                }
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        /// The folders of a group and of those it is in, as far as they can be seen here.
        func folders(of group: Substring) -> [String] {
            var names = group.split(separator: "/")
            let above = root.split(separator: "/")
            // A group that is not below the mounted one is seen from within a namespace: its own folder is the root.
            if names.contains("..") {
                names = []
            } else if names.starts(with: above) {
                names.removeFirst(above.count)
            } else {
                names = []
            }
            var folders = [point]
            for name in names { folders.append("\(folders.last ?? "")/\(name)") }
            return folders.reversed()
        }
    }
}
