import Cluster
import Testing

@Suite("The ledger of pushes")
struct PushLedgerTests {
    private static func worker(_ number: Int, _ incarnation: UInt64 = 1) -> WorkerIdentity {
        WorkerIdentity(worker: number, incarnation: incarnation)
    }

    /// An update by one worker, which then has the new values.
    private static func apply(_ ledger: inout PushLedger, _ holder: WorkerIdentity, step: Int, batch: Int) {
        ledger.applied(step: step, batch: batch, examples: 2, by: [holder])
        ledger.sawValues(holder)
    }

    @Test("a push is applied once: its repeat is a duplicate, older steps are refused")
    func once() {
        var ledger = PushLedger()
        let first = Self.worker(0)
        #expect(ledger.admit(first, step: 0) == .new)
        #expect(ledger.admit(first, step: 0) == .new, "admitted isn't applied")
        Self.apply(&ledger, first, step: 0, batch: 5)
        #expect(ledger.admit(first, step: 0) == .duplicate)
        #expect(ledger.admit(Self.worker(1), step: 0) == .new)
        #expect(ledger.admit(Self.worker(0, 2), step: 0) == .new)
        #expect(ledger.admit(first, step: 4) == .new, "after a restored checkpoint steps have gaps")
        Self.apply(&ledger, first, step: 4, batch: 6)
        let sentence = "worker 0 pushes step 3 but step 4 is already applied"
        #expect(ledger.admit(first, step: 3) == .stale(sentence))
        #expect(ledger.updates == 2 && ledger.appliedBatches == RangeSet(5..<7) && ledger.examples == 4)
    }

    @Test("staleness is the number of updates between a worker's pull and its push")
    func staleness() {
        var ledger = PushLedger()
        let (a, b) = (Self.worker(0), Self.worker(1))
        ledger.sawValues(a)
        ledger.sawValues(b)
        Self.apply(&ledger, a, step: 0, batch: 0)  // 0
        Self.apply(&ledger, a, step: 1, batch: 1)  // 0: the last reply had the values
        Self.apply(&ledger, b, step: 0, batch: 2)  // 2
        Self.apply(&ledger, a, step: 2, batch: 3)  // 1
        #expect(ledger.record.total.stalenessSum == 3 && ledger.record.total.stalenessMax == 2)
        #expect(ledger.record.workers[0]?.histogram.prefix(3) == [2, 1, 0])
        #expect(ledger.record.workers[1]?.meanStaleness == 2)
    }

    @Test("a batch that is applied is not applied again under another step, by whomever")
    func sameBatch() {
        var ledger = PushLedger()
        let (a, b) = (Self.worker(0), Self.worker(1, 2))
        Self.apply(&ledger, a, step: 0, batch: 5)
        #expect(ledger.admit(a, step: 1, batch: 5) == .repeated)
        #expect(ledger.admit(b, step: 0, batch: 5) == .repeated)
        #expect(ledger.admit(b, step: 0, batch: 5) == .duplicate)
        #expect(ledger.admit(b, step: 1, batch: 6) == .new)
        #expect(ledger.updates == 1 && ledger.record.total.dropped == [.repeated: 2])
    }

    @Test("the record keeps counts of all gradients")
    func record() {
        var record = UpdateRecord()
        for step in 0..<5003 { record.applied(worker: step % 2, staleness: step % 5) }
        record.dropped(worker: 7, .late)
        #expect(record.total.applied == 5003 && record.workers[7]?.dropped == [.late: 1])
        #expect(record.total.histogram.reduce(0, +) == record.total.applied)
        var tally = WorkerTally()
        for staleness in [0, 1, 2, 3, 4, 5, 1024, 5000] { record.applied(worker: 9, staleness: staleness) }
        tally += record.workers[9] ?? WorkerTally()
        #expect(tally.histogram == [1, 1, 1, 2, 1, 0, 0, 0, 0, 0, 0, 2] && tally.stalenessMax == 5000)
    }
}
