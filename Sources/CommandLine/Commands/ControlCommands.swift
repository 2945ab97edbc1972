internal import ArgumentParser
internal import Cluster
internal import Messaging

/// The options of both `status` and `stop`.
struct ControlOptions: ParsableArguments {
    @Argument(help: "Where the job's coordinator listens.", transform: { try Address($0) }) var address: Address
    @Flag(help: "Prints one JSON object.") var json = false
    @OptionGroup var token: TokenOptions
    @OptionGroup var insecure: InsecureOptions
    @OptionGroup(title: "TLS") var tls: TLSOptions

    func client(_ invocation: Invocation) throws -> ControlClient {
        try ControlClient(
            address, token: token.token(invocation.console), tls: tls.tls.forClient, isInsecure: insecure.insecure)
    }
}

struct StatusCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows the state of a job and its nodes.",
        discussion: "  tributary status tcp://127.0.0.1:7000 --json")

    @OptionGroup var control: ControlOptions

    func run(_ invocation: Invocation) throws {
        let report = try control.client(invocation).status()
        try invocation.console.write(control.json ? try Results.json(report) : Results.text(report))
    }
}

struct StopCommand: Subcommand {
    static let hasToken = true
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Stops a job, after a checkpoint if it has a checkpoint directory.",
        discussion: "  tributary stop tcp://127.0.0.1:7000")

    @OptionGroup var control: ControlOptions
    @Flag(help: "Stops at once, without a checkpoint.") var now = false

    func run(_ invocation: Invocation) throws {
        try control.client(invocation).stop(now: now)
        if control.json { try invocation.console.write(try Results.json(["status": "stopping"])) }
    }
}
