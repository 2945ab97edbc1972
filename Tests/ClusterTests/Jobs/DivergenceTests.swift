import Cluster
import Dataflow
import Foundation
import Interchange
import Testing

@Suite("Losses and gradients that are not finite", .serialized)
struct DivergenceTests {
    private static let consistencies = [
        "async", "sync", "{async: {pipeline: true}}", "{staleness: 1}", "{sync: {backup: 1}}",
    ]

    /// 300 examples of two numbers; row `broken` holds one with which nothing can be computed.
    private func config(
        _ folder: CheckpointFolder, broken: Int? = nil, _ overrides: [String]
    ) throws -> JobConfig {
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let rows = (0..<300).map { i in
            "\(i == broken ? "3e38" : "\(Double(i % 7) / 7)"),\(Double(i % 11) / 11),\(i % 7 < 3 ? "yes" : "no")"
        }
        try folder.write((["a,b,label"] + rows).joined(separator: "\n").utf8, "train.csv")
        return try JobConfig.parse(
            yaml: """
                job: test
                model: { kind: mlp, hidden: [8] }
                data: { format: csv, path: \(folder.file("train.csv")), labels: label, scale: none, test_fraction: 0 }
                train: { optimizer: gradient_descent, learning_rate: 0.05, batch: 15, epochs: 3, shuffle: false }
                cluster: { servers: 2, workers: 2, threads_per_node: 1 }
                checkpoint: { directory: \(folder.path), every_steps: 5, keep: 100 }
                """, overrides: overrides)
    }

    private func train(
        _ folder: CheckpointFolder, broken: Int? = nil, _ overrides: [String]
    ) throws -> (report: JobReport, log: String, losses: [String]) {
        let (file, lines) = (folder.path + ".csv", Lines())
        defer { try? FileManager.default.removeItem(atPath: file) }
        let report = try reported {
            try LocalCluster.train(
                config(folder, broken: broken, overrides), job: MultilayerPerceptron(),
                options: CoordinatorOptions(lossesFile: file), onEvent: { lines.add($0) })
        }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        return (report, lines.text, text.split(separator: "\n").dropFirst().map(String.init))
    }

    private func areFinite(_ manifest: Manifest, _ folder: CheckpointFolder) throws -> Bool {
        try manifest.files.allSatisfy { file in
            let opened = try SafetensorsFile(folder.file(file.name))
            return try opened.names.allSatisfy { try opened.tensor(named: $0).doubles.allSatisfy(\.isFinite) }
        }
    }

