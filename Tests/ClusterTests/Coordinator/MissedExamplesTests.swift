import Cluster
import Testing
import Training

/// Two epochs of 12 examples in batches of 4: step 4 has the positions 16..<20.
@Suite("Examples that dead workers missed")
struct MissedExamplesTests {
    private static func examples(missed: RangeSet<Int> = RangeSet()) -> MissedExamples {
        MissedExamples(totalSteps: 6, schedule: BatchSchedule(of: 12, batch: 4, seed: 1), missed: missed)
    }

    private static func view(_ number: UInt64, _ incarnations: [UInt64]) -> ClusterView {
        ClusterView(
            number: number, phase: .training,
            workers: incarnations.enumerated().map { .init(number: $0, rank: $0, incarnation: $1) })
    }

    /// Of a worker of a view.
    private static func part(_ step: Int, rank: Int, of view: ClusterView) -> MissedPart {
        MissedPart(
            step: step, view: view.number, count: view.workers.count, incarnation: view.workers[rank].incarnation,
            rank: rank)
    }

    private static func shares(_ view: ClusterView) -> [UInt64: RangeSet<Int>] {
        Dictionary(uniqueKeysWithValues: view.makeUps.map { ($0.incarnation, $0.positions) })
    }

    /// Worker 12 dies with its half of step 4, and the view without it gives that out.
    private static func afterOneDeath() -> (MissedExamples, ClusterView) {
        var missed = Self.examples()
        missed.note(Self.part(4, rank: 1, of: Self.view(1, [11, 12])))
        var next = Self.view(2, [11, 13])
        missed.divide(amongWorkersOf: &next, most: 4)
        return (missed, next)
    }

    @Test("what a dead worker missed is divided among those of the next view, which take it into one step")
    func divided() {
        var (missed, view) = Self.afterOneDeath()
        #expect(Self.shares(view) == [11: RangeSet(18..<19), 13: RangeSet(19..<20)])
        #expect(!missed.isEmpty && !missed.isDue)
        // Not before the first step by that view, and not in the next one by it.
        #expect(view.madeUp(by: 11, since: 1) == RangeSet(18..<19) && view.madeUp(by: 11, since: 2).isEmpty)
        missed.closed(5, of: Self.view(1, [11, 12]), by: 11)
        #expect(!missed.isEmpty, "a step by the view before has none of it")
        missed.closed(5, of: view, by: 13)
        #expect(missed.isEmpty)
    }

    @Test("told again, and by other servers, it is missed once")
    func repeats() {
        var (missed, view) = Self.afterOneDeath()
        missed.note(Self.part(4, rank: 1, of: Self.view(1, [11, 12])))
        missed.closed(5, of: view, by: 11)
        #expect(missed.isEmpty)
    }

    @Test("a share of one who dies before that step is given out anew, of one who dies after it is not")
    func deathAgain() {
        var (missed, view) = Self.afterOneDeath()
        missed.closed(5, of: view, by: 11)
        // Its part of the step after is missed, but its share went in before.
        missed.note(Self.part(6, rank: 1, of: view))
        #expect(missed.isEmpty, "steps after the last batch have no parts")

        (missed, view) = Self.afterOneDeath()
        missed.closed(5, of: view, by: 11)
        missed.note(Self.part(5, rank: 1, of: view))
        var third = Self.view(3, [11])
        missed.divide(amongWorkersOf: &third, most: 4)
        #expect(Self.shares(third) == [11: RangeSet([19..<20, 22..<24])])

        (missed, view) = Self.afterOneDeath()
        // The view was never used: the first step after it is by one without worker 13.
        third = Self.view(3, [11])
        missed.divide(amongWorkersOf: &third, most: 4)
        #expect(Self.shares(third) == [11: RangeSet(18..<19)], "who has a share keeps it")
        missed.closed(5, of: third, by: 11)
        #expect(missed.isDue)
        var fourth = Self.view(4, [11])
        missed.divide(amongWorkersOf: &fourth, most: 4)
        #expect(Self.shares(fourth) == [11: RangeSet(19..<20)])
    }

    @Test("no more is given out at once than a batch has")
    func most() {
        var missed = Self.examples(missed: RangeSet(0..<10))
        var view = Self.view(1, [11])
        missed.divide(amongWorkersOf: &view, most: 4)
        #expect(Self.shares(view) == [11: RangeSet(0..<4)] && !missed.isDue)
        missed.closed(0, of: view, by: 11)
        #expect(missed.isDue)
    }

    @Test("a checkpoint tells what its values lack, whatever has been made up for since")
    func checkpoint() {
        var (missed, view) = Self.afterOneDeath()
        #expect(missed.missing(below: 5) == RangeSet(18..<20))
        #expect(missed.missing(below: 4).isEmpty, "the batch itself is not done there")
        missed.closed(5, of: view, by: 11)
        #expect(missed.missing(below: 5) == RangeSet(18..<20) && missed.missing(below: 6).isEmpty)
        // Of a table that had not got all parts of the step before.
        let absent: Set = [Self.part(4, rank: 0, of: Self.view(1, [11, 12]))]
        #expect(missed.missing(below: 6, absent: absent) == RangeSet(16..<18))
    }

    @Test("a step of which a table knows nothing is missed as a whole")
    func unknownSteps() {
        var missed = Self.examples()
        missed.note(steps: RangeSet(3..<4))
        missed.note(steps: RangeSet(3..<4))
        var view = Self.view(1, [11])
        missed.divide(amongWorkersOf: &view, most: 4)
        #expect(Self.shares(view) == [11: RangeSet(12..<16)])
        missed.closed(4, of: view, by: 11)
        #expect(missed.isEmpty)
    }
}
