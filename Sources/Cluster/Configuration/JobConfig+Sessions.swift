package import Dataflow

extension JobConfig {
    /// What a session of the job is for.
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
    ///   - threads: nil: as many as this process may use.
    ///   - node: its log and profile receive the reports of a worker's or server's session; nil: there are none.
    /// - Throws: `GraphError` for a wrong device name.
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
