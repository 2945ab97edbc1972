import Dataflow
import Synchronization
import Testing

/// Where operations run, what crosses the border, and what happens when memory ends: on a GPU or on what OpenCL emulates of
/// one on a CPU.
@Suite("Devices", .enabled(if: !Accelerators.devices(emulated: true).isEmpty))
struct PlacementTests {
    private let emulated = DeviceOptions(standard: DeviceName(kind: .cpu), allowsEmulation: true)

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private func message(_ body: () throws -> Void) -> String {
        do { try body() } catch { return "\(error)" }
        return ""
    }

    @Test("each operation runs where it was asked to; what nothing tells follows its inputs and its Variable")
    func log() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [2, 2], name: "x")
        let w = g.device("/gpu:0") { g.variable(Tensor([[1.0, 2], [3, 4]]), name: "w") }
        let onGPU = g.device("/gpu:0") { matmul(x, w, name: "there") }
        let follows = relu(onGPU, name: "follows")
        let onCPU = g.device("/cpu:0") { exp(follows, name: "here") }
        let stays = abs(onCPU, name: "stays")
        let update = w.assignSub(follows, name: "update")
        let lines = Lines()
        let session = try Session(g, options: SessionOptions(devices: emulated, placementLog: { lines.add($0) }))
        try session.execute(w.initializer)
        let value = Tensor([[1.0, 0], [0, 1]])
        let results = try session.run([stays, update], feeds: [x: value])
        #expect(try results[1].doubles == [0, 0, 0, 0])
        for (name, device) in [
            ("w", "GPU"), ("there", "GPU"), ("follows", "GPU"), ("here", "CPU"), ("stays", "CPU"), ("update", "GPU"),
        ] {
            #expect(lines.all.contains { $0.hasPrefix("\(name): ") && $0.hasSuffix("/device:\(device):0") }, "\(name)")
        }
    }

    @Test("each value crosses a border once, and is labelled")
    func transfers() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [8], name: "x")
        let (a, b) = g.device("/gpu:0") { (relu(x, name: "a"), exp(x, name: "b")) }
        // Both used twice on the CPU, and x on both sides.
        let sums = g.device("/cpu:0") { [a + b, a * b, x + a] }
        let profile = Profile()
        let session = try Session(g, options: SessionOptions(devices: emulated))
        let plan = try session.plan(for: sums, feeds: [x: TensorSpec(.float32, [8])])
        let moved = plan.steps.filter { $0.operation == "Transfer" }
        #expect(Set(moved.map(\.name)) == ["x:0", "a:0", "b:0"] && moved.count == 3, "\(plan)")
        let input = Tensor((0..<8).map { Float($0) - 4 })
        let got = try session.run(sums, feeds: [x: input], profile: profile)
        #expect(profile.events.count { $0.operation == "Transfer" } == 3)
        #expect(profile.events.contains { $0.device == "/device:CPU:0 to /device:GPU:0" && $0.bytes == 32 })
        let expected = try Session(g, options: SessionOptions(softPlacement: true, devices: .hostOnly))
            .run(sums, feeds: [x: input])
        for (one, other) in zip(got, expected) {
            #expect(try zip(one.doubles, other.doubles).allSatisfy { abs($0 - $1) <= 1e-5 * max(1, abs($1)) })
        }
    }

    @Test("what is known before a run, or fed, is taken from the host, even where something waits for its vertex")
    func given() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [2], name: "x")
        let (y, parts) = g.device("/gpu:0") {
            let known = reshape(g.constant([Float(1), 2]) * 2, [2, 1], name: "known")
            let parts = split(x * 2, count: 2)
            return (g.controlDependencies([known]) { reshape(known, [2]) + x }, parts)
        }
        let session = try Session(g, options: SessionOptions(devices: emulated))
        #expect(try session.run(y, feeds: [x: Tensor([Float(1), 1])]).doubles == [3, 5])
        let sum = g.device("/gpu:0") { parts[0] + parts[1] }
        let fed = try session.run(sum, feeds: [x: Tensor([Float(1), 5]), parts[0]: Tensor([Float(100)])])
        #expect(try fed.doubles == [110])
    }

    @Test("constants too large to be known before a run are made where they are asked for")
    func filled() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [5, 4000], name: "x")
        let filled = g.device("/gpu:0") { [zerosLike(x), onesLike(x)] }
        let session = try Session(g, options: SessionOptions(devices: emulated))
        let profile = Profile()
        let input = Tensor(repeating: Float(7), sized: [5, 4000])
        let values = try session.run(filled, feeds: [x: input], profile: profile)
        #expect(try values[0].doubles.allSatisfy { $0 == 0 } && values[1].doubles.allSatisfy { $0 == 1 })
        for name in ["ZerosLike", "OnesLike"] {
            #expect(profile.events.contains { $0.operation == name && $0.device == "/device:GPU:0" }, "\(name)")
        }
    }

    @Test("chains of elementwise operations are one kernel on a GPU too")
    func fused() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [16], name: "x")
        let y = g.device("/gpu:0") { tanh(exp(x) * 2 + 1) }
        let session = try Session(g, options: SessionOptions(devices: emulated))
        let plan = try session.plan(for: [y], feeds: [x: TensorSpec(.float32, [16])])
        #expect(
            plan.steps.contains { $0.operation.hasPrefix("Exp+Mul+AddV2+Tanh") && $0.device.contains("GPU") }, "\(plan)"
        )
        let value = try session.run(y, feeds: [x: Tensor(repeating: Float(0.25), sized: [16])])
        let expected = try Session(g, options: SessionOptions(softPlacement: true, devices: .hostOnly))
            .run(y, feeds: [x: Tensor(repeating: Float(0.25), sized: [16])])
        #expect(try zip(value.doubles, expected.doubles).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test("Variables on a GPU are read, written and trained like others")
    func variables() throws {
        let g = Graph()
        let w = g.device("/gpu:0") { g.variable(Tensor([Float(1), 2, 3]), name: "w") }
        let halve = w.assign(w * 0.5)
        let session = try Session(g, options: SessionOptions(devices: emulated))
        #expect(message { _ = try session.value(of: w) }.contains("not initialised"))
        try session.execute(w.initializer)
        try session.execute(halve)
        #expect(try session.value(of: w).doubles == [0.5, 1, 1.5])
        try session.assign(Tensor([Float(4), 8, 16]), to: w)
        #expect(try session.run(halve).doubles == [2, 4, 8])
        #expect(try session.run(w).doubles == [2, 4, 8])
    }

    @Test("what has no kernel for GPUs is an error that names it; under soft placement the CPU takes it, said once")
    func missingKernel() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [3], name: "x")
        let values = g.device("/gpu:0") { [lgamma(x, name: "first"), lgamma(x, name: "second")] }
        let feeds: Feeds = [x: Tensor([1.0, 2, 3], dtype: .float64)]
        let text = message { _ = try Session(g, options: SessionOptions(devices: emulated)).run(values, feeds: feeds) }
        #expect(
            text.contains("Lgamma 'first'") && text.contains("/device:GPU:0") && text.contains("float64"), "\(text)")
        let lines = Lines()
        let soft = try Session(
            g, options: SessionOptions(softPlacement: true, devices: emulated, fallbackLog: { lines.add($0) }))
        #expect(try soft.run(values, feeds: feeds)[1].doubles[2] > 0.69)
        #expect(lines.all.count == 1 && lines.all[0].contains("Lgamma"), "\(lines.all)")
    }

    @Test("a GPU that is not there lists those that are")
    func missingDevice() throws {
        let g = Graph()
        let y = g.device("/gpu:7") { exp(g.constant(Float(1)) + g.placeholder(.float32, [], name: "x")) }
        let feeds: Feeds = [try g.node(named: "x"): Tensor(Float(0))]
        let text = message { _ = try Session(g, options: SessionOptions(devices: emulated)).run(y, feeds: feeds) }
        #expect(text.contains("/device:GPU:7") && text.contains("there are: /device:CPU:0, /device:GPU:0"), "\(text)")
        // In the words of a Swift program, and of what it computes rather than of a constant.
        #expect(text.contains("set SessionOptions.softPlacement") && !text.contains("--"), "\(text)")
        #expect(text.hasPrefix("Add") && !text.contains("Const"), "\(text)")
        #expect(
            try Session(g, options: SessionOptions(softPlacement: true, devices: emulated)).run(y, feeds: feeds)
                .doubles[0] > 2.7)
    }

    @Test("int32 arithmetic over shapes stays on the host")
    func pinned() throws {
        let g = Graph()
        let n = g.placeholder(.int32, [2], name: "n")
        let y = g.device("/gpu:0") { n + g.constant([Int32(1), 2]) }
        let session = try Session(g, options: SessionOptions(devices: emulated))
        let plan = try session.plan(for: [y], feeds: [n: TensorSpec(.int32, [2])])
        #expect(plan.steps.allSatisfy { $0.device == "/device:CPU:0" && $0.operation != "Transfer" }, "\(plan)")
        #expect(try session.run(y, feeds: [n: Tensor([Int32(1), 1])]).integers == [2, 3])
    }

    @Test("out of memory names the operation, its shape and what holds memory; the session goes on")
    func outOfMemory() throws {
        let g = Graph()
        let w = g.device("/gpu:0") { g.variable(Tensor(repeating: Float(1), sized: [256, 256]), name: "kept") }
        let x = g.placeholder(.float32, [nil, 256], name: "x")
        let y = g.device("/gpu:0") { matmul(x, w, name: "product") }
        var devices = emulated
        devices.memoryLimit = 1 << 20
        let session = try Session(g, options: SessionOptions(devices: devices))
        try session.execute(w.initializer)
        let text = message { _ = try session.run(y, feeds: [x: Tensor(repeating: Float(1), sized: [2048, 256])]) }
        #expect(
            text.contains("MatMul 'product'") && text.contains("[2048, 256]") && text.contains("'kept' 256 KiB")
                && text.contains("1 MiB"), "\(text)")
        let small = try session.run(y, feeds: [x: Tensor(repeating: Float(1), sized: [2, 256])])
        #expect(try small.doubles.allSatisfy { $0 == 256 })
        #expect(
            message { _ = try Session(g, options: SessionOptions(devices: tiny)).execute(w.initializer) }.contains(
                "'kept'"))
    }

    private var tiny: DeviceOptions {
        DeviceOptions(standard: DeviceName(kind: .cpu), allowsEmulation: true, memoryLimit: 4096)
    }

    @Test("a session's standard device takes what has a kernel there, and leaves the rest to the CPU")
    func standard() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [4], name: "x")
        let y = tanh(x)
        let wide = cast(y, to: .float64)
        let options = DeviceOptions(standard: DeviceName(kind: .gpu, index: 0), allowsEmulation: true)
        let session = try Session(g, options: SessionOptions(devices: options))
        let plan = try session.plan(for: [wide], feeds: [x: TensorSpec(.float32, [4])])
        #expect(plan.steps.map(\.operation) == ["Transfer", "Tanh", "Transfer", "Cast"], "\(plan)")
    }
}
