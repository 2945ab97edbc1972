internal import Foundation
internal import Interchange
package import Training

/// What a checkpoint is: the files that the servers wrote, and where the job stood. Written last, atomically: a checkpoint
/// without a manifest is none.
package struct Manifest: Codable, Sendable, Equatable {
    package struct ServerFile: Codable, Sendable, Equatable {
        package var name: String
        package var bytes: Int
        /// CRC-32C of the file's header, which has those of its tensors (of a preprocessing, of all of it); nil in checkpoints of before there were any.
        package var header: UInt32?
    }

    /// How the job's examples were cut into batches, besides `seed` and `batch`.
    package struct Order: Codable, Sendable, Equatable {
        package var examples: Int
        package var shuffle: Bool
        /// Where that schedule began, if not with the first batch: batch, epoch, place.
        package var origin: [Int]?

        init(_ schedule: BatchSchedule) {
            examples = schedule.examples
            shuffle = schedule.shuffle
            let origin = schedule.origin
            self.origin = origin == .init() ? nil : [origin.batch, origin.epoch, origin.place]
        }
    }

    /// 1 had no checksums.
    package static let format = 2
    package var format = Manifest.format
    package var job: String
    /// Of the part of the graph that computes the loss: a checkpoint of another model is refused.
    package var fingerprint: String
    /// Its label: the updates of each shard, or, where a job ends, the batches that all have.
    package var step: Int
    /// Batches whose gradients all values hold, as [first, end) pairs.
    package var done: [[Int]]
    /// Positions, in the job's order of examples, of those of these batches that some values lack, as [first, end) pairs.
    package var missed: [[Int]]?
    /// Batches whose gradients only some values hold, by the blocks of their shard.
    package var ahead: [String: [[Int]]]?
    package var seed: Int
    package var batch: Int
    /// nil in checkpoints of before it was noted.
    package var order: Order?
    package var files: [ServerFile]
    /// Columns, scale, vocabularies and classes, as the JSON of `Preprocessing`; nil in checkpoints of older versions.
    package var preprocessing: ServerFile?
    /// Which data it was trained on.
    package var data: DataFacts?
    package var loss: Double?
    /// When it was written, in seconds since 1970: a job started anew in a directory of old checkpoints goes before them.
    package var written: Double?
    /// CRC-32C of the file's text with zeros in its place.
    package var checksum: String?

    /// Every file that it is made of, save itself.
    var allFiles: [ServerFile] { files + [preprocessing].compactMap { $0 } }

    package var doneBatches: RangeSet<Int> { Self.ranges(done) }

    /// Whether damage to it and to its files shows.
    package var hasChecksums: Bool { checksum != nil && allFiles.allSatisfy { $0.header != nil } }

    /// Batches that a shard's values hold. One that is cut otherwise than the checkpoint's is taken to hold only what all do.
    package func doneBatches(ofShard blocks: String) -> RangeSet<Int> {
        doneBatches.union(Self.ranges(ahead?[blocks] ?? []))
    }

    /// The most updates that any values hold: checkpoints of a job that goes on have greater labels.
    package var mostUpdates: Int {
        let counts = (ahead ?? [:]).keys.map { doneBatches(ofShard: $0) } + [doneBatches]
        return max(step, counts.map { $0.total }.max() ?? 0)
    }

    package var missedExamples: RangeSet<Int> { Self.ranges(missed ?? []) }

    /// The same values for a job that cuts its batches otherwise: all are taken to have so many updates, and nothing more is
    /// known of batches.
    package func rebased(to updates: Int) -> Manifest {
        var manifest = self
        manifest.done = updates > 0 ? [[0, updates]] : []
        manifest.ahead = nil
        manifest.missed = nil
        return manifest
    }

    static func pairs(_ ranges: RangeSet<Int>) -> [[Int]] { ranges.ranges.map { [$0.lowerBound, $0.upperBound] } }

    /// Pairs that have been checked.
    private static func ranges(_ pairs: [[Int]]) -> RangeSet<Int> { RangeSet(pairs.map { $0[0]..<$0[1] }) }

    package static func name(step: Int) -> String { "checkpoint-\(step).json" }
    package static func preprocessingName(step: Int) -> String { "checkpoint-\(step).preprocessing" }
    package static func fileName(step: Int, server: Int, of count: Int) -> String {
        "checkpoint-\(step).server-\(server)-of-\(count).safetensors"
    }

    // MARK: Directories

    /// The checkpoint's preprocessing; nil in those of older versions.
    /// - Throws: `NodeError` or `FormatError` if its file is missing or damaged.
    package func readPreprocessing(in directory: String) throws -> Preprocessing? {
        guard let preprocessing else { return nil }
        let path = "\(directory)/\(preprocessing.name)"
        let json = try Gzip.read(path)
        guard json.withUnsafeBytes({ CRC32C.checksum($0) }) == preprocessing.header else {
            throw NodeError(.badData, "the checksum of \(path) is wrong: it was changed after it was written")
        }
        return try Preprocessing(json: json, name: path)
    }

    /// Writes preprocessing and manifest into `directory`, then removes checkpoints beyond the newest `keep`.
    mutating func write(to directory: String, keep: Int, preprocessing fitted: Preprocessing) throws {
        let json = try fitted.json()
        let file = ServerFile(
            name: Manifest.preprocessingName(step: step), bytes: json.count,
            header: json.withUnsafeBytes { CRC32C.checksum($0) })
        // A folder of checkpoints may come from somebody else: what lies there under these names is replaced, never followed.
        try AtomicFile.write(json, to: "\(directory)/\(file.name)", followsLinks: false)
        preprocessing = file
        let newest = try CheckpointDirectory(directory).usable.last?.written ?? 0
        written = max(Date().timeIntervalSince1970, newest.nextUp)
        try AtomicFile.write(
            try encoded(), to: "\(directory)/\(Manifest.name(step: step))", followsLinks: false)
        for old in try CheckpointDirectory(directory).usable.dropLast(max(keep, 1)) {
            // The manifest goes first: what is left without one is no checkpoint.
            CheckpointDirectory.remove(Manifest.name(step: old.step), in: directory)
            for file in old.allFiles { CheckpointDirectory.remove(file.name, in: directory) }
        }
    }

    /// The complete checkpoints of a directory, the one written first first; those that are damaged are passed over.
    ///
    /// - Throws: `NodeError` if the directory cannot be read.
    package static func all(in directory: String) throws -> [Manifest] { try CheckpointDirectory(directory).usable }

    /// The newest usable checkpoint of a directory, with every byte checked; nil if none lies there.
    ///
    /// - Parameter tell: gets a line for newer ones that are damaged, and for one without checksums.
    /// - Throws: `NodeError` if the directory cannot be read, or no checkpoint in it is usable.
    package static func newest(in directory: String, tell: (String) -> Void = { _ in }) throws -> Manifest? {
        let choice = try CheckpointDirectory(directory).newest()
        choice.notes.forEach(tell)
        guard choice.manifest != nil || choice.damaged.isEmpty else {
            throw NodeError(.badData, "no checkpoint in \(directory) is usable: \(choice.damage)")
        }
        return choice.manifest
    }
}

