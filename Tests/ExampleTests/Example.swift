import Foundation

/// Runs an example that was built beside the tests.
struct Example {
    let name: String

    struct Result {
        let status: Int32
        let lines: [String]
        let errors: String
    }

    /// Where the package's programs are: the folder of the test runner, or of the bundle it was given.
    static let products: URL = {
        let own = URL(filePath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "")
        let candidates = [own] + CommandLine.arguments.map { URL(filePath: $0) }
        let bundle = candidates.first { $0.lastPathComponent.hasSuffix(".xctest") } ?? own
        return bundle.deletingLastPathComponent()
    }()

    /// Runs it in `folder` and waits.
    func run(_ arguments: [String] = [], in folder: URL? = nil) throws -> Result {
        let process = Process()
        process.executableURL = Example.products.appending(path: name)
        process.arguments = arguments
        process.currentDirectoryURL = folder ?? FileManager.default.temporaryDirectory
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return Result(
            status: process.terminationStatus,
            lines: lines.last == "" ? lines.dropLast().map(String.init) : lines.map(String.init),
            errors: String(decoding: complaint, as: UTF8.self))
    }

    /// An empty folder for as long as `body` runs.
    static func withFolder<Value>(_ body: (URL) throws -> Value) throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "example-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try body(folder)
    }
}

/// The numbers in a line.
func numbers(_ line: String) -> [Double] {
    line.split(whereSeparator: { !"-+.0123456789e".contains($0) }).filter { $0.contains(where: \.isNumber) }
        .compactMap { Double($0) ?? Double($0 + "0") }  // NumPy writes "12." for 12
}
