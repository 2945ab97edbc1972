import Cluster
import Dataflow
import Foundation
import Interchange
import Testing

@Suite("Damaged checkpoints", .serialized)
struct DamagedCheckpointTests {
    private static let manifest = "checkpoint-4.json"
    private static let data = "checkpoint-4.server-0-of-2.safetensors"

    @Test("every bit that is turned round in a manifest, a header or a tensor shows")
    func everyRegion() throws {
        let folder = CheckpointFolder()
        try folder.train()
        let sound = try #require(try Manifest.newest(in: folder.path))
        #expect(sound.step == 4 && sound.hasChecksums)
        for name in [Self.manifest, Self.data, "checkpoint-4.server-1-of-2.safetensors"] {
            let bytes = try folder.bytes(name)
            let header = name.hasSuffix(".json") ? bytes.count : 8 + Int(bytes[0]) + Int(bytes[1]) << 8
            // Every byte of the length, the header and the manifest, and some of the data.
            let places = Array(0..<header) + stride(from: header, to: bytes.count, by: 97) + [bytes.count - 1]
            for place in places {
                var damaged = bytes
                damaged[place] ^= UInt8(1 << (place % 8))
                try folder.write(damaged, name)
                let choice = try CheckpointDirectory(folder.path).newest()
                #expect(choice.manifest?.step == 2, "byte \(place) of \(name)")
                #expect(choice.notes.first?.contains("checkpoint-4") == true)
            }
            try folder.write(bytes, name)
        }
        #expect(try Manifest.newest(in: folder.path) == sound)
    }

    /// What is done to the newest checkpoint, and a word that says what is wrong with it.
    enum Damage: String, CaseIterable {
        case flipped = "checksum"
        case truncated = "bytes, not"
        case missing = "is missing"
        case link = "is no regular file"
        case emptyManifest = "it is empty"
        case garbledManifest = "no manifest in JSON"
        case cutManifest = "cut short"
        case renamedManifest = "of step 4"
        case otherSize = "changed after it was written"
        case pipe = "it is no regular file"
        case later = "of format 99"
    }

    private func damage(_ folder: CheckpointFolder, _ damage: Damage) throws {
        let (manifest, data) = (folder.file(Self.manifest), folder.file(Self.data))
        switch damage {
        case .flipped: try folder.flip(Self.data, byte: try folder.bytes(Self.data).count - 3)
        case .truncated: try folder.write(try folder.bytes(Self.data).dropLast(7), Self.data)
        case .missing: try FileManager.default.removeItem(atPath: data)
        case .link:
            try FileManager.default.moveItem(atPath: data, toPath: folder.file("elsewhere"))
            try FileManager.default.createSymbolicLink(atPath: data, withDestinationPath: folder.file("elsewhere"))
        case .emptyManifest: try folder.write([], Self.manifest)
        case .garbledManifest: try folder.write("garbage".utf8, Self.manifest)
        case .cutManifest: try folder.write(try folder.bytes(Self.manifest).dropLast(40), Self.manifest)
        case .renamedManifest:
            try FileManager.default.moveItem(atPath: manifest, toPath: folder.file("checkpoint-9.json"))
        case .otherSize:
            var text = String(decoding: try folder.bytes(Self.manifest), as: UTF8.self)
            text = text.replacing("\"bytes\" : ", with: "\"bytes\" : 1")
            try folder.write(text.utf8, Self.manifest)
        case .pipe:
            try FileManager.default.removeItem(atPath: manifest)
            #expect(mkfifo(manifest, 0o600) == 0)
        case .later:
            let text = String(decoding: try folder.bytes(Self.manifest), as: UTF8.self)
            try folder.write(text.replacing("\"format\" : 2", with: "\"format\" : 99").utf8, Self.manifest)
        }
    }

    @Test("a damaged newest checkpoint is named, and the one before it is used", arguments: Damage.allCases)
    func fallback(damage: Damage) throws {
        let folder = CheckpointFolder()
        try folder.train()
        try self.damage(folder, damage)
        let lines = Lines()
        let evaluation = try #require(try Manifest.newest(in: folder.path) { lines.add($0) })
        #expect(evaluation.step == 2)
        #expect(lines.text.contains(damage.rawValue) && lines.text.contains("step 2"), "\(lines.text)")
        // It goes on from there, and what is damaged stays beside.
        let (report, log) = try folder.train("train.steps=6", resume: true)
        #expect(report.status == .finished && report.steps == 6)
        #expect(log.contains("going on from step 2") && log.contains(damage.rawValue), "\(log)")
        #expect(log.contains("damaged-1"))
        #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.file("damaged-1")).isEmpty)
        #expect(try Manifest.newest(in: folder.path)?.step == 6)
    }

