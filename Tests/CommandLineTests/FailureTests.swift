import ArgumentParser
import Cluster
import Dataflow
import Foundation
import Interchange
import Messaging
import Testing
import TributaryCommand

@Suite struct FailureTests {
    @Test(
        "a node's error has the status of its kind",
        arguments: [
            (NodeError.Kind.configuration, 78), (.badData, 65), (.peerUnavailable, 69), (.refused, 77),
            (.cannotCreate, 73),
            (.failed, 70),
        ] as [(NodeError.Kind, Int32)])
    func nodes(kind: NodeError.Kind, status: Int32) {
        let failure = Failure(NodeError(kind, "server 1 is away"))
        #expect(failure == Failure(status: status, message: "tributary: server 1 is away"))
    }

    @Test("a wrong configuration is 78 and names the file")
    func configuration() {
        let failure = #expect(throws: ConfigurationError.self) { try JobConfig.parse(yaml: "seed: x", name: "a.yaml") }
            .map { Failure($0) }
        #expect(failure?.status == 78)
        #expect(failure?.message.hasPrefix("tributary: a.yaml: 1 mistake") == true)
    }

    @Test("bad data is 65 and a wrong graph 78")
    func data() {
        #expect(Failure(FormatError(path: "x.csv", "is empty")).status == 65)
        #expect(Failure(GraphError("there is no /gpu:0")).status == 78)
    }

    @Test("an address that cannot be read is wrong usage")
    func address() {
        let error = #expect(throws: MessagingError.self) { try Address("tcp//x") }
        #expect(error.map { Failure($0).status } == 64)
    }

    @Test("an unforeseen error is internal")
    func unforeseen() {
        struct Surprise: Error {}
        #expect(Failure(Surprise()) == Failure(status: 70, message: "tributary: internal error: Surprise()"))
    }

    @Test(
        "wrong usage is 64 and says what is wrong",
        arguments: [
            (["train", "--wrokers", "2"], "--wrokers"),
            (["launch"], "Missing expected argument '<config>'"),
            (["launch", "a.yaml", "--transport", "inproc"], "inproc reaches no other process"),
            (["train", "--workers", "two"], "'two'"),
            (["worker", "--coordinator", "localhost:7000"], "tcp://HOST:PORT"),
            (["status"], "<address>"),
            (["fly"], "fly"),
        ])
    func usage(arguments: [String], word: String) {
        let error = #expect(throws: (any Error).self) { try TributaryCommand.parseAsRoot(arguments) }
        let failure = error.map { Failure($0) }
        #expect(failure?.status == 64)
        #expect(failure?.message.hasPrefix("tributary: ") == true)
        #expect(failure?.message.contains(word) == true, "\(failure?.message ?? "")")
    }

    @Test("every command's help shows an example", arguments: TributaryCommand.configuration.subcommands.indices)
    func help(index: Int) {
        let command = TributaryCommand.configuration.subcommands[index]
        let text = TributaryCommand.helpMessage(for: command)
        #expect(text.contains("\n  tributary \(command._commandName) ") || text.contains("\n  tributary train\n"))
    }

    @Test("the built-in quickstart is the file of that name")
    func quickstart() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../configs/quickstart.yaml")
        #expect(try JobConfig.parse(yaml: Quickstart.yaml) == JobConfig.load(path: file.path))
    }
}
