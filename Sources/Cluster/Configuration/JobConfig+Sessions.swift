package import Dataflow

extension JobConfig {
    /// What a session of the job computes.
    package enum SessionUse: Sendable {
        /// The steps of worker n, or predictions, on a worker's devices.
        case worker(Int)
        /// Updates of Variables, on a server's devices.
        case server
        /// Values that are computed once, on the CPU.
        case host
    }

    /// How a session of the job runs.
    ///
    /// - Parameters:
    ///   - threads: nil: the cores of this process.
    ///   - node: receives what workers' and servers' sessions report; nil: they are silent.
    /// - Throws: `GraphError` for a device's name that is none.
    package func sessionOptions(
        for use: SessionUse, threads: Int? = nil, node: NodeOptions? = nil
    ) throws -> SessionOptions {
        var options = SessionOptions(threads: threads, process: nil)
        switch use {
        case .host:
            options.devices = .hostOnly
            return options
        case .worker(let number):
            options.devices = try devices.forWorker(number)
            options.matrixPrecision = model.precision
        case .server: options.devices = try devices.forServer()
        }
        options.softPlacement = devices.softPlacement
        options.fallbackLog = node?.onEvent
        options.planLog = node?.onEvent
        options.placementLog = devices.logDevicePlacement ? node?.onEvent : nil
        options.profile = node?.profile
        return options
    }
}
