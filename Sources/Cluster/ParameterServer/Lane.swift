internal import Dataflow
internal import Foundation
internal import Messaging
internal import Synchronization

/// One lane of a server: a thread with its own socket, and the bundles that it alone touches, so that nothing is locked.
final class Lane {
    /// What the server's control thread tells a lane.
    struct Orders {
        var view: ClusterView?
        /// The step under which all bundles are to be saved.
        var save: Int?
        var isOver = false
    }

    /// A request that is not answered yet, and its bytes.
    private struct Parked {
        /// nil while the worker, told to wait, has not asked again.
        var request: Box<Request>?
        /// nil where there are none, or they have been applied.
        var gradients: PushedBytes?
        var header: DataHeader
        /// What it holds of the server's memory.
        var bytes: Int
        /// The message that it came in, if the answer may be written into it.
        var message: ReceivedBytes?
        var since: ContinuousClock.Instant
    }

    /// After so long without an answer a worker is told whom its step waits for.
    private static let patience = Duration.seconds(2)

    /// How old news may be that the server's heartbeats tell.
    private static let newsInterval = Duration.milliseconds(50)

    private let socket: ReplySocket
    private var shards: [Int: BundleShard]
    private let jobKey: UInt64
    private let parking: ParkingSpace
    private let checkpoints: CheckpointCollector
    private let everySteps: Int?
    /// The most examples of a push: its part of a batch, and as many that were missed.
    private let mostExamples: Int
    private let orders: Mutex<Orders>
    private var view: ClusterView?
    /// Whether an update was made since `facts` were told, and when that was.
    private var hasNews = true
    private var toldAt = ContinuousClock.now
    private var parked: [Int: Parked] = [:]
    /// Memory that workers of this machine share, by their number.
    private var memories: [UInt32: (incarnation: UInt64, offer: SharedMemory.Offer, memory: SharedMemory)] = [:]
    private var nextToken = 0
    private var mean: UnsafeMutableRawBufferPointer
    /// What the control thread reports of the lane.
    let facts = Mutex(LaneFacts())

    init(
        socket: ReplySocket, shards: [BundleShard], jobKey: UInt64, parking: ParkingSpace,
        checkpoints: CheckpointCollector, batch: Int, everySteps: Int?
    ) {
        self.socket = socket
        self.shards = Dictionary(uniqueKeysWithValues: shards.map { ($0.number, $0) })
        self.jobKey = jobKey
        self.parking = parking
        self.checkpoints = checkpoints
        self.everySteps = everySteps
        mostExamples = 2 * batch
        orders = Mutex(Orders())
        mean = .allocate(byteCount: max(shards.map(\.pushBytes).max() ?? 0, 16), alignment: 64)
        tell()
    }

    deinit { mean.deallocate() }

    /// Tells the lane something; it looks as soon as it has done what it is at.
    func order(_ change: (inout Orders) -> Void) {
        orders.withLock { change(&$0) }
        socket.wake()
    }

    /// Serves until told that all is over.
    /// - Throws: what makes the whole server fail: a broken socket, an update that cannot be computed.
    func run() throws {
        defer { tell() }
        while true {
            let now = orders.withLock { orders -> Orders in
                defer { (orders.view, orders.save) = (nil, nil) }
                return orders
            }
            if let view = now.view { try act(on: view) }
            if let step = now.save { for shard in shards.values { try save(shard, step: step) } }
            if now.isOver { return }
            // News has to be told even if nobody asks.
            let patience: Duration? =
                hasNews ? Lane.newsInterval : parked.isEmpty ? nil : Lane.patience / 4
            if let request = try socket.receive(timeout: patience) { try handle(request) }
            try tellTheWaiting()
            if hasNews, ContinuousClock.now - toldAt > Lane.newsInterval { tell() }
        }
    }

    // MARK: Requests

    private func handle(_ incoming: consuming Request) throws {
        var request = incoming
        let body = ReceivedBytes(request.takeMessage())
        guard let header = DataHeader(body.bytes), header.jobKey == jobKey else {
            return try refuse(request, nil, "this is not a data message of this job")
        }
        do { try header.check(mostExamples: mostExamples) } catch { return try refuse(request, header, "\(error)") }
        guard let shard = shards[Int(header.bundle)] else {
            return try refuse(request, header, "bundle \(header.bundle) is not served here")
        }
        if header.isShared {
            guard shard.region(header) != nil else {
                return try refuse(
                    request, header, "worker \(header.worker) shares no such memory for bundle \(shard.number)")
            }
            guard shard.take(header) else {
                return try refuse(
                    request, header, "request \(header.sequence) is not worker \(header.worker)'s newest")
            }
        }
        let holder = WorkerIdentity(worker: Int(header.worker), incarnation: header.incarnation)
        switch header.kind {
        case .attach: try attach(request, body, header, shard)
        case .pull:
            let token = park(request, header)
            let from = header.step > 0 ? Int(header.step) - 1 : nil
            try perform(shard.state.pull(holder, pauses: header.clock, from: from, token: token), shard)
        case .push, .pushOnly: try push(request, body, header, shard)
        case .await:
            let token = park(request, header)
            let actions = shard.state.wait(
                holder, step: Int(header.step), examples: Int(header.examples), token: token)
            try perform(actions, shard)
        case .pause:
            let token = park(request, header)
            try perform(shard.state.pause(holder, pauses: header.clock, token: token), shard)
        case .values, .late, .waiting, .refused, .applied, .attached, .busy:
            try refuse(request, header, "a server does not take \(header.kind)")
        }
    }

