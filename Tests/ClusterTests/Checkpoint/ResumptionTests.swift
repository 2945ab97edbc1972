import Cluster
import Dataflow
import Foundation
import Testing
import Training

@Suite("Going on with other batches", .serialized)
struct ResumptionTests {
    private func manifest(examples: Int?, batch: Int, step: Int, done: [[Int]]? = nil) throws -> Manifest {
        var text = """
            {"format": 1, "job": "j", "fingerprint": "f", "step": \(step), "seed": 1, "batch": \(batch),
             "done": \(done ?? [[0, step]]), "files": [{"name": "checkpoint-\(step).server-0-of-1.safetensors", "bytes": 1}]
            """
        if let examples { text += ", \"order\": {\"examples\": \(examples), \"shuffle\": true}" }
        return try Manifest(text: Array((text + "}").utf8), step: step)
    }

    private func schedule(_ examples: Int, _ batch: Int) -> BatchSchedule {
        BatchSchedule(of: examples, batch: batch, seed: 1)
    }

    @Test("the same batches go on where they were")
    func same() throws {
        let resumption = try Resumption(
            manifest(examples: 100, batch: 10, step: 25), schedule: schedule(100, 10), seed: 1, directory: "d")
        #expect(resumption.rebasedTo == nil && resumption.origin == .init() && resumption.notes.isEmpty)
        #expect(resumption.leastSteps == 25)
    }

    @Test("another batch size goes on with the very example that is next")
    func otherBatch() throws {
        let resumption = try Resumption(
            manifest(examples: 100, batch: 10, step: 25), schedule: schedule(100, 20), seed: 1, directory: "d")
        #expect(resumption.rebasedTo == 25 && resumption.origin == .init(batch: 25, epoch: 2, place: 50))
        #expect(resumption.manifest.doneBatches == RangeSet(0..<25) && resumption.leastSteps == 25)
        #expect(resumption.notes.first?.contains("train.batch is 20, not 10") == true)
        var schedule = BatchSchedule(of: 100, batch: 20, seed: 1, origin: resumption.origin)
        var old = self.schedule(100, 10)
        let rest = (25..<28).flatMap { schedule.indices(ofBatch: $0) }
        #expect(rest == (25..<30).flatMap { old.indices(ofBatch: $0) })
        #expect(schedule.places(ofBatch: 27).count == 10 && schedule.epoch(ofBatch: 28) == 3)
        #expect(schedule.firstBatch(ofEpoch: 3) == 28 && schedule.firstBatch(ofEpoch: 5) == 38)
        #expect(
            schedule.indices(ofBatch: 28)
                == self.schedule(100, 20).positions(ofBatch: 15).map { position in
                    var whole = self.schedule(100, 20)
                    return whole.indices(at: position..<position + 1)[0]
                })
    }

    @Test("fewer examples: the same share of the epoch is done, and steps count on")
    func otherExamples() throws {
        let resumption = try Resumption(
            manifest(examples: 100, batch: 10, step: 25), schedule: schedule(50, 10), seed: 1, directory: "d")
        #expect(resumption.origin == .init(batch: 25, epoch: 2, place: 25))
        #expect(resumption.notes.joined().contains("training examples is 50, not 100"))
        // And once more, from a schedule that has an origin itself.
        var next = try manifest(examples: 50, batch: 10, step: 31)
        next.order?.origin = [25, 2, 25]
        let again = try Resumption(next, schedule: schedule(50, 5), seed: 1, directory: "d")
        // 3 batches of the rest of epoch 2, then 3 of epoch 3.
        #expect(again.origin == .init(batch: 31, epoch: 3, place: 30))
        let still = try Resumption(next, schedule: schedule(50, 10), seed: 1, directory: "d")
        #expect(still.rebasedTo == nil && still.origin == .init(batch: 25, epoch: 2, place: 25))
    }

    @Test("a checkpoint of before is compared by what it has")
    func old() throws {
        let resumption = try Resumption(
            manifest(examples: nil, batch: 10, step: 25), schedule: schedule(80, 10), seed: 1, directory: "d")
        #expect(resumption.rebasedTo == nil)
    }

    @Test("batches that some Variables lack are not counted as done by less")
    func holes() throws {
        let holes = try manifest(examples: 100, batch: 10, step: 25, done: [[0, 20], [22, 27]])
        let resumption = try Resumption(holes, schedule: schedule(100, 20), seed: 1, directory: "d")
        #expect(resumption.rebasedTo == 25 && resumption.manifest.doneBatches == RangeSet(0..<25))
        #expect(resumption.notes.last?.contains("not made up for") == true)
        #expect(try Resumption(holes, schedule: schedule(100, 10), seed: 1, directory: "d").leastSteps == 27)
    }

    @Test("another seed, and orders that cannot be, are refused")
    func refused() throws {
        #expect(throws: NodeError.self) {
            try Resumption(
                manifest(examples: 100, batch: 10, step: 25), schedule: schedule(100, 10), seed: 2, directory: "d")
        }
        for origin in [[0, 0, 100], [-1, 0, 0], [0, 1 << 40, 0], [1, 2]] {
            var broken = try manifest(examples: 100, batch: 10, step: 25)
            broken.order?.origin = origin
            #expect(throws: NodeError.self) { try Manifest(text: try broken.encoded(), step: 25) }
        }
    }

    @Test(
        "steps never count back, whatever is shorter now",
        arguments: [
            ("data.limit=100", 45), ("train.batch=50", 42), ("train.epochs=2", 30), ("train.epochs=1", 30),
            ("train.shuffle=false", 60), ("data.limit=100 train.batch=5", 90), ("data.limit=300", 75),
        ])
    func jobs(change: String, steps: Int) throws {
        let folder = CheckpointFolder()
        // 10 batches an epoch: three epochs.
        try folder.train("train.steps=30 checkpoint.every_steps=7")
        #expect(try Manifest.newest(in: folder.path)?.step == 30)
        let before = try Manifest.all(in: folder.path).map(\.step)
        let (report, log) = try folder.train("checkpoint.every_steps=7 " + change, resume: true, length: "epochs: 6")
        #expect(report.status == .finished && report.steps == steps, "\(report.steps), \(report.reason ?? "")\n\(log)")
        let after = try Manifest.all(in: folder.path).map(\.step)
        #expect(Array(after.prefix(before.count - 1)) == before.dropLast() && after == after.sorted())
        #expect(after.last == steps && report.missedExamples == 0 && report.repeatedExamples == 0)
        // What is done stays done.
        let again = try folder.train("checkpoint.every_steps=7 " + change, resume: true, length: "epochs: 6")
        #expect(again.report.steps == steps && again.report.samples == 0, "\(again.log)")
    }

    @Test("rates fall over the steps that the job has now", arguments: ["async", "sync"])
    func schedule(consistency: String) throws {
        let folder = CheckpointFolder()
        let common =
            " train.schedule=linear train.end_learning_rate=0 cluster.consistency=\(consistency) cluster.workers=2"
        try folder.train("train.steps=30" + common)
        let (report, _) = try folder.train("train.steps=40 train.batch=50" + common, resume: true)
        #expect(report.status == .finished && report.steps == 40, "\(report.reason ?? "")")
        let reader = try CheckpointReader(try #require(try Manifest.newest(in: folder.path)), directory: folder.path)
        #expect(try reader.tensor(named: "global_step", dtype: .int64, shape: []).doubles == [40])
    }
}
