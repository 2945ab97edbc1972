/// A part of a closed synchronous step that is in no shard, for its worker died or left before it had pushed it everywhere.
package struct AbsentPart: Hashable, Sendable {
    package var step: Int
    /// The worker's rank among those that divided the step, and how many those were.
    package var rank: Int
    package var parts: Int

    package init(step: Int, rank: Int, parts: Int) {
        self.step = step
        self.rank = rank
        self.parts = parts
    }
}