    private func push(
        _ request: consuming Request, _ body: ReceivedBytes, _ header: DataHeader, _ shard: BundleShard
    ) throws {
        let isSynchronous = shard.state.rule.isSynchronous
        if isSynchronous, header.kind == .pushOnly {
            return try refuse(request, header, "a synchronous step ends with its values")
        }
        // A worker without examples in a synchronous step has nothing to send.
        let gradients = header.examples > 0 && !header.isVoid ? shard.pushed(header, body) : nil
        let isEmpty = body.payload.isEmpty && (header.isVoid || isSynchronous && header.examples == 0)
        guard gradients != nil || isEmpty else {
            return try refuse(
                request, header,
                "a push of bundle \(shard.number) has \(shard.pushBytes) bytes of an example at least, got "
                    + "\(body.payload.count) of \(header.examples)")
        }
        if case .synchronous = shard.state.rule, !hasRoom(for: body, shard) {
            var answer = DataHeader(.busy, jobKey: jobKey, bundle: shard.number)
            answer.sequence = header.sequence
            return try request.reply(answer.message(room: 0))
        }
        // An asynchronous push is answered at once, and its message read by then.
        let used = shard.state.rule == .asynchronous ? body : nil
        let token = park(request, header, gradients, bytes: body.payload.count, message: used)
        let push = BundleState.Push(
            holder: WorkerIdentity(worker: Int(header.worker), incarnation: header.incarnation),
            step: Int(header.step), batch: Int(header.batch), examples: Int(header.examples), clock: header.clock,
            wantsValues: header.kind == .push, isVoid: header.isVoid, token: token)
        try perform(shard.state.push(push), shard)
    }

    private func hasRoom(for body: ReceivedBytes, _ shard: BundleShard) -> Bool {
        let held = parked.map {
            ParkingSpace.Held(token: $0.key, bundle: Int($0.value.header.bundle), bytes: $0.value.bytes)
        }
        return parking.admits(body.payload.count, bundle: shard.number, besides: held)
    }

    private func park(
        _ request: consuming Request, _ header: DataHeader, _ gradients: PushedBytes? = nil, bytes: Int = 0,
        message: ReceivedBytes? = nil
    ) -> Int {
        nextToken += 1
        parked[nextToken] = Parked(
            request: Box(request), gradients: gradients, header: header, bytes: bytes, message: message,
            since: .now)
        return nextToken
    }

    /// Opens the memory that a worker of this machine offers for a bundle.
    private func attach(
        _ request: consuming Request, _ body: ReceivedBytes, _ header: DataHeader, _ shard: BundleShard
    ) throws {
        guard !shard.state.ledger.isFenced(WorkerIdentity(worker: Int(header.worker), incarnation: header.incarnation)),
            !header.isShared, let offer = shard.offer(body.payload)
        else {
            return try refuse(request, header, "this is no offer of memory for bundle \(shard.number)")
        }
        do {
            // A repeat is answered as the offer was, and changes nothing.
            if shard.order.isNews(worker: header.worker, incarnation: header.incarnation, sequence: header.sequence) {
                let known = memories[header.worker].flatMap { $0.offer == offer.memory ? $0.memory : nil }
                let memory = try known ?? SharedMemory(offer.memory)
                memories[header.worker] = (header.incarnation, offer.memory, memory)
                shard.attach(offer, memory, header)
            }
        } catch let failure as SharedMemory.Failure { return try refuse(request, header, "\(failure)") }
        var answer = DataHeader(.attached, jobKey: jobKey, bundle: shard.number)
        answer.sequence = header.sequence
        try request.reply(answer.message(room: 0))
    }

    private func refuse(_ request: consuming Request, _ header: DataHeader?, _ reason: String) throws {
        var answer = DataHeader(.refused, jobKey: header?.jobKey ?? 0, bundle: Int(header?.bundle ?? 0))
        answer.sequence = header?.sequence ?? 0
        try request.reply(answer.message(text: reason))
    }

    // MARK: Actions

