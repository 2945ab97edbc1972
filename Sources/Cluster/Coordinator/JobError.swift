/// A job has failed: why, what was finished, and where the last checkpoint is.
///
/// ```swift
/// do { try await LocalCluster.train(config, job: job) } catch let error as JobError {
///     print(error.reason, error.report.steps, error.checkpoint ?? "nothing is saved")
/// }
/// ```
public struct JobError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What became of the job; its status is `failed`.
    public let report: JobReport

    public init(_ report: JobReport) { self.report = report }

    /// Why it failed.
    public var reason: String { report.reason ?? "no reason given" }
    /// The manifest of the last checkpoint; nil where there is none.
    public var checkpoint: String? { report.checkpoint }

    public var description: String {
        // A training that diverged names its checkpoint in the reason.
        let saved = checkpoint.map { reason.contains($0) ? "" : "; the last checkpoint is \($0)" } ?? ""
        return "the job failed after \(report.steps) steps: \(reason)\(saved)"
    }
}

extension JobReport {
    /// The report of a job that has not failed.
    /// - Throws: `JobError` for one that has.
    func checked() throws(JobError) -> JobReport {
        guard status != .failed else { throw JobError(self) }
        return self
    }
}
