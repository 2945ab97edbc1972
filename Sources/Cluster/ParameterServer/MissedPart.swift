/// A part of a synchronous step that a bundle will never have, for the worker died that had it.
package struct MissedPart: Hashable, Sendable {
    package var step: Int
    /// The view that divides the step.
    package var view: UInt64
    /// The worker's, in that view.
    package var rank: Int

    package init(step: Int, view: UInt64, rank: Int) {
        self.step = step
        self.view = view
        self.rank = rank
    }
}

extension MissedPart {
    var wire: WireMissedPart {
        var wire = WireMissedPart()
        wire.step = Int64(step)
        wire.view = view
        wire.rank = Int32(rank)
        return wire
    }

    /// nil for one that cannot be.
    init?(_ wire: WireMissedPart) {
        guard DataHeader.numbers.contains(wire.step), wire.rank >= 0 else { return nil }
        self.init(step: Int(wire.step), view: wire.view, rank: Int(wire.rank))
    }
}
