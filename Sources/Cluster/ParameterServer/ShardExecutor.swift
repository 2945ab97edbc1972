internal import Dataflow
internal import Foundation
internal import Messaging
internal import Synchronization

/// A shard as its executor serves it.
final class ServedShard {
    let store: ShardStore
    var state: ShardState
    var buffers = SharedBuffers()

    init(_ store: ShardStore, _ state: ShardState) {
        self.store = store
        self.state = state
    }
}

/// One thread of a server with its own socket, and the shards that it alone touches, so that nothing is locked.
final class ShardExecutor {
    /// What the server's control thread asks of an executor.
    struct Orders {
        var view: ClusterView?
        var isOver = false
    }

    /// A request that has not been answered, or whose gradients are held.
    private struct Waiting {
        /// nil if it has been answered; or while the worker, told to wait, has not asked again.
        var request: Box<Request>?
        /// nil where there are none, or they have been applied.
        var gradients: PushedBytes?
        var envelope: ExchangeEnvelope
        /// What it takes of the budget.
        var bytes = 0
        /// The message that it came in, if the answer may be written into it.
        var message: ReceivedBytes?
        var since = ContinuousClock.now
    }

    /// After so long without an answer a worker hears whom its step waits for.
    private static let patience = Duration.seconds(2)

    /// How old the report may be that the server's heartbeats carry.
    private static let reportInterval = Duration.milliseconds(50)

    private let socket: ReplySocket
    private let shards: [Int: ServedShard]
    private let jobKey: UInt64
    private var budget: PushBudget
    private let checkpoints: CheckpointWriter
    /// The most examples of a push.
    private let mostExamples: Int
    private let orders = Mutex(Orders())
    private var view: UInt64 = 0
    /// Whether an update was made since the last report, and when that was.
    private var hasNews = true
    private var reportedAt = ContinuousClock.now
    private var waiting: [Int: Waiting] = [:]
    /// Memory that workers of this machine share.
    private var memories: [WorkerIdentity: (offer: SharedMemory.Offer, memory: SharedMemory)] = [:]
    private var nextToken = 0
    private var mean: UnsafeMutableRawBufferPointer
    /// What the control thread reports of the executor.
    let report = Mutex(ServerReport())

    init(
        socket: ReplySocket, shards: [ServedShard], jobKey: UInt64, budget: PushBudget, checkpoints: CheckpointWriter,
        batch: Int
    ) {
        self.socket = socket
        self.shards = Dictionary(uniqueKeysWithValues: shards.map { ($0.store.number, $0) })
        self.jobKey = jobKey
        self.budget = budget
        self.checkpoints = checkpoints
        mostExamples = batch
        mean = .allocate(byteCount: max(shards.map(\.store.pushBytes).max() ?? 0, 16), alignment: 64)
        makeReport()
    }

    deinit { mean.deallocate() }

    /// Asks something of the executor, which looks as soon as it has done what it is at.
    func order(_ change: (inout Orders) -> Void) {
        orders.withLock { change(&$0) }
        socket.wake()
    }

    /// Serves until all is over.
    /// - Throws: what makes the whole server fail: a broken socket, an update that cannot be computed.
    func run() throws {
        defer { makeReport() }
        while true {
            let now = orders.withLock { orders -> Orders in
                defer { orders.view = nil }
                return orders
            }
            if let view = now.view { try act(on: view) }
            if now.isOver { return }
            // News has to be reported even if nobody asks.
            let patience: Duration? =
                hasNews
                ? ShardExecutor.reportInterval
                : waiting.contains { $0.value.request != nil } ? ShardExecutor.patience / 4 : nil
            if let request = try socket.receive(timeout: patience) { try handle(request) }
            try answerPatientRequests()
            if hasNews, ContinuousClock.now - reportedAt > ShardExecutor.reportInterval { makeReport() }
        }
    }

    // MARK: Requests

