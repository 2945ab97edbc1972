import ArgumentParser
import Cluster

/// Bandwidth between a server process and this one: getting a Variable's value, and pushing a gradient for all of it.
struct PushPull: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pushpull", abstract: "Bandwidth of pull and push of one Variable on a server.",
        discussion: """
            A push ends when it is applied. push_pull is a training step's exchange: a push whose answer carries the \
            new value; its rate counts the value once. Over ipc the bytes go through shared memory, and memcpy_gb_per_s \
            is what a copy of as many bytes reaches in the same run.
            """)

    @Option(parsing: .upToNextOption, help: "Sizes of the Variable.") var mib = [4, 64, 256]
    @Option(help: "ipc or tcp.") var transport = BenchTransport.tcp
    @Option(help: "Executors of the server.") var threads = 1
    @Option(help: "Length of each timed part.") var seconds = 4.0

    func run() throws {
        let results = try mib.map { size in JSONLine.Value.object(try measure(size)) }
        print(
            JSONLine(
                bench: "pushpull",
                [
                    ("transport", .text(transport.rawValue)), ("threads_per_process", .integer(threads)),
                    ("results", .list(results)),
                ]))
    }

    private func measure(_ size: Int) throws -> [(String, JSONLine.Value)] {
        var figures: [(String, JSONLine.Value)] = [("mib", .integer(size))]
        func note(_ name: String, _ timing: Timing) {
            let rate = Double(size << 20) * Double(timing.steps) / timing.elapsed / 1e9
            figures += [("\(name)_gb_per_s", .number(rate)), ("\(name)_ms", .number(timing.median * 1e3))]
        }
        let cluster = ExchangeCluster(transport: transport, executors: threads, job: VectorJob(), outputs: size << 18)
        try cluster.run { worker in
            for name in ["pull", "push", "push_pull"] {
                note(
                    name,
                    try Timing(warmup: 3, seconds: seconds) { _ in
                        try name == "pull" ? worker.pull() : worker.push(wantsValues: name == "push_pull")
                    })
            }
        }
        note("memcpy", copying(size << 20))
        return figures
    }

    /// Copies so many bytes within this process.
    private func copying(_ bytes: Int) -> Timing {
        let source = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 4096)
        let target = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 4096)
        defer {
            source.deallocate()
            target.deallocate()
        }
        source.initializeMemory(as: UInt8.self, repeating: 1, count: bytes)
        return Timing(warmup: 3, seconds: seconds / 2) { _ in target.copyMemory(from: source, byteCount: bytes) }
    }
}
