import ArgumentParser
import Dataflow
import Foundation
import Training

/// One update of Adam with the gradient given, beside what the machine's memory allows: what the optimizer alone costs.
struct AdamUpdate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adam", abstract: "One update of Adam, and a STREAM triad of the same size.")

    @Option(help: "Threads of the session.") var threads = 2
    @Option(help: "Length of the timed part.") var seconds = 5.0
    @Option(help: "Parameters.") var n = 10_000_000

    func run() throws {
        let graph = Graph()
        let parameters = graph.variable(Tensor.zeros(.float32, sized: [n]), name: "p")
        let gradient = graph.variable(
            Tensor(Array(repeating: Float(1), count: n)), name: "g", trainable: false)
        let train = Adam(learningRate: 0.001)
            .applyGradients([VariableGradient(gradient: gradient.value, variable: parameters)])
        let session = try Session(graph, options: SessionOptions(threads: threads))
        try session.execute(graph.globalVariablesInitializer())
        let timing = try Timing(warmup: 5, seconds: seconds) { _ in _ = try session.run(train) }
        // Read p, m, v, g; write p, m, v.
        let rate = Double(n * 28) / timing.median / 1e9
        let triad = Double(n * 12) / triadSeconds() / 1e9
        print(
            JSONLine(
                bench: "adam",
                [
                    ("threads", .integer(threads)), ("n", .integer(n)),
                    ("median_step_ms", .number(timing.median * 1e3)),
                    ("gb_per_s", .number(rate)), ("triad_gb_per_s", .number(triad)),
                    ("of_triad", .number(rate / triad)),
                ]))
    }

    /// The median time of a ← b + 3 · c over `n` float32 elements on `threads` threads (McCalpin's STREAM).
    private func triadSeconds() -> Double {
        let (count, threads) = (n, threads)
        // As addresses, which closures of several threads may share.
        let arrays = (0..<3).map { i in
            let memory = UnsafeMutablePointer<Float>.allocate(capacity: count)
            memory.initialize(repeating: Float(i), count: count)
            return Int(bitPattern: memory)
        }
        defer { for address in arrays { UnsafeMutablePointer<Float>(bitPattern: address)?.deallocate() } }
        return Timing(warmup: 3, seconds: 1) { _ in
            DispatchQueue.concurrentPerform(iterations: threads) { part in
                let a = UnsafeMutablePointer<Float>(bitPattern: arrays[0])!
                let b = UnsafePointer<Float>(bitPattern: arrays[1])!
                let c = UnsafePointer<Float>(bitPattern: arrays[2])!
                for i in count * part / threads..<count * (part + 1) / threads { a[i] = b[i] + 3 * c[i] }
            }
        }.median
    }
}