    private func perform(_ actions: [BundleState.Action], _ shard: BundleShard) throws {
        for action in actions {
            switch action {
            case .apply(let update): try apply(update, shard)
            case .answer(let token, let reply):
                if let waiting = parked.removeValue(forKey: token), let request = waiting.request?.take() {
                    try request.reply(message(reply, shard, for: waiting.header, reusing: waiting.message))
                }
            case .refuse(let token, let reason):
                if let waiting = parked.removeValue(forKey: token), let request = waiting.request?.take() {
                    try refuse(request, waiting.header, reason)
                }
            case .renew(let token, let by):
                // The bytes are here already; only the request to answer is new.
                guard let newer = parked.removeValue(forKey: by) else { break }
                parked[token]?.request = newer.request
                parked[token]?.header.sequence = newer.header.sequence
                parked[token]?.since = .now
            case .letGo(let token): parked[token] = nil
            }
        }
    }

    private func message(
        _ reply: BundleState.Reply, _ shard: BundleShard, for request: DataHeader, reusing used: ReceivedBytes?
    ) throws -> Message {
        let kind: DataHeader.Kind
        switch reply.kind {
        case .values: kind = .values
        case .late: kind = .late
        case .done: kind = .applied
        }
        var header = DataHeader(kind, jobKey: jobKey, step: reply.step, clock: reply.clock, bundle: shard.number)
        header.sequence = request.sequence
        return try reply.kind == .done ? header.message(room: 0) : shard.values(header, for: request, reusing: used)
    }

    /// Applies gradients, added up in the order of the update, so that the result does not depend on who came first; saves
    /// the bundle where a checkpoint is due.
    private func apply(_ update: BundleState.Update, _ shard: BundleShard) throws {
        // A table's step is over when the next has begun.
        if case .table = shard.state.rule, update.step > shard.savedStep { try saveIfDue(shard, step: update.step) }
        let parts = update.parts.compactMap { part in
            parked[part.token]?.gradients.map { (bytes: $0, weight: part.weight) }
        }
        if parts.count == 1, parts[0].weight == 1 {
            try shard.apply(parts[0].bytes)
        } else if !parts.isEmpty {
            try shard.apply(parts, sum: mean.baseAddress!)
        }
        // An answer may have to wait; the bytes need not.
        for part in update.parts {
            parked[part.token]?.gradients = nil
            parked[part.token]?.bytes = 0
        }
        hasNews = true
        switch shard.state.rule {
        case .asynchronous, .bounded: try saveIfDue(shard, step: shard.state.steps)
        // More steps may close at once.
        case .synchronous: try saveIfDue(shard, step: update.step + 1)
        case .table: break
        }
    }

    private func saveIfDue(_ shard: BundleShard, step: Int) throws {
        if let everySteps, step > shard.savedStep, step % everySteps == 0 { try save(shard, step: step) }
    }

    private func save(_ shard: BundleShard, step: Int) throws {
        guard step - shard.state.steps <= BundleState.mostAhead else {
            throw NodeError(
                .refused,
                "a checkpoint is to be written of step \(step), but bundle \(shard.number) has \(shard.state.steps) updates"
            )
        }
        shard.savedStep = step
        checkpoints.add(
            bundle: shard.number, blocks: shard.blockNames, step: step, values: try shard.snapshot(),
            applied: shard.state.appliedBatches(atStep: step), missed: shard.state.missed,
            absent: shard.state.absent(before: step), infinite: shard.infinite, updates: step)
    }

    /// Answers those that have waited long with the names of those that they wait for.
    private func tellTheWaiting() throws {
        guard !parked.isEmpty else { return }
        let now = ContinuousClock.now
        for (token, waiting) in parked where waiting.request != nil && now - waiting.since > Lane.patience {
            guard let shard = shards[Int(waiting.header.bundle)] else { continue }
            let names = shard.state.awaited(by: token).map { "worker \($0)" }.joined(separator: ", ")
            parked[token]?.request = nil
            if let request = waiting.request?.take() {
                var answer = DataHeader(.waiting, jobKey: jobKey, bundle: shard.number)
                answer.sequence = waiting.header.sequence
                try request.reply(answer.message(text: names))
            }
        }
    }

    // MARK: Views and news

    private func act(on view: ClusterView) throws {
        let present = Set(view.present)
        let gone = (self.view?.present ?? []).filter { !present.contains($0) }
        for worker in gone {
            memories = memories.filter { $0.value.incarnation != worker.incarnation }
        }
        for shard in shards.values {
            try perform(shard.state.act(on: view), shard)
            for worker in gone {
                shard.detach(incarnation: worker.incarnation)
            }
        }
        self.view = view
        // Told last, for then what the steps closed by it is told too.
        tell()
    }

    /// Puts down what the heartbeats tell.
    private func tell() {
        (hasNews, toldAt) = (false, .now)
        let now = LaneFacts(
            shards.values.map(\.state), view: view?.number ?? 0,
            hasChanged: shards.values.contains(where: \.hasChanged))
        facts.withLock { $0 = now }
    }
}
