import Cluster
import Dataflow
import Foundation
import Testing

/// A small job and a folder of its checkpoints, gone with it.
final class CheckpointFolder {
    let path: String

    init() { path = FileManager.default.temporaryDirectory.appending(path: "checkpoints-\(UUID())").path }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }

    func config(_ overrides: String = "", length: String = "steps: 4") throws -> JobConfig {
        try JobConfig.parse(
            yaml: """
                job: test
                model: { kind: mlp, hidden: [4] }
                data: { format: embedded, scale: min_max, limit: 200 }
                train: { optimizer: adam, learning_rate: 0.003, batch: 20, \(length) }
                cluster: { servers: 2, workers: 1, threads_per_node: 1, consistency: sync }
                checkpoint: { directory: \(path), every_steps: 2, keep: 100 }
                """, overrides: overrides.split(separator: " ").map(String.init))
    }

    /// Trains; the report, and the lines of the log.
    @discardableResult
    func train(
        _ overrides: String = "", resume: Bool = false, anewIfDamaged: Bool = false, length: String = "steps: 4"
    ) throws -> (report: JobReport, log: String) {
        var options = CoordinatorOptions(resume: resume)
        options.startsAnewIfDamaged = anewIfDamaged
        let lines = Lines()
        let report = try LocalCluster.train(
            config(overrides, length: length), job: MultilayerPerceptron(), options: options,
            onEvent: { lines.add($0) })
        return (report, lines.text)
    }

    func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: file(name)))) }

    func write(_ bytes: some Sequence<UInt8>, _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: file(name)))
    }

    /// Turns one bit round.
    func flip(_ name: String, byte: Int) throws {
        var bytes = try bytes(name)
        bytes[byte] ^= 0x10
        try write(bytes, name)
    }
}

/// Lines from several threads.
final class Lines: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []

    func add(_ line: String) { lock.withLock { lines.append(line) } }

    var text: String { lock.withLock { lines.joined(separator: "\n") } }
}
