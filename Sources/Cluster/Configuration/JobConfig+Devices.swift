internal import Dataflow

extension JobConfig.Devices {
    /// The devices of worker `number`.
    /// - Throws: `GraphError` for a wrong device name.
    func forWorker(_ number: Int) throws -> DeviceOptions {
        var options = options(try worker.map { try DeviceName($0) })
        if workerGPUs == .roundRobin {
            let count = Accelerators.devices(emulated: openCLCPU).count
            if count > 0 { options.standard = DeviceName(kind: .gpu, index: number % count) }
        }
        return options
    }

    /// The devices of a parameter server: no GPU unless `devices.server` names one.
    func forServer() throws -> DeviceOptions { options(try DeviceName(server)) }

    private func options(_ standard: DeviceName?) -> DeviceOptions {
        var options = DeviceOptions(
            standard: standard, allowsEmulation: openCLCPU, memoryLimit: gpuMemory, allowsTF32: allowsTF32)
        options.names = .init(
            softPlacement: "devices.softPlacement (devices.soft_placement in YAML)",
            emulation: "devices.openCLCPU (devices.opencl_cpu in YAML)")
        return options
    }
}
