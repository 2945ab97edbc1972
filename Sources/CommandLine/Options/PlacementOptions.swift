internal import ArgumentParser
internal import Dataflow

/// Where a graph runs.
struct PlacementOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The device to run on, such as /gpu:0, in place of the graph's own devices. Operations without a kernel for it run on the CPU.",
            valueName: "device"))
    var device: String?
    @OptionGroup var emulation: EmulationOptions

    /// - Throws: `GraphError` for a wrong device name.
    func name() throws -> DeviceName? { try device.map { try DeviceName($0) } }

    var options: DeviceOptions {
        var options = DeviceOptions(allowsEmulation: emulation.isAllowed)
        options.names = .init(softPlacement: "--soft-placement", emulation: "--opencl-cpu")
        return options
    }
}
