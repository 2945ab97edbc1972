import Foundation

/// A folder of a test's own, gone with it.
final class Folder {
    let path = FileManager.default.temporaryDirectory.appending(path: "user-\(UUID())").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }
}
