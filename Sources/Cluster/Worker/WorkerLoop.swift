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
    private let worker: WorkerIdentity
    private let jobKey: UInt64
    /// What workers compute for servers.
    private let pushed: [Node]
    private var schedule: BatchSchedule
    private var evaluations: [EvaluationReport] = []
    /// What is to be reported of the last step once its pushes are known to be applied.
    private var unreported: StepReport?
    /// The coordinator knows that held-out examples have a loss that is not finite.
    private var hasReportedEvaluation = false

    init(
        job: PreparedJob, options: NodeOptions, control: ControlClient, watcher: ViewWatcher, worker: WorkerIdentity,
        jobKey: UInt64
    ) {
        self.job = job
        self.options = options
        self.control = control
        self.watcher = watcher
        self.worker = worker
        self.jobKey = jobKey
        schedule = job.schedule
        pushed = job.cut.pushedNodes
    }

    func run() throws {
        guard let first = try firstView() else { return }
        var sessionOptions = try job.config.sessionOptions(
            for: .worker(worker.worker), threads: threads(first), node: options)
        // Servers make the writes.
        sessionOptions.unawaited = job.cut.writers
        let session = try Session(job.graph, options: sessionOptions)
        let local = job.cut.localVariables.map(\.initializer)
        if !local.isEmpty { _ = try session.run(local) }
        let client = try client(first, session)
        try train(session, client, first)
        try settle(client)
    }

    /// Threads to compute with: as told, or this worker's share of the cores.
    private func threads(_ view: ClusterView) -> Int {
        if let told = options.threads ?? job.config.cluster.threadsPerNode { return told }
        let cores = CPUDevice.cores
        let sharing = view.workers.first { $0.incarnation == worker.incarnation }?.sharing ?? 1
        let share = max(cores / sharing, 1)
        let others = sharing > 1 ? "; \(sharing) workers share \(cores) cores" : ""
        options.onEvent("worker \(worker.worker) computes with \(share) \(share == 1 ? "thread" : "threads")\(others)")
        return share
    }

    private func train(_ session: Session, _ client: ParameterClient, _ first: ClusterView) throws {
        var state = WorkerState(job.config.cluster.consistency)
        var wait = 0.001
        while !isOver {
            try watcher.check()
            if options.stop.isStopped { watcher.announceLeaving() }
            switch state.task {
            case .pull(let pauses):
                try settle(client)
                state.pulled(try client.pull(pauses: pauses))
            case .ask:
                // What is reported as done must be done in every shard.
                try settle(client)
                let work = try lease()
                if work != .nothing { wait = 0.001 }
                state.given(work)
            case .train(let batch, let step, let clock):
                try alone(session, client, batch, step: step, clock: clock)
                state.pushed(WorkerExchange.Outcome())
            case .trainTogether(let step, let number, let examples):
                guard let view = try view(numbered: number, since: first) else { return }
                if let rank = view.rank(of: worker.incarnation) {
                    state.pushed(try together(session, client, step, view, rank: rank, additional: examples))
                } else if view.isLeaving(worker.incarnation) {
                    // Nor has any later step a part for this worker.
                    return
                } else {
                    // Others divide this step.
                    state.waited(try client.wait(step: step))
                }
            case .evaluate(let round, let batches):
                try evaluate(session, client, round: round, batches)
                state.done()
            case .pause(let pauses):
                try client.pause(pauses: pauses)
                state.done()
            case .rest:
                // Others finish the epoch, or evaluate: ask again soon, then less often.
                Thread.sleep(forTimeInterval: wait)
                wait = min(wait * 2, 0.02)
                state.done()
            }
        }
    }

    /// The job trains no longer, or this worker was asked to end: after the step at hand it leaves. Where others count on
    /// its part of the next step too, it stays until they know.
    private var isOver: Bool { watcher.isEnding || options.stop.isStopped && leavesAtOnce }

    private var leavesAtOnce: Bool {
        options.stop.request == .now || !job.config.cluster.consistency.isSynchronous
    }

    /// The view that divides a step; waits until it has come. nil if this worker is asked to end at once meanwhile.
    private func view(numbered number: UInt64, since first: ClusterView) throws -> ClusterView? {
        // Of views from before this worker joined, it knows only that it is in none.
        if number < first.number { return ClusterView(number: number, phase: .training) }
        while options.stop.request != .now {
            if let view = watcher.view(numbered: number, for: .milliseconds(100)) { return view }
            try watcher.check()
            if watcher.isEnding { throw WorkerStopped() }
        }
        return nil
    }

    /// Waits until training begins; nil if the job ends before.
    func firstView() throws -> ClusterView? {
        while true {
            try watcher.check()
            let view = watcher.view
            if let view {
                if view.phase == .training, view.rank(of: worker.incarnation) != nil { return view }
                if watcher.isEnding || view.isLeaving(worker.incarnation) { return nil }
            }
            if options.stop.isStopped {
                // A view that counts on it may be on its way.
                if leavesAtOnce || [nil, .waiting].contains(watcher.view?.phase) { return nil }
                watcher.announceLeaving()
            }
            watcher.waitForView(after: view, for: .milliseconds(20))
        }
    }

    func client(_ view: ClusterView, _ session: Session) throws -> ParameterClient {
        let servers = view.servers.sorted { $0.number < $1.number }
        let layout = job.layout(executors: servers.map(\.addresses.count))
        let longest = layout.shards.map { max($0.valueBytes, $0.pushBytes) }.max() ?? 0
        let sockets = try servers.map { server in
            try server.addresses.map { text in
                do {
                    let address = try Address(text)
                    try options.rules.checkDialing(address)
                    return try RequestSocket(
                        dial: address, tls: options.clientTLS, secret: options.token ?? "",
                        maximumMessage: ExchangeCodec.longestMessage(shardBytes: longest))
                } catch let error as NodeError {
                    throw NodeError(error.kind, "server \(server.number): \(error)")
                } catch { throw NodeError(.peerUnavailable, "\(error)") }
            }
        }
        let watcher = self.watcher
        let stop = options.stop
        return try ParameterClient(
            cut: job.cut,
            layout: layout, session: session, sockets: sockets,
            jobKey: jobKey, worker: worker, cluster: job.config.cluster,
            onNaN: job.config.train.onNaN,
            shouldStop: {
                stop.request == .now || [.finished, .failed].contains(watcher.view?.phase)
                    || (try? watcher.check()) == nil
            },
            onEvent: options.onEvent)
    }

    // MARK: Work

    /// Checks before a request is sent again: when the job is over nobody may be there to answer.
    private func goOn() throws {
        try watcher.check()
        if [.finished, .failed].contains(watcher.view?.phase) { throw WorkerStopped() }
    }

    /// Reports what was done and asks for more.
    private func lease() throws -> LeasedWork {
        if !evaluations.isEmpty {
            var done = WireEvaluated()
            done.worker = Int32(worker.worker)
            done.incarnation = worker.incarnation
            done.done = evaluations.map(\.wire)
            _ = try control.ask(.evaluated(done), check: goOn)
            evaluations = []
        }
        var ask = WireLeaseBatches()
        ask.worker = Int32(worker.worker)
        ask.incarnation = worker.incarnation
        // Those of a heartbeat on its way, too: a worker that asks and holds batches is given the same ones again.
        let (reports, count) = watcher.pending
        ask.done = reports.map(\.wire)
        let answer = try control.ask(.leaseBatches(ask), check: goOn)
        watcher.acknowledge(upTo: count)
        guard case .lease(let lease) = answer else { throw control.unexpected() }
        return try LeasedWork(lease)
    }

    /// Waits until the last step's pushes are applied, and notes what to report of it.
    private func settle(_ client: ParameterClient) throws {
        try client.settle()
        noteStep(nil)
    }

    /// The step before is applied wherever it was pushed; `report` will be when the next one is.
    private func noteStep(_ report: StepReport?) {
        if let unreported {
            watcher.add(unreported)
            watcher.countStep()
        }
        unreported = report
    }

    /// A step on a batch of its own. Its answers are taken as the next one needs them.
    private func alone(
        _ session: Session, _ client: ParameterClient, _ batch: Int, step: Int, clock: Int
    ) throws {
        guard batch < job.totalSteps else {
            throw NodeError(.refused, "the coordinator leases batch \(batch) of \(job.totalSteps)")
        }
        let indices = schedule.indices(ofBatch: batch)
        session.setRandomStep(batch)
        let basis: GradientPush.Basis =
            job.config.cluster.consistency.isBounded ? .clock(clock) : .updates(0)
        try client.begin(
            GradientPush(step: step, batch: batch, examples: indices.count, basis: basis, wantsValues: !isOver))
        var report = StepReport(batch: batch)
        try compute(session, client, indices, &report)
        noteStep(report)
    }

    /// A synchronous step: this worker's part of the batch, or of an additional step's examples, by its rank.
    private func together(
        _ session: Session, _ client: ParameterClient, _ step: Int, _ view: ClusterView, rank: Int,
        additional: RangeSet<Int>?
    ) throws -> WorkerExchange.Outcome {
        let parts = view.workers.count
        var indices: [Int32] = []
        var size = 0
        if let additional {
            guard additional.total <= job.config.train.batch,
                additional.ranges.last?.upperBound ?? 0 <= job.totalExamples
            else {
                throw NodeError(
                    .refused,
                    "the coordinator names \(additional.total) examples up to "
                        + "\(additional.ranges.last?.upperBound ?? 0) of \(job.totalExamples), which cannot be")
            }
            let share = MissedExamples.share(of: additional, rank: rank, of: parts)
            for range in share.ranges { indices += schedule.indices(at: range) }
            size = additional.total
        } else if step < job.totalSteps {
            indices = schedule.indices(at: schedule.positions(ofBatch: step, rank: rank, of: parts))
            size = schedule.places(ofBatch: step).count
        }
        session.setRandomStep(step, rank: rank)
        try client.begin(
            GradientPush(step: step, batch: step, examples: indices.count, basis: .view(view.number)))
        // A worker without examples reports the step too, for it may be the only one that lives to do so.
        var report = StepReport(batch: step, view: view.number)
        if indices.isEmpty {
            try client.pushRest()
        } else {
            try compute(session, client, indices, of: size, &report)
        }
        let outcome = try client.awaitLead()
        // What is not in the values is not reported.
        if outcome.isLate { report = StepReport(batch: step, view: view.number) }
        if let absent = outcome.absentParts(ofStep: step, dividedBy: view) {
            report.absent = absent
            watcher.add(report)
        }
        watcher.countStep()
        return outcome
    }

    /// Computes the gradients of one batch, which leave as they are made, and what to tell of it.
    private func compute(
        _ session: Session, _ client: ParameterClient, _ indices: [Int32], of batchSize: Int? = nil,
        _ report: inout StepReport
    ) throws {
        let values = try session.run(
            pushed + job.reportedNodes, feeds: job.feeds(job.data.training, indices, training: true),
            exchange: client.runExchange)
        report.examples = indices.count
        (report.loss, report.metrics) = try job.summed(values[pushed.count...], examples: indices.count)
        // Of parts of a batch the coordinator takes the mean: the sum of losses that are sums is that of these.
        if job.cut.lossIsSum, let whole = batchSize { report.loss *= Double(whole) / Double(max(indices.count, 1)) }
        client.scanRest()
        let loss = Finiteness.name(report.loss)
        guard loss != nil || client.notFinite != nil, !client.hasReportedNaN else { return try client.pushRest() }
        var found = notFinite(client, loss: loss, step: report.batch)
        found.gradient = client.notFinite?.variable ?? ""
        found.gradientValue = client.notFinite?.value ?? ""
        _ = try control.ask(.notFinite(found.wire), check: goOn)
        switch job.config.train.onNaN {
        case .stop: try awaitEnd()
        // What is in the Variables already no later step leaves out.
        case .skip where !found.variable.isEmpty: try awaitEnd()
        case .skip: try client.pushRest(isVoid: true)
        case .ignore:
            client.hasReportedNaN = true
            try client.pushRest()
        }
    }

    /// What to report of numbers that are not finite.
    private func notFinite(_ client: ParameterClient, loss: String?, step: Int) -> NotFiniteReport {
        var report = NotFiniteReport(worker: worker, step: step)
        report.loss = loss ?? ""
        let variable = client.notFiniteVariable()
        report.variable = variable?.variable ?? ""
        report.variableValue = variable?.value ?? ""
        return report
    }

    /// The coordinator ends the job for what was reported.
    private func awaitEnd() throws -> Never {
        while !watcher.isEnding, options.stop.request != .now { watcher.waitForEnd(for: .milliseconds(50)) }
        throw WorkerStopped()
    }

    private func evaluate(
        _ session: Session, _ client: ParameterClient, round: Int, _ batches: Range<Int>
    ) throws {
        guard batches.upperBound <= job.evaluationBatches else {
            throw NodeError(.refused, "the coordinator leases held-out batches \(batches) of \(job.evaluationBatches)")
        }
        for batch in batches {
            let (feeds, examples) = job.evaluationFeeds(batch)
            let values = try session.run(job.reportedNodes, feeds: feeds)
            let (loss, metrics) = try job.summed(values[...], examples: examples)
            evaluations.append(
                EvaluationReport(
                    round: round, batches: batch..<batch + 1,
                    sum: EvaluationSum(loss: loss, metrics: metrics, examples: examples)))
            if let loss = Finiteness.name(loss), !hasReportedEvaluation {
                hasReportedEvaluation = true
                var report = notFinite(client, loss: loss, step: round)
                report.isEvaluation = true
                _ = try control.ask(.notFinite(report.wire), check: goOn)
            }
        }
    }
}
