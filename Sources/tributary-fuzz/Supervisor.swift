import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Runs inputs in child processes, so that one that crashes or hangs is found, told and passed over.
struct Supervisor {
    let subject: TributaryFuzz.Kind
    let seed: UInt64
    let inputs: Range<Int>
    let graphs: [String]
    /// Seconds that one input may take.
    let deadline: Double
    /// Bytes of addresses of a child; 0 for no limit.
    let memory: Int

    struct Result {
        var findings = 0
        var outcomes = [Int](repeating: 0, count: Progress.kinds)
        /// How often each field was reached.
        var reached = [Int](repeating: 0, count: Progress.fields)
    }

    /// A child's graphs stay in memory, for a graph and its vertices hold each other: a new one starts after so many inputs.
    private static let inputsPerChild = 10_000

    func run() throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var result = Result()
        var next = inputs.lowerBound
        while next < inputs.upperBound {
            let path = "\(folder)/progress"
            try? FileManager.default.removeItem(atPath: path)
            let progress = try Progress(path: path)
            defer { progress.close() }
            progress.store(input: next, outcomes: result.outcomes.map { _ in 0 })
            let errors = "\(folder)/errors"
            let end = min(next + Self.inputsPerChild, inputs.upperBound)
            let problem = try child(next..<end, progress, path, errors)
            let (input, outcomes) = progress.load()
            for i in outcomes.indices { result.outcomes[i] += outcomes[i] }
            for (i, count) in progress.reached().enumerated() { result.reached[i] += count }
            guard let problem, input < end else {
                next = end
                continue
            }
            result.findings += 1
            let text = FileManager.default.contents(atPath: errors).map { String(decoding: $0, as: UTF8.self) } ?? ""
            // A random graph is printed whole.
            let count = subject == .plans ? 500 : 3
            let last = text.split(separator: "\n").suffix(count).joined(separator: "\n  ")
            print("\(subject.rawValue) input \(input): \(problem)\n  \(last)")
            print("  again: tributary-fuzz \(subject.rawValue) --seed \(seed) --first \(input) --count 1 --alone")
            fflush(nil)
            next = input + 1
        }
        return result
    }

    /// Reads inputs in a child. Returns what ended it; nil if it came to the end.
    private func child(_ inputs: Range<Int>, _ progress: Progress, _ path: String, _ errors: String) throws -> String? {
        _ = FileManager.default.createFile(atPath: errors, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments =
            [
                subject.rawValue, "--seed", "\(seed)", "--first", "\(inputs.lowerBound)", "--count", "\(inputs.count)",
                "--progress", path, "--memory", "\(memory)",
            ] + graphs.flatMap { ["--graphs", $0] }
        var environment = ProcessInfo.processInfo.environment
        environment["SWIFT_BACKTRACE"] = "enable=no"
        process.environment = environment
        let file = FileHandle(forWritingAtPath: errors)
        process.standardError = file
        process.standardOutput = file
        try process.run()
        var (input, since) = (-1, Date())
        while process.isRunning {
            usleep(50_000)
            let now = progress.load().input
            if now != input { (input, since) = (now, Date()) }
            if Date().timeIntervalSince(since) > deadline {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                return "hangs: it takes longer than \(deadline) s"
            }
        }
        process.waitUntilExit()
        if process.terminationReason == .uncaughtSignal { return "crashes with signal \(process.terminationStatus)" }
        return process.terminationStatus == 0 ? nil : "fails"
    }
}
