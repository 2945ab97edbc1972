import Cluster
import Foundation
import Interchange
import Messaging
import Schemas
import SwiftProtobuf
import Testing

/// Names and messages of others that would steer the terminal.
@Suite("Hostile names and messages", .serialized)
struct TerminalProgramTests {
    private static let evil = "evil\u{1B}]0;pwned\u{7}\u{1B}[2J\u{9B}31m\u{7F}\u{202E}\u{2028}\r\nforged line"

    /// Whether bytes are UTF-8 without a character that a terminal obeys; line ends and tabs may be there.
    private static func isHarmless(_ bytes: [UInt8]) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            if scalar == "\n" || scalar == "\t" { return true }
            return ![.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
                && !(0x202A...0x202E).contains(scalar.value) && !(0x2066...0x2069).contains(scalar.value)
        }
    }

    private static func expectHarmless(_ outcome: LimitedProgram.Outcome, status: Int32) {
        #expect(outcome.status == status, "\(outcome.text)")
        #expect(isHarmless(outcome.output) && isHarmless(outcome.errors), "\(outcome)")
        #expect(!outcome.text.contains("\nforged line"), "\(outcome.text)")
    }

    @Test("a host's name in the log and in the status")
    func host() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        let address = "ipc://\(program.path("c"))"
        let job = try RunningJob("coordinator", ["--listen", address], in: program.folder)
        #expect(job.waitFor("coordinator listens"))
        let client = try ControlClient(Address(address))
        defer { client.close() }
        var registration = WireRegisterServer()
        registration.host = Self.evil
        registration.pid = 7
        registration.version = NodeStart.version
        registration.incarnation = 9
        registration.dataAddresses = ["inproc://nowhere"]
        guard case .serverAssigned = try client.ask(.registerServer(registration)) else {
            Issue.record("the registration is refused")
            return
        }
        #expect(job.waitFor("joined from evil\\x1b]0;pwned\\x07"), "\(job.log)")
        #expect(Self.isHarmless(Array(job.log.utf8)) && !job.log.contains("\nforged line"), "\(job.log)")
        let text = try program.run(["status", address])
        Self.expectHarmless(text, status: 0)
        #expect(
            text.text.contains("evil\\x1b]0;pwned\\x07\\x1b[2J\\x9b31m\\x7f\\u202e\\u2028\\x0d\\nforged line, pid 7"))
        let json = try program.run(["status", address, "--json"])
        Self.expectHarmless(json, status: 0)
        let status = try JSONDecoder().decode(JobStatus.self, from: Data(json.output))
        #expect(status.nodes.first?.host == Self.evil)
        // The reason of a stop is another's text, too.
        try client.stop(now: true, reason: Self.evil)
        #expect(job.waitFor("the job stops: evil\\x1b"), "\(job.log)")
        let (_, report) = try job.finish()
        #expect(report?.reason == Self.evil)
        #expect(Self.isHarmless(Array(job.log.utf8)) && !job.log.contains("\nforged line"), "\(job.log)")
    }

    @Test("the reason for which a coordinator refuses, to nodes and to the command line")
    func refusal() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        let address = "ipc://\(program.path("c"))"
        let socket = try ReplySocket(listen: Address(address), maximumMessage: ControlClient.maximumMessage)
        let answering = Thread {
            while let request = try? socket.receive() {
                let reply = WireReply.with {
                    $0.refused.reason = Self.evil
                    $0.refused.differences = [Self.evil]
                }
                guard let bytes: [UInt8] = try? reply.serializedBytes() else { return }
                try? request.reply(Messaging.Message(bytes))
            }
        }
        answering.start()
        defer { socket.close() }
        for arguments in [
            ["status", address], ["stop", address], ["server", "--coordinator", address],
            ["worker", "--coordinator", address],
        ] {
            let outcome = try program.run(arguments)
            Self.expectHarmless(outcome, status: 77)
            #expect(outcome.text.contains("refuses: evil\\x1b]0;pwned\\x07"), "\(outcome.text)")
        }
    }

    @Test("names and texts of a graph")
    func graph() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        var graph = TFGraphDef()
        graph.node = [
            HostileFunctions.node(Self.evil, "NoOp"), HostileFunctions.node("bad", Self.evil),
            HostileFunctions.node(
                "text", "Const", [],
                [
                    "dtype": HostileFunctions.type(.dtString),
                    "value": .with {
                        $0.tensor.dtype = .dtString
                        $0.tensor.tensorShape = .init()
                        $0.tensor.stringVal = [Data(Self.evil.utf8) + [0xFF, 0xC3]]
                    },
                ]),
            HostileFunctions.node("out", "PrintV2", ["text"], ["output_stream": .with { $0.s = Data("stdout".utf8) }]),
            HostileFunctions.node("err", "PrintV2", ["text"], ["end": .with { $0.s = Data("\u{1B}c".utf8) }]),
        ]
        let file = try program.write(graph.serializedBytes(), "graph.pb")
        let shown = try program.run(["graph", "show", file])
        Self.expectHarmless(shown, status: 0)
        #expect(shown.text.contains("evil\\x1b]0;pwned\\x07"), "\(shown.text)")
        let listed = try program.run(["graph", "show", "--json", file])
        Self.expectHarmless(listed, status: 0)
        struct Listing: Decodable {
            struct Node: Decodable { let name: String }
            let nodes: [Node]
        }
        #expect(try JSONDecoder().decode(Listing.self, from: Data(listed.output)).nodes.first?.name == Self.evil)
        for name in ["out", "err", "text"] {
            let run = try program.run(["graph", "run", file, "--fetch", name])
            #expect(run.status == 0 && Self.isHarmless(run.output) && Self.isHarmless(run.errors), "\(run)")
        }
        let failing = try program.run(["graph", "run", file, "--fetch", "bad"])
        #expect(failing.status != 0)
        Self.expectHarmless(failing, status: failing.status)
    }

    @Test("files' names, cells, values of the configuration and the command line's own words")
    func files() throws {
        let program = try LimitedProgram()
        defer { program.remove() }
        let name = "a\u{1B}[31m\n\u{202E}b.csv"
        try Data("x,y\u{1B}]0;t\u{7}\n1,\u{1B}[2J\u{85}\n2,\u{9B}x\n".utf8).write(to: URL(filePath: program.path(name)))
        let yaml = "model: {kind: mlp}\ndata: {format: csv, path: \"a\\e[31m\\n\\u202eb.csv\", task: regression}\n"
        let job = try program.write(Array(yaml.utf8), "job.yaml")
        var outcome = try program.run(["train", job])
        Self.expectHarmless(outcome, status: 65)
        #expect(outcome.text.contains("a\\x1b[31m\\n\\u202eb.csv"), "\(outcome.text)")
        let wrong = try program.write(
            Array("\"\\e[2J\\nforged line\": 1\n\"\\x9b\": {\"\\e\": 2}\njob: [\"\\e\"]\n".utf8), "wrong.yaml")
        Self.expectHarmless(try program.run(["train", wrong]), status: 78)
        for arguments in [
            ["train", "--\u{1B}[2J"], ["train", "no\u{1B}[2J\u{9B}\u{202E}.yaml"], ["\u{1B}[2J"],
            ["status", "tcp://\u{1B}[2J:1"], ["graph", "show", "\u{1B}[2J\r"], ["train", "--set", "\u{1B}=1"],
            ["evaluate", job, "--checkpoint", "\u{1B}[2J"],
        ] {
            outcome = try program.run(arguments)
            #expect(outcome.status != 0)
            Self.expectHarmless(outcome, status: outcome.status)
        }
    }
}
