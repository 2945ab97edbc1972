internal import Dataflow
internal import Foundation

/// How Variables are kept in files.
enum SavedFormat: Equatable {
    case safetensors
    case npz
    /// TensorFlow's format V2: files whose names begin so.
    case tensorFlow(prefix: String)

    /// The format that a path's extension means, to write in.
    /// - Throws: `FormatError` for a path of another format, or of none.
    init(writing path: String) throws {
        let name = path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard !name.isEmpty, name != ".", name != "..", !path.contains("\0") else {
            throw FormatError(path: path, "is no file to save to: give a path with a name, such as model.safetensors")
        }
        let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...] } ?? ""
        switch ending.lowercased() {
        case "safetensors": self = .safetensors
        case "npz": self = .npz
        case "index": self = .tensorFlow(prefix: String(path.dropLast(".index".count)))
        case let other:
            if let data = ForeignFile.dataFile(path) {
                self = .tensorFlow(prefix: data.prefix)
            } else if other.allSatisfy(\.isNumber) || other == "ckpt" || other.hasPrefix("ckpt-") {
                self = .tensorFlow(prefix: path)
            } else {
                throw FormatError(
                    path: path,
                    "names no format that Variables are saved in: a name ends in .safetensors or .npz, or is a prefix "
                        + "of TensorFlow's files, such as model.ckpt")
            }
        }
    }

    /// Opens what was saved, by the path's extension, or by what the file begins with.
    ///
    /// - Parameter path: a file, a prefix of TensorFlow's files or one of these, or a folder of TensorFlow's checkpoints.
    /// - Throws: `FormatError` if there is none, or it is damaged or of another kind.
    static func open(_ path: String) throws -> any SavedTensors {
        switch try? SavedFormat(writing: path) {
        case .safetensors: return try SafetensorsFile(path)
        case .npz: return try NpzFile(path)
        default: break
        }
        guard !path.isEmpty, !path.contains("\0") else {
            throw FormatError(path: path, "is no file to restore from")
        }
        let manager = FileManager.default
        var isFolder: ObjCBool = false
        guard manager.fileExists(atPath: path, isDirectory: &isFolder),
            !manager.fileExists(atPath: "\(path).index")
        else { return try TensorFlowCheckpoint.open(path) }
        if isFolder.boolValue {
            let names = (try? manager.contentsOfDirectory(atPath: path)) ?? []
            if !names.contains("checkpoint"), names.contains(where: isManifest) {
                throw FormatError(
                    path: path,
                    "is a folder of a cluster's checkpoints: import Cluster, and restore(from: ClusterCheckpoint(folder))"
                )
            }
            return try TensorFlowCheckpoint.open(path)
        }
        let start = try? InputFile(path: path).start(9)
        if let start, start.starts(with: Array("PK\u{3}\u{4}".utf8)) { return try NpzFile(path) }
        if let start, start.count == 9, start[8] == UInt8(ascii: "{") { return try SafetensorsFile(path) }
        return try TensorFlowCheckpoint.open(path)
    }

    /// "checkpoint-STEP.json"
    private static func isManifest(_ name: String) -> Bool {
        name.hasPrefix("checkpoint-") && name.hasSuffix(".json") && Int(name.dropFirst(11).dropLast(5)) != nil
    }

    /// The name of the format, in errors.
    private var name: String {
        switch self {
        case .safetensors: "safetensors"
        case .npz: ".npz"
        case .tensorFlow: "TensorFlow's format"
        }
    }

    private func holds(_ dtype: DType) -> Bool {
        switch self {
        case .safetensors: SafetensorsHeader.names.contains { $0.dtype == dtype }
        case .npz: ![.bfloat16, .resource, .variant].contains(dtype)
        case .tensorFlow: ![.resource, .variant].contains(dtype)
        }
    }

    /// Throws `FormatError` naming the Variables that the format cannot hold.
    func check(_ variables: [(name: String, spec: TensorSpec)], path: String) throws {
        let odd = variables.filter { !holds($0.spec.dtype) }
        guard odd.isEmpty else {
            let entries = odd.map { RestoreReport.Entry(name: $0.name, spec: $0.spec) }
            throw FormatError(
                path: path,
                "cannot be written: \(name) does not hold \(RestoreReport.list(entries)); TensorFlow's format "
                    + "(model.ckpt) does, or leave them out by variables:")
        }
    }

    /// Writes the tensors, all or nothing.
    func write(_ tensors: [(name: String, tensor: Tensor)], to path: String) throws {
        switch self {
        case .safetensors: _ = try Safetensors.writeChecked(tensors, to: path, followsLinks: true)
        case .npz: try Npz.write(tensors, to: path)
        case .tensorFlow(let prefix):
            try TensorFlowCheckpointStore().write(
                tensors.map { CheckpointPart(CheckpointKey($0.name), $0.tensor) }, to: prefix)
        }
    }
}

extension InputFile {
    /// As many of the first bytes as there are.
    fileprivate func start(_ count: Int) throws -> [UInt8] { try bytes(at: 0, count: min(count, size)) }
}
