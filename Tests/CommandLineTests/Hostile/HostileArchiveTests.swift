import Foundation
import Interchange
import Testing

/// Compressed files of some hundred kilobytes that hold gigabytes.
@Suite("Hostile archives")
struct HostileArchiveTests {
    private static func job(_ format: String, _ path: String) -> String {
        "model: {kind: mlp, hidden: [2]}\ndata: {format: \(format), path: \(path)}\ntrain: {epochs: 1}\n"
    }

    /// What the program says of a job on a file.
    private static func train(
        _ program: LimitedProgram, _ format: String, _ path: String
    ) throws -> LimitedProgram.Outcome {
        try program.run(
            ["train", program.write(Array(job(format, path).utf8), "job.yaml")], megabytes: 3072, seconds: 60)
    }

    @Test("gzipped tables, arrays and graphs are refused where they grow too long")
    func gzipped() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        try program.shell(
            "yes 1,2 | head -c 600000000 | gzip -1 > a.csv.gz; head -c 600000000 /dev/zero | gzip -1 > a.npy.gz")
        var outcome = try Self.train(program, "csv", program.path("a.csv.gz"))
        #expect(outcome.status == 65 && outcome.text.contains("unpack it first (gunzip)"), "\(outcome)")
        #expect(outcome.text.contains("unpacks to more than the 2"), "\(outcome.text)")
        outcome = try program.run(
            ["graph", "run", program.path("a.npy.gz"), "--fetch", "a"], megabytes: 3072)
        #expect(outcome.status == 65 && outcome.text.contains("unpack it first (gunzip)"), "\(outcome.text)")
        // What came through a pipe has no size.
        outcome = try program.shell(
            "ulimit -v 3145728; cat a.npy.gz | exec \"$@\"",
            [TestProgram.path, "graph", "show", "/dev/stdin"])
        #expect(outcome.status == 65 && outcome.text.contains("unpack it first (gunzip)"), "\(outcome.text)")
    }

    @Test("entries of an .npz are refused that are too long, each or together, or that overlap")
    func zipped() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        // gzip's deflated stream without its header and its end.
        try program.shell("head -c 170000000 /dev/zero | gzip -n -9 | tail -c +11 | head -c -8 > zeros")
        let zeros = [UInt8](try Data(contentsOf: URL(filePath: program.path("zeros"))))
        let words = "unpacks to more than the 268435456 bytes"
        for (name, entries, expected) in [
            ("one", [("x.npy", 400_000_000)], words), ("two", [("x.npy", 170_000_000), ("y.npy", 170_000_000)], words),
            ("none", [("x.npy", 0)], "is truncated"),
        ] as [(String, [(String, Int)], String)] {
            let file = try program.write(Self.zip(entries.map { ($0.0, $0.1, zeros) }), "\(name).npz")
            let outcome = try Self.train(program, "npz", file)
            #expect(outcome.status == 65, "\(name): \(outcome)")
            if name != "none" { #expect(outcome.text.contains(expected), "\(name): \(outcome.text)") }
        }
        let file = try program.write(
            Self.zip([("x.npy", 1000, zeros), ("y.npy", 1000, zeros)], overlaps: true), "overlap.npz")
        let outcome = try Self.train(program, "npz", file)
        #expect(outcome.status == 65 && outcome.text.contains("the entry y.npy overlaps another"), "\(outcome.text)")
    }

    /// - Parameters:
    ///   - entries: name, length that is claimed, deflated bytes.
    ///   - overlaps: whether all stand where the first does.
    private static func zip(_ entries: [(name: String, size: Int, bytes: [UInt8])], overlaps: Bool = false) -> [UInt8] {
        func little(_ value: Int, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var (file, directory) = ([UInt8](), [UInt8]())
        for (i, entry) in entries.enumerated() {
            let common =
                little(20, 2) + little(0, 2) + little(8, 2) + little(0, 4) + little(0, 4) + little(entry.bytes.count, 4)
                + little(entry.size, 4) + little(entry.name.utf8.count, 2) + little(0, 2)
            directory += little(0x0201_4B50, 4) + little(20, 2) + common + little(0, 10)
            directory += little(overlaps ? 0 : file.count, 4) + Array(entry.name.utf8)
            if overlaps && i > 0 { continue }
            file += little(0x0403_4B50, 4) + common + Array(entry.name.utf8) + entry.bytes
        }
        let end =
            little(0x0605_4B50, 4) + little(0, 4) + little(entries.count, 2) + little(entries.count, 2)
            + little(directory.count, 4) + little(file.count, 4) + little(0, 2)
        return file + directory + end
    }
}
