public import Dataflow
internal import Foundation
internal import Schemas
internal import SwiftProtobuf

/// Checkpoints of format V2 in files, as `tf.train.Saver` writes and reads them: what a graph's own operations save and
/// restore.
public struct TensorFlowCheckpointStore: CheckpointStore {
    /// Where prefixes that are no absolute paths start.
    private let folder: String
    private let writable: WritableFolders

    /// - Parameters:
    ///   - folder: where prefixes that are no absolute paths start; nil: the process's folder.
    ///   - writable: where checkpoints may be written, merged and removed.
    public init(folder: String? = nil, writable: WritableFolders = .everywhere) {
        self.folder = folder ?? ""
        self.writable = writable
    }

    private func path(_ prefix: String) throws -> String {
        guard !prefix.isEmpty, !prefix.contains("\0") else {
            throw GraphError("the prefix of a checkpoint must be a path, got '\(prefix)'")
        }
        return prefix.hasPrefix("/") || folder.isEmpty ? prefix : "\(folder)/\(prefix)"
    }

    // MARK: Reading

    public func read(_ wanted: [CheckpointKey], from prefix: String) throws -> [Tensor] {
        let path = try path(prefix)
        if access("\(path).index", F_OK) != 0, access(path, F_OK) == 0, !isFolder(path) {
            throw FormatError(path: path, "is a checkpoint of format V1, or none: there is no \(path).index")
        }
        let checkpoint = try TensorFlowCheckpoint(path)
        return try wanted.map { key in
            guard let slice = key.slice else { return try checkpoint.tensor(named: key.name) }
            return try checkpoint.tensor(named: key.name, part: slice)
        }
    }

    private func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    // MARK: Writing

    public func write(_ parts: [CheckpointPart], to prefix: String) throws {
        let path = try path(prefix)
        try writable.check(path)
        makeFolder(of: path)
        var index = CheckpointIndex(path: "\(path).index")
        try AtomicFile.write(to: CheckpointIndex.dataFile(path, 0, of: 1)) { file in
            for part in parts.sorted(by: { $0.key.name < $1.key.name }) {
                var entry = TFBundleEntryProto()
                entry.dtype = part.tensor.dtype.proto
                entry.shape = part.tensor.shape.proto
                entry.offset = Int64(file.count)
                if part.tensor.dtype == .string {
                    let (bytes, checksum) = StringBundle.encode(part.tensor.knownStrings)
                    try file.append(bytes)
                    entry.crc32C = checksum
                } else {
                    try part.tensor.withUnsafeBytes { try file.append($0) }
                    entry.crc32C = part.tensor.withUnsafeBytes { CRC32C.masked($0) }
                }
                entry.size = Int64(file.count) - entry.offset
                try index.add(entry, for: part.key)
            }
            // Both files are on the disk before either takes its name: a full disk leaves what was there.
            try file.finish()
            try index.write(shards: 1)
        }
    }

    /// As TensorFlow, makes the folder of the files, but not the one around it.
    private func makeFolder(of path: String) {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
        mkdir(String(path[..<slash]), 0o777)
    }

    // MARK: Merging

    public func merge(
        _ parts: [String], into prefix: String, deletingFolders: Bool, allowingMissing: Bool
    ) throws {
        let path = try path(prefix)
        try writable.check(path)
        var index = CheckpointIndex(path: "\(path).index")
        var sources: [(prefix: String, shards: [InputFile])] = []
        for part in parts {
            let part = try self.path(part)
            // Its files are moved, and its index is removed.
            try writable.check(part)
            if allowingMissing, access("\(part).index", F_OK) != 0 { continue }
            let checkpoint = try TensorFlowCheckpoint(part)
            let first = sources.reduce(0) { $0 + $1.shards.count }
            try index.add(all: checkpoint, firstShard: first)
            sources.append((part, checkpoint.shards))
        }
        guard !sources.isEmpty else {
            throw GraphError("there is no checkpoint to merge into '\(prefix)'")
        }
        makeFolder(of: path)
        let files = sources.flatMap(\.shards)
        for (i, file) in files.enumerated() {
            let name = CheckpointIndex.dataFile(path, i, of: files.count)
            guard rename(file.path, name) == 0 else {
                throw FormatError(writing: name, "cannot be made of \(file.path)", systemCode: errno)
            }
        }
        try index.write(shards: files.count)
        for source in sources where source.prefix != path {
            unlink("\(source.prefix).index")
            // A folder in which something else is stays.
            if deletingFolders, let slash = source.prefix.lastIndex(of: "/") { rmdir(String(source.prefix[..<slash])) }
        }
    }
}

