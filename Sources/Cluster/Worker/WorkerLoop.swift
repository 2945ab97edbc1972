internal import Dataflow
internal import Foundation
internal import Messaging
internal import Training

/// What a worker does between joining and leaving.
final class WorkerLoop {
    private let job: PreparedJob
    private let options: NodeOptions
    private let control: ControlClient
    private let watcher: ViewWatcher
    private let number: Int
    private let incarnation: UInt64
    private let jobKey: UInt64
    private var schedule: BatchSchedule
    private var sums: [WireEvaluationSum] = []

    init(
        job: PreparedJob, options: NodeOptions, control: ControlClient, watcher: ViewWatcher, number: Int,
        incarnation: UInt64, jobKey: UInt64
    ) {
        self.job = job
        self.options = options
        self.control = control
        self.watcher = watcher
        self.number = number
        self.incarnation = incarnation
        self.jobKey = jobKey
        schedule = job.schedule
    }

    func run() throws {
        guard let first = try firstView() else { return }
        let session = try Session(
            job.graph,
            options: SessionOptions(
                threads: options.threads, softPlacement: job.config.devices.softPlacement,
                process: nil, placementLog: job.config.devices.logDevicePlacement ? options.onEvent : nil,
                profile: options.profile))
        let local = job.cut.localVariables.map(\.initializer)
        if !local.isEmpty { _ = try session.run(local) }
        let client = try client(first, session)
        let start = try client.pull()
        var step = start.step
        // The view that divides the next step: the first server's word, so that all workers go by the same.
        var divider = start.view
        var wait = 0.001
        while !isOver {
            try watcher.check()
            switch try lease() {
            case .evaluation(let round, let batches):
                wait = 0.001
                let now = try client.pull()
                (step, divider) = (max(step, now.step), now.view)
                try evaluate(session, round: round, batches)
            case .batches(let ranges):
                wait = 0.001
                if job.config.cluster.consistency == .sync {
                    while step < ranges.last?.upperBound ?? 0, !isOver {
                        let outcome = try together(session, client, step, try view(numbered: divider, since: first))
                        // The servers say which step is next: one that joined late has it from them alone.
                        (step, divider) = (max(step + 1, outcome.step), outcome.view)
                    }
                } else {
                    for batch in ranges.joined() {
                        if isOver { return }
                        try alone(session, client, batch, step: step)
                        step += 1
                    }
                }
            case .nothing:
                // Others finish the epoch, or evaluate: ask again soon, then less often.
                Thread.sleep(forTimeInterval: wait)
                wait = min(wait * 2, 0.02)
            }
        }
    }

    /// The job trains no longer, or this worker was asked to end: after the step at hand it leaves.
    private var isOver: Bool { watcher.isEnding || options.stop.isStopped }

    /// The view that divides a step; waits until it has come. nil for one from before this worker joined.
    private func view(numbered number: UInt64, since first: ClusterView) throws -> ClusterView? {
        if number == 0 { return first }
        if number < first.number { return nil }
        while true {
            if let view = watcher.view(numbered: number) { return view }
            try watcher.check()
            if watcher.isEnding { throw WorkerStopped() }
            Thread.sleep(forTimeInterval: 0.001)
        }
    }

