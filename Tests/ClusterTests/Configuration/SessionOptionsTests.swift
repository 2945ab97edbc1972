import Cluster
import Dataflow
import Synchronization
import Testing

@Suite("Options of a job's sessions")
struct SessionOptionsTests {
    private static func config() -> JobConfig {
        var config = JobConfig()
        config.model.precision = .bfloat16
        config.devices.softPlacement = true
        config.devices.worker = "/cpu:0"
        config.devices.server = "/gpu:1"
        config.devices.gpuMemory = 1 << 20
        return config
    }

    @Test("workers have the model's precision and their devices, servers theirs, the rest runs on the CPU")
    func uses() throws {
        let config = Self.config()
        let cpu = try DeviceName("/cpu:0")
        let worker = try config.sessionOptions(for: .worker(0), threads: 3)
        #expect(worker.threads == 3 && worker.matrixPrecision == .bfloat16 && worker.softPlacement)
        #expect(worker.devices.standard == cpu && worker.devices.memoryLimit == 1 << 20)
        let server = try config.sessionOptions(for: .server, threads: 1)
        #expect(server.threads == 1 && server.matrixPrecision == .float32 && server.softPlacement)
        #expect(server.devices.standard == DeviceName(kind: .gpu, index: 1))
        let host = try config.sessionOptions(for: .host, threads: 2)
        #expect(host.threads == 2 && host.matrixPrecision == .float32 && !host.softPlacement)
        #expect(host.devices.standard == DeviceName(kind: .cpu) && host.devices.memoryLimit == nil)
        for options in [worker, server, host] { #expect(options.process == nil && options.fallbackLog == nil) }
        #expect(try config.sessionOptions(for: .worker(0)).threads == SessionOptions().threads)
    }

    @Test("sessions report to their node; placements only where the job asks")
    func logs() throws {
        let lines = Mutex<[String]>([])
        let profile = Profile()
        let node = NodeOptions(profile: profile) { line in lines.withLock { $0.append(line) } }
        var config = Self.config()
        for use in [JobConfig.SessionUse.worker(0), .server] {
            let options = try config.sessionOptions(for: use, node: node)
            #expect(options.profile === profile && options.placementLog == nil)
            options.fallbackLog?("a")
            options.planLog?("b")
        }
        #expect(lines.withLock { $0 } == ["a", "b", "a", "b"])
        config.devices.logDevicePlacement = true
        #expect(try config.sessionOptions(for: .worker(1), node: node).placementLog != nil)
        #expect(try config.sessionOptions(for: .host, node: node).profile == nil)
    }

    @Test("a device's name that is none is an error")
    func badDevice() {
        var config = JobConfig()
        config.devices.server = "/tpu:x"
        #expect(throws: GraphError.self) { try config.sessionOptions(for: .server) }
        #expect(throws: Never.self) { try config.sessionOptions(for: .worker(0)) }
    }
}
