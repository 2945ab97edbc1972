import ArgumentParser
import Dataflow
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Feeds damaged bytes to everything that reads files or sockets, and tells what crashes, hangs or takes too much memory.
@main
struct TributaryFuzz: ParsableCommand {
    enum Kind: String, CaseIterable, ExpressibleByArgument { case graphs, files, sockets, plans, placements }

    static let configuration = CommandConfiguration(
        commandName: "tributary-fuzz",
        abstract: "Reads damaged files and messages, and compares plans of random graphs with the reference executor.",
        discussion: """
            Input number n of a seed is always the same: a finding prints the command that repeats it.

              tributary-fuzz graphs --graphs Tests/InterchangeTests/Graphs --seed 7 --count 100000
              tributary-fuzz sockets --seed 7 --count 1000000
              tributary-fuzz plans --seed 7 --count 200000

            `sockets` lists at the end the numbers of messages that were sent at the edges of what they can be.

            `plans` makes random graphs of Variables, control flow, arrays and stacks, and runs each by its plans and vertex by \
            vertex. Where they differ, it leaves out statements until few are left, and prints the rest as Swift. `placements` \
            does the same with plans for a GPU, or for what OpenCL emulates of one.
            """)

    @Argument(help: "What to read: graphs, files of the other formats, what arrives in sockets; or plans.") var kind:
        Kind
    @Option(help: "Where the random numbers start.") var seed: UInt64 = 1
    @Option(help: "The number of the first input.") var first = 0
    @Option(help: "How many inputs.") var count = 10_000
    @Option(help: "A folder of graphs, or of the op table's vectors, to start from. May be repeated.")
    var graphs: [String] = []
    @Option(help: "Seconds that one input may take.") var deadline = 20.0
    @Option(
        help:
            "Addresses that the inputs may take together, such as 4GiB; 0: no limit, for AddressSanitizer takes all there are.",
        transform: ByteSize.argument)
    var memory = 4 << 30
    @Flag(help: "Reads in this process, so that a debugger or a backtrace shows where it ends.") var alone = false
    @Option(help: .hidden) var progress: String?

    func run() throws {
        let inputs = first..<first + count
        guard progress != nil || alone else { return try supervise(inputs) }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fuzz-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // What asks for far too much fails here rather than in the machine's swap.
        var limit = rlimit(rlim_cur: rlim_t(memory), rlim_max: rlim_t(memory))
        if progress != nil, memory > 0 { setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) }
        let progress = try progress.map { try Progress(path: $0) }
        switch kind {
        case .graphs:
            try Reading(subject: GraphSubject(Corpus(graphs)), seed: seed, inputs: inputs).run(progress)
        case .files: try Reading(subject: FileSubject(folder: folder), seed: seed, inputs: inputs).run(progress)
        case .sockets: try Reading(subject: SocketSubject(), seed: seed, inputs: inputs).run(progress)
        case .plans, .placements:
            try Reading(subject: PlanSubject(isOnGPU: kind == .placements), seed: seed, inputs: inputs).run(progress)
        }
    }

    private func supervise(_ inputs: Range<Int>) throws {
        let start = Date()
        let result = try Supervisor(
            subject: kind, seed: seed, inputs: inputs, graphs: graphs, deadline: deadline, memory: memory
        ).run()
        let outcomes =
            switch kind {
            case .graphs: Reading<GraphSubject>.text(result.outcomes)
            case .files: Reading<FileSubject>.text(result.outcomes)
            case .sockets: Reading<SocketSubject>.text(result.outcomes)
            case .plans, .placements: Reading<PlanSubject>.text(result.outcomes)
            }
        let seconds = String(format: "%.1f", Date().timeIntervalSince(start))
        print(
            "\(inputs.count) \(kind.rawValue) of seed \(seed) in \(seconds) s: \(outcomes), \(result.findings) findings"
        )
        if kind == .sockets { print(Reach.text(result.reached)) }
        if result.findings > 0 { throw ExitCode(1) }
    }
}
