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

    /// A push that waits for others.
    private struct Parked {
        let request: Box<Request>?
        /// nil where the worker had no examples.
        let gradients: PushedBytes?
        let header: DataHeader
        /// What it holds of the server's memory.
        let bytes: Int
        let since: ContinuousClock.Instant
    }

    /// After so long without an answer a worker is told whom its step waits for.
    private static let patience = Duration.seconds(2)

    private let socket: ReplySocket
    private var shards: [Int: BundleShard]
    private let jobKey: UInt64
    private let isSynchronous: Bool
    private let parking: ParkingSpace
    private let checkpoints: CheckpointCollector
    private let everySteps: Int?
    private let orders: Mutex<Orders>
    private var view: ClusterView?
    private var fenced: Set<UInt64> = []
    private var parked: [Int: Parked] = [:]
    /// Memory that workers of this machine share, by their number.
    private var memories: [UInt32: (incarnation: UInt64, offer: SharedMemory.Offer, memory: SharedMemory)] = [:]
    /// More workers than a job has.
    private static let workerLimit = 10_000
    private var nextToken = 0
    private var mean: UnsafeMutableRawBufferPointer
    /// What the control thread reports of the lane.
    let facts = Mutex(LaneFacts())

    init(
        socket: ReplySocket, shards: [BundleShard], jobKey: UInt64, isSynchronous: Bool, parking: ParkingSpace,
        checkpoints: CheckpointCollector, everySteps: Int?
    ) {
        self.socket = socket
        self.shards = Dictionary(uniqueKeysWithValues: shards.map { ($0.number, $0) })
        self.jobKey = jobKey
        self.isSynchronous = isSynchronous
        self.parking = parking
        self.checkpoints = checkpoints
        self.everySteps = everySteps
        orders = Mutex(Orders())
        mean = .allocate(byteCount: max(shards.map(\.pushBytes).max() ?? 0, 16), alignment: 64)
        for shard in shards where isSynchronous { shard.barrier = SynchronousBarrier(nextStep: shard.updates) }
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
        while true {
            let now = orders.withLock { orders -> Orders in
                defer { (orders.view, orders.save) = (nil, nil) }
                return orders
            }
            if let view = now.view { try act(on: view) }
            if let step = now.save { for shard in shards.values { try save(shard, step: step) } }
            if now.isOver { return }
            let patience: Duration? = parked.isEmpty ? nil : Lane.patience / 4
            if let request = try socket.receive(timeout: patience) { try handle(request) }
            try tellTheWaiting()
        }
    }

    // MARK: Requests

    private func handle(_ incoming: consuming Request) throws {
        var request = incoming
        let body = ReceivedBytes(request.takeMessage())
        guard let header = DataHeader(body.bytes), header.jobKey == jobKey else {
            return try refuse(request, nil, "this is not a data message of this job")
        }
        guard DataHeader.numbers.contains(header.step), DataHeader.numbers.contains(header.batch) else {
            return try refuse(request, header, "there is no step \(header.step), or no batch \(header.batch)")
        }
        guard let shard = shards[Int(header.bundle)] else {
            return try refuse(request, header, "bundle \(header.bundle) is not served here")
        }
        if header.isShared {
            guard let region = shard.region(header) else {
                return try refuse(
                    request, header, "worker \(header.worker) shares no memory for bundle \(shard.number)")
            }
            guard region.take(header.sequence) else {
                return try refuse(
                    request, header, "request \(header.sequence) is not worker \(header.worker)'s newest")
            }
        }
        switch header.kind {
        case .attach: try attach(request, body, header, shard)
        case .pull:
            shard.ledger.pulled(worker: Int(header.worker), incarnation: header.incarnation)
            try request.reply(values(shard, for: header))
        case .push, .pushOnly:
            // A worker without examples in a synchronous step has nothing to send.
            let gradients = shard.pushed(header, body)
            guard gradients != nil || (isSynchronous && header.examples == 0 && body.payload.isEmpty) else {
                return try refuse(
                    request, header,
                    "a push of bundle \(shard.number) has \(shard.pushBytes) bytes, got \(body.payload.count)")
            }
            guard !fenced.contains(header.incarnation) else {
                return try refuse(request, header, "worker \(header.worker) was declared dead; it has to join anew")
            }
            if isSynchronous {
                guard header.kind == .push else {
                    return try refuse(request, header, "a synchronous step ends with its values")
                }
                let bytes = body.payload.count
                try pushTogether(request, header.examples == 0 ? nil : gradients, bytes: bytes, header, shard)
            } else if let gradients {
                try pushAlone(request, body, gradients, header, shard)
            }
        case .await:
            guard isSynchronous, !fenced.contains(header.incarnation) else {
                return try refuse(request, header, "worker \(header.worker) waits for nothing here")
            }
            try pushTogether(request, nil, bytes: 0, header, shard)
        case .values, .waiting, .refused, .applied, .attached, .busy:
            try refuse(request, header, "a server does not take \(header.kind)")
        }
    }

    /// Opens the memory that a worker of this machine offers for a bundle.
    private func attach(
        _ request: consuming Request, _ body: ReceivedBytes, _ header: DataHeader, _ shard: BundleShard
    ) throws {
        guard !fenced.contains(header.incarnation), !header.isShared, header.worker < Lane.workerLimit,
            let offer = shard.offer(body.payload)
        else {
            return try refuse(request, header, "this is no offer of memory for bundle \(shard.number)")
        }
        do {
            let known = memories[header.worker].flatMap { $0.offer == offer.memory ? $0.memory : nil }
            let memory = try known ?? SharedMemory(offer.memory)
            memories[header.worker] = (header.incarnation, offer.memory, memory)
            shard.attach(offer, memory, header)
        } catch let failure as SharedMemory.Failure { return try refuse(request, header, "\(failure)") }
        var answer = DataHeader(.attached, jobKey: jobKey, bundle: shard.number)
        answer.sequence = header.sequence
        try request.reply(answer.message(room: 0))
    }

    private func values(
        _ shard: BundleShard, for request: DataHeader, reusing used: ReceivedBytes? = nil
    ) throws -> Message {
        try shard.values(
            DataHeader(
                .values, jobKey: jobKey, step: shard.barrier?.nextStep ?? shard.updates,
                clock: shard.barrier?.stepView ?? 0,
                bundle: shard.number), for: request, reusing: used)
    }

    private func refuse(_ request: consuming Request, _ header: DataHeader?, _ reason: String) throws {
        var answer = DataHeader(.refused, jobKey: header?.jobKey ?? 0, bundle: Int(header?.bundle ?? 0))
        answer.sequence = header?.sequence ?? 0
        try request.reply(answer.message(text: reason))
    }

    // MARK: Asynchronous

    private func pushAlone(
        _ request: consuming Request, _ body: ReceivedBytes, _ gradients: PushedBytes, _ header: DataHeader,
        _ shard: BundleShard
    ) throws {
        let (worker, step) = (Int(header.worker), Int(header.step))
        switch shard.ledger.admit(
            worker: worker, incarnation: header.incarnation, step: step, batch: Int(header.batch))
        {
        case .new:
            try shard.apply(gradients)
            shard.ledger.applied(worker: worker, incarnation: header.incarnation, step: step, batch: Int(header.batch))
            try request.reply(answer(to: header, shard, reusing: body))
            try afterUpdate(shard)
        case .duplicate: try request.reply(answer(to: header, shard, reusing: body))
        case .stale(let reason): try refuse(request, header, reason)
        }
    }

    /// What an applied push is answered with.
    private func answer(to header: DataHeader, _ shard: BundleShard, reusing body: ReceivedBytes) throws -> Message {
        if header.kind == .push { return try values(shard, for: header, reusing: body) }
        var answer = DataHeader(.applied, jobKey: jobKey, step: shard.updates, bundle: shard.number)
        answer.sequence = header.sequence
        return answer.message(room: 0)
    }

    /// Reports an update, and saves the bundle where a checkpoint is due.
    private func afterUpdate(_ shard: BundleShard) throws {
        let least = shards.values.map(\.updates).min() ?? 0
        facts.withLock { facts in
            facts.step = least
            facts.updates += 1
            facts.applied.formUnion(shard.ledger.appliedBatches)
            facts.stalenessMax = max(facts.stalenessMax, shard.ledger.stalenessMax)
            facts.stalenessSum = shards.values.reduce(0) { $0 + $1.ledger.stalenessSum }
        }
        if let everySteps, shard.updates % everySteps == 0 { try save(shard, step: shard.updates) }
    }

    private func save(_ shard: BundleShard, step: Int) throws {
        checkpoints.add(
            bundle: shard.number, step: step, values: try shard.snapshot(), applied: shard.ledger.appliedBatches,
            updates: shard.updates)
    }

    // MARK: Synchronous

    private func pushTogether(
        _ request: consuming Request, _ gradients: PushedBytes?, bytes: Int, _ header: DataHeader,
        _ shard: BundleShard
    ) throws {
        let token = nextToken
        nextToken += 1
        let isAgain = header.kind == .await
        if isAgain,
            let old = parked.first(where: {
                $0.value.header.bundle == header.bundle && $0.value.header.worker == header.worker
                    && $0.value.header.incarnation == header.incarnation && $0.value.header.step == header.step
            })
        {
            // The bytes are here already; only the request to answer is new.
            var answered = old.value.header
            answered.sequence = header.sequence
            parked[old.key] = Parked(
                request: Box(request), gradients: old.value.gradients, header: answered, bytes: old.value.bytes,
                since: .now)
            return
        }
        if isAgain, header.examples > 0, Int(header.step) >= shard.barrier?.nextStep ?? 0 {
            return try refuse(request, header, "the gradient of step \(header.step) is not here; restart the worker")
        }
        let held = parked.map {
            ParkingSpace.Held(token: $0.key, bundle: Int($0.value.header.bundle), bytes: $0.value.bytes)
        }
        guard parking.admits(bytes, bundle: shard.number, besides: held) else {
            var answer = DataHeader(.busy, jobKey: jobKey, bundle: shard.number)
            answer.sequence = header.sequence
            return try request.reply(answer.message(room: 0))
        }
        parked[token] = Parked(
            request: Box(request), gradients: gradients, header: header, bytes: bytes, since: .now)
        let actions = shard.barrier?.push(
            worker: Int(header.worker), incarnation: header.incarnation, step: Int(header.step),
            examples: isAgain ? 0 : Int(header.examples), token: token, view: header.clock == 0 ? nil : header.clock)
        try perform(actions ?? [], shard)
    }

    private func perform(_ actions: [SynchronousBarrier.Action], _ shard: BundleShard) throws {
        for action in actions {
            switch action {
            case .park: break
            case .replaceParked(let old): parked[old] = nil
            case .answerCurrent(let token): try answer(token, shard)
            case .refuse(let token, let reason):
                if let waiting = parked.removeValue(forKey: token), let request = waiting.request?.take() {
                    try refuse(request, waiting.header, reason)
                }
            case .close(let step, let contributions, _):
                try close(step, contributions, shard)
                for contribution in contributions { try answer(contribution.token, shard) }
            }
        }
    }

    /// Applies the mean of the contributions, weighted by examples and added in rank order, so that the result does not
    /// depend on who came first.
    private func close(_ step: Int, _ contributions: [SynchronousBarrier.Contribution], _ shard: BundleShard) throws {
        let carrying = contributions.filter { $0.weight > 0 }
            .compactMap { c in parked[c.token]?.gradients.map { (c, $0) } }
        // A step may close with nothing: who had the examples has died.
        if carrying.count == 1 {
            try shard.apply(carrying[0].1)
        } else if !carrying.isEmpty {
            try shard.apply(carrying.map { ($0.1, $0.0.weight) }, sum: mean.baseAddress!)
        }
        shard.ledger.applied(
            step: step, batch: step,
            by: carrying.map { WorkerIdentity(worker: $0.0.worker, incarnation: $0.0.incarnation) })
        try afterUpdate(shard)
    }

    private func answer(_ token: Int, _ shard: BundleShard) throws {
        guard let waiting = parked.removeValue(forKey: token), let request = waiting.request?.take() else { return }
        try request.reply(values(shard, for: waiting.header))
    }

    /// Answers those that have waited long with the names of those that they wait for.
    private func tellTheWaiting() throws {
        guard !parked.isEmpty else { return }
        let now = ContinuousClock.now
        for (token, waiting) in parked where waiting.request != nil && now - waiting.since > Lane.patience {
            guard let shard = shards[Int(waiting.header.bundle)] else { continue }
            let names = shard.barrier?.awaited.map { "worker \($0)" }.joined(separator: ", ") ?? ""
            parked[token] = Parked(
                request: nil, gradients: waiting.gradients, header: waiting.header, bytes: waiting.bytes,
                since: waiting.since)
            if let request = waiting.request?.take() {
                var answer = DataHeader(.waiting, jobKey: jobKey, bundle: shard.number)
                answer.sequence = waiting.header.sequence
                try request.reply(answer.message(text: names))
            }
        }
    }

    // MARK: Views

    private func act(on view: ClusterView) throws {
        // Whoever was in the last view and is not in this one is dead (or has left): nothing more is taken from it.
        let present = Set(view.workers.map(\.incarnation))
        for worker in self.view?.workers ?? [] where !present.contains(worker.incarnation) {
            fenced.insert(worker.incarnation)
            memories = memories.filter { $0.value.incarnation != worker.incarnation }
            for shard in shards.values {
                shard.ledger.fence(worker: worker.number, incarnation: worker.incarnation)
                shard.detach(incarnation: worker.incarnation)
            }
        }
        self.view = view
        for shard in shards.values where isSynchronous {
            let members = view.workers.map { (worker: $0.number, incarnation: $0.incarnation, rank: $0.rank) }
            let actions = shard.barrier?.setMembers(members, view: view.number) ?? []
            try perform(actions, shard)
        }
        // Told last, for then what the steps closed by it is told too.
        facts.withLock { $0.view = view.number }
    }
}

/// What a lane tells of itself.
struct LaneFacts {
    /// Updates that all its bundles have.
    var step = 0
    /// Updates of all its bundles together.
    var updates = 0
    /// The view that it acts on.
    var view: UInt64 = 0
    /// Batches of which some bundle has applied a part.
    var applied = RangeSet<Int>()
    var stalenessSum = 0
    var stalenessMax = 0
}
