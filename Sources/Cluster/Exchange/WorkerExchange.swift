/// A worker's talk with all shards: what it asks of each, in which order, and what again. Answers in, requests out: no
/// socket, no clock, no tensors.
///
/// Each shard has at most one request of the worker. Requests leave in the order in which they were wanted, as long as their
/// bytes fit in the window; of a synchronous step's pushes the one to the lead shard leaves last, when all others are
/// answered. Its answer says whose gradients the step has, and the other shards are asked for the values after that.
package struct WorkerExchange: Sendable {
    /// What the exchange is to know of a shard.
    package struct Shard: Sendable {
        /// What a push and its answer take at most of the window, in bytes; 0 in shared memory.
        package var pushBytes: Int
        package var valueBytes: Int
        /// It takes each worker's part of a synchronous step when it comes.
        package var isEmbeddingTable: Bool

        package init(pushBytes: Int, valueBytes: Int, isEmbeddingTable: Bool = false) {
            self.pushBytes = pushBytes
            self.valueBytes = valueBytes
            self.isEmbeddingTable = isEmbeddingTable
        }
    }

    /// A request to be sent.
    package struct Outgoing: Equatable, Sendable {
        package let shard: Int
        /// The answer to the request has the same.
        package let sequence: UInt64
        package let request: ExchangeRequest
        /// The buffer of the worker that the answer's values go to.
        package let buffer: Int
        /// The request was sent before, and no answer came.
        package let isRepeat: Bool
    }

    /// What the answers to a pull or a push say that all shards go by: that of the lead shard, where there is one.
    package struct Outcome: Equatable, Sendable {
        /// The open step of a synchronous job.
        package var open: OpenStep?
        /// The worker's clock under bounded staleness.
        package var clock = 0
        /// The gradients came too late for their step.
        package var isLate = false

        package init() {}

        /// The parts that a step lacks which this worker took part in; nil if steps after it have been closed too, so that
        /// the answer does not say.
        package func absentParts(ofStep step: Int, dividedBy view: ClusterView) -> [AbsentPart]? {
            guard let closed = open?.closed, closed.step == step else { return isLate ? [] : nil }
            let members = view.members
            return members.indices.filter { !closed.members.contains(members[$0]) }.map {
                AbsentPart(step: step, rank: $0, parts: members.count)
            }
        }
    }

    /// How a step's values lie in the worker's two buffers when it begins.
    package enum BufferChange: Equatable, Sendable {
        case none
        /// The values of the other buffer are older; copy these there.
        case copy
        /// Compute with the values of the other buffer.
        case turn
    }

    private struct Flight {
        var sequence: UInt64
        var request: ExchangeRequest
        let buffer: Int
        let bytes: Int
    }

    /// What the worker is at.
    private enum Errand: Equatable { case none, pull(pauses: Int), push, wait }

    package let lead: Int
    package private(set) var shards: [Shard]
    package private(set) var outcome = Outcome()
    /// The buffer that the worker computes with: 0, or of a pipelined worker 0 or 1.
    package private(set) var buffer = 0
    private let consistency: JobConfig.Cluster.Consistency
    /// Bytes of requests and their answers that may be under way at once.
    private let window: Int
    private var errand = Errand.none
    private var push = GradientPush(step: 0, batch: 0, examples: 0, basis: .updates(0))
    /// Shards whose gradients of the step at hand have not been handed over.
    private var isOpen: [Bool]
    /// By shard, what is to be asked of it next, and in which order.
    private var wanted: [ExchangeRequest?]
    private var queue: [Int] = []
    private var flights: [Flight?]
    /// Shards with a request under way, the oldest first.
    package private(set) var underWay: [Int] = []
    private var bytesUnderWay = 0
    /// Requests to be sent once more.
    private var again: [Int] = []
    private var sequence: UInt64 = 0
    /// By buffer and shard, the updates that the values have.
    private var updates: [[Int]]

    /// - Parameters:
    ///   - lead: the shard that decides for all, in a synchronous job and under bounded staleness.
    ///   - window: in bytes.
    package init(_ consistency: JobConfig.Cluster.Consistency, shards: [Shard], lead: Int, window: Int) {
        self.consistency = consistency
        self.shards = shards
        self.lead = lead
        self.window = window
        isOpen = Array(repeating: false, count: shards.count)
        wanted = Array(repeating: nil, count: shards.count)
        flights = Array(repeating: nil, count: shards.count)
        updates = Array(repeating: Array(repeating: 0, count: shards.count), count: consistency.isPipelined ? 2 : 1)
    }

    private var others: [Int] { shards.indices.filter { $0 != lead } }

    /// Whether a shard has answered all that was asked of it.
    package func isSettled(_ shard: Int) -> Bool { flights[shard] == nil && wanted[shard] == nil }

    /// Whether all shards have.
    package var isSettled: Bool { underWay.isEmpty && queue.isEmpty }

    /// Whether nothing waits to be asked of a shard.
    package func hasLeft(_ shard: Int) -> Bool { wanted[shard] == nil }

    // MARK: What the worker does

    /// The shard's bytes go through shared memory from now on.
    package mutating func share(_ shard: Int) { (shards[shard].pushBytes, shards[shard].valueBytes) = (0, 0) }

    /// Offers every shard the memory that its bytes are in.
    package mutating func attach(_ shards: [Int]) { for shard in shards { want(.attach, of: shard) } }

    /// Gets all values. To be called when all is settled.
    ///
    /// - Parameter pauses: how often the worker has paused.
    package mutating func pull(pauses: Int) {
        errand = .pull(pauses: pauses)
        outcome = Outcome()
        if consistency.isAsynchronous {
            for shard in shards.indices { want(.pull(pauses: pauses, clock: nil), of: shard) }
        } else {
            want(.pull(pauses: pauses, clock: nil), of: lead)
        }
    }

    /// Waits for the end of a synchronous step in which this worker has no part, and gets the values after it. To be called
    /// when all is settled.
    package mutating func wait(step: Int) {
        errand = .wait
        outcome = Outcome()
        want(.await(step: step), of: lead)
    }

    /// Lets no shard wait for this worker. To be called when all is settled.
    package mutating func pause(pauses: Int) {
        errand = .none
        for shard in shards.indices { want(.pause(pauses: pauses), of: shard) }
    }

    /// Begins a step: `hand(over:)` and `finish` push its gradients.
    package mutating func begin(_ push: GradientPush) -> BufferChange {
        self.push = push
        errand = .push
        outcome = Outcome()
        for shard in shards.indices { isOpen[shard] = true }
        guard consistency.isPipelined else { return .none }
        if isSettled {
            // These are the newest, and the step after the next is to find no older ones.
            updates[1 - buffer] = updates[buffer]
            return .copy
        }
        // The answers to the step before the last have all come, or the last would not have been pushed.
        buffer = 1 - buffer
        return .turn
    }

    /// The gradients for a shard are final.
    package mutating func hand(over shard: Int, isVoid: Bool = false) {
        guard isOpen[shard] else { return }
        isOpen[shard] = false
        var push = self.push
        push.isVoid = isVoid
        if consistency.isSynchronous {
            // A worker without gradients says only so, and to the lead shard alone.
            guard shard == lead || push.examples > 0 else { return }
            if shard == lead { self.push = push }
        } else if consistency.isAsynchronous {
            push.basis = .updates(updates[buffer][shard])
        }
        want(.push(push), of: shard)
    }

    /// Hands over what has not been, as where the worker computed nothing.
    ///
    /// - Parameter isVoid: the step's gradients are not finite: shards only hear that they stay behind.
    package mutating func finish(isVoid: Bool = false) {
        for shard in shards.indices { hand(over: shard, isVoid: isVoid) }
    }

    private mutating func want(_ request: ExchangeRequest, of shard: Int) {
        if wanted[shard] == nil { queue.append(shard) }
        wanted[shard] = request
    }

    // MARK: Requests and answers

    /// The next request to send; nil if there is none, or an answer has to come first.
    package mutating func next() -> Outgoing? {
        if let shard = again.first, let flight = flights[shard] {
            again.removeFirst()
            return Outgoing(
                shard: shard, sequence: flight.sequence, request: flight.request, buffer: flight.buffer, isRepeat: true)
        }
        guard let place = queue.firstIndex(where: mayLeave), let request = wanted[queue[place]] else { return nil }
        let shard = queue[place]
        let bytes = bytes(of: request, shard)
        guard bytesUnderWay + bytes <= window || underWay.isEmpty else { return nil }
        queue.remove(at: place)
        wanted[shard] = nil
        sequence += 1
        flights[shard] = Flight(sequence: sequence, request: request, buffer: buffer, bytes: bytes)
        underWay.append(shard)
        bytesUnderWay += bytes
        return Outgoing(shard: shard, sequence: sequence, request: request, buffer: buffer, isRepeat: false)
    }

    private func mayLeave(_ shard: Int) -> Bool {
        guard flights[shard] == nil else { return false }
        guard shard == lead, consistency.isSynchronous, case .push = wanted[shard] else { return true }
        return others.allSatisfy { isSettled($0) && !(isOpen[$0] && push.examples > 0) }
    }

    private func bytes(of request: ExchangeRequest, _ shard: Int) -> Int {
        switch request {
        case .push: max(shards[shard].pushBytes, shards[shard].valueBytes)
        case .pull, .close, .await: shards[shard].valueBytes
        case .attach, .pause: 0
        }
    }

    /// No answer has come to a request: it is sent once more, as it was. False if it is not the shard's request at hand.
    @discardableResult
    package mutating func fail(_ shard: Int, sequence: UInt64) -> Bool {
        guard flights[shard]?.sequence == sequence else { return false }
        repeatRequest(shard)
        return true
    }

    private mutating func repeatRequest(_ shard: Int) {
        sequence += 1
        flights[shard]?.sequence = sequence
        if !again.contains(shard) { again.append(shard) }
    }

    /// Takes an answer; false if it is not to the shard's request at hand.
    @discardableResult
    package mutating func take(_ reply: ExchangeReply, from shard: Int, sequence: UInt64) -> Bool {
        guard let flight = flights[shard], flight.sequence == sequence else { return false }
        switch reply {
        case .waiting:
            // The gradients have arrived. A pull waits too, for the first view, and has none.
            if case .push(let push) = flight.request { flights[shard]?.request = .await(step: push.step) }
            repeatRequest(shard)
            return true
        case .values(let values): updates[flight.buffer][shard] = values.updates
        case .late(let open): updates[flight.buffer][shard] = open.step
        case .held, .applied, .refused: break
        }
        end(shard)
        if shard == lead { takeOfLead(reply) }
        return true
    }

    /// The shard's request is over.
    private mutating func end(_ shard: Int) {
        bytesUnderWay -= flights[shard]?.bytes ?? 0
        flights[shard] = nil
        underWay.removeAll { $0 == shard }
        again.removeAll { $0 == shard }
    }

    private mutating func takeOfLead(_ reply: ExchangeReply) {
        switch reply {
        case .values(.clock(let clock, _)):
            outcome.clock = clock
            // The clock from which this worker begins; other shards hear it from the worker.
            if case .pull(let pauses) = errand {
                errand = .none
                for shard in others { want(.pull(pauses: pauses, clock: clock), of: shard) }
            }
        case .values(.open(let open)): close(open, isLate: false)
        case .late(let open): close(open, isLate: true)
        case .values(.updates), .held, .applied, .waiting, .refused: break
        }
    }

    /// The lead shard says which step is open: the other shards are asked for its values.
    private mutating func close(_ open: OpenStep, isLate: Bool) {
        if errand == .push, open.step <= push.step {
            // The push has not arrived.
            return want(.push(push), of: lead)
        }
        outcome.open = open
        outcome.isLate = isLate
        for shard in others {
            // An embedding table has answered this worker's part with its values.
            if shards[shard].isEmbeddingTable, errand == .push, push.examples > 0 { continue }
            want(.close(open.closed), of: shard)
        }
        errand = .none
    }
}
