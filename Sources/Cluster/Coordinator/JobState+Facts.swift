package import Interchange
package import Training

extension JobState {
    /// What is to be known of the job beforehand.
    package struct Facts: Sendable {
        var config: JobConfig
        var fingerprint: String
        var variables: [VariableInfo]
        var totalSteps: Int
        var schedule: BatchSchedule
        var evaluationBatches: Int
        /// Batches that a restored checkpoint holds.
        var done = RangeSet<Int>()
        /// Batches that only some shards have of it, by shard.
        var ahead: [RangeSet<Int>] = []
        /// Examples of those batches that it lacks, by their positions in the job's order.
        var missed = RangeSet<Int>()
        /// The label of that checkpoint, or more: no later one has a lower.
        var leastLabel = 0
        var jobKey: UInt64
        /// False where all nodes were started with the job, so that no other will come for one that died.
        package var acceptsNodes = true

        package init(
            config: JobConfig, fingerprint: String, variables: [VariableInfo], totalSteps: Int, schedule: BatchSchedule,
            evaluationBatches: Int, done: RangeSet<Int> = RangeSet(), jobKey: UInt64
        ) {
            self.config = config
            self.fingerprint = fingerprint
            self.variables = variables
            self.totalSteps = totalSteps
            self.schedule = schedule
            self.evaluationBatches = evaluationBatches
            self.done = done
            self.jobKey = jobKey
        }
    }
}
