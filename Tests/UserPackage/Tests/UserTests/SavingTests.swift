import Cluster
import Dataflow
import Foundation
import Interchange
import Testing
import Training

@Suite("Saving and restoring")
struct SavingTests {
    let folder = try! Folder()

    /// A small network, its loss and its training step.
    private func network() -> (x: Node, out: Node, step: Node) {
        let g = Graph(seed: 5)
        let x = g.placeholder(.float32, [nil, 3])
        let out = dense(dense(x, units: 4, activation: .tanh, name: "hidden"), units: 1, name: "out")
        return (x, out, Adam(learningRate: 0.05).minimize(mean(square(out - 1))))
    }

    @Test("training goes on where it was saved", arguments: ["a.safetensors", "a.npz", "model.ckpt"])
    func goesOn(name: String) throws {
        let (x, out, step) = network()
        let rows = [[1, 2, 3], [-1, 0, 1]]
        let session = try Session(out.graph)
        try session.execute(out.graph.globalVariablesInitializer())
        for _ in 0..<10 { try session.execute(step, feeds: [x: rows]) }
        try session.save(to: folder.file(name))
        for _ in 0..<10 { try session.execute(step, feeds: [x: rows]) }

        let again = network()
        let other = try Session(again.out.graph)
        let report = try other.restore(from: folder.file(name))
        // Two weights, two biases, Adam's two moments of each and its two powers.
        #expect(report.restored.count == 14 && report.missing.isEmpty && report.unused.isEmpty)
        for _ in 0..<10 { try other.execute(again.step, feeds: [again.x: rows]) }
        #expect(try other.run(again.out, feeds: [again.x: rows]) == session.run(out, feeds: [x: rows]))
    }

    @Test("the same Variables in every format")
    func formats() throws {
        // Where `Tests/conformance/check_saved.py` looks for them.
        let place = ProcessInfo.processInfo.environment["SAVED_FILES"] ?? folder.path
        let g = Graph(seed: 5)
        let x = g.placeholder(.float32, [nil, 3])
        let step = g.variable(0, dtype: .int64, name: "step", trainable: false)
        let half = g.variable([0.5, 1], dtype: .float64, name: "half")
        let out = dense(x, units: 4, name: "hidden")
        let train = Adam().minimize(mean(square(out)) + cast(sum(half), to: .float32), globalStep: step)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        for _ in 0..<20 { try session.execute(train, feeds: [x: [[1, 2, 3]]]) }
        let values = try g.variables.map { try session.value(of: $0) }
        for name in ["weights.npz", "weights.safetensors", "model.ckpt"] {
            try session.save(to: "\(place)/\(name)")
            try session.execute(g.globalVariablesInitializer())
            #expect(try session.restore(from: "\(place)/\(name)").restored.count == g.variables.count)
            #expect(try g.variables.map { try session.value(of: $0) } == values)
        }
    }

    @Test("a part of a network starts from another's weights")
    func finetuning() throws {
        let (_, out, _) = network()
        let session = try Session(out.graph)
        try session.execute(out.graph.globalVariablesInitializer())
        try session.save(to: folder.file("base.npz"), variables: out.graph.trainableVariables)

        let g = Graph(seed: 6)
        let x = g.placeholder(.float32, [nil, 3])
        _ = dense(dense(x, units: 4, name: "hidden"), units: 5, name: "head")
        let tuned = try Session(g)
        try tuned.execute(g.globalVariablesInitializer())
        let report = try tuned.restore(from: folder.file("base.npz"), allowingMissing: true)
        #expect(report.restored.map(\.name) == ["hidden/kernel", "hidden/bias"])
        #expect(report.missing.map(\.name) == ["head/kernel", "head/bias"])
        #expect(report.unused.map(\.name) == ["out/bias", "out/kernel"])
        let error = #expect(throws: FormatError.self) { try tuned.restore(from: folder.file("base.npz")) }
        #expect(error?.description.contains("head/kernel float32[4, 5]") == true)
    }

    @Test("arrays to and from NumPy")
    func npz() throws {
        let arrays = [
            (name: "x", tensor: Tensor([[1.0, 2], [3, 4]])), (name: "y", tensor: Tensor([5], dtype: .int64)),
        ]
        try Npz.write(arrays, to: folder.file("data.npz"))
        let file = try NpzFile(folder.file("data.npz"))
        #expect(file.names == ["x", "y"])
        let g = Graph()
        let doubled = g.constant(try file.tensor(named: "x")) * 2
        #expect(try Session(g).run(doubled) == Tensor([[2.0, 4], [6, 8]]))
    }

    @Test("a checkpoint of TensorFlow's, tensor by tensor")
    func tensorFlow() throws {
        let (_, out, _) = network()
        let session = try Session(out.graph)
        try session.execute(out.graph.globalVariablesInitializer())
        try session.save(to: folder.file("model.ckpt"))
        let checkpoint = try TensorFlowCheckpoint.open(folder.file("model.ckpt"))
        #expect(checkpoint.names.contains("hidden/kernel") && checkpoint.names.contains("out/bias/Adam_1"))
        #expect(try checkpoint.tensor(named: "hidden/kernel").shape == [3, 4])
    }

    @Test("what a cluster has trained, in a Session")
    func cluster() async throws {
        var config = JobConfig()
        config.checkpoint.directory = folder.file("checkpoints")
        config.cluster.servers = 2
        config.train.steps = 20
        config.data.limit = 500
        let job = MultilayerPerceptron()
        let report = try await LocalCluster.train(config, job: job)
        #expect(report.steps == 20)

        let g = Graph(seed: config.seed)
        _ = try job.build(g, config: config, data: job.data(config))
        let session = try Session(g)
        let checkpoint = try ClusterCheckpoint(folder.file("checkpoints"))
        #expect(try session.restore(from: checkpoint).missing.isEmpty && checkpoint.step == 20)
        #expect(try session.value(of: g.trainableVariables[0]).shape == [784, 128])
    }
}
