import Cluster

/// The report of a job, also of one that fails.
func reported(_ run: () throws -> JobReport) throws -> JobReport {
    do { return try run() } catch let error as JobError { return error.report }
}