/// The index of a checkpoint that is being written.
struct CheckpointIndex {
    private let path: String
    private var entries: [[UInt8]: TFBundleEntryProto] = [:]

    init(path: String) { self.path = path }

    static func dataFile(_ prefix: String, _ shard: Int, of count: Int) -> String {
        prefix + String(format: ".data-%05d-of-%05d", shard, count)
    }

    /// Adds what has been written of a tensor: the whole, or a part.
    mutating func add(_ entry: TFBundleEntryProto, for key: CheckpointKey) throws {
        guard let slice = key.slice, !slice.isWhole else { return try add(entry, key: Array(key.name.utf8), key.name) }
        try add(entry, key: SliceKey.encode(key.name, slice.extents), "a part of \(key.name)")
        var whole = TFBundleEntryProto()
        whole.dtype = entry.dtype
        whole.shape = Shape(slice.shape).proto
        whole.slices = [slice.proto]
        try add(whole, key: Array(key.name.utf8), key.name)
    }

    /// Adds a checkpoint whose data files are those from `firstShard` on.
    mutating func add(all checkpoint: TensorFlowCheckpoint, firstShard: Int) throws {
        func moved(_ entry: TFBundleEntryProto) -> TFBundleEntryProto {
            var entry = entry
            if entry.slices.isEmpty { entry.shardID += Int32(firstShard) }
            return entry
        }
        for (name, entry) in checkpoint.entries { try add(moved(entry), key: Array(name.utf8), name) }
        for (key, entry) in checkpoint.parts { try add(moved(entry), key: key, "a part") }
    }

    private mutating func add(_ entry: TFBundleEntryProto, key: [UInt8], _ name: String) throws {
        guard var known = entries[key] else {
            entries[key] = entry
            return
        }
        guard !known.slices.isEmpty, !entry.slices.isEmpty, known.dtype == entry.dtype, known.shape == entry.shape
        else {
            throw GraphError("'\(name)' is to be in the checkpoint twice")
        }
        known.slices += entry.slices
        entries[key] = known
    }

    func write(shards: Int) throws {
        var header = TFBundleHeaderProto()
        header.numShards = Int32(shards)
        header.version.producer = 1
        var table: [(key: [UInt8], value: [UInt8])] = [([], try header.serializedBytes())]
        for (key, entry) in entries.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            table.append((key, try entry.serializedBytes()))
        }
        try AtomicFile.write(SortedTable.encode(table), to: path)
    }
}

extension CheckpointSlice {
    /// As `SliceKey` takes them.
    var extents: [(start: Int, length: Int)] { ranges.map { $0.map { ($0.lowerBound, $0.count) } ?? (0, -1) } }

    var proto: TFTensorSliceProto {
        TFTensorSliceProto.with { slice in
            slice.extent = ranges.map { range in
                TFTensorSliceProto.Extent.with { extent in
                    guard let range else { return }
                    extent.start = Int64(range.lowerBound)
                    extent.length = Int64(range.count)
                }
            }
        }
    }
}

extension TensorFlowCheckpointStore: CustomStringConvertible {
    public var description: String { "checkpoints in \(folder.isEmpty ? "the process's folder" : folder)" }
}
