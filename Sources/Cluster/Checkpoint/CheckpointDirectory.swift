internal import Foundation
internal import Interchange

/// What lies in a directory of checkpoints: those that look complete, those that are damaged, and parts of none.
package struct CheckpointDirectory {
    /// The name of a server's file.
    struct Part: Equatable {
        let step: Int
        let server: Int
        let count: Int

        /// nil for a name that no server gives.
        init?(_ name: String) {
            let words = name.split(separator: ".", omittingEmptySubsequences: false)
            guard words.count == 3, words[0].hasPrefix("checkpoint-"), words[1].hasPrefix("server-"),
                let step = Int(words[0].dropFirst("checkpoint-".count))
            else { return nil }
            let place = words[1].dropFirst("server-".count).components(separatedBy: "-of-")
            guard place.count == 2, let server = Int(place[0]), let count = Int(place[1]), server < count,
                name == Manifest.fileName(step: step, server: server, of: count), step >= 0, server >= 0
            else { return nil }
            self.step = step
            self.server = server
            self.count = count
        }
    }

    /// A checkpoint that cannot be used.
    package struct Damage: Sendable {
        package let step: Int
        /// What is wrong with it, beginning with a file's name.
        package let reason: String
        /// When it was written, in seconds since 1970, as far as that can be told.
        let written: Double
    }

    /// The checkpoint to take, and what is to be said of others.
    package struct Choice: Sendable {
        package var manifest: Manifest?
        /// Damaged ones: newer than that which is taken, or all.
        package var damaged: [Damage] = []
        package var notes: [String] = []

        /// What is wrong with them, in one line.
        package var damage: String { damaged.map(\.reason).joined(separator: "; ") }
    }

    package let path: String
    /// Those whose manifests are sound and whose files are there in their sizes, the one written first first.
    package private(set) var usable: [Manifest] = []
    package private(set) var damaged: [Damage] = []
    /// Files whose step has no manifest, by step.
    private(set) var parts: [Int: [String]] = [:]

    /// Manifests are small; one with large vocabularies is not.
    private static let mostBytes = 1 << 30

    /// Looks at a directory; one that does not exist is empty.
    ///
    /// - Throws: `NodeError` if it cannot be read.
    package init(_ path: String) throws {
        self.path = path
        var names: [String] = []
        if let directory = opendir(path) {
            defer { closedir(directory) }
            while let entry = readdir(directory) {
                names.append(
                    withUnsafeBytes(of: &entry.pointee.d_name) {
                        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                    })
            }
        } else if errno != ENOENT {
            let reason = String(cString: strerror(errno))
            throw NodeError(.badData, "cannot read the checkpoint directory \(path): \(reason)")
        }
        var steps: Set<Int> = []
        for name in names {
            guard name.hasPrefix("checkpoint-"), name.hasSuffix(".json"),
                let step = Int(name.dropFirst("checkpoint-".count).dropLast(".json".count)), step >= 0,
                name == Manifest.name(step: step)
            else { continue }
            steps.insert(step)
            var written: Double?
            do {
                let manifest = try Manifest(text: try CheckpointDirectory.read("\(path)/\(name)"), step: step)
                written = manifest.written
                for file in manifest.allFiles { try check(file) }
                usable.append(manifest)
            } catch {
                // One that was removed just now, by the job that wrote it.
                guard let time = CheckpointDirectory.status("\(path)/\(name)")?.st_mtim else { continue }
                let changed = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
                damaged.append(
                    Damage(step: step, reason: "\(name): \(error)", written: written ?? changed))
            }
        }
        usable.sort { ($0.written ?? 0, $0.step) < ($1.written ?? 0, $1.step) }
        damaged.sort { ($0.written, $0.step) < ($1.written, $1.step) }
        for name in names.sorted() {
            if let step = Self.step(ofPart: name), !steps.contains(step) { parts[step, default: []].append(name) }
        }
    }

    /// The step of what belongs to a checkpoint besides its manifest; nil for other names.
    private static func step(ofPart name: String) -> Int? {
        if let part = Part(name) { return part.step }
        let step = name.split(separator: ".").first.flatMap { Int($0.dropFirst("checkpoint-".count)) }
        return step.flatMap { $0 >= 0 && name == Manifest.preprocessingName(step: $0) ? $0 : nil }
    }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    private static func isRegular(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFREG }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let status = status(path), isRegular(status) else { throw NodeError(.badData, "it is no regular file") }
        guard status.st_size <= mostBytes else { throw NodeError(.badData, "\(status.st_size) bytes are too many") }
        do { return Array(try Data(contentsOf: URL(fileURLWithPath: path))) } catch {
            throw NodeError(.badData, "it cannot be read: \((error as NSError).localizedDescription)")
        }
    }

    private func check(_ file: Manifest.ServerFile) throws {
        guard let status = CheckpointDirectory.status("\(path)/\(file.name)") else {
            throw NodeError(.badData, "its file \(file.name) is missing")
        }
        guard CheckpointDirectory.isRegular(status) else {
            throw NodeError(.badData, "its file \(file.name) is no regular file")
        }
        guard Int(status.st_size) == file.bytes else {
            throw NodeError(.badData, "its file \(file.name) has \(status.st_size) bytes, not \(file.bytes)")
        }
    }

    // MARK: Choosing

    /// The checkpoint of a step, by its manifest alone.
    ///
    /// - Throws: `NodeError` if it is not there or is damaged.
    static func manifest(step: Int, in directory: String) throws -> Manifest {
        let name = Manifest.name(step: step)
        guard status("\(directory)/\(name)") != nil else {
            throw NodeError(
                .badData, "the checkpoint of step \(step) is not in \(directory), which servers must share")
        }
        do { return try Manifest(text: try read("\(directory)/\(name)"), step: step) } catch {
            throw NodeError(.badData, "\(directory)/\(name) is damaged: \(error)")
        }
    }

    /// The newest checkpoint whose every byte is as it was written.
    package func newest() throws -> Choice {
        var choice = Choice()
        var found = damaged
        for manifest in usable.reversed() where choice.manifest == nil {
            let name = Manifest.name(step: manifest.step)
            do {
                try CheckpointReader(manifest, directory: path).verify()
                _ = try manifest.readPreprocessing(in: path)
                choice.manifest = manifest
            } catch {
                guard CheckpointDirectory.status("\(path)/\(name)") != nil else { continue }
                found.append(
                    Damage(step: manifest.step, reason: "\(name): \(error)", written: manifest.written ?? 0))
            }
        }
        if let manifest = choice.manifest {
            choice.damaged = found.filter { $0.written > manifest.written ?? 0 }
            for damage in choice.damaged {
                choice.notes.append(
                    "a checkpoint in \(path) is damaged: \(damage.reason); the one of step \(manifest.step) before it is used"
                )
            }
            if !manifest.hasChecksums {
                choice.notes.append(
                    "the checkpoint of step \(manifest.step) in \(path) carries no checksums: damage to it would not show"
                )
            }
        } else {
            choice.damaged = found + headless
        }
        return choice
    }

    /// Checkpoints that lack nothing but their manifests. (A crash while one is written leaves a part of its files, or all
    /// servers' without the preprocessing, which is written after them.)
    private var headless: [Damage] {
        parts.sorted { $0.key < $1.key }.compactMap { step, names in
            let parts = names.compactMap { Part($0) }
            guard let count = parts.first?.count, Set(parts.map(\.server)) == Set(0..<count),
                CheckpointDirectory.status("\(path)/\(Manifest.preprocessingName(step: step))") != nil
            else { return nil }
            return Damage(
                step: step, reason: "\(Manifest.name(step: step)) is missing, its files are there", written: 0)
        }
    }

    // MARK: Clearing up

    /// Moves all files of these checkpoints into a new folder of the directory, so that nothing overwrites them.
    ///
    /// - Returns: the folder.
    /// - Throws: `NodeError` if they cannot be moved.
    func moveAside(_ damaged: [Damage]) throws -> String {
        var number = 1
        while CheckpointDirectory.status("\(path)/damaged-\(number)") != nil { number += 1 }
        let folder = "\(path)/damaged-\(number)"
        let steps = Set(damaged.map(\.step))
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            where Self.step(ofPart: name).map({ steps.contains($0) })
                ?? steps.contains(where: { Manifest.name(step: $0) == name })
            {
                guard rename("\(path)/\(name)", "\(folder)/\(name)") == 0 else {
                    throw NodeError(.cannotCreate, "\(name): \(String(cString: strerror(errno)))")
                }
            }
        } catch {
            throw NodeError(.cannotCreate, "cannot move damaged checkpoints to \(folder): \(error)")
        }
        return folder
    }

    /// Removes what processes left that died while they wrote: temporary files, and parts of checkpoints that never became
    /// whole. To be called before the job's servers write, where there is a checkpoint. Returns how many files.
    func removeLeftovers() -> Int {
        var count = removeTemporaries()
        for name in parts.values.joined() where CheckpointDirectory.remove(name, in: path) { count += 1 }
        return count
    }

    /// Removes temporary files of processes that are no more. Returns how many.
    @discardableResult
    func removeTemporaries() -> Int {
        var count = 0
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where name.hasPrefix(".checkpoint-") && name.hasSuffix(".tmp") {
            // ".NAME.PID-RANDOM.tmp"
            let process = name.split(separator: ".").dropLast().last?.split(separator: "-").first.flatMap { Int32($0) }
            if let process, kill(process, 0) == 0 || errno == EPERM { continue }
            if CheckpointDirectory.remove(name, in: path) { count += 1 }
        }
        return count
    }

    /// Removes servers' files of a step that has no manifest.
    static func removeParts(_ names: [String], of step: Int, in directory: String) {
        guard status("\(directory)/\(Manifest.name(step: step))") == nil else { return }
        for name in names where Self.step(ofPart: name) == step { remove(name, in: directory) }
    }

    /// Removes a file of a directory of checkpoints; true if it is gone. What is no regular file, such as a link or a folder,
    /// no server has written: it stays.
    @discardableResult
    static func remove(_ name: String, in directory: String) -> Bool {
        guard !name.contains("/"), let status = status("\(directory)/\(name)"), isRegular(status) else { return false }
        return unlink("\(directory)/\(name)") == 0
    }
}
