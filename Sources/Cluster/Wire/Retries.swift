/// When a request that got no answer is sent again: soon at first, then less often.
package struct Retries: Sendable {
    /// When it was sent first.
    package var began: ContinuousClock.Instant
    private var longest = Duration.milliseconds(20)
    private static let mostBetween = Duration.seconds(1)

    package init(from began: ContinuousClock.Instant) { self.began = began }

    /// How long to wait before the next try; nil if no time is left.
    ///
    /// Nodes that lost the coordinator at the same moment do not come back to it at the same moment.
    package mutating func pause(left: Duration) -> Duration? {
        guard left > .zero else { return nil }
        defer { longest = min(longest * 2, Retries.mostBetween) }
        return min(longest * Double.random(in: 0.5...1), left)
    }
}
