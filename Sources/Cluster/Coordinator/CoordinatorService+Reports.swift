internal import Foundation
internal import Training

/// What the coordinator says of the job to people: progress, status and the final report.
extension CoordinatorService {
    private func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

    private func trainingSeconds(now: Duration) -> Double {
        state.trainingBegan.map { seconds((state.trainingEnded ?? now) - $0) } ?? 0
    }

    func progress(now: Duration) -> JobProgress {
        var progress = JobProgress()
        let elapsed = trainingSeconds(now: now)
        progress.phase = phase
        progress.step = state.step
        progress.totalSteps = state.facts.totalSteps
        progress.epoch = min(
            state.facts.schedule.epoch(ofBatch: state.step), max((job.config.train.epochs ?? .max) - 1, 0))
        progress.epochs = job.config.train.epochs
        progress.loss = state.record.recentLoss
        progress.metrics = recentMetrics
        progress.samples = state.samples
        progress.samplesPerSecond = elapsed > 0 ? Double(state.samples) / elapsed : 0
        let here = state.step - (restored?.manifest.step ?? 0)
        if here > 0, elapsed > 0 {
            progress.secondsLeft = elapsed / Double(here) * Double(state.facts.totalSteps - state.step)
        }
        progress.workersAlive = state.membership.alive(.worker).count
        progress.workers = job.config.cluster.workers
        progress.servers = job.config.cluster.servers
        progress.evaluation = state.evaluation.last.map {
            JobProgress.Evaluation(
                step: $0.step, loss: $0.sum.meanLoss,
                metrics: job.metrics.finished($0.sum.metrics, examples: $0.sum.examples))
        }
        let tally = state.tally()
        if tally != WorkerTally() { progress.gradients = JobReport.Gradients(tally) }
        return progress
    }

    private var recentMetrics: [String: Double] {
        job.metrics.finished(state.record.recentMetrics, examples: state.record.recentExamples)
    }

    private var phase: JobPhase {
        if state.evaluation.round != nil { return .evaluating }
        switch state.phase {
        case .waiting: return .waiting
        case .training: return .training
        case .stopping: return .stopping
        case .closing, .saving: return .saving
        case .failed: return .failed
        case .finished:
            switch state.outcome?.status {
            case .stopped: return .stopped
            case .failed: return .failed
            case .finished, nil: return .finished
            }
        }
    }

    func report(now: Duration) -> JobReport {
        let elapsed = trainingSeconds(now: now)
        let nodes = state.membership.nodes
        func reports(_ role: Role) -> [JobReport.Node] {
            nodes.filter { $0.role == role }.sorted { $0.number < $1.number }.map {
                JobReport.Node(
                    number: $0.number, host: $0.host, pid: $0.pid,
                    state: JobReport.Node.State($0.state),
                    steps: $0.steps, exitStatus: nil,
                    gradients: role == .worker ? JobReport.Gradients(state.tally(of: $0.number)) : nil)
            }
        }
        let tally = state.tally()
        var reason = state.outcome?.reason
        if state.hasDiverged {
            // Known only now, when the servers have told of what they were writing.
            let kept = lastCheckpoint.map { "the last good checkpoint is \($0)" } ?? "there is no checkpoint"
            reason = [reason, kept].compactMap { $0 }.joined(separator: "; ")
        }
        return JobReport(
            status: state.outcome?.status ?? .failed, steps: state.step, samples: state.samples,
            seconds: elapsed,
            samplesPerSecond: elapsed > 0 ? Double(state.samples) / elapsed : 0,
            loss: state.evaluation.last?.sum.meanLoss ?? state.record.recentLoss,
            trainLoss: state.record.recentLoss,
            metrics: state.evaluation.last.map { job.metrics.finished($0.sum.metrics, examples: $0.sum.examples) }
                ?? recentMetrics,
            workers: reports(.worker), servers: reports(.server), checkpoint: lastCheckpoint,
            checkpointError: state.checkpoints.error, leasedAgain: state.leasedAgain,
            gradients: JobReport.Gradients(tally), missedExamples: state.missedExamples,
            repeatedExamples: state.repeatedExamples, skippedSteps: state.notFinite.skipped.count,
            hasDiverged: state.hasDiverged,
            meanStaleness: tally.meanStaleness, maxStaleness: tally.stalenessMax, reason: reason)
    }

    func status(now: Duration) -> WireStatusReport {
        let progress = progress(now: now)
        var report = WireStatusReport()
        report.job = job.config.job
        report.phase = progress.phase.rawValue
        report.step = Int64(progress.step)
        report.totalSteps = Int64(progress.totalSteps)
        report.epoch = Int64(progress.epoch)
        report.loss = progress.loss ?? .nan
        report.metrics = progress.metrics
        report.seconds = trainingSeconds(now: now)
        report.samples = Int64(progress.samples)
        report.samplesPerSecond = progress.samplesPerSecond
        report.checkpoint = lastCheckpoint ?? ""
        report.view = state.view.number
        report.failure = state.outcome?.reason ?? ""
        report.tally = state.tally().wire(worker: -1)
        report.nodes = state.membership.nodes.map { member in
            var node = WireNodeStatus()
            node.role = member.role == .server ? .server : .worker
            node.number = Int32(member.number)
            node.host = member.host
            node.pid = Int64(member.pid)
            node.address = member.addresses.first ?? ""
            node.state = member.state.rawValue
            node.step = Int64(member.steps)
            node.lastSeenSeconds = seconds(now - member.lastHeard)
            if member.role == .worker { node.tally = state.tally(of: member.number).wire(worker: member.number) }
            return node
        }
        return report
    }
}
