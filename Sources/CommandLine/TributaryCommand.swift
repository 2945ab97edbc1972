public import ArgumentParser
public import Cluster
internal import Foundation

/// The command line: what one types, as values; each command parses, calls and prints.
///
/// A program with its own kinds of job gets all of it by one line:
///
/// ```swift
/// TributaryCommand.main(jobs: [MyJob()])
/// ```
public struct TributaryCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "tributary",
        abstract: "Trains neural networks on parameter servers and workers.",
        discussion: """
            Workers compute gradients, each on its share of the data; servers hold the variables and apply the \
            updates; the coordinator hands out the work. A YAML file says what is trained on what.

            A first look, in one process:
              tributary train
            The same with a file of your own:
              tributary train job.yaml --set train.epochs=10
            Each server and worker a process:
              tributary launch job.yaml --servers 2 --workers 4
            Several machines, one line on each ('tributary help certificates' has them in full):
              tributary coordinator job.yaml --listen tls+tcp://10.0.0.5:7000 …
              tributary server --coordinator tls+tcp://10.0.0.5:7000 …
              tributary worker --coordinator tls+tcp://10.0.0.5:7000 …
            How it goes, and how to end it:
              tributary status ADDRESS
              tributary stop ADDRESS

            Progress and messages go to standard error, results to standard output; with --json the last line \
            there is one JSON object. Exit status: 0 done, 64 wrong usage, 65 bad data, 69 a peer cannot be \
            reached or was lost, 70 internal error, 73 a file or address cannot be made, or results cannot be \
            written, 77 refused, 78 bad configuration, 130 interrupted at once, 141 the reader of the results has gone.
            """,
        version: "tributary 0.1.0",
        subcommands: [
            TrainCommand.self, LaunchCommand.self, CoordinatorCommand.self, ServerCommand.self, WorkerCommand.self,
            StatusCommand.self, StopCommand.self, EvaluateCommand.self, PredictCommand.self, GraphCommand.self,
            DevicesCommand.self, CertificatesCommand.self,
        ])

    public init() {}

    /// The arguments as the parser takes them, for which an option has a value always or never: `--resume` is a flag, and
    /// `--resume=fresh` another.
    ///
    /// - Throws: `ValidationError` for another value.
    package static func arguments(_ arguments: [String]) throws -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        return try arguments.enumerated().map { index, argument in
            guard index < end, argument.hasPrefix("--resume=") else { return argument }
            guard argument == "--resume=fresh" else {
                throw ValidationError("\(argument) is not known: --resume stands alone, or is --resume=fresh")
            }
            return "--resume-fresh"
        }
    }

    /// Does what the command line asks for and ends the process with its status.
    ///
    /// - Parameter jobs: The program's own kinds of job, besides the built-in ones.
    public static func main(jobs: [any TrainingJob] = []) -> Never {
        StandardStreams.prepare()
        _ = EnvironmentToken.value
        CompilerCache.prepare()
        let console = Console()
        let stop = StopSignal()
        do {
            let command = try parseAsRoot(arguments(Array(CommandLine.arguments.dropFirst())))
            guard let subcommand = command as? any Subcommand else {
                // No command, or `help`, which ArgumentParser runs itself.
                var command = command
                try command.run()
                Foundation.exit(0)
            }
            try ProcessLimits.raiseOpenFiles()
            if type(of: subcommand).hasToken { ProcessLimits.forbidCores() }
            try subcommand.run(Invocation(jobs: jobs, console: console, stop: stop))
            try console.finish()
            Foundation.exit(stop.request == .now ? Failure.Status.interrupted : 0)
        } catch {
            // What fails then fails for that.
            if stop.request == .now {
                console.close()
                Foundation.exit(Failure.Status.interrupted)
            }
            end(error, console)
        }
    }

    /// Says what is wrong and ends the process. A reader that has gone is nothing wrong: that ends it quietly.
    private static func end(_ error: any Error, _ console: Console) -> Never {
        if StandardStreams.isClosedPipe(error) {
            console.close()
            StandardStreams.endByClosedPipe()
        }
        let failure = Failure(error)
        guard failure.status == 0 else {
            if !failure.message.isEmpty { console.log(failure.message) }
            console.close()
            Foundation.exit(failure.status)
        }
        // Help, and the version.
        do {
            try console.write(failure.message)
            try console.finish()
        } catch { end(error, console) }
        Foundation.exit(0)
    }
}

/// What commands get from outside: the program's jobs, and where to write.
struct Invocation {
    /// The program's own kinds of job.
    let jobs: [any TrainingJob]
    let console: Console
    /// Set when the process is asked to end, in commands that listen to its signals.
    let stop: StopSignal

    var registry: JobRegistry { JobRegistry(jobs) }

    /// The job of the kind that a configuration names.
    func job(for config: JobConfig) throws -> any TrainingJob {
        guard let job = registry[config.model.kind] else {
            let known = registry.kinds.sorted().joined(separator: ", ")
            throw NodeError(.configuration, "model.kind is '\(config.model.kind)'; this program knows \(known)")
        }
        return job
    }
}

/// One command of `tributary`.
protocol Subcommand: ParsableCommand {
    /// Whether the process may hold a job's token.
    static var hasToken: Bool { get }

    func run(_ invocation: Invocation) throws
}

extension Subcommand {
    static var hasToken: Bool { false }
}
