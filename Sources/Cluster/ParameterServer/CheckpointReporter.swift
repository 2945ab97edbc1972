/// Tells the coordinator which files of checkpoints a server has written.
struct CheckpointReporter {
    private let control: ControlClient
    private let server: Int32
    private let incarnation: UInt64
    private var sequence: UInt64 = 0

    init(_ control: ControlClient, server: Int32, incarnation: UInt64) {
        self.control = control
        self.server = server
        self.incarnation = incarnation
    }

    /// - Parameter limit: how long each report is tried; nil: as long as any request.
    /// - Throws: `NodeError`.
    mutating func report(_ files: [CheckpointCollector.Written], limit: Duration? = nil) throws {
        for file in files {
            sequence += 1
            var report = WireCheckpointWritten()
            report.server = server
            report.incarnation = incarnation
            report.sequence = sequence
            report.step = Int64(file.step)
            report.bytes = Int64(file.bytes)
            report.headerChecksum = file.headerChecksum
            report.error = file.error
            report.notFinite = file.notFinite ?? ""
            report.applied = file.applied.wire
            report.bundles = file.bundles.map { blocks, applied in
                var bundle = WireBundleApplied()
                bundle.blocks = blocks
                bundle.applied = applied.wire
                return bundle
            }
            report.missed = file.missed.map(\.wire)
            report.absent = file.absent.map(\.wire)
            _ = try control.ask(.checkpointWritten(report), limit: limit)
        }
    }
}
