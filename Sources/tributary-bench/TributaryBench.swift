import ArgumentParser
import TributaryCommand

/// The benchmarks' command line: each case prints one JSON line.
@main
struct TributaryBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tributary-bench", abstract: "Measures Tributary; each case prints one JSON line.",
        subcommands: [
            XOR.self, MLP.self, CNN.self, LSTM.self, Lengths.self, AdamUpdate.self, Embedding.self, Startup.self,
            PushPull.self, PSAsync.self, PSSync.self, PSNull.self, Overlap.self, Load.self, Flood.self, Flooder.self,
            ReplyEcho.self,
            DeviceComparison.self,
        ])

    static func main() {
        // The nodes of a cluster are child processes of this program.
        if let command = CommandLine.arguments.dropFirst().first, ["server", "worker"].contains(command) {
            TributaryCommand.main(jobs: [BenchJob(), VectorJob(), ChainJob()])
        }
        main(Array(CommandLine.arguments.dropFirst()))
    }
}
