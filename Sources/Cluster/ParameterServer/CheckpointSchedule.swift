/// When a shard saves its values: the one place that decides it.
package struct CheckpointSchedule: Equatable, Sendable {
    /// nil: only at the job's end.
    private let everySteps: Int?
    /// The label of the last checkpoint, or of the one that the job goes on from.
    private var last: Int

    package init(everySteps: Int? = nil, last: Int = 0) {
        self.everySteps = everySteps
        self.last = last
    }

    /// The label of the checkpoint that is due now that the values have so many steps; nil if none is.
    mutating func due(after steps: Int) -> Int? {
        guard let everySteps, steps > last, steps % everySteps == 0 else { return nil }
        last = steps
        return steps
    }

    /// The same for values that are about to get the first part of a step.
    mutating func due(before step: Int) -> Int? { due(after: step) }

    /// The label of the job's last checkpoint.
    mutating func end(_ label: Int) -> Int? {
        last = label
        return label
    }
}
