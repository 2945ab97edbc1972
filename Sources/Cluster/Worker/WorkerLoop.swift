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
    /// What workers compute for servers.
    private let pushed: [Node]
    private var schedule: BatchSchedule
    private var sums: [WireEvaluationSum] = []
    /// What is to be told of the last step once its pushes are known to be applied.
    private var untold: WireStepResult?
    /// The coordinator knows that held-out examples have a loss that is not finite.
    private var hasToldOfEvaluation = false

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
        pushed = job.cut.pushedNodes
    }

    func run() throws {
        guard let first = try firstView() else { return }
        var sessionOptions = SessionOptions(
            threads: threads(first), matrixPrecision: job.config.model.precision,
            softPlacement: job.config.devices.softPlacement,
            process: nil, devices: try job.config.devices.forWorker(number), fallbackLog: options.onEvent,
            planLog: options.onEvent,
            placementLog: job.config.devices.logDevicePlacement ? options.onEvent : nil,
            profile: options.profile)
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
        let sharing = view.workers.first { $0.incarnation == incarnation }?.sharing ?? 1
        let share = max(cores / sharing, 1)
        let others = sharing > 1 ? "; \(sharing) workers share \(cores) cores" : ""
        options.onEvent("worker \(number) computes with \(share) \(share == 1 ? "thread" : "threads")\(others)")
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
                // What is told to be done must be done everywhere.
                try settle(client)
                let work = try lease()
                if work != .nothing { wait = 0.001 }
                state.given(work)
            case .train(let batch, let step, let clock):
                try alone(session, client, batch, step: step, clock: clock)
                state.pushed(WorkerState.Outcome())
            case .trainTogether(let step, let number, let last):
                let view = try view(numbered: number, since: first)
                let rank = view?.workers.first { $0.incarnation == incarnation }?.rank
                if let view, let rank {
                    let outcome = try together(session, client, step, view, rank: rank, since: last)
                    state.pushed(outcome, dividedBy: view.number)
                } else if view?.isLeaving(incarnation) == true {
                    // Nor has any later step a part for this worker.
                    return
                } else {
                    // Others divide this step.
                    try settle(client)
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
                if watcher.isEnding || view.isLeaving(incarnation) { return nil }
            }
            if options.stop.isStopped {
                // A view that counts on it may be on its way.
                if leavesAtOnce || [nil, .waiting].contains(watcher.view?.phase) { return nil }
                watcher.announceLeaving()
            }
            Thread.sleep(forTimeInterval: 0.002)
        }
    }

    func client(_ view: ClusterView, _ session: Session) throws -> ParameterClient {
        let servers = view.servers.sorted { $0.number < $1.number }
        let layout = job.layout(lanes: servers.map(\.addresses.count))
        let longest = layout.bundles.map { max($0.valueBytes, $0.pushBytes) }.max() ?? 0
        let sockets = try servers.map { server in
            try server.addresses.map { text in
                do {
                    let address = try Address(text)
                    try options.rules.checkDialing(address)
                    return try RequestSocket(
                        dial: address, tls: options.clientTLS, secret: options.token ?? "",
                        maximumMessage: DataHeader.longestMessage(bundleBytes: longest))
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
            jobKey: jobKey, incarnation: incarnation, worker: number, cluster: job.config.cluster,
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

    /// Tells what was done and asks for more.
    private func lease() throws -> LeasedWork {
        if !sums.isEmpty {
            var done = WireLeaseEvaluation()
            done.worker = Int32(number)
            done.incarnation = incarnation
            done.done = sums
            _ = try control.ask(.leaseEvaluation(done), check: goOn)
            sums = []
        }
        var ask = WireLeaseBatches()
        ask.worker = Int32(number)
        ask.incarnation = incarnation
        // Those of a heartbeat on its way, too: a worker that asks and holds batches is given the same ones again.
        let (results, count) = watcher.untold
        ask.done = results
        let answer = try control.ask(.leaseBatches(ask), check: goOn)
        watcher.told(upTo: count)
        guard case .lease(let lease) = answer else { throw control.unexpected() }
        return try LeasedWork(lease)
    }

    /// Waits until the last step's pushes are applied, and notes what to tell of it.
    private func settle(_ client: ParameterClient) throws {
        try client.settle()
        noteStep(nil)
    }

    /// The step before is applied wherever it was pushed; `result` will be when the next one is.
    private func noteStep(_ result: WireStepResult?) {
        if let untold {
            watcher.add(untold)
            watcher.countStep()
        }
        untold = result
    }

    /// A step on a batch of its own. Its answers are taken as the next one needs them.
    private func alone(
        _ session: Session, _ client: ParameterClient, _ batch: Int, step: Int, clock: UInt64
    ) throws {
        guard batch < job.totalSteps else {
            throw NodeError(.refused, "the coordinator leases batch \(batch) of \(job.totalSteps)")
        }
        let indices = schedule.indices(ofBatch: batch)
        session.setRandomStep(batch)
        try client.begin(
            .init(step: step, batch: batch, examples: indices.count, clock: clock, wantsValues: !isOver))
        var result = WireStepResult(batch: batch)
        try compute(session, client, indices, &result)
        noteStep(result)
    }

    /// A synchronous step: this worker's part of the batch, by its rank, and what it has to make up for.
    private func together(
        _ session: Session, _ client: ParameterClient, _ step: Int, _ view: ClusterView, rank: Int, since last: UInt64
    ) throws -> WorkerState.Outcome {
        var indices = schedule.indices(at: view.part(ofStep: step, of: job.totalSteps, rank: rank, schedule))
        let missed = view.madeUp(by: incarnation, since: last).ranges
        let count = missed.reduce(0) { $0 + $1.count }
        guard missed.last?.upperBound ?? 0 <= job.totalExamples, count <= job.config.train.batch else {
            throw NodeError(
                .refused,
                "the coordinator names \(count) missed examples up to \(missed.last?.upperBound ?? 0) of "
                    + "\(job.totalExamples), which cannot be")
        }
        for range in missed { indices += schedule.indices(at: range) }
        session.setRandomStep(step, rank: rank)
        try client.begin(.init(step: step, batch: step, examples: indices.count, clock: view.number))
        // A worker without examples tells of the step too, for it may be the only one that lives to tell.
        let empty = WireStepResult(batch: step, view: view.number)
        var result = empty
        if indices.isEmpty {
            try client.pushRest()
        } else {
            let size = schedule.places(ofBatch: min(step, max(job.totalSteps - 1, 0))).count
            try compute(session, client, indices, of: size, &result)
        }
        noteStep(result)
        let outcome = try client.arbitrate()
        // What is not in the values is not told.
        if outcome.isLate { untold = empty }
        return outcome
    }

    /// Computes the gradients of one batch, which leave as they are made, and what to tell of it.
    private func compute(
        _ session: Session, _ client: ParameterClient, _ indices: [Int32], of batchSize: Int? = nil,
        _ result: inout WireStepResult
    ) throws {
        let values = try session.run(
            pushed + job.reportedNodes, feeds: job.feeds(job.data.training, indices, training: true),
            exchange: client.exchange)
        result.examples = Int64(indices.count)
        (result.loss, result.metrics) = try summed(values[pushed.count...], examples: indices.count)
        // Of parts of a batch the coordinator takes the mean: the sum of losses that are sums is that of these.
        if job.cut.lossIsSum, let whole = batchSize { result.loss *= Double(whole) / Double(max(indices.count, 1)) }
        client.scanRest()
        let loss = Finiteness.name(result.loss)
        guard loss != nil || client.notFinite != nil, !client.hasToldOfNaN else { return try client.pushRest() }
        var report = notFinite(client, loss: loss, step: Int(result.batch))
        report.gradient = client.notFinite?.variable ?? ""
        report.gradientValue = client.notFinite?.value ?? ""
        _ = try control.ask(.notFinite(report), check: goOn)
        switch job.config.train.onNaN {
        case .stop: try awaitEnd()
        // What is in the Variables already no later step leaves out.
        case .skip where !report.variable.isEmpty: try awaitEnd()
        case .skip: try client.pushRest(isVoid: true)
        case .ignore:
            client.hasToldOfNaN = true
            try client.pushRest()
        }
    }

    /// What to tell of numbers that are not finite.
    private func notFinite(_ client: ParameterClient, loss: String?, step: Int) -> WireNotFinite {
        var report = WireNotFinite()
        report.worker = Int32(number)
        report.incarnation = incarnation
        report.step = Int64(step)
        report.loss = loss ?? ""
        let variable = client.notFiniteVariable()
        report.variable = variable?.variable ?? ""
        report.variableValue = variable?.value ?? ""
        return report
    }

    /// The coordinator ends the job for what it was told.
    private func awaitEnd() throws -> Never {
        while !watcher.isEnding, options.stop.request != .now { Thread.sleep(forTimeInterval: 0.002) }
        throw WorkerStopped()
    }

    /// Loss and metrics of a batch as sums.
    ///
    /// - Throws: `GraphError` for what is not one number.
    private func summed(
        _ values: ArraySlice<Tensor>, examples: Int
    ) throws -> (loss: Double, metrics: [WireMetricSum]) {
        let (loss, sums) = try job.summed(values, examples: examples)
        let metrics = job.metrics.map { metric in
            var wire = WireMetricSum()
            wire.name = metric.name
            wire.sums = sums[metric.name] ?? []
            return wire
        }
        return (loss, metrics)
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
            var sum = WireEvaluationSum()
            sum.round = Int64(round)
            sum.first = Int64(batch)
            sum.countBatches = 1
            sum.examples = Int64(examples)
            (sum.loss, sum.metrics) = try summed(values[...], examples: examples)
            sums.append(sum)
            if let loss = Finiteness.name(sum.loss), !hasToldOfEvaluation {
                hasToldOfEvaluation = true
                var report = notFinite(client, loss: loss, step: round)
                report.evaluating = true
                _ = try control.ask(.notFinite(report), check: goOn)
            }
        }
    }
}

extension WireStepResult {
    /// - Parameter view: that divided the batch; 0 where one worker has all of it.
    init(batch: Int, view: UInt64 = 0) {
        self.init()
        self.batch = Int64(batch)
        self.view = view
    }
}
