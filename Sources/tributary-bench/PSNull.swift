import ArgumentParser
import Cluster
import Dataflow
import Foundation
import Messaging

/// What a step costs besides its bytes: the exchange of 1 KB of Variables, and an nng request and reply of the same size.
struct PSNull: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps-null", abstract: "A step's exchange of 1 KB of Variables beside a bare request and reply.")

    @Option(help: "ipc or tcp.") var transport = BenchTransport.ipc
    @Option(help: "Length of each timed part.") var seconds = 2.0
    @Option(help: "How often the two take turns.") var rounds = 5

    func run() throws {
        let folder = try BenchFolder()
        defer { folder.remove() }
        let listening = ReplyEcho.Ready()
        defer { listening.remove() }
        let echo = try BenchChild([
            "echo", try folder.address("echo", transport).description, listening.path,
        ])
        defer { echo.end() }
        let socket = try RequestSocket(dial: listening.wait(), maximumMessage: 1 << 20)
        defer { socket.close() }
        var (steps, bare): ([Double], [Double]) = ([], [])
        try ExchangeCluster(transport: transport, executors: 1, job: VectorJob(), outputs: 256).run { worker in
            for _ in 0..<rounds {
                bare.append(
                    try Timing(warmup: 100, seconds: seconds / Double(rounds)) { _ in
                        _ = try socket.request(Message(count: 76), timeout: .seconds(5))
                    }.median * 1e6)
                steps.append(
                    try Timing(warmup: 100, seconds: seconds / Double(rounds)) { _ in try worker.push(wantsValues: true)
                    }.median * 1e6)
            }
        }
        let (step, request) = (steps.sorted()[rounds / 2], bare.sorted()[rounds / 2])
        print(
            JSONLine(
                bench: "ps_null",
                [
                    ("transport", .text(transport.rawValue)), ("us_per_step", .number(step)),
                    ("us_per_request", .number(request)), ("ratio", .number(step / request)),
                ]))
    }
}

/// The other end of a bare request: sends back what it gets.
struct ReplyEcho: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "echo", shouldDisplay: false)

    @Argument var address: String
    @Argument(help: "Where to write the address that it listens at.") var ready: String

    func run() throws {
        let socket = try ReplySocket(listen: Address(address), maximumMessage: 1 << 20)
        try Data("\(socket.boundAddress)".utf8).write(to: URL(filePath: ready), options: .atomic)
        while var request = try socket.receive() { try request.reply(request.takeMessage()) }
    }

    /// The file by which the other side learns the address.
    struct Ready {
        let path = FileManager.default.temporaryDirectory.appending(path: "tributary-echo-\(UUID())").path

        func wait() throws -> Address {
            for _ in 0..<1000 {
                if let data = FileManager.default.contents(atPath: path) {
                    return try Address(String(decoding: data, as: UTF8.self))
                }
                Thread.sleep(forTimeInterval: 0.01)
            }
            throw ValidationError("the other process does not listen")
        }

        func remove() { try? FileManager.default.removeItem(atPath: path) }
    }
}
