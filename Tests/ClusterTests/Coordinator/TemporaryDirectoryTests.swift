import Cluster
import Foundation
import Testing

@Suite("Temporary folders on shared machines")
struct TemporaryDirectoryOwnerTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "shared-\(UUID())").path

    init() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        chmod(folder, 0o700)
    }

    private func make(_ name: String, hasLock: Bool = true, mode: mode_t = 0o700) throws -> String {
        let path = "\(folder)/tributary-\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        if hasLock { try Data().write(to: URL(filePath: "\(path)/lock")) }
        try Data().write(to: URL(filePath: "\(path)/token"))
        chmod(path, mode)
        return path
    }

    @Test("what killed processes have left is removed, and nothing else")
    func leftovers() throws {
        let dead = try make("aaaaaa")
        let alive = try make("bbbbbb")
        let descriptor = open("\(alive)/lock", O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        _ = try make("cccccc", hasLock: false)
        _ = try make("dddddd", mode: 0o755)
        _ = try make("of-another-kind")
        let target = "\(folder)/target"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        try Data().write(to: URL(filePath: "\(target)/lock"))
        try FileManager.default.createSymbolicLink(atPath: "\(folder)/tributary-eeeeee", withDestinationPath: target)
        let before = try FileManager.default.contentsOfDirectory(atPath: folder)
        TemporaryDirectory.removeLeftovers(in: folder)
        // They may have been made just now.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before.sorted())
        TemporaryDirectory.removeLeftovers(in: folder, age: 0)
        let after = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(Set(before).subtracting(after) == ["tributary-aaaaaa"], "\(after)")
        #expect(!FileManager.default.fileExists(atPath: dead))
        #expect(FileManager.default.fileExists(atPath: "\(target)/lock"))
    }

    @Test("a folder is refused in which every user may rename what is not theirs, be it further up")
    func exchange() throws {
        let inner = "\(folder)/in/deep"
        try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: true)
        #expect(TemporaryDirectory.exchange(inner) == nil)
        chmod("\(folder)/in", 0o777)
        #expect(TemporaryDirectory.exchange(inner)?.reason.contains("\(folder)/in;") == true)
        chmod("\(folder)/in", 0o1777)
        #expect(TemporaryDirectory.exchange(inner) == nil)
        #expect(TemporaryDirectory.exchange("/tmp") == nil && TemporaryDirectory.exchange("/") == nil)
    }
}
