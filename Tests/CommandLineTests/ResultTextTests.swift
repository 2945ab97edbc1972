import Cluster
import Foundation
import Testing
import TributaryCommand

/// What people read of a job.
@Suite struct ResultTextTests {
    private static let gradients = """
        {"applied": 12000, "dropped": {"late": 12, "dead": 1}, "mean_staleness": 0.96, "max_staleness": 4,
         "staleness": {"0": 4000, "1": 8000}}
        """
    private static let none = """
        {"applied": 0, "dropped": {}, "mean_staleness": 0, "max_staleness": 0, "staleness": {}}
        """

    private func status(_ gradients: String) throws -> JobStatus {
        let json = """
            {"job": "digits", "phase": "training", "step": 1300, "total_steps": 1890, "epoch": 1, "loss": 0.25,
             "metrics": {}, "seconds": 3, "samples": 65000, "samples_per_second": 21666, "gradients": \(gradients),
             "nodes": [
               {"role": "server", "number": 0, "host": "a", "pid": 7, "address": "tcp://a:1", "state": "ready",
                "step": 1300, "last_seen_seconds": 0.1},
               {"role": "worker", "number": 0, "host": "b", "pid": 8, "address": "", "state": "ready", "step": 650,
                "last_seen_seconds": 0.2, "gradients": \(gradients)}],
             "checkpoint": "", "failure": ""}
            """
        return try JSONDecoder().decode(JobStatus.self, from: Data(json.utf8))
    }

    @Test("status tells what became of all gradients, and of each worker's")
    func statusLines() throws {
        #expect(
            Results.text(try status(Self.gradients)) == """
                digits: training, step 1,300/1,890, loss 0.2500
                12,000 gradients applied, staleness 1.0 (at most 4), dropped 1 dead, 12 late
                  server 0  ready, step 1300, a, pid 7, seen 0.1 s ago
                  worker 0  ready, step 650, b, pid 8, seen 0.2 s ago, 12,000 gradients applied, staleness 1.0 (at most 4), \
                dropped 1 dead, 12 late
                """)
        #expect(!Results.text(try status(Self.none)).contains("gradients"))
    }

    private func report(_ gradients: String, missed: Int, repeated: Int = 0, skipped: Int = 0) throws -> String {
        let json = """
            {"status": "finished", "steps": 40, "samples": 2000, "seconds": 2, "samples_per_second": 1000, "loss": 0.5,
             "metrics": {"accuracy": 0.9}, "workers": [], "servers": [], "batches_leased_again": 0,
             "gradients": \(gradients), "examples_missed": \(missed), "examples_repeated": \(repeated),
             "steps_skipped": \(skipped), "diverged": false, "mean_staleness": 0.96, "max_staleness": 4}
            """
        return Results.text(try JSONDecoder().decode(JobReport.self, from: Data(json.utf8)))
    }

    @Test("the result does too, and tells of examples that some Variables lack or have twice")
    func reportLines() throws {
        let head = "finished: 40 steps, 2,000 samples in 2.0 s (1,000 samples/s)\nloss 0.5000, accuracy 0.9000"
        let told = "\n12,000 gradients applied, staleness 1.0 (at most 4), dropped 1 dead, 12 late"
        #expect(try report(Self.gradients, missed: 0) == head + told)
        #expect(try report(Self.gradients, missed: 1025) == head + told + ", 1,025 examples missed")
        #expect(try report(Self.gradients, missed: 0, repeated: 25) == head + told + ", 25 examples twice")
        #expect(try report(Self.none, missed: 0) == head)
        let skipped = "\n1,200 steps skipped: their losses or gradients were not finite"
        #expect(try report(Self.none, missed: 0, skipped: 1200) == head + skipped)
    }
}
