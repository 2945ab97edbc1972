import Foundation
import Interchange
import Testing

/// What is no regular file, and links to files.
@Suite("Where files are written")
struct OutputTargetTests {
    private let folder = try! TemporaryFolder()

    private func link(_ name: String, to target: String) throws -> String {
        try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
        return folder.file(name)
    }

    private func target(of link: String) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: link)
    }

    /// Writes to a path in each way there is.
    private func write(_ text: String, to path: String, whole: Bool) throws {
        if whole { return try AtomicFile.write(Array(text.utf8), to: path) }
        let file = try OutputFile(path)
        try file.write(text)
        try file.close()
    }

    @Test(
        "of a link the target is written and the link stays; what is not there yet is made", arguments: [true, false])
    func links(whole: Bool) throws {
        let old = try folder.write(Array("old".utf8), "old")
        try FileManager.default.createDirectory(atPath: folder.file("in"), withIntermediateDirectories: true)
        let first = try link("first", to: "old")
        let second = try link("in/second", to: "../first")
        try write("new", to: second, whole: whole)
        #expect(try contents(old) == Array("new".utf8))
        #expect(try target(of: second) == "../first" && target(of: first) == "old")
        let dangling = try link("dangling", to: "\(folder.path)/in/made")
        try write("made", to: dangling, whole: whole)
        #expect(try contents(folder.file("in/made")) == Array("made".utf8))
        #expect(try target(of: dangling) == "\(folder.path)/in/made")
        // A path through a folder that is a link.
        _ = try link("there", to: "in")
        try write("again", to: folder.file("there/made"), whole: whole)
        #expect(try contents(folder.file("in/made")) == Array("again".utf8))
        #expect(try folder.names == ["dangling", "first", "in", "old", "there"])
    }

    @Test("where links are not followed, one is replaced, and what it names stays; a folder is an error")
    func replaced() throws {
        let old = try folder.write(Array("old".utf8), "old")
        for (name, target) in [("link", "old"), ("dangling", "made"), ("folder-link", ".")] {
            let path = try link(name, to: target)
            try AtomicFile.write(Array("new".utf8), to: path, followsLinks: false)
            #expect(throws: (any Error).self) { try self.target(of: path) }
            #expect(try contents(path) == Array("new".utf8))
        }
        #expect(try contents(old) == Array("old".utf8))
        try FileManager.default.createDirectory(atPath: folder.file("in/deep"), withIntermediateDirectories: true)
        #expect(throws: FormatError.self) {
            try AtomicFile.write([1], to: folder.file("in"), followsLinks: false)
        }
        #expect(try folder.names == ["dangling", "folder-link", "in", "link", "old"])
    }

    @Test(
        "another user's link in a folder that all may write to, such as /tmp, is not followed",
        arguments: [true, false])
    func foreignLink(whole: Bool) throws {
        // Only root can make another user's link.
        guard geteuid() == 0 else { return }
        let old = try folder.write(Array("old".utf8), "old")
        try FileManager.default.createDirectory(atPath: folder.file("shared"), withIntermediateDirectories: true)
        let path = try link("shared/link", to: old)
        let own = try link("shared/own", to: old)
        #expect(chmod(folder.file("shared"), 0o1777) == 0 && lchown(path, 65534, 65534) == 0)
        let error = #expect(throws: FormatError.self) { try write("new", to: path, whole: whole) }
        #expect(error?.systemCode == EACCES)
        #expect(try contents(old) == Array("old".utf8))
        try write("new", to: own, whole: whole)
        #expect(try contents(old) == Array("new".utf8))
    }

    @Test("links in a circle, to a missing folder, and folders are errors", arguments: [true, false])
    func refused(whole: Bool) throws {
        let circle = try link("circle", to: "other")
        _ = try link("other", to: "circle")
        for (path, code) in [(circle, ELOOP), (try link("lost", to: "no/such/file"), ENOENT), (folder.path, EISDIR)] {
            let error = #expect(throws: FormatError.self) { try write("x", to: path, whole: whole) }
            #expect(error?.systemCode == code && error?.path == path && error?.isOutput == true, "\(error!)")
        }
    }

    @Test("a device is written to and stays a device", arguments: [true, false])
    func devices(whole: Bool) throws {
        // First look: a wrong answer must not cost the machine its devices.
        try #require(try OutputTarget("/dev/null") == .stream("/dev/null"))
        try #require(try OutputTarget(link("full", to: "/dev/full")) == .stream("/dev/full"))
        try write("x", to: "/dev/null", whole: whole)
        let error = #expect(throws: FormatError.self) { try write("x", to: folder.file("full"), whole: whole) }
        #expect(error?.systemCode == ENOSPC && error?.isOutput == true)
        for path in ["/dev/null", "/dev/full"] {
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        }
        #expect(try target(of: folder.file("full")) == "/dev/full")
    }

    @Test("a FIFO's reader gets what is written, and the FIFO stays", arguments: [true, false])
    func fifo(whole: Bool) throws {
        let path = folder.file("fifo")
        #expect(mkfifo(path, 0o600) == 0)
        let reader = Process()
        reader.executableURL = URL(filePath: "/bin/cat")
        reader.arguments = [path]
        let pipe = Pipe()
        reader.standardOutput = pipe
        try reader.run()
        try write("through", to: path, whole: whole)
        #expect(try pipe.fileHandleForReading.readToEnd() == Data("through".utf8))
        reader.waitUntilExit()
        #expect(try folder.names == ["fifo"] && OutputTarget(path) == .stream(path))
    }

    @Test("an open file by its number goes on where it is", arguments: [true, false])
    func descriptors(whole: Bool) throws {
        let path = try folder.write([], "a")
        let file = open(path, O_WRONLY)
        defer { close(file) }
        for (number, name) in ["/dev/fd/\(file)", "/proc/self/fd/\(file)", "/proc/\(getpid())/fd/\(file)"].enumerated()
        {
            #expect(try OutputTarget(name) == .descriptor(file))
            try write("\(number)", to: name, whole: whole)
        }
        try write("3", to: link("by a link", to: "/proc/self/fd/\(file)"), whole: whole)
        #expect(try contents(path) == Array("0123".utf8))
        #expect(try OutputTarget("-") == .descriptor(STDOUT_FILENO))
        #expect(try OutputTarget("/dev/stdout") == .descriptor(STDOUT_FILENO))
    }

    @Test("a file that is replaced keeps its mode, and its name may be as long as names are")
    func modes() throws {
        let path = folder.file(String(repeating: "ü", count: 127))
        try write("a", to: path, whole: true)
        chmod(path, 0o640)
        try write("b", to: path, whole: true)
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o640)
        #expect(try contents(path) == Array("b".utf8))
    }

    @Test("a file that grows can be read all the time")
    func grows() throws {
        let path = try folder.write(Array("older and longer".utf8), "a")
        let file = try OutputFile(path)
        try file.write("1\n")
        #expect(try contents(path) == Array("1\n".utf8))
        try file.write("2\n")
        #expect(try contents(path) == Array("1\n2\n".utf8))
        try file.close()
    }
}