    private func handle(_ incoming: consuming Request) throws {
        var request = incoming
        let body = ReceivedBytes(request.takeMessage())
        let message: (envelope: ExchangeEnvelope, request: ExchangeRequest, payload: UnsafeRawBufferPointer)
        do throws(NodeError) { message = try ExchangeCodec.request(body.bytes) } catch {
            return try refuse(request, ExchangeCodec.envelope(body.bytes), error.message)
        }
        let (envelope, asked, payload) = message
        guard envelope.jobKey == jobKey else {
            return try refuse(request, envelope, "this is not a message of this job")
        }
        guard let shard = shards[envelope.shard] else {
            return try refuse(request, envelope, "shard \(envelope.shard) is not served here")
        }
        var entry = Waiting(request: nil, gradients: nil, envelope: envelope)
        do throws(ExchangeRefusal) {
            let buffer = envelope.isShared ? try shard.buffers.take(envelope) : nil
            switch asked {
            case .attach: try attach(payload, envelope, shard)
            case .push(let push): try check(push, payload, body, buffer, shard, &entry)
            case .pull, .close, .await, .pause: break
            }
        } catch { return try refuse(request, envelope, error.reason) }
        entry.request = Box(request)
        nextToken += 1
        waiting[nextToken] = entry
        try perform(shard.state.handle(asked, of: envelope.worker, token: nextToken), shard)
    }

    /// Finds the gradients of a push, and keeps their bytes for as long as its step may take.
    private func check(
        _ push: GradientPush, _ payload: UnsafeRawBufferPointer, _ body: ReceivedBytes, _ buffer: SharedBuffer?,
        _ shard: ServedShard, _ entry: inout Waiting
    ) throws(ExchangeRefusal) {
        guard push.examples <= mostExamples else {
            throw ExchangeRefusal("the number of examples is \(push.examples), \(mostExamples) at most can be")
        }
        // A worker without examples in a synchronous step has nothing to send.
        let isEmpty = push.isVoid || shard.state.rule.isSynchronous && push.examples == 0
        guard !isEmpty else {
            guard payload.isEmpty else { throw ExchangeRefusal("a push without gradients has \(payload.count) bytes") }
            return
        }
        if buffer != nil || !isHeld(shard) || budget.take(payload.count) {
            entry.gradients = shard.store.pushed(payload, isEncoded: entry.envelope.isEncoded, owner: body, buffer)
            entry.bytes = buffer == nil && isHeld(shard) ? payload.count : 0
            // An asynchronous push is answered at once, and its message read by then.
            if shard.state.rule == .asynchronous { entry.message = body }
        } else {
            let spilled: SpilledBytes
            do throws(NodeError) { spilled = try SpilledBytes(payload) } catch { throw ExchangeRefusal(error.message) }
            entry.gradients = shard.store.pushed(
                spilled.bytes, isEncoded: entry.envelope.isEncoded, owner: spilled, nil)
        }
        guard entry.gradients != nil else {
            budget.giveBack(entry.bytes)
            throw ExchangeRefusal(
                "a push of shard \(shard.store.number) has \(shard.store.pushBytes) bytes of an example at least, got "
                    + "\(payload.count) of \(push.examples)")
        }
    }

    /// Whether pushes wait here for the end of their step.
    private func isHeld(_ shard: ServedShard) -> Bool {
        switch shard.state.rule {
        case .lead, .holding: true
        case .asynchronous, .bounded, .embeddings: false
        }
    }

    /// Opens the memory that a worker of this machine offers for a shard.
    private func attach(
        _ payload: UnsafeRawBufferPointer, _ envelope: ExchangeEnvelope, _ shard: ServedShard
    ) throws(ExchangeRefusal) {
        let worker = envelope.worker
        guard !shard.state.roster.hasDeparted(worker), !envelope.isShared, let offer = shard.store.offer(payload) else {
            throw ExchangeRefusal("this is no offer of memory for shard \(shard.store.number)")
        }
        let known = memories[worker].flatMap { $0.offer == offer.memory ? $0.memory : nil }
        do throws(SharedMemory.Failure) {
            try shard.buffers.attach(offer, of: worker, sequence: envelope.sequence) {
                () throws(SharedMemory.Failure) -> SharedMemory in
                if let known { return known }
                let memory = try SharedMemory(offer.memory)
                memories[worker] = (offer.memory, memory)
                return memory
            }
        } catch { throw ExchangeRefusal("\(error)") }
    }

