public import ArgumentParser
public import Cluster
internal import Foundation

/// The command line `tributary …`.
///
/// A program with its own kinds of job gets the whole command line from one call:
///
/// ```swift
/// TributaryCommand.main(jobs: [MyJob()])
/// ```
public struct TributaryCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "tributary",
        abstract: "Trains neural networks on parameter servers and workers.",
        discussion: """
            Workers compute gradients, each on its share of the data. Servers hold the variables and apply the \
            updates. The coordinator hands out the work. A YAML file describes the model, the data and the training.

            To start, in one process:
              tributary train
            With a file of your own:
              tributary train job.yaml --set train.epochs=10
            With a process for each server and worker:
              tributary launch job.yaml --servers 2 --workers 4
            On several machines, one line on each ('tributary help certificates' shows a whole example):
              tributary coordinator job.yaml --listen tls+tcp://10.0.0.5:7000 …
              tributary server --coordinator tls+tcp://10.0.0.5:7000 …
              tributary worker --coordinator tls+tcp://10.0.0.5:7000 …
            To watch a job, and to end it:
              tributary status ADDRESS
              tributary stop ADDRESS

            Progress and messages go to standard error, results to standard output. With --json the last line of \
            standard output is one JSON object. Exit status: 0 done, 64 wrong usage, 65 bad data, 69 another \
            process of the job cannot be reached or died, 70 internal error, 73 a file or address cannot be made, or \
            results cannot be written, 77 refused, 78 bad configuration, 130 ended at once by Ctrl-C, 141 nothing \
            reads the results any more.
            """,
        version: "tributary \(NodeStart.version)",
        subcommands: [
            TrainCommand.self, LaunchCommand.self, CoordinatorCommand.self, ServerCommand.self, WorkerCommand.self,
            StatusCommand.self, StopCommand.self, EvaluateCommand.self, PredictCommand.self, GraphCommand.self,
            DevicesCommand.self, CertificatesCommand.self,
        ])

    public init() {}

    /// Replaces `--resume=fresh` by the flag `--resume-fresh`: to the parser `--resume` is a flag, which takes no value.
    ///
    /// - Throws: `ValidationError` for `--resume=` with another value.
    package static func arguments(_ arguments: [String]) throws -> [String] {
        let end = arguments.firstIndex(of: "--") ?? arguments.endIndex
        return try arguments.enumerated().map { index, argument in
            guard index < end, argument.hasPrefix("--resume=") else { return argument }
            guard argument == "--resume=fresh" else {
                throw ValidationError("\(argument) is not known: write --resume or --resume=fresh")
            }
            return "--resume-fresh"
        }
    }

    /// Runs the command and ends the process with its exit status.
    ///
    /// - Parameter jobs: the program's own kinds of job, besides the built-in ones.
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
            Foundation.exit(stop.request == .now ? ExitStatus.interrupted.rawValue : 0)
        } catch {
            // The user has asked to end at once: errors come from that.
            if stop.request == .now {
                console.close()
                Foundation.exit(ExitStatus.interrupted.rawValue)
            }
            end(error, console)
        }
    }

    /// Prints the error and ends the process; prints nothing if the error is a closed pipe.
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

/// What every command is given: the program's jobs, the console, and the signal to stop.
struct Invocation {
    /// The program's own kinds of job.
    let jobs: [any TrainingJob]
    let console: Console
    /// Set by Ctrl-C and SIGTERM, in commands that listen for them.
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
    /// Whether the process may hold a job's token; then it writes no core dumps.
    static var hasToken: Bool { get }

    func run(_ invocation: Invocation) throws
}

extension Subcommand {
    static var hasToken: Bool { false }
}
