internal import Foundation
internal import Interchange
package import Training

/// What a checkpoint is: the files that the servers wrote, and where the job stood. Written last, atomically: a checkpoint
/// without a manifest is none.
package struct Manifest: Codable, Sendable, Equatable {
    package struct ServerFile: Codable, Sendable, Equatable {
        package var name: String
        package var bytes: Int
    }

    package static let format = 1
    package var format = Manifest.format
    package var job: String
    /// Of the part of the graph that computes the loss: a checkpoint of another model is refused.
    package var fingerprint: String
    /// Its label: the updates of each bundle, or, where a job ends, the batches that all have.
    package var step: Int
    /// Batches whose gradients all values hold, as [first, end) pairs.
    package var done: [[Int]]
    /// Positions, in the job's order of examples, of those of these batches that some values lack, as [first, end) pairs.
    package var missed: [[Int]]?
    /// Batches whose gradients only some values hold, by the blocks of their bundle.
    package var ahead: [String: [[Int]]]?
    package var seed: Int
    package var batch: Int
    package var files: [ServerFile]
    /// Columns, scale, vocabularies and classes, as the JSON of `Preprocessing`; nil in checkpoints of older versions.
    package var preprocessing: ServerFile?
    /// Which data it was trained on.
    package var data: DataFacts?
    package var loss: Double?
    /// When it was written, in seconds since 1970: a job started anew in a directory of old checkpoints goes before them.
    package var written: Double?

    /// Every file that it is made of, save itself.
    var allFiles: [ServerFile] { files + [preprocessing].compactMap { $0 } }

    package var doneBatches: RangeSet<Int> { Self.ranges(done) }

    /// Batches that a bundle's values hold. One that is cut otherwise than the checkpoint's is taken to hold only what all do.
    package func doneBatches(ofBundle blocks: String) -> RangeSet<Int> {
        doneBatches.union(Self.ranges(ahead?[blocks] ?? []))
    }

    /// The most updates that any values hold: checkpoints of a job that goes on have greater labels.
    package var mostUpdates: Int {
        let counts = (ahead ?? [:]).keys.map { doneBatches(ofBundle: $0) } + [doneBatches]
        return max(step, counts.map { $0.total }.max() ?? 0)
    }

    package var missedExamples: RangeSet<Int> { Self.ranges(missed ?? []) }

    static func pairs(_ ranges: RangeSet<Int>) -> [[Int]] { ranges.ranges.map { [$0.lowerBound, $0.upperBound] } }

    private static func ranges(_ pairs: [[Int]]) -> RangeSet<Int> {
        // Far from where a sum would overflow.
        RangeSet(
            pairs.compactMap { $0.count == 2 && $0[0] < $0[1] && $0[0] >= 0 && $0[1] <= 1 << 53 ? $0[0]..<$0[1] : nil })
    }

    static func name(step: Int) -> String { "checkpoint-\(step).json" }
    static func preprocessingName(step: Int) -> String { "checkpoint-\(step).preprocessing" }
    static func fileName(step: Int, server: Int, of count: Int) -> String {
        "checkpoint-\(step).server-\(server)-of-\(count).safetensors"
    }

    /// The checkpoint's preprocessing; nil in those of older versions.
    /// - Throws: `FormatError` if its file is missing or damaged.
    package func readPreprocessing(in directory: String) throws -> Preprocessing? {
        guard let preprocessing else { return nil }
        let path = "\(directory)/\(preprocessing.name)"
        return try Preprocessing(json: Gzip.read(path), name: path)
    }

    /// Writes preprocessing and manifest into `directory`, then removes checkpoints beyond the newest `keep`.
    mutating func write(to directory: String, keep: Int, preprocessing fitted: Preprocessing) throws {
        let json = try fitted.json()
        let file = ServerFile(name: Manifest.preprocessingName(step: step), bytes: json.count)
        try AtomicFile.write(json, to: "\(directory)/\(file.name)")
        preprocessing = file
        let newest = try Manifest.newest(in: directory)?.written ?? 0
        written = max(Date().timeIntervalSince1970, newest.nextUp)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write([UInt8](try encoder.encode(self)), to: "\(directory)/\(Manifest.name(step: step))")
        for old in try Manifest.all(in: directory).dropLast(max(keep, 1)) {
            // The manifest goes first: what is left without one is no checkpoint.
            try? FileManager.default.removeItem(atPath: "\(directory)/\(Manifest.name(step: old.step))")
            for file in old.allFiles { try? FileManager.default.removeItem(atPath: "\(directory)/\(file.name)") }
        }
    }

    /// The complete checkpoints of a directory, the one written first first. Manifests that cannot be read are passed over.
    package static func all(in directory: String) throws -> [Manifest] {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
            throw NodeError(
                .badData, "cannot read the checkpoint directory \(directory): it does not exist or is not readable")
        }
        return names.filter { $0.hasPrefix("checkpoint-") && $0.hasSuffix(".json") }
            .compactMap { name -> Manifest? in
                guard let data = FileManager.default.contents(atPath: "\(directory)/\(name)"),
                    let manifest = try? JSONDecoder().decode(Manifest.self, from: data),
                    manifest.format == Manifest.format,
                    manifest.allFiles.allSatisfy({ file in
                        let size =
                            try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(file.name)")[.size]
                            as? Int
                        return !file.name.contains("/") && size == file.bytes
                    })
                else { return nil }
                return manifest
            }
            .sorted { ($0.written ?? 0, $0.step) < ($1.written ?? 0, $1.step) }
    }

    /// The newest complete checkpoint of a directory, nil if there is none.
    package static func newest(in directory: String) throws -> Manifest? {
        guard FileManager.default.fileExists(atPath: directory) else { return nil }
        return try all(in: directory).last
    }
}
