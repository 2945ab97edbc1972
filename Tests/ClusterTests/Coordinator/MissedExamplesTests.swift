import Cluster
import Testing
import Training

@Suite("Examples that dead workers left")
struct MissedExamplesTests {
    /// Three steps of four examples each, of a data set of eight.
    private static func missed(_ initial: RangeSet<Int> = RangeSet()) -> MissedExamples {
        MissedExamples(totalSteps: 3, schedule: BatchSchedule(of: 8, batch: 4, seed: 1), missed: initial)
    }

    @Test("an absent part is missing after its step, and not before")
    func absent() {
        var missed = Self.missed()
        for _ in 0..<2 { missed.note(AbsentPart(step: 1, rank: 1, parts: 2)) }
        #expect(missed.missing(below: 1) == RangeSet() && missed.missing(below: 2) == RangeSet(6..<8))
        #expect(missed.missing(below: 3) == RangeSet(6..<8))
        missed.note(AbsentPart(step: 2, rank: 0, parts: 3))
        #expect(missed.missing(below: 2) == RangeSet(6..<8) && missed.missing(below: 3) == RangeSet(6..<10))
    }

    @Test("what is missing is trained in additional steps of at most a batch, the same whoever asks")
    func additional() {
        var missed = Self.missed(RangeSet(0..<1))
        #expect(missed.additionalSteps == 0)
        missed.note(AbsentPart(step: 2, rank: 0, parts: 1))
        #expect(missed.missing(below: 3) == RangeSet([0..<1, 8..<12]))
        for _ in 0..<2 { #expect(missed.examples(ofStep: 3, most: 4) == RangeSet([0..<1, 8..<11])) }
        #expect(missed.additionalSteps == 1)
        #expect(missed.missing(below: 3).total == 5 && missed.missing(below: 4) == RangeSet(11..<12))
        #expect(missed.examples(ofStep: 5, most: 4) == nil, "the step before has not been given out")
        #expect(missed.examples(ofStep: 4, most: 4) == RangeSet(11..<12))
        #expect(missed.examples(ofStep: 5, most: 4) == nil && missed.missing(below: 5).isEmpty)
    }

    @Test("a part that an additional step lacks is missing again")
    func again() {
        var missed = Self.missed(RangeSet(2..<6))
        #expect(missed.examples(ofStep: 3, most: 10) == RangeSet(2..<6))
        missed.note(AbsentPart(step: 3, rank: 0, parts: 3))
        #expect(missed.missing(below: 4) == RangeSet(2..<4) && missed.missing(below: 3) == RangeSet(2..<6))
        #expect(missed.examples(ofStep: 4, most: 10) == RangeSet(2..<4))
        #expect(missed.missing(below: 5).isEmpty)
        // A part of a step that was never given out has no examples.
        missed.note(AbsentPart(step: 9, rank: 0, parts: 1))
        #expect(missed.missing(below: 10).isEmpty)
    }

    @Test("workers share the examples of an additional step by rank, and nobody gets one twice", arguments: 1...5)
    func shares(parts: Int) {
        let examples = RangeSet([3..<5, 9..<10, 20..<24])
        let shares = (0..<parts).map { MissedExamples.share(of: examples, rank: $0, of: parts) }
        #expect(shares.reduce(into: RangeSet()) { $0.formUnion($1) } == examples)
        #expect(shares.reduce(0) { $0 + $1.total } == 7)
        #expect(shares.allSatisfy { $0.total >= 7 / parts && $0.total <= (7 + parts - 1) / parts })
    }
}
