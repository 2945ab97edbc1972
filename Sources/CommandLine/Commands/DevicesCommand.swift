internal import ArgumentParser
internal import Dataflow
internal import Foundation

struct DevicesCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists the devices that graphs can run on, and their speed.",
        discussion: """
            The speeds are those of a product of two 1024 × 1024 float32 matrices, and of adding a number to 32 MiB of float32.

              tributary devices
              tributary devices --opencl-cpu --no-measure --json
            """)

    @OptionGroup var emulation: EmulationOptions
    @Flag(inversion: .prefixedNo, help: "Measures each device, which takes a second or two.") var measure = true
    @Flag(help: "Lists the operations that run only on the CPU, with the reasons.") var operations = false
    @Flag(help: "Prints one JSON object.") var json = false

    private struct Listing: Encodable {
        struct Entry: Encodable {
            let name: String
            let detail: String
            /// Bytes.
            let memory: Int
            let gflops: Double?
            /// Gigabytes read and written per second.
            let gbps: Double?
        }
        let devices: [Entry]
    }

    func run(_ invocation: Invocation) throws {
        if operations {
            for (reason, names) in GPUCoverage.hostOnly {
                try invocation.console.write("\(reason):\n  \(names.joined(separator: ", "))")
            }
            return
        }
        let devices = [CPUDevice() as any Device] + Accelerators.devices(emulated: emulation.isAllowed)
        let entries = try devices.map { device in
            let speed = measure ? try DeviceSpeed.measure(device.name, emulated: emulation.isAllowed) : nil
            return Listing.Entry(
                name: device.name.description, detail: device.detail, memory: device.memory, gflops: speed?.gflops,
                gbps: speed?.gbps)
        }
        if json { return try invocation.console.write(try Results.json(Listing(devices: entries))) }
        for entry in entries {
            var line = "\(entry.name)  \(entry.detail), \(ByteSize.text(entry.memory))"
            if let gflops = entry.gflops, let gbps = entry.gbps {
                line += String(format: ", %.0f GFLOP/s, %.1f GB/s", gflops, gbps)
            }
            try invocation.console.write(line)
        }
        if !emulation.isAllowed, devices.count == 1, let emulated = Accelerators.devices(emulated: true).first {
            invocation.console.log("with --opencl-cpu also: \(emulated.name)  \(emulated.detail)")
        }
    }
}
