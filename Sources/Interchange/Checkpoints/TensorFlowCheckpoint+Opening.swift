internal import Dataflow
internal import Foundation

extension TensorFlowCheckpoint {
    /// The checkpoint that a path means: a prefix, one of its files, a folder in which `tf.train.Saver` or
    /// `tf.train.Checkpoint` keeps its checkpoints (the newest one), or a SavedModel's folder.
    ///
    /// - Throws: `FormatError` as `init`; for files of another kind it says what they are and what to do.
    public static func open(_ path: String) throws -> TensorFlowCheckpoint {
        let manager = FileManager.default
        func isIndexed(_ prefix: String) -> Bool { manager.fileExists(atPath: prefix + ".index") }
        if isIndexed(path) { return try TensorFlowCheckpoint(path) }
        if path.hasSuffix(".index") { return try TensorFlowCheckpoint(String(path.dropLast(6))) }
        if let data = ForeignFile.dataFile(path), isIndexed(data.prefix) {
            return try TensorFlowCheckpoint(data.prefix)
        }
        var isFolder: ObjCBool = false
        guard manager.fileExists(atPath: path, isDirectory: &isFolder) else { throw missing(path) }
        if isFolder.boolValue { return try TensorFlowCheckpoint(newest(in: path)) }
        throw FormatError(path: path, try other(path))
    }

    /// The prefix of a folder's newest checkpoint.
    private static func newest(in folder: String) throws -> String {
        let manager = FileManager.default
        for name in ["variables/variables", "variables"] where manager.fileExists(atPath: "\(folder)/\(name).index") {
            return "\(folder)/\(name)"
        }
        let state = "\(folder)/checkpoint"
        guard manager.fileExists(atPath: state) else {
            throw FormatError(
                path: folder, "is a folder without a checkpoint: it has neither 'checkpoint' nor variables/")
        }
        let text = String(decoding: try Gzip.read(state, limit: 1 << 24), as: UTF8.self)
        let key = "model_checkpoint_path:"
        let line = text.split(whereSeparator: \.isNewline).map { $0.drop { $0 == " " } }.first { $0.hasPrefix(key) }
        let name = line?.dropFirst(key.count).trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\"'")) ?? ""
        guard !name.isEmpty else { throw FormatError(path: state, "names no checkpoint") }
        return name.hasPrefix("/") ? name : "\(folder)/\(name)"
    }

    /// What a file is that is no checkpoint, with what to do.
    private static func other(_ path: String) throws -> String {
        let bytes = try Gzip.read(path, limit: 1 << 32)
        if ForeignFile.dataFile(path) == nil, let words = ForeignFile.description(bytes, path: path) {
            // What these say is for those who want a graph.
            return ForeignFile.isSavedNamesFile(bytes)
                ? "names the checkpoints of its folder: give the folder, or one of the checkpoints" : words
        }
        guard let format = GraphFormat(bytes) else { return "is no checkpoint of TensorFlow" }
        switch format.kind {
        case .graph:
            return "is a graph (GraphDef) and no checkpoint: give the checkpoint's prefix, such as model.ckpt-1000"
        case .metaGraph:
            let prefix = path.hasSuffix(".meta") ? String(path.dropLast(5)) : "its prefix"
            return "is a graph (MetaGraphDef) and no checkpoint: the checkpoint beside it is \(prefix)"
        case .savedModel: return "is a SavedModel's graph: give its folder"
        }
    }

    /// For a prefix that nothing has: whether it is one of format V1 in several files, and what there is of a like name.
    private static func missing(_ path: String) -> FormatError {
        let url = URL(fileURLWithPath: path)
        let (folder, name) = (url.deletingLastPathComponent().path, url.lastPathComponent)
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        if files.contains(where: { $0.hasPrefix("\(name)-00000-of-") }) {
            return FormatError(path: path, ForeignFile.version1)
        }
        let like = files.last { $0.hasPrefix(name) && $0.hasSuffix(".index") }.map { "; there is \($0.dropLast(6))" }
        return FormatError(path: path, "is no checkpoint: there is no \(name).index\(like ?? "")")
    }
}

extension TensorFlowCheckpoint: CustomStringConvertible {
    public var description: String {
        "\(prefix): \(ShortList.text(names.map { name in "\(name) \((try? spec(named: name))?.description ?? "?")" }))"
    }
}