    /// Waits until training begins; nil if the job ends before.
    func firstView() throws -> ClusterView? {
        while true {
            try watcher.check()
            if let view = watcher.view {
                if view.phase == .training, view.workers.contains(where: { $0.incarnation == incarnation }) {
                    return view
                }
                if watcher.isEnding { return nil }
            }
            if options.stop.isStopped { return nil }
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    func client(_ view: ClusterView, _ session: Session) throws -> ParameterClient {
        let servers = view.servers.sorted { $0.number < $1.number }
        let sockets = try servers.map { server in
            try server.addresses.map { text in
                do {
                    return try RequestSocket(
                        dial: Address(text), tls: options.clientTLS, maximumMessage: (4 << 20) + (64 << 10))
                } catch { throw NodeError(.peerUnavailable, "\(error)") }
            }
        }
        let watcher = self.watcher
        let stop = options.stop
        return ParameterClient(
            cut: job.cut, layout: BundleLayout(job.cut, lanes: servers.map(\.addresses.count)), session: session,
            sockets: sockets, jobKey: jobKey, incarnation: incarnation, worker: number,
            deadline: job.config.cluster.heartbeatTimeout,
            shouldStop: {
                stop.request == .now || [.finished, .failed].contains(watcher.view?.phase)
                    || (try? watcher.check()) == nil
            },
            onEvent: options.onEvent)
    }

    // MARK: Work

    private enum Work {
        case batches([Range<Int>])
        case evaluation(round: Int, Range<Int>)
        case nothing
    }

    /// Tells what was done and asks for more.
    private func lease() throws -> Work {
        if !sums.isEmpty {
            var done = WireLeaseEvaluation()
            done.worker = Int32(number)
            done.incarnation = incarnation
            done.done = sums
            sums = []
            _ = try control.ask(.leaseEvaluation(done))
        }
        var ask = WireLeaseBatches()
        ask.worker = Int32(number)
        ask.incarnation = incarnation
        ask.done = watcher.takeResults()
        guard case .lease(let lease) = try control.ask(.leaseBatches(ask)) else { throw control.unexpected() }
        if lease.hasEvaluation {
            let first = Int(lease.evaluation.first)
            return .evaluation(round: Int(lease.evaluation.round), first..<first + Int(lease.evaluation.count))
        }
        let ranges = lease.ranges.map { Int($0.first)..<Int($0.first + $0.count) }
        return ranges.isEmpty ? .nothing : .batches(ranges)
    }

    /// An asynchronous step.
    private func alone(_ session: Session, _ client: ParameterClient, _ batch: Int, step: Int) throws {
        let indices = schedule.indices(ofBatch: batch)
        session.setRandomStep(batch)
        let (gradients, result) = try compute(session, indices, batch: batch)
        _ = try client.push(
            step: step, batch: batch, examples: indices.count, gradients: gradients, wantsValues: !isOver)
        watcher.add(result)
        watcher.countStep()
    }

    /// A synchronous step: this worker's part of the batch, by its rank.
    private func together(
        _ session: Session, _ client: ParameterClient, _ step: Int, _ view: ClusterView?
    ) throws -> ParameterClient.Outcome {
        guard let view, let rank = view.workers.first(where: { $0.incarnation == incarnation })?.rank else {
            // Others divide this step: wait for the next.
            return try client.push(step: step, batch: step, examples: 0, gradients: nil)
        }
        let indices = schedule.indices(ofBatch: step, rank: rank, of: view.workers.count)
        session.setRandomStep(step, rank: rank)
        var gradients: [[Int: Tensor]]?
        // A worker without examples tells of the step too, for it may be the only one that lives to tell.
        var result = WireStepResult()
        result.batch = Int64(step)
        if !indices.isEmpty { (gradients, result) = try compute(session, indices, batch: step) }
        let outcome = try client.push(
            step: step, batch: step, examples: indices.count, gradients: gradients, view: view.number)
        watcher.add(result)
        watcher.countStep()
        return outcome
    }

    /// Gradients of one batch, and what to tell of it.
    private func compute(
        _ session: Session, _ indices: [Int32], batch: Int
    ) throws -> (gradients: [[Int: Tensor]], result: WireStepResult) {
        let pushed = job.cut.writes.map { $0.pushed.sorted { $0.key < $1.key } }
        let nodes = pushed.flatMap { $0.map(\.value) } + job.reportedNodes
        let values = try session.run(nodes, feeds: job.feeds(job.data.training, indices, training: true))
        var position = 0
        let gradients = pushed.map { inputs in
            Dictionary(
                uniqueKeysWithValues: inputs.map { input in
                    defer { position += 1 }
                    return (input.key, values[position])
                })
        }
        var result = WireStepResult()
        result.batch = Int64(batch)
        result.examples = Int64(indices.count)
        (result.loss, result.metrics) = summed(values[position...], examples: indices.count)
        return (gradients, result)
    }

    /// Means of a batch as sums over its examples.
    private func summed(_ values: ArraySlice<Tensor>, examples: Int) -> (loss: Double, metrics: [WireMetricSum]) {
        let numbers = values.map { $0.doubles[0] * Double(examples) }
        let metrics = zip(job.metricNames, numbers.dropFirst()).map { name, value in
            var metric = WireMetricSum()
            metric.name = name
            metric.sum = value
            return metric
        }
        return (numbers[0], metrics)
    }

    private func evaluate(_ session: Session, round: Int, _ batches: Range<Int>) throws {
        for batch in batches {
            let (feeds, examples) = job.evaluationFeeds(batch)
            let values = try session.run(job.reportedNodes, feeds: feeds)
            var sum = WireEvaluationSum()
            sum.round = Int64(round)
            sum.first = Int64(batch)
            sum.countBatches = 1
            sum.examples = Int64(examples)
            (sum.loss, sum.metrics) = summed(values[...], examples: examples)
            sums.append(sum)
        }
    }
}
