#if canImport(Glibc)
    internal import Glibc
#endif

/// Where the operations of a graph may write files: `SaveV2`, `MergeV2Checkpoints`, and `PrintV2` to a file.
///
/// A graph is a program that may come from somebody else. What it reads is not limited.
public struct WritableFolders: Sendable, Equatable {
    /// nil: everywhere.
    private let folders: [String]?

    private init(_ folders: [String]?) { self.folders = folders }

    public static let none = WritableFolders([])
    public static let everywhere = WritableFolders(nil)

    /// These folders and those in them.
    public static func under(_ folders: [String]) -> WritableFolders { WritableFolders(folders) }

    /// - Throws: `GraphError` if a file at `path` would lie in none of the folders, links followed.
    public func check(_ path: String) throws {
        guard let folders else { return }
        guard !folders.isEmpty else {
            throw GraphError("the graph would write '\(path)', and its session lets it write no files", isOutput: true)
        }
        let place = WritableFolders.place(path)
        for folder in folders {
            guard let place, let folder = WritableFolders.place(folder) else { continue }
            if place.hasPrefix(folder == "/" ? "/" : "\(folder)/") { return }
        }
        throw GraphError(
            "the graph would write '\(path)', which is not in \(folders.joined(separator: " nor in "))", isOutput: true)
    }

    /// The path behind all links of what is at `path`, or would be; nil if that cannot be told.
    private static func place(_ path: String) -> String? {
        guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
        var (known, rest) = (path.hasPrefix("/") ? path : "./\(path)", [Substring]())
        while true {
            if let real = realpath(known, nil) {
                defer { free(real) }
                let start = String(cString: real)
                return rest.isEmpty ? start : (start == "/" ? "" : start) + "/" + rest.joined(separator: "/")
            }
            var status = stat()
            // A link that leads nowhere would be followed by who makes the file.
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
