internal import ArgumentParser
internal import Dataflow
internal import Foundation

struct DevicesCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists the devices that graphs can be placed on.",
        discussion: "  tributary devices --json")

    @Flag(help: "Prints one JSON object.") var json = false

    private struct Listing: Encodable {
        struct Entry: Encodable {
            let name: String
            let detail: String
            /// Bytes.
            let memory: Int
        }
        let devices: [Entry]
    }

    func run(_ invocation: Invocation) throws {
        let devices: [any Device] = [CPUDevice()]
        let entries = devices.map {
            Listing.Entry(name: $0.name.description, detail: $0.detail, memory: $0.memory)
        }
        if json { return invocation.console.write(try Results.json(Listing(devices: entries))) }
        for entry in entries {
            let memory = String(format: "%.1f GiB", Double(entry.memory) / Double(1 << 30))
            invocation.console.write("\(entry.name)  \(entry.detail), \(memory)")
        }
    }
}