    @Test("by default a job stops when it diverges, and keeps its last good checkpoint", arguments: consistencies)
    func stop(consistency: String) throws {
        let folder = CheckpointFolder()
        // In the third batch of the second epoch's worth of examples: batch 13 has the broken row.
        let (report, log, _) = try train(
            folder, broken: 200, ["cluster.consistency=\(consistency)", "train.learning_rate=0.05"])
        #expect(report.status == .failed && report.hasDiverged, "\(report)")
        let reason = report.reason ?? ""
        // A backup worker's part may come too late for its step, and is dropped: then it is told of a later epoch's. And an
        // asynchronous worker may be a whole epoch ahead of one that is about to tell.
        let step = consistency.contains("backup") || consistency.contains("async") ? "" : "13 "
        #expect(reason.contains("diverged at step \(step)"), "\(reason)")
        #expect(reason.contains("the gradient of '") || reason.contains("the loss is"))
        #expect(log.contains("diverged at step \(step)"))
        let all = try Manifest.all(in: folder.path)
        for manifest in all { #expect(try areFinite(manifest, folder)) }
        if let last = all.last {
            #expect(reason.contains("the last good checkpoint is \(folder.path)/checkpoint-\(last.step).json"))
        }
        // Nothing lies there that no manifest names.
        let parts = try folder.names.filter { $0.hasSuffix(".safetensors") }
        #expect(Set(parts) == Set(all.flatMap { $0.files.map(\.name) }))
    }

    @Test("values that an update makes infinite are not saved, and the job stops", arguments: ["sync", "async"])
    func overflow(consistency: String) throws {
        let folder = CheckpointFolder()
        let (report, _, _) = try train(
            folder,
            ["cluster.consistency=\(consistency)", "train.learning_rate=1e300", "checkpoint.every_steps=1"])
        #expect(report.status == .failed && report.hasDiverged, "\(report)")
        for manifest in try Manifest.all(in: folder.path) { #expect(try areFinite(manifest, folder)) }
        #expect(try folder.names.filter { $0.hasSuffix(".tmp") }.isEmpty)
    }

    @Test("a step that is not finite is skipped in every Variable", arguments: consistencies)
    func skip(consistency: String) throws {
        let folder = CheckpointFolder()
        let (report, log, losses) = try train(
            folder, broken: 200, ["cluster.consistency=\(consistency)", "train.on_nan=skip"])
        #expect(report.status == .finished && report.steps == 60 && !report.hasDiverged, "\(report)")
        // A backup worker's part that comes too late for its step is dropped, and skips nothing.
        let isBackup = consistency.contains("backup")
        #expect(report.skippedSteps == 3 || isBackup && report.skippedSteps < 3, "\(log)")
        #expect(isBackup || log.contains("not finite at step 13") && log.contains("skipped"))
        // With a backup worker, of a part that came too late nothing is told.
        let told = losses.filter { $0.hasSuffix(",null") }.count
        #expect(told == 3 || isBackup, "\(losses)")
        #expect(report.trainLoss?.isFinite == true && report.loss?.isFinite == true)
        let last = try #require(try Manifest.newest(in: folder.path))
        #expect(try last.step == 60 && areFinite(last, folder))
        // Of the steps that were skipped nothing is in any Variable, nor in the count by which rates fall.
        let reader = try CheckpointReader(last, directory: folder.path)
        if !consistency.contains("backup") {
            #expect(try reader.tensor(named: "global_step", dtype: .int64, shape: []).doubles == [57])
        }
    }

    @Test("a synchronous job skips the same steps with any number of workers", arguments: [1, 2, 3])
    func skipTogether(workers: Int) throws {
        func weights(_ count: Int, _ more: [String] = []) throws -> [Double] {
            let folder = CheckpointFolder()
            let (report, _, _) = try train(
                folder, broken: 200,
                ["cluster.consistency=sync", "train.on_nan=skip", "cluster.workers=\(count)"] + more)
            #expect(report.status == .finished && report.skippedSteps == 3)
            let reader = try CheckpointReader(
                try #require(try Manifest.newest(in: folder.path)), directory: folder.path)
            let name = try #require(reader.variables.first { $0.contains("weights") || $0.contains("kernel") })
            return try reader.tensor(named: name, dtype: .float32, shape: [2, 8]).doubles
        }
        let alone = try weights(1)
        let together = try weights(workers)
        #expect(zip(alone, together).allSatisfy { abs($0 - $1) < 1e-5 }, "\(alone) \(together)")
        let wired = try weights(workers, ["cluster.shared_memory=false"])
        #expect(wired == together)
    }

    @Test("formats of the wire carry nothing of a skipped step on", arguments: ["bfloat16", "int8", "topk"])
    func skipWired(format: String) throws {
        let folder = CheckpointFolder()
        let wire = format == "topk" ? "{top_k: 0.1}" : format
        let (report, log, _) = try train(folder, broken: 200, ["train.on_nan=skip", "cluster.wire=\(wire)"])
        #expect(report.status == .finished && report.skippedSteps == 3 && report.loss?.isFinite == true, "\(log)")
    }

    @Test("values that are not finite already cannot be skipped: the job stops")
    func skipTooLate() throws {
        let folder = CheckpointFolder()
        let (report, _, _) = try train(
            folder, ["cluster.consistency=sync", "train.on_nan=skip", "train.learning_rate=1e300"])
        #expect(report.status == .failed && report.hasDiverged)
        #expect(report.reason?.contains("skipping steps does not mend it") == true, "\(report.reason ?? "")")
    }

    @Test("a job of which every step is skipped has learned nothing, and says so")
    func skipAll() throws {
        let folder = CheckpointFolder()
        let (report, _, _) = try train(
            folder, broken: 3, ["cluster.consistency=sync", "train.on_nan=skip", "train.batch=300"])
        #expect(report.status == .failed && report.hasDiverged && report.skippedSteps == 3)
        #expect(report.reason?.contains("every one of the 3 steps") == true)
    }

    @Test("ignored, it is told once, and checkpoints are written", arguments: ["sync", "async"])
    func ignore(consistency: String) throws {
        let folder = CheckpointFolder()
        let (report, log, losses) = try train(
            folder, broken: 200, ["cluster.consistency=\(consistency)", "train.on_nan=ignore"])
        #expect(report.status == .finished && report.steps == 60 && !report.hasDiverged)
        #expect(
            log.components(separatedBy: "has diverged").count <= 3 && log.contains("train.on_nan is ignore"), "\(log)")
        #expect(report.checkpointError == nil)
        #expect(losses.contains { $0.hasSuffix(",null") })
        let last = try #require(try Manifest.newest(in: folder.path))
        #expect(last.step == 60 && last.loss == nil)
        let text = String(decoding: try folder.bytes("checkpoint-60.json"), as: UTF8.self)
        #expect(text.contains("\"loss\" : null"))
        let json = try JSONText.encode(report)
        #expect(json.contains("\"train_loss\":null") && json.contains("\"loss\":null"), "\(json)")
        let decoded = try JSONDecoder().decode(JobReport.self, from: Data(json.utf8))
        #expect(decoded.loss == nil && decoded.steps == 60)
        // What comes of it is said, and does not trap.
        let (config, lines) = (try config(folder, ["data.test_path=\(folder.file("train.csv"))"]), Lines())
        let evaluation = try Inference.evaluate(
            config: config, job: MultilayerPerceptron(), checkpoint: folder.path, onEvent: { lines.add($0) })
        #expect(!evaluation.loss.isFinite && lines.text.contains("is NaN"), "\(lines.text)")
        #expect(try JSONText.encode(evaluation).contains("\"loss\":null"))
        let predictions = try Inference.predict(
            config: config, job: MultilayerPerceptron(), checkpoint: folder.path, onEvent: { lines.add($0) })
        #expect(predictions.rows.allSatisfy { $0[0].isNaN } && lines.text.contains("300 of 300 predictions"))
    }

    @Test("held-out examples that are not finite are told; what was learned is kept")
    func heldOut() throws {
        let folder = CheckpointFolder()
        let config = try config(folder, [])
        try folder.write("a,b,label\n3e38,1,yes\n0,0,no\n".utf8, "test.csv")
        let lines = Lines()
        let report = try LocalCluster.train(
            try JobConfig.parse(yaml: config.yaml(), overrides: ["data.test_path=\(folder.file("test.csv"))"]),
            job: MultilayerPerceptron(), onEvent: { lines.add($0) })
        #expect(report.status == .finished && report.checkpoint != nil)
        #expect(lines.text.contains("look at the held-out examples"), "\(lines.text)")
    }
}
