import ArgumentParser
import Cluster
import Synchronization

/// How fast a job trains with every node in a process of its own.
struct ClusterRate {
    let stepsPerSecond: Double
    /// Of the timed part.
    let seconds: Double
    let firstLoss: Double?
    let lastLoss: Double?
    let report: JobReport

    /// Trains until `seconds` have been timed, after `warmup` untimed ones, and stops the job.
    init(
        _ config: JobConfig, job: any TrainingJob, transport: BenchTransport, warmup: Double, seconds: Double
    ) throws {
        var options = ProcessCluster.Options()
        options.transport = transport.choice
        let stop = StopSignal()
        let meter = Mutex(StepMeter())
        let events = Mutex<[String]>([])
        do {
            report = try ProcessCluster.launch(
                config: config, job: job, options: options, stop: stop,
                onProgress: { progress in
                    let isDone = meter.withLock { $0.note(progress, warmup: warmup, seconds: seconds) }
                    if isDone { stop.stop() }
                }, onEvent: { event in events.withLock { $0.append(event) } })
        } catch {
            let log = events.withLock { $0 }.joined(separator: "\n")
            throw ValidationError("\(error)\n\(log)")
        }
        let result = meter.withLock { $0 }
        guard let rate = result.stepsPerSecond, let elapsed = result.seconds else {
            throw ValidationError("the job ended before it was measured: \(report.reason ?? report.status.rawValue)")
        }
        (stepsPerSecond, self.seconds) = (rate, elapsed)
        (firstLoss, lastLoss) = (result.firstLoss, result.lastLoss)
    }
}
