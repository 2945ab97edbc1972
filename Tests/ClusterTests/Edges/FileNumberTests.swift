import Cluster
import Foundation
import Testing
import Training

/// Numbers at the edges of what they can be, in checkpoints and configurations.
@Suite("Numbers in checkpoints and configurations", .serialized)
struct FileNumberTests {
    private static func read(_ step: Int, _ keys: String) throws -> Manifest {
        let text = """
            {"format": 1, "job": "j", "fingerprint": "f", "step": \(step), "seed": 1,
             "files": [{"name": "checkpoint-\(step).server-0-of-1.safetensors", "bytes": 1}], \(keys)}
            """
        return try Manifest(text: Array(text.utf8), step: step)
    }

    @Test(
        "a checkpoint's step is none that is negative or beyond what steps are", arguments: [.min, -1, .max, 1 << 52])
    func steps(_ step: Int) {
        let error = #expect(throws: NodeError.self) { try Self.read(step, "\"batch\": 4, \"done\": []") }
        #expect(error?.kind == .badData && error?.message.contains("step is \(step)") == true)
    }

    @Test(
        "a manifest with a number that cannot be is damaged, and says where",
        arguments: [
            ("done", "\"batch\": 4, \"done\": [[-5, 10]]"), ("done", "\"batch\": 4, \"done\": [[5, 5]]"),
            ("done", "\"batch\": 4, \"done\": [[7, 3]]"), ("done", "\"batch\": 4, \"done\": [[1, 2, 3]]"),
            ("done", "\"batch\": 4, \"done\": [[]]"), ("done", "\"batch\": 4, \"done\": [[0, \(Int.max)]]"),
            ("done", "\"batch\": 4, \"done\": [[\(Int.min), \(Int.max)]]"),
            ("missed", "\"batch\": 4, \"done\": [], \"missed\": [[-1, 2]]"),
            ("ahead", "\"batch\": 4, \"done\": [], \"ahead\": {\"w\": [[0, \((1 << 53) + 1)]]}"),
            ("batch", "\"batch\": 0, \"done\": []"), ("batch", "\"batch\": \(1 << 62), \"done\": []"),
            ("batch", "\"batch\": -4, \"done\": []"),
            ("order", "\"batch\": 4, \"done\": [], \"order\": {\"examples\": 0, \"shuffle\": true}"),
            ("order", "\"batch\": 4, \"done\": [], \"order\": {\"examples\": \(Int.max), \"shuffle\": true}"),
            (
                "order",
                "\"batch\": 4, \"done\": [], \"order\": {\"examples\": 9, \"shuffle\": true, \"origin\": [0, 0, 9]}"
            ),
            (
                "order.origin",
                "\"batch\": 4, \"done\": [], \"order\": {\"examples\": 9, \"shuffle\": true, \"origin\": [0, \(1 << 40), 0]}"
            ),
            (
                "order.origin",
                "\"batch\": 4, \"done\": [], \"order\": {\"examples\": 9, \"shuffle\": true, \"origin\": [\(Int.min), 0, 0]}"
            ),
            ("data.training", "\"batch\": 4, \"done\": [], \"data\": {\"training\": -1, \"test\": 0, \"checksum\": 1}"),
            (
                "data.test",
                "\"batch\": 4, \"done\": [], \"data\": {\"training\": 1, \"test\": \(Int.max), \"checksum\": 1}"
            ),
            ("no time", "\"batch\": 4, \"done\": [], \"written\": 1.7e308"),
        ])
    func manifests(_ word: String, _ keys: String) {
        let error = #expect(throws: NodeError.self) { try Self.read(4, keys) }
        #expect(error?.kind == .badData && error?.message.contains(word) == true, "\(error?.message ?? "")")
    }