    private func refuse(
        _ request: consuming Request, _ envelope: ExchangeEnvelope?, _ reason: String
    ) throws {
        let envelope =
            envelope
            ?? ExchangeEnvelope(
                jobKey: 0, worker: WorkerIdentity(worker: 0, incarnation: 0), shard: 0, sequence: 0)
        try request.reply(ExchangeCodec.message(.refused(reason), envelope.answering))
    }

    // MARK: Actions

    private func perform(_ actions: [ShardState.Action], _ shard: ServedShard) throws {
        for action in actions {
            switch action {
            case .apply(let update): try apply(update, shard)
            case .save(let step):
                checkpoints.add(try shard.store.values(atStep: step, shard.state))
            case .answer(let token, let reply):
                // A worker that was told to wait asks again later.
                if let request = waiting[token]?.request?.take() {
                    try request.reply(message(reply, shard, for: token))
                }
                waiting[token]?.request = nil
                if reply != .held { forget(token) }
            case .renew(let token, let by):
                // The bytes are here already; only the request to answer is new.
                guard let newer = waiting[by] else { break }
                waiting[by] = nil
                waiting[token]?.request = newer.request
                waiting[token]?.envelope.sequence = newer.envelope.sequence
                waiting[token]?.since = .now
            case .drop(let token): forget(token)
            }
        }
    }

    private func forget(_ token: Int) { budget.giveBack(waiting.removeValue(forKey: token)?.bytes ?? 0) }

    private func message(_ reply: ExchangeReply, _ shard: ServedShard, for token: Int) throws -> Message {
        guard let entry = waiting[token] else { throw NodeError(.failed, "an answer has no request") }
        guard reply.carriesValues else { return ExchangeCodec.message(reply, entry.envelope.answering) }
        return try shard.store.values(
            reply, for: entry.envelope, shard.buffers[entry.envelope], reusing: entry.message)
    }

    /// Applies gradients, added up in the order of the update, so that the result does not depend on who came first.
    private func apply(_ update: ShardState.Update, _ shard: ServedShard) throws {
        let parts = update.parts.compactMap { part in
            waiting[part.token]?.gradients.map { (bytes: $0, weight: part.weight) }
        }
        if parts.count == 1, parts[0].weight == 1 {
            try shard.store.apply(parts[0].bytes)
        } else if !parts.isEmpty {
            try shard.store.apply(parts, sum: mean.baseAddress!)
        }
        // An answer may have to wait; the bytes need not.
        for part in update.parts {
            budget.giveBack(waiting[part.token]?.bytes ?? 0)
            waiting[part.token]?.gradients = nil
            waiting[part.token]?.bytes = 0
        }
        hasNews = true
    }

    /// Answers requests that have waited long with the names of the workers that they wait for.
    private func answerPatientRequests() throws {
        guard !waiting.isEmpty else { return }
        let now = ContinuousClock.now
        for (token, entry) in waiting where entry.request != nil && now - entry.since > ShardExecutor.patience {
            guard let shard = shards[entry.envelope.shard] else { continue }
            let names = shard.state.awaited(by: token).map { "worker \($0)" }.joined(separator: ", ")
            waiting[token]?.request = nil
            if let request = entry.request?.take() {
                try request.reply(ExchangeCodec.message(.waiting(names), entry.envelope.answering))
            }
        }
    }

    // MARK: Views and reports

    private func act(on view: ClusterView) throws {
        for shard in shards.values.sorted(by: { $0.store.number < $1.store.number }) {
            try perform(shard.state.act(on: view), shard)
        }
        for worker in memories.keys where shards.values.contains(where: { $0.state.roster.hasDeparted(worker) }) {
            memories[worker] = nil
            for shard in shards.values { shard.buffers.detach(worker) }
        }
        self.view = view.number
        // After all that, for what has closed by it is reported too.
        makeReport()
    }

    /// Puts down what the heartbeats report.
    private func makeReport() {
        (hasNews, reportedAt) = (false, .now)
        let now = ServerReport(
            shards.values.map(\.state), view: view, hasChanged: shards.values.contains(where: \.store.hasChanged))
        report.withLock { $0 = now }
    }
}

extension ExchangeEnvelope {
    /// The envelope of an answer that carries no tensors.
    var answering: ExchangeEnvelope {
        var answer = ExchangeEnvelope(jobKey: jobKey, worker: worker, shard: shard, sequence: sequence)
        answer.buffer = buffer
        return answer
    }
}
