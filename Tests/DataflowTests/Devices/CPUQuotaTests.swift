import Dataflow
import Testing

@Suite("Cores that control groups allow")
struct CPUQuotaTests {
    private static let unified = "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let older = """
        31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
        32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        33 31 0:30 /docker/1f /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct
        """

    private static func tightest(_ membership: String, _ mounts: String, _ files: [String: String]) -> CPUQuota? {
        CPUQuota.tightest(membership: membership, mounts: mounts) { files[$0] }
    }

    @Test("in version 2 the smallest limit on the way up counts")
    func nested() {
        let group = "0::/kube/pod/main\n"
        let files = [
            "/sys/fs/cgroup/kube/pod/main/cpu.max": "max 100000\n",
            "/sys/fs/cgroup/kube/pod/cpu.max": "150000 100000\n",
            "/sys/fs/cgroup/kube/cpu.max": "40000 10000\n",
        ]
        let quota = Self.tightest(group, Self.unified, files)
        #expect(quota == CPUQuota(cores: 1.5, group: "/sys/fs/cgroup/kube/pod") && quota?.wholeCores == 2)
        #expect(Self.tightest("0::/kube", Self.unified, files)?.cores == 4)
        #expect(Self.tightest("0::/", Self.unified, files) == nil)
        // Seen from within a namespace whose root is another group.
        #expect(
            Self.tightest("0::/../other", Self.unified, files.merging(["/sys/fs/cgroup/cpu.max": "3 1"]) { $1 })?.cores
                == 3)
    }

    @Test("version 1 too, below the mounted group, and where both are there the smaller")
    func versionOne() {
        let group = "5:cpu,cpuacct:/docker/1f/job\n4:memory:/docker/1f\n1:name=systemd:/\n0::/\n"
        var files = [
            "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "-1\n",
            "/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "250000\n",
            "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        ]
        #expect(Self.tightest(group, Self.older, files)?.cores == 2.5)
        #expect(Self.tightest("5:cpuacct,cpu:/elsewhere\n", Self.older, files)?.cores == 2.5)
        files["/sys/fs/cgroup/unified/cpu.max"] = "100000 100000"
        let both = Self.older + "\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        #expect(Self.tightest(group, both, files)?.cores == 1)
    }

    @Test("a mount point's name may have spaces")
    func escaped() {
        let mounts = "29 23 0:26 / /my\\040groups rw - cgroup2 none rw\n"
        #expect(Self.tightest("0::/a b", mounts, ["/my groups/a b/cpu.max": "50000 100000"])?.wholeCores == 1)
    }

    @Test(
        "what makes no sense limits nothing",
        arguments: [
            "", "\n", "max", "max 100000", "0 100000", "-1 100000", "100000 0", "100000 -5", "x 100000", "1e5 100000",
            "100000 y", "99999999999999999999999 1", "\u{0}", "1.5 1",
        ])
    func garbage(text: String) {
        #expect(CPUQuota.cores(maximum: text) == nil)
        #expect(Self.tightest("0::/a", Self.unified, ["/sys/fs/cgroup/a/cpu.max": text]) == nil)
        let files = ["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": text]
        #expect(Self.tightest("5:cpu:/", Self.older, files) == nil)
    }

    @Test(
        "nor do files of the system that are cut short or of another kind",
        arguments: ["", ":", "::", "0:", "0::", "0::a", "a:b:c:d", "0::/\u{FFFD}", "5:cpu"])
    func membership(text: String) {
        for mounts in [
            "", "-", "29 23 0:26 / /sys - cgroup2", "a b c d e f g - cgroup2 x y\\", "\\1 \\ - cgroup x cpu",
        ] {
            #expect(Self.tightest(text, mounts, [:]) == nil)
        }
        #expect(Self.tightest(text, Self.unified + Self.older, [:]) == nil)
    }

    @Test("a huge quota is a number, and a small one is one core")
    func extremes() {
        #expect(CPUQuota(cores: 9e30, group: "").wholeCores == 1_000_000)
        #expect(CPUQuota(cores: 0.01, group: "").wholeCores == 1)
        #expect(CPUQuota.cores(maximum: "200000") == 2)
        #expect(CPUDevice.cores >= 1 && !CPUDevice.corePool.isEmpty)
    }
}