    @Test("what a manifest may hold at most can be computed with")
    func greatest() throws {
        let manifest = try Self.read(
            (1 << 52) - 1, "\"batch\": 1000000000, \"done\": [[0, \(1 << 53)]], \"missed\": [[0, \(1 << 53)]]")
        #expect(manifest.mostUpdates == 1 << 53 && manifest.missedExamples == RangeSet(0..<1 << 53))
    }

    @Test("a job does not go on from more batches than it can count the examples of")
    func resuming() throws {
        let folder = CheckpointFolder()
        try folder.train()
        var manifest = try #require(try Manifest.newest(in: folder.path))
        manifest.done = [[0, 1 << 53]]
        try folder.write(try manifest.encoded(), "checkpoint-4.json")
        let error = #expect(throws: NodeError.self) { try folder.train(resume: true) }
        #expect(error?.kind == .badData && error?.message.contains("the number of the job's steps") == true)
    }

    @Test(
        "a negative step, or one below all numbers, is no checkpoint to go on from: nothing is trained as if restored")
    func negativeStep() throws {
        let folder = CheckpointFolder()
        try folder.train()
        var manifest = try #require(try Manifest.newest(in: folder.path))
        for name in try folder.names where name != "checkpoint-4.json" && name.hasSuffix(".json") {
            try FileManager.default.removeItem(atPath: folder.file(name))
        }
        for step in [-4, .min] {
            manifest.step = step
            try folder.write(try manifest.encoded(), "checkpoint-4.json")
            #expect(throws: NodeError.self) { try folder.train(resume: true) }
        }
    }

    @Test(
        "configurations beyond what numbers can be",
        arguments: [
            "train.batch=\(1 << 62)", "train.batch=0", "train.steps=\(Int.max)", "train.epochs=\(Int.max)",
            "cluster.workers=\(1 << 31)", "cluster.servers=\(Int.max)", "cluster.server_memory=\(Int.min)",
            "checkpoint.keep=\(Int.max)", "model.hidden=[\(Int.max)]", "train.learning_rate=.nan",
            "cluster.heartbeat_timeout=.inf", "cluster.heartbeat_timeout=1e300", "seed=9223372036854775808",
        ])
    func configurations(_ override: String) {
        #expect(throws: ConfigurationError.self) {
            try JobConfig.parse(yaml: "checkpoint: {directory: /tmp/x}", overrides: [override])
        }
    }

    @Test("a program's configuration is held to the same numbers")
    func programs() throws {
        for change in [{ $0.train.batch = 1 << 62 }, { $0.train.batch = 0 }, { $0.train.length = .steps(.max) }]
            as [(inout JobConfig) -> Void]
        {
            var config = JobConfig()
            change(&config)
            #expect(throws: ConfigurationError.self) {
                try LocalCluster.train(config, job: MultilayerPerceptron(), onEvent: { _ in })
            }
        }
    }

    @Test("the examples of all steps can be counted, however many steps are asked for")
    func totals() {
        for (length, batch) in [(.epochs(.max), 1), (.steps(.max), 1), (.steps(.max), .max), (.epochs(.min), 1)]
            as [(JobConfig.Train.Length, Int)]
        {
            for examples in [1, 1000, Int(Int32.max)] {
                var train = JobConfig().train
                (train.length, train.batch) = (length, batch)
                let steps = train.totalSteps(examples: examples)
                guard steps > 0 else { continue }
                let last = BatchSchedule(of: examples, batch: batch, seed: 1).positions(ofBatch: steps - 1)
                #expect(last.upperBound > 0)
            }
        }
    }

    @Test("a model whose Variables take more bytes than can be counted is refused")
    func models() throws {
        let config = try JobConfig.parse(
            yaml: "data: {format: embedded, limit: 200}",
            overrides: ["model.hidden=[1000000000, 1000000000, 1000000000, 1000000000]"])
        let error = #expect(throws: NodeError.self) { try PreparedJob(config, MultilayerPerceptron()) }
        #expect(error?.kind == .configuration && error?.message.contains("1 TiB") == true)
    }
}
