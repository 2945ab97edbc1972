import ArgumentParser
import Dataflow

/// Single operations on the CPU and on a GPU: a JSON line for each.
struct DeviceComparison: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Single operations on the CPU and on each GPU.")

    @Option(help: "Length of each timed part.") var seconds = 0.5
    @Flag(help: "Counts OpenCL's CPU devices as GPUs.") var openclCpu = false

    /// Float32 inputs, and what is computed of them.
    private struct Case {
        let name: String
        let shapes: [Shape]
        let build: ([Node]) -> Node
    }

    private static var cases: [Case] {
        [
            Case(name: "matmul 1024³", shapes: [[1024, 1024], [1024, 1024]]) { matmul($0[0], $0[1]) },
            Case(name: "matmul 64 × 784 × 256", shapes: [[64, 784], [784, 256]]) { matmul($0[0], $0[1]) },
            Case(name: "tanh(x · y + x), 4M", shapes: [[4 << 20], [4 << 20]]) { tanh($0[0] * $0[1] + $0[0]) },
            Case(name: "sum, 4M", shapes: [[4 << 20]]) { sum($0[0]) },
            Case(name: "sum of columns, 4096 × 1024", shapes: [[4096, 1024]]) { sum($0[0], axes: [0]) },
            Case(name: "softmax, 4096 × 1024", shapes: [[4096, 1024]]) { softmax($0[0]) },
            Case(name: "transpose, 2048²", shapes: [[2048, 2048]]) { transpose($0[0]) },
            Case(name: "conv2d 5 × 5, 32 × 28 × 28 × 8 to 16", shapes: [[32, 28, 28, 8], [5, 5, 8, 16]]) {
                conv2d($0[0], $0[1], padding: .same)
            },
            Case(name: "max pool 2 × 2, 64 × 28 × 28 × 32", shapes: [[64, 28, 28, 32]]) {
                maxPool($0[0], size: [2, 2])
            },
        ]
    }

    func run() throws {
        let gpus = Accelerators.devices(emulated: openclCpu).map(\.name)
        for one in Self.cases {
            let times = try ([DeviceName(kind: .cpu, index: 0)] + gpus).map { device in
                (device.description, JSONLine.Value.number(try milliseconds(one, device)))
            }
            print(JSONLine(bench: "devices", [("case", .text(one.name)), ("ms", .object(times))]))
        }
    }

    private func milliseconds(_ one: Case, _ device: DeviceName) throws -> Double {
        let g = Graph()
        let inputs = one.shapes.map { g.variable(Tensor(repeating: Float(0.5), sized: $0)).value }
        let first = slice(reshape(one.build(inputs), [-1]), begin: [0], size: [1])
        let options = DeviceOptions(standard: device, allowsEmulation: openclCpu)
        let session = try Session(g, options: SessionOptions(devices: options))
        try session.execute(g.globalVariablesInitializer())
        // Fetching an element waits for the rest.
        return try Timing(warmup: 3, seconds: seconds) { _ in _ = try session.run(first) }.median * 1e3
    }
}
