import Dataflow
import Foundation
import Testing

@Suite("Where a graph may write")
struct WritableFoldersTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "writable-\(UUID())").path

        init() throws {
            for name in ["in/deep", "out"] {
                try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
            }
            for (name, target) in [("in/link", "../out"), ("in/file", "../out/file"), ("in/round", "round")] {
                try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: target)
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    @Test(
        "is under its folders, links and dots followed",
        arguments: [
            ("in/a", true), ("in/deep/a", true), ("in/new/newer/a", true), ("in/deep/../a", true), ("in/./a", true),
            ("in//a", true), ("out/a", false), ("in/../out/a", false), ("in/link/a", false), ("in/file", false),
            ("in/round", false), ("in/new/../../out/a", false), ("inside/a", false), ("in", false), ("a", false),
            ("in/a\0b", false),
        ])
    func places(name: String, isAllowed: Bool) throws {
        let folder = try Folder()
        let writable = WritableFolders.under(["\(folder.path)/in"])
        let path = "\(folder.path)/\(name)"
        if isAllowed { try writable.check(path) } else { #expect(throws: GraphError.self) { try writable.check(path) } }
        #expect(throws: GraphError.self) { try WritableFolders.none.check(path) }
        try WritableFolders.everywhere.check(path)
    }

    @Test("a graph prints to no file unless its session lets it")
    func prints() throws {
        let folder = try Folder()
        let path = "\(folder.path)/in/printed"
        let g = Graph()
        let print = g.add(
            PrintV2.self, [g.constant(Tensor(texts: ["text"], sized: []))], ["output_stream": .string("file://\(path)")]
        )
        let error = #expect(throws: GraphError.self) { try Session(g).execute(print.node) }
        #expect(error?.description.contains("allows it to write no files") == true, "\(error!)")
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
