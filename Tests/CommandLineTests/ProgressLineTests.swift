import Cluster
import Foundation
import Testing
import TributaryCommand

@Suite struct ProgressLineTests {
    static func progress(
        phase: JobPhase = .training, step: Int = 1300, secondsLeft: Double? = 3, workersAlive: Int = 2
    ) -> JobProgress {
        var progress = JobProgress()
        progress.phase = phase
        progress.step = step
        progress.totalSteps = 1890
        progress.epoch = 1
        progress.epochs = 3
        progress.loss = 0.21342
        progress.metrics = ["accuracy": 0.941]
        progress.samplesPerSecond = 12_345.6
        progress.secondsLeft = secondsLeft
        progress.workersAlive = workersAlive
        progress.workers = 2
        return progress
    }

    @Test("without a width everything is said")
    func whole() {
        #expect(
            ProgressLine(Self.progress()).text(width: nil)
                == "step 1,300/1,890 · epoch 2/3 · loss 0.2134 · accuracy 0.9410 · 12,345 samples/s · 3 s left · 2/2 workers"
        )
    }

    @Test(
        "what matters least goes first when the terminal is narrow",
        arguments: [
            (
                120,
                "step 1,300/1,890 · epoch 2/3 · loss 0.2134 · accuracy 0.9410 · 12,345 samples/s · 3 s left · 2/2 workers"
            ),
            (90, "step 1,300/1,890 · epoch 2/3 · loss 0.2134 · accuracy 0.9410 · 12,345 samples/s · 3 s left"),
            (80, "step 1,300/1,890 · epoch 2/3 · loss 0.2134 · accuracy 0.9410 · 3 s left"),
            (60, "step 1,300/1,890 · loss 0.2134 · accuracy 0.9410 · 3 s left"),
            (55, "step 1,300/1,890 · loss 0.2134 · accuracy 0.9410"),
            (20, "step 1,300/1,890"), (5, "step "), (0, ""), (-1, ""),
        ])
    func narrow(width: Int, expected: String) {
        #expect(ProgressLine(Self.progress()).text(width: width) == expected)
    }

    @Test("a lost worker stays on a narrow line")
    func lostWorker() {
        #expect(
            ProgressLine(Self.progress(workersAlive: 1)).text(width: 50)
                == "step 1,300/1,890 · loss 0.2134 · 1/2 workers")
    }

    @Test("staleness and dropped gradients are told where there are any, and are the first to go")
    func gradients() throws {
        var progress = Self.progress()
        let whole = ProgressLine(progress).text(width: nil)
        progress.gradients = try Self.gradients(applied: 5000, dropped: [:], mean: 0, max: 0)
        #expect(ProgressLine(progress).text(width: nil) == whole)
        progress.gradients = try Self.gradients(applied: 5000, dropped: ["late": 12, "dead": 1], mean: 0.96, max: 4)
        #expect(
            ProgressLine(progress).text(width: nil)
                == whole + " · staleness 1.0 (at most 4) · dropped 1 dead, 12 late")
        #expect(ProgressLine(progress).text(width: 150) == whole + " · dropped 1 dead, 12 late")
        #expect(ProgressLine(progress).text(width: 120) == whole)
    }

    static func gradients(
        applied: Int, dropped: [String: Int], mean: Double, max: Int
    ) throws -> JobReport.Gradients {
        let dropped = String(decoding: try JSONEncoder().encode(dropped), as: UTF8.self)
        let json = """
            {"applied": \(applied), "dropped": \(dropped), "mean_staleness": \(mean), "max_staleness": \(max),
             "staleness": {}}
            """
        return try JSONDecoder().decode(JobReport.Gradients.self, from: Data(json.utf8))
    }

    @Test("before the first step it says what the job waits for")
    func waiting() {
        #expect(
            ProgressLine(Self.progress(phase: .waiting, step: 0, workersAlive: 1)).text(width: 80)
                == "waiting · 1/2 workers")
    }

    @Test(
        "numbers are short",
        arguments: [
            (0.0, "0.0000"), (0.21342, "0.2134"), (0.0001234, "1.234e-04"), (1_234_567, "1.235e+06"), (.nan, "nan"),
        ])
    func numbers(value: Double, expected: String) { #expect(ProgressLine.short(value) == expected) }

    @Test("digits stand in threes", arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
    func groups(value: Int, expected: String) { #expect(ProgressLine.grouped(value) == expected) }

    @Test(
        "time left is rounded up to what one reads",
        arguments: [
            (0.2, "1 s"), (59, "59 s"), (60.0, "1 min 00 s"), (185, "3 min 05 s"), (7500, "2 h 05 min"),
            (.infinity, "very long"),
        ])
    func durations(seconds: Double, expected: String) { #expect(ProgressLine.duration(seconds) == expected) }
}
