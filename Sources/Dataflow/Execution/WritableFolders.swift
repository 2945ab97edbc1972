#if canImport(Glibc)
    internal import Glibc
#endif

/// The folders where the operations of a graph may write files: `SaveV2`, `MergeV2Checkpoints`, and `PrintV2` to a
/// file.
///
/// A graph is a program that may come from somebody else. It may read any file.
public struct WritableFolders: Sendable, Equatable {
    /// nil: everywhere.
    private let folders: [String]?

    private init(_ folders: [String]?) { self.folders = folders }

    public static let none = WritableFolders([])
    public static let everywhere = WritableFolders(nil)

    /// These folders and all folders in them.
    public static func under(_ folders: [String]) -> WritableFolders { WritableFolders(folders) }

    /// - Throws: `GraphError` if a file at `path`, once links are followed, would lie in none of the folders.
    public func check(_ path: String) throws {
        guard let folders else { return }
        guard !folders.isEmpty else {
            throw GraphError(
                "the graph would write '\(path)', but its session allows it to write no files", isOutput: true)
        }
        let target = WritableFolders.resolved(path)
        for folder in folders {
            guard let target, let folder = WritableFolders.resolved(folder) else { continue }
            if target.hasPrefix(folder == "/" ? "/" : "\(folder)/") { return }
        }
        throw GraphError(
            "the graph would write '\(path)', which is not in \(folders.joined(separator: " or in "))", isOutput: true)
    }

    /// The path of the file at `path`, which need not exist yet, with all links followed; nil if the links lead
    /// nowhere.
    private static func resolved(_ path: String) -> String? {
        guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
        var (known, rest) = (path.hasPrefix("/") ? path : "./\(path)", [Substring]())
        while true {
            if let real = realpath(known, nil) {
                defer { free(real) }
                let start = String(cString: real)
                return rest.isEmpty ? start : (start == "/" ? "" : start) + "/" + rest.joined(separator: "/")
            }
            var status = stat()
            // A link that leads nowhere yet is refused: the operation that makes the file would follow it.
            guard errno == ENOENT, lstat(known, &status) != 0, let slash = known.lastIndex(of: "/") else { return nil }
            let name = known[known.index(after: slash)...]
            guard name != "..", name != "." else { return nil }
            if !name.isEmpty { rest.insert(name, at: 0) }
            known = slash == known.startIndex ? "/" : String(known[..<slash])
        }
    }
}

extension WritableFolders: CustomStringConvertible {
    public var description: String {
        guard let folders else { return "everywhere" }
        return folders.isEmpty ? "nowhere" : "in \(folders.joined(separator: ", "))"
    }
}
