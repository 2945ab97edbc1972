import Cluster
import Testing

@Suite("The ledger of pushes")
struct PushLedgerTests {
    @Test("a push is applied once: its repeat is a duplicate, older steps are refused")
    func once() {
        var ledger = PushLedger()
        #expect(ledger.admit(worker: 0, incarnation: 1, step: 0) == .new)
        #expect(ledger.admit(worker: 0, incarnation: 1, step: 0) == .new, "admitted isn't applied")
        ledger.applied(worker: 0, incarnation: 1, step: 0, batch: 5)
        #expect(ledger.admit(worker: 0, incarnation: 1, step: 0) == .duplicate)
        #expect(ledger.admit(worker: 1, incarnation: 1, step: 0) == .new)
        #expect(ledger.admit(worker: 0, incarnation: 2, step: 0) == .new)
        #expect(ledger.admit(worker: 0, incarnation: 1, step: 4) == .new, "after a restored checkpoint steps have gaps")
        ledger.applied(worker: 0, incarnation: 1, step: 4, batch: 6)
        let sentence = "worker 0 pushes step 3 but step 4 is already applied"
        #expect(ledger.admit(worker: 0, incarnation: 1, step: 3) == .stale(sentence))
        #expect(ledger.updates == 2 && ledger.appliedBatches == RangeSet(5..<7))
    }

    @Test("a fenced incarnation is refused, also for what it had pushed; its successor isn't")
    func fence() {
        var ledger = PushLedger()
        ledger.applied(worker: 0, incarnation: 1, step: 0, batch: 0)
        ledger.fence(worker: 0, incarnation: 1)
        for step in 0...1 {
            guard case .stale(let sentence) = ledger.admit(worker: 0, incarnation: 1, step: step) else {
                Issue.record("step \(step) of a fenced worker is taken")
                continue
            }
            #expect(sentence.contains("worker 0 was declared dead"))
        }
        #expect(ledger.admit(worker: 0, incarnation: 2, step: 0) == .new)
        #expect(ledger.appliedBatches == RangeSet(0..<1), "what was applied stays so")
    }

    @Test("staleness is the number of updates between a worker's pull and its push")
    func staleness() {
        var ledger = PushLedger()
        ledger.pulled(worker: 0, incarnation: 1)
        ledger.pulled(worker: 1, incarnation: 2)
        ledger.applied(worker: 0, incarnation: 1, step: 0, batch: 0)  // 0
        ledger.applied(worker: 0, incarnation: 1, step: 1, batch: 1)  // 0: the last reply had the values
        ledger.applied(worker: 1, incarnation: 2, step: 0, batch: 2)  // 2
        ledger.applied(worker: 0, incarnation: 1, step: 2, batch: 3)  // 1
        #expect(ledger.stalenessSum == 3 && ledger.stalenessMax == 2 && ledger.meanStaleness == 0.75)
        ledger.applied(worker: 1, incarnation: 2, step: 1, batch: 4)  // 1
        ledger.applied(worker: 0, incarnation: 1, step: 3, batch: 5)  // 1
        _ = ledger.admit(worker: 1, incarnation: 2, step: 1)  // the answer to a repeat has new values
        ledger.applied(worker: 1, incarnation: 2, step: 2, batch: 6)  // 0
        #expect(ledger.stalenessSum == 5 && ledger.pushes == 7)
    }

    @Test("a synchronous step is one update, and every push of it counts as applied")
    func synchronous() {
        var ledger = PushLedger()
        let workers = (0..<3).map { WorkerIdentity(worker: $0, incarnation: 7) }
        for step in 0..<4 { ledger.applied(step: step, batch: step, by: workers) }
        #expect(ledger.updates == 4 && ledger.stalenessMax == 0)
        #expect(ledger.admit(worker: 2, incarnation: 7, step: 3) == .duplicate)
    }

    @Test("a batch that is applied is not applied again under another step, by whomever")
    func sameBatch() {
        var ledger = PushLedger()
        ledger.applied(worker: 0, incarnation: 1, step: 0, batch: 5)
        #expect(ledger.admit(worker: 0, incarnation: 1, step: 1, batch: 5) == .duplicate)
        #expect(ledger.admit(worker: 1, incarnation: 2, step: 0, batch: 5) == .duplicate)
        #expect(ledger.admit(worker: 1, incarnation: 2, step: 1, batch: 6) == .new)
        #expect(ledger.updates == 1)
    }
}