/// Its text.
extension Manifest {
    /// Where the text has the checksum. Strings of JSON hold no line breaks, and what lies deeper is indented further.
    private static let place = "\n  \"checksum\" : \""

    /// The file's bytes, with their checksum.
    package func encoded() throws -> [UInt8] {
        var manifest = self
        manifest.checksum = Safetensors.text(0)
        var text = Array(try JSONText.encode(manifest, isPretty: true).utf8)
        guard let place = Manifest.checksumPlace(text) else { throw NodeError(.failed, "a manifest has no checksum") }
        text.replaceSubrange(place, with: Array(Safetensors.text(Manifest.checksum(text)).utf8))
        return text
    }

    private static func checksum(_ text: [UInt8]) -> UInt32 { text.withUnsafeBytes { CRC32C.checksum($0) } }

    private static func checksumPlace(_ text: [UInt8]) -> Range<Int>? {
        guard let found = text.firstRange(of: Array(place.utf8)), text.count >= found.upperBound + 8 else { return nil }
        return found.upperBound..<found.upperBound + 8
    }

    /// Reads a manifest's text and checks that it is as it was written.
    ///
    /// - Parameter step: of its name.
    /// - Throws: `NodeError` with what is wrong.
    package init(text: [UInt8], step: Int) throws {
        func fail(_ what: String) -> NodeError { NodeError(.badData, what) }
        guard !text.isEmpty else { throw fail("it is empty") }
        struct Version: Decodable { var format: Int }
        let decoder = JSONDecoder()
        guard let version = try? decoder.decode(Version.self, from: Data(text)) else {
            throw fail("it is cut short or garbled: it is no manifest in JSON")
        }
        guard (1...Manifest.format).contains(version.format) else {
            throw fail("it is of format \(version.format), which this version of tributary does not know")
        }
        guard let manifest = try? decoder.decode(Manifest.self, from: Data(text)) else {
            throw fail("a key of it is missing or garbled")
        }
        self = manifest
        if manifest.format > 1 || checksum != nil {
            guard let place = Manifest.checksumPlace(text) else { throw fail("its checksum is missing") }
            var zeroed = text
            zeroed.replaceSubrange(place, with: Array(Safetensors.text(0).utf8))
            guard Array(text[place]) == Array(Safetensors.text(Manifest.checksum(zeroed)).utf8) else {
                throw fail("its checksum is wrong: it was changed after it was written")
            }
            guard allFiles.allSatisfy({ $0.header != nil }) else { throw fail("it lacks the checksum of a file") }
        }
        try checkNumbers()
        guard self.step == step else { throw fail("it says that it is of step \(self.step)") }
        guard !files.isEmpty, hasOwnNames else { throw fail("it names files that no server writes for it") }
    }