    @Test("where no checkpoint is usable, nothing goes on and nothing is overwritten unless that is asked for")
    func noneUsable() throws {
        let folder = CheckpointFolder()
        try folder.train()
        for step in [2, 4] { try folder.flip("checkpoint-\(step).server-0-of-2.safetensors", byte: 100) }
        let before = try folder.names.map { ($0, try folder.bytes($0)) }
        let evaluating = #expect(throws: NodeError.self) {
            try Inference.evaluate(config: folder.config(), job: MultilayerPerceptron(), checkpoint: folder.path)
        }
        #expect(evaluating?.kind == .badData && evaluating?.message.contains("no checkpoint in") == true)
        let resuming = #expect(throws: NodeError.self) { try folder.train(resume: true) }
        #expect(resuming?.kind == .refused && resuming?.message.contains("--resume=fresh") == true)
        #expect(resuming?.message.contains("checkpoint-2.json") == true)
        #expect(try folder.names == before.map(\.0))
        let (report, log) = try folder.train("train.steps=2", resume: true, anewIfDamaged: true)
        #expect(report.status == .finished && report.steps == 2 && log.contains("starts anew"), "\(log)")
        for (name, bytes) in before { #expect(try folder.bytes("damaged-1/\(name)") == bytes) }
    }

    @Test("an empty directory, and one that is not there, just start")
    func empty() throws {
        let folder = CheckpointFolder()
        #expect(try folder.train(resume: true).report.steps == 4)
        let other = CheckpointFolder()
        try FileManager.default.createDirectory(atPath: other.path, withIntermediateDirectories: true)
        #expect(try other.train(resume: true).report.steps == 4)
        #expect(try Manifest.newest(in: "/nowhere/at/all") == nil)
        let error = #expect(throws: NodeError.self) { try Manifest.newest(in: "/proc/self/status") }
        #expect(error?.message.contains("Not a directory") == true)
    }

    @Test("files without their manifest are no crash's leftovers: they are not overwritten")
    func headless() throws {
        let folder = CheckpointFolder()
        try folder.train("checkpoint.keep=1 checkpoint.every_steps=4")
        try FileManager.default.removeItem(atPath: folder.file(Self.manifest))
        let error = #expect(throws: NodeError.self) { try folder.train(resume: true) }
        #expect(error?.kind == .refused && error?.message.contains("checkpoint-4.json is missing") == true)
    }

    @Test("what crashes left is removed, what a running process writes is not")
    func leftovers() throws {
        let folder = CheckpointFolder()
        try folder.train()
        let old = ".checkpoint-6.server-0-of-2.safetensors.999999999-1.tmp"
        let running = ".checkpoint-6.server-0-of-2.safetensors.\(getpid())-1.tmp"
        let part = "checkpoint-6.server-0-of-2.safetensors"
        for name in [old, running, part, "checkpoint-notes.txt"] { try folder.write([1], name) }
        let log = try folder.train("train.steps=5", resume: true).log
        #expect(log.contains("removed 2 files"), "\(log)")
        #expect(try Set(folder.names).isSuperset(of: [running, "checkpoint-notes.txt"]))
        #expect(try Set(folder.names).isDisjoint(with: [old, part]))
    }

    @Test("a checkpoint without checksums is still used, which is said")
    func withoutChecksums() throws {
        let folder = CheckpointFolder()
        try folder.train()
        var manifest = try #require(try Manifest.newest(in: folder.path))
        manifest.format = 1
        manifest.checksum = nil
        manifest.order = nil
        for i in manifest.files.indices { manifest.files[i].header = nil }
        try JSONEncoder().encode(manifest).write(to: URL(filePath: folder.file(Self.manifest)))
        let (report, log) = try folder.train("train.steps=6", resume: true)
        #expect(report.steps == 6 && log.contains("carries no checksums"), "\(log)")
    }

    @Test(
        "manifests name files of their own only",
        arguments: [
            "../outside", "checkpoint-4.server-0-of-2.safetensors/../../outside", "outside", "checkpoint-4.json",
            "checkpoint-2.server-0-of-2.safetensors", "checkpoint-4.server-2-of-2.safetensors",
            "checkpoint-4.server-00-of-2.safetensors", "/etc/passwd", "checkpoint-4.server-1-of-3.safetensors",
        ])
    func hostileNames(name: String) throws {
        let folder = CheckpointFolder()
        try folder.train("checkpoint.every_steps=1")
        let outside = folder.path + "/../outside"
        try Data([1]).write(to: URL(filePath: outside))
        defer { try? FileManager.default.removeItem(atPath: outside) }
        try folder.write([1], "outside")
        var manifest = try #require(try Manifest.newest(in: folder.path))
        manifest.files[0].name = name
        manifest.files[0].bytes = 1
        // It would be the first to be rotated out.
        manifest.written = 1
        try folder.write(try manifest.encoded(), Self.manifest)
        let found = try CheckpointDirectory(folder.path).damaged
        #expect(found.count == 1 && found[0].reason.contains("names files that no server writes"))
        try folder.train("train.steps=9 checkpoint.every_steps=1 checkpoint.keep=1", resume: true)
        #expect(FileManager.default.fileExists(atPath: outside))
        #expect(FileManager.default.fileExists(atPath: folder.file("outside")))
    }

    @Test("a folder in the place of a server's file is not removed with all that is in it")
    func folderInPlace() throws {
        let folder = CheckpointFolder()
        try folder.train()
        let name = folder.file("checkpoint-2.server-0-of-2.safetensors")
        try FileManager.default.removeItem(atPath: name)
        try FileManager.default.createDirectory(atPath: name + "/kept", withIntermediateDirectories: true)
        try folder.train("train.steps=8 checkpoint.keep=1", resume: true)
        #expect(FileManager.default.fileExists(atPath: name + "/kept"))
    }
}
