import Cluster
import Dataflow
import Foundation
import Interchange
import Testing
import Training

@Suite("A cluster's checkpoint in a Session", .serialized)
struct ClusterCheckpointTests {
    @Test(
        "values and slots of any number of servers come into the graph of the job",
        arguments: ["cluster.servers=1", "cluster.servers=2", "cluster.servers=3", "model.hidden=[3000]"])
    func restore(overrides: String) throws {
        let folder = CheckpointFolder()
        let (report, _) = try folder.train(overrides)
        let config = try folder.config(overrides)
        let job = try PreparedJob(config, MultilayerPerceptron())
        let session = try Session(job.graph)
        let checkpoint = try ClusterCheckpoint(folder.path)
        #expect(checkpoint.step == 4 && checkpoint.job == "test")
        let restored = try session.restore(from: checkpoint)
        #expect(restored.missing.isEmpty && restored.unused.isEmpty)
        #expect(restored.restored.contains { $0.name.hasSuffix("/Adam_1") })
        #expect(restored.restored.contains { $0.name.contains("beta1_power") })
        // The loss is what the job itself tells of the checkpoint.
        let evaluation = try Inference.evaluate(config: config, job: MultilayerPerceptron(), checkpoint: folder.path)
        #expect(report.steps == 4 && evaluation.step == 4)
        let feeds = job.feeds(job.data.test, (0..<Int32(job.data.test.count)).map { $0 }, training: false)
        let loss = try session.run(job.model.loss, feeds: feeds).doubles[0]
        #expect(abs(loss - evaluation.loss) < 1e-4 * abs(loss))
    }

    @Test("an older step, a damaged newer one, and none")
    func choosing() throws {
        let folder = CheckpointFolder()
        #expect(throws: NodeError.self) { try ClusterCheckpoint(folder.path) }
        try folder.train()
        #expect(try ClusterCheckpoint(folder.path, step: 2).step == 2)
        #expect(throws: NodeError.self) { try ClusterCheckpoint(folder.path, step: 3) }
        let data = "checkpoint-4.server-0-of-2.safetensors"
        try folder.flip(data, byte: try folder.bytes(data).count - 3)
        var notes: [String] = []
        #expect(try ClusterCheckpoint(folder.path) { notes.append($0) }.step == 2)
        #expect(notes.count == 1 && notes[0].contains("checkpoint-4"))
        #expect(throws: (any Error).self) { try ClusterCheckpoint(folder.path, step: 4) }
    }

    @Test("another model is refused with both shapes, and nothing has changed")
    func mismatch() throws {
        let folder = CheckpointFolder()
        try folder.train()
        let session = try Session(PreparedJob(folder.config("model.hidden=[5]"), MultilayerPerceptron()).graph)
        try session.execute(session.graph.globalVariablesInitializer())
        let before = try session.graph.variables.map { try session.value(of: $0) }
        let error = #expect(throws: FormatError.self) { try session.restore(from: ClusterCheckpoint(folder.path)) }
        #expect(error?.what.contains("[784, 5] in the graph") == true && error?.what.contains("[784, 4]") == true)
        #expect(try session.graph.variables.map { try session.value(of: $0) } == before)
        let text = #expect(throws: FormatError.self) { try session.restore(from: folder.path) }
        #expect(text?.what.contains("ClusterCheckpoint") == true)
    }
}