    /// Checks every number, so that nothing that trusts this value meets one that cannot be.
    ///
    /// - Throws: `NodeError` naming one.
    private func checkNumbers() throws(NodeError) {
        func check(_ limit: Limit, _ number: Int, _ key: String) throws(NodeError) {
            _ = try limit.check(number, "its \(key)", .badData)
        }
        func check(_ pairs: [[Int]], _ key: String) throws(NodeError) {
            for pair in pairs {
                guard pair.count == 2, pair[0] >= 0, pair[0] < pair[1], pair[1] <= Limit.end.range.upperBound else {
                    throw NodeError(.badData, "its \(key) has \(pair), which is no range")
                }
            }
        }
        try check(.label, step, "step")
        try check(done, "done")
        try check(missed ?? [], "missed")
        for pairs in (ahead ?? [:]).values { try check(pairs, "ahead") }
        try check(.batch, batch, "batch")
        if let order {
            try check(.examples, order.examples, "order.examples")
            let origin = order.origin ?? [0, 0, 0]
            guard order.examples > 0, origin.count == 3, origin[2] < order.examples else {
                throw NodeError(.badData, "its order of batches cannot be")
            }
            try check(.step, origin[0], "order.origin")
            try check(.epoch, origin[1], "order.origin")
            try check(.examples, origin[2], "order.origin")
        }
        for file in allFiles { try check(.file, file.bytes, "files' bytes") }
        if let data {
            try check(.examples, data.training, "data.training")
            try check(.examples, data.test, "data.test")
        }
        // The time of a later one is a later time.
        guard (written ?? 0).magnitude < 1e12 else {
            throw NodeError(.badData, "it was written at no time that can be")
        }
    }

    /// Whether its files are called as its servers call theirs, each once: no other file is read or removed for it.
    private var hasOwnNames: Bool {
        let parts = files.compactMap { CheckpointDirectory.Part($0.name) }
        guard preprocessing == nil || preprocessing?.name == Manifest.preprocessingName(step: step) else {
            return false
        }
        return parts.count == files.count && Set(parts.map(\.server)).count == parts.count
            && parts.allSatisfy { $0.step == step && $0.count == parts[0].count }
    }
}
