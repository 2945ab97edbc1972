internal import ArgumentParser
internal import Dataflow

/// Where a graph is to run.
struct PlacementOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where to run what has a kernel there, such as /gpu:0, whatever the graph says.", valueName: "device"))
    var device: String?
    @OptionGroup var emulation: EmulationOptions

    /// - Throws: `GraphError` for what is no device's name.
    func name() throws -> DeviceName? { try device.map { try DeviceName($0) } }

    var options: DeviceOptions {
        var options = DeviceOptions(allowsEmulation: emulation.isAllowed)
        options.names = .init(softPlacement: "--soft-placement", emulation: "--opencl-cpu")
        return options
    }
}
