import Dataflow
import Foundation
import Testing

/// The fuzzer for a few seconds; `make fuzz` runs it for longer, with any seed.
@Suite("Damaged files and random graphs")
struct FuzzTests {
    /// Where the package's programs are: the folder of the test runner, or of the bundle it was given.
    private static let products: URL = {
        let own = URL(filePath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "")
        let candidates = [own] + CommandLine.arguments.map { URL(filePath: $0) }
        let bundle = candidates.first { $0.lastPathComponent.hasSuffix(".xctest") } ?? own
        return bundle.deletingLastPathComponent()
    }()

    private func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = Self.products.appending(path: "tributary-fuzz")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self))
    }

    @Test("damaged graphs are refused or run: no crash, no hang, no large memory")
    func graphs() throws {
        let folder = Bundle.module.bundleURL.appending(path: "Graphs").path
        let (status, text) = try run(["graphs", "--graphs", folder, "--seed", "1", "--count", "5000"])
        #expect(status == 0, "\(text)")
        // Most inputs are to reach deep code.
        let ran = try #require(text.firstMatch(of: /(\d+) ran/).flatMap { Int($0.1) })
        #expect(ran > 500, "\(text)")
    }

    @Test("damaged arrays, tables, configurations and checkpoints are refused or read")
    func files() throws {
        let (status, text) = try run(["files", "--seed", "1", "--count", "5000"])
        #expect(status == 0, "\(text)")
    }

    @Test("damaged messages to servers, to the coordinator and to workers are refused or answered")
    func sockets() throws {
        let (status, text) = try run(["sockets", "--seed", "1", "--count", "5000"])
        #expect(status == 0, "\(text)")
        let answered = try #require(text.firstMatch(of: /(\d+) answered/).flatMap { Int($0.1) })
        #expect(answered > 500, "\(text)")
    }

    @Test("plans of random graphs compute what the reference does")
    func plans() throws {
        let (status, text) = try run(["plans", "--seed", "1", "--count", "2000"])
        #expect(status == 0, "\(text)")
        #expect(text.contains("2000 agreed"), "\(text)")
    }

    @Test(
        "plans for a GPU compute what the reference does",
        .enabled(if: !Accelerators.devices(emulated: true).isEmpty))
    func placements() throws {
        let (status, text) = try run(["placements", "--seed", "1", "--count", "300"])
        #expect(status == 0, "\(text)")
        #expect(text.contains("300 agreed"), "\(text)")
    }

    @Test("an input that kills its process is told, passed over and repeated")
    func findings() throws {
        let folder = Bundle.module.bundleURL.appending(path: "Graphs").path
        // Nothing is read within no time at all.
        let (status, text) = try run([
            "graphs", "--graphs", folder, "--seed", "1", "--count", "200", "--deadline", "0.0",
        ])
        #expect(status == 1, "\(text)")
        #expect(text.contains(/graphs input \d+: hangs/), "\(text)")
        #expect(text.contains(/again: tributary-fuzz graphs --seed 1 --first \d+ --count 1 --alone/), "\(text)")
    }
}
