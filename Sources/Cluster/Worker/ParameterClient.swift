package import Dataflow
internal import Foundation
package import Messaging

/// A worker's side of the exchange: sends what `WorkerExchange` wants, takes the answers' values into a session's Variables,
/// and retries.
///
/// A step's gradients leave shard by shard as the run of `runExchange` makes them; the answers are taken just before the next
/// run reads the values, or by `settle`. Pipelined, the next run reads the values that came before those, and the answers
/// are taken before it makes the next gradients.
///
/// Where it is to look for gradients that are not finite, each shard's are scanned before they leave. From the first such
/// one on nothing of the step leaves; and nothing before the run is over where a step goes into all shards or into none.
package final class ParameterClient {
    /// Of one request; servers answer at least every two seconds.
    private static let requestTimeout = Duration.seconds(3)

    package typealias Outcome = WorkerExchange.Outcome

    /// A request that has been sent.
    private struct Flight {
        let outgoing: WorkerExchange.Outgoing
        let sending: RequestSender.Sending
    }

    private let layout: ShardLayout
    private let memory: ExchangeMemory
    private let session: Session
    private let sockets: [[RequestSocket]]
    private let sender = RequestSender()
    private let jobKey: UInt64
    private let worker: WorkerIdentity
    private let deadline: Duration
    private let shouldStop: () -> Bool
    private let onEvent: (String) -> Void
    private let wire: WireFormat
    private let isSynchronous: Bool
    private var state: WorkerExchange
    private var encoder: GradientEncoder
    /// By shard.
    private var flights: [Flight?]
    private var isShared: [Bool]
    /// Answers that have been read, by shard: the next push is written there.
    private var spares: [Box<Message>?]
    /// Encoded gradients of the last push, by shard: what a format leaves out goes into the next step, and a repeat says the
    /// same.
    private var encoded: [[UInt8]]
    /// Since when a shard has not answered.
    private var trouble: [ContinuousClock.Instant?]
    private let onNaN: JobConfig.Train.OnNaN?
    private var hasGradients = false
    /// Shards whose gradients of the step at hand have not been scanned.
    private var isUnscanned: [Bool]
    /// The first gradient of the step at hand that is not finite.
    private(set) var notFinite: NotFiniteNumbers?
    /// What is not finite has been reported, and is not looked for any more.
    var hasReportedNaN = false
    /// Memory is being offered; servers that refuse it, and why.
    private var isJoining = false
    private var refusals: [Int: String] = [:]
    /// What a run of the session that computes gradients is to be given.
    private(set) var runExchange: RunExchange!

    package init(
        cut: TrainingCut, layout: ShardLayout, session: Session, sockets: [[RequestSocket]], jobKey: UInt64,
        worker: WorkerIdentity, cluster: JobConfig.Cluster, onNaN: JobConfig.Train.OnNaN? = nil,
        shouldStop: @escaping () -> Bool, onEvent: @escaping (String) -> Void
    ) throws {
        self.layout = layout
        self.session = session
        self.sockets = sockets
        self.jobKey = jobKey
        self.worker = worker
        deadline = cluster.heartbeatTimeout
        wire = cluster.wire
        isSynchronous = cluster.consistency.isSynchronous
        encoder = GradientEncoder(cluster.wire)
        self.onNaN = onNaN
        self.shouldStop = shouldStop
        self.onEvent = onEvent
        state = WorkerExchange(
            cluster.consistency,
            shards: layout.shards.map {
                .init(pushBytes: $0.pushBytes, valueBytes: $0.valueBytes, isEmbeddingTable: $0.isEmbeddingTable)
            }, lead: layout.lead, window: cluster.window(executors: sockets.map(\.count)))
        let count = layout.shards.count
        flights = Array(repeating: nil, count: count)
        isShared = Array(repeating: false, count: count)
        isUnscanned = isShared
        spares = Array(repeating: nil, count: count)
        encoded = Array(repeating: [], count: count)
        trouble = Array(repeating: nil, count: count)
        memory = ExchangeMemory(
            cut, buffers: cluster.consistency.isPipelined ? 2 : 1,
            isShared: cluster.sharedMemory && cluster.wire == .float32, onEvent: onEvent)
        try memory.bind(session)
        runExchange = RunExchange(
            groups: layout.shards.map { shard in
                RunExchange.Group(
                    fetches: shard.pushes.map { cut.writes[shard.blocks[$0.block].write].pushed[$0.input]! },
                    variables: shard.blocks.map { block in
                        cut.writes[block.write].readable.first { $0.name == block.variable }!
                    },
                    hasValues: cluster.consistency.isPipelined)
            }, destinations: memory.destinations,
            willUse: { [unowned self] shard in try arrive(shard) },
            isFinal: { [unowned self] shard in try complete(shard) })
        try share()
    }

    // MARK: Exchanges

    /// Gets all values.
    ///
    /// - Parameter pauses: how often this worker has paused.
    package func pull(pauses: Int = 0) throws -> Outcome {
        try settle()
        state.pull(pauses: pauses)
        try settle()
        return state.outcome
    }

    /// Waits for the end of a step in which this worker has no part, and gets the values after it.
    func wait(step: Int) throws -> Outcome {
        try settle()
        state.wait(step: step)
        try settle()
        return state.outcome
    }

    /// Lets no server wait for this worker, which has no batches for now.
    ///
    /// - Parameter pauses: how often it has paused, this time included.
    func pause(pauses: Int) throws {
        try settle()
        state.pause(pauses: pauses)
        try settle()
    }

    /// Says what the pushes that follow are about: those of a run that is given `runExchange`, or of `pushRest`.
    package func begin(_ push: GradientPush) throws {
        switch state.begin(push) {
        case .none: break
        case .copy: memory.copyToOtherBuffer()
        case .turn: try memory.turn(session)
        }
        hasGradients = push.examples > 0
        for i in isUnscanned.indices { isUnscanned[i] = true }
        notFinite = nil
    }

    /// A shard's gradients are final.
    private func complete(_ shard: Int) throws {
        scan(shard)
        guard onNaN != .skip, onNaN == .ignore || notFinite == nil else { return }
        state.hand(over: shard)
        // The push to the lead shard leaves last.
        try drive { [isSynchronous] in $0.hasLeft(shard) || isSynchronous && shard == $0.lead }
    }

    private func scan(_ shard: Int) {
        guard isUnscanned[shard], onNaN != nil, !hasReportedNaN, hasGradients else { return }
        isUnscanned[shard] = false
        notFinite = notFinite ?? memory.notFiniteGradient(layout.shards[shard])
    }

    /// Looks for gradients that are not finite where that has not been done, after the run.
    func scanRest() { for shard in isUnscanned.indices { scan(shard) } }

    /// The first Variable whose values here are not finite.
    func notFiniteVariable() -> NotFiniteNumbers? { memory.notFiniteVariable() }

    /// Pushes what the run has not pushed, as where there was no run because there are no examples.
    ///
    /// - Parameter isVoid: the step's gradients are not finite: servers only hear that they are left out.
    package func pushRest(isVoid: Bool = false) throws {
        state.finish(isVoid: isVoid)
        try drive { state in state.shards.indices.allSatisfy(state.hasLeft) }
    }

    /// Waits until the lead shard has closed the step at hand.
    func awaitLead() throws -> Outcome {
        try drive(towards: state.lead) { $0.outcome.open != nil }
        return state.outcome
    }

    /// Waits for all answers: what was pushed is applied.
    package func settle() throws { try drive { $0.isSettled } }

    /// Makes gradients of zeros, where a benchmark computes none.
    func clearGradients() { memory.clearGradients() }

    /// Waits for all answers of a shard.
    private func arrive(_ shard: Int) throws { try drive(towards: shard) { $0.isSettled(shard) } }

    // MARK: Messages

    /// Sends what may leave, and takes answers until `isDone`.
    ///
    /// - Parameter towards: the shard whose answer is waited for first.
    private func drive(towards shard: Int? = nil, until isDone: (WorkerExchange) -> Bool) throws {
        while true {
            while let outgoing = state.next() { send(outgoing) }
            if isDone(state) { return }
            guard let oldest = state.underWay.first else {
                throw NodeError(.peerUnavailable, "a server answered something else than it was asked")
            }
            try receive(shard.flatMap { flights[$0] == nil ? nil : $0 } ?? oldest)
        }
    }

    private func send(_ outgoing: WorkerExchange.Outgoing) {
        let shard = layout.shards[outgoing.shard]
        var envelope = ExchangeEnvelope(
            jobKey: jobKey, worker: worker, shard: shard.number, sequence: outgoing.sequence)
        envelope.isShared = isShared[shard.number]
        envelope.hasHalfValues = wire == .bfloat16
        envelope.buffer = outgoing.buffer
        var fill: (@Sendable (UnsafeMutableRawBufferPointer) -> Void)?
        var message: Message
        switch outgoing.request {
        case .push(let push) where push.examples > 0 && !push.isVoid && !envelope.isShared:
            if wire == .float32 {
                message = ExchangeCodec.message(
                    outgoing.request, envelope, room: shard.pushBytes, reusing: spares[shard.number]?.take())
                // Nothing of a shard's gradients is written before its answer has come.
                nonisolated(unsafe) let memory = memory
                fill = { memory.copyGradients(shard, to: $0.baseAddress! + ExchangeCodec.headerSize) }
            } else {
                if !outgoing.isRepeat { encoded[shard.number] = memory.encodeGradients(shard, with: &encoder) }
                envelope.isEncoded = true
                message = ExchangeCodec.message(outgoing.request, envelope, payload: encoded[shard.number])
            }
        case .attach:
            message = ExchangeCodec.message(
                outgoing.request, envelope, payload: memory.offer(shard)?.bytes ?? [])
        default: message = ExchangeCodec.message(outgoing.request, envelope)
        }
        flights[shard.number] = Flight(
            outgoing: outgoing,
            sending: sender.send(
                message, to: sockets[shard.server][shard.executor], timeout: ParameterClient.requestTimeout, fill: fill)
        )
    }

    /// Takes the answer of a shard. One that does not come is asked for again, until the deadline.
    private func receive(_ number: Int) throws {
        if shouldStop() { throw WorkerStopped() }
        guard let flight = flights[number] else { return }
        let server = layout.shards[number].server
        let pending: PendingReply
        do { pending = try flight.sending.reply() } catch { throw NodeError(.peerUnavailable, "\(error)") }
        do {
            let message = try pending.wait()
            flights[number] = nil
            trouble[number] = nil
            if try take(message, flight.outgoing) { spares[number] = Box(message) }
        } catch let error as MessagingError {
            guard error.code != .refused else {
                throw NodeError(.refused, "server \(server) refuses: \(error.detail)")
            }
            let since = trouble[number] ?? .now
            trouble[number] = since
            guard ContinuousClock.now - since < deadline else {
                throw NodeError(.peerUnavailable, "server \(server) does not answer: \(error)")
            }
            flights[number] = nil
            state.fail(number, sequence: flight.outgoing.sequence)
        }
    }

    /// Takes an answer; true if its message may be written anew.
    private func take(_ message: borrowing Message, _ outgoing: WorkerExchange.Outgoing) throws -> Bool {
        let shard = layout.shards[outgoing.shard]
        let isHalf = wire == .bfloat16
        return try message.withUnsafeBytes { (bytes) throws -> Bool in
            let answer: (envelope: ExchangeEnvelope, reply: ExchangeReply, payload: UnsafeRawBufferPointer)
            do throws(NodeError) { answer = try ExchangeCodec.reply(bytes) } catch {
                throw NodeError(.peerUnavailable, "server \(shard.server) answered something else: \(error.message)")
            }
            let (envelope, reply, payload) = answer
            if case .refused(let reason) = reply {
                guard isJoining else { throw NodeError(.refused, "server \(shard.server) refuses: \(reason)") }
                refusals[shard.server] = reason
                state.take(reply, from: shard.number, sequence: outgoing.sequence)
                return false
            }
            guard envelope.sequence == outgoing.sequence, envelope.shard == shard.number,
                outgoing.request.accepts(reply)
            else { throw NodeError(.peerUnavailable, "server \(shard.server) answered something else") }
            if case .waiting(let names) = reply, !names.isEmpty { onEvent("the step waits for \(names)") }
            if reply.carriesValues {
                let size = envelope.isShared ? 0 : isHalf ? memory.halfBytes(shard) : shard.valueBytes
                guard payload.count == size, !envelope.isShared || isShared[shard.number],
                    envelope.hasHalfValues == isHalf
                else {
                    throw NodeError(
                        .peerUnavailable,
                        "server \(shard.server) sent \(payload.count) bytes for shard \(shard.number)")
                }
                if isHalf {
                    memory.readHalfValues(shard, from: payload.baseAddress!, to: outgoing.buffer)
                } else if !envelope.isShared, size > 0 {
                    memory.copyValues(shard, from: payload.baseAddress!, to: outgoing.buffer)
                }
            }
            if outgoing.request == .attach {
                isShared[shard.number] = true
                state.share(shard.number)
            }
            state.take(reply, from: shard.number, sequence: outgoing.sequence)
            return reply.carriesValues && !envelope.isShared
        }
    }

    // MARK: Shared memory

    /// Offers every server the memory that its shards' bytes are in; those on other machines cannot open it.
    private func share() throws {
        guard let shared = memory.shared else { return }
        isJoining = true
        state.attach(layout.shards.map(\.number))
        try settle()
        isJoining = false
        shared.withdraw()
        for (server, reason) in refusals.sorted(by: { $0.key < $1.key }) {
            onEvent("server \(server) shares no memory with this worker (\(reason)): sockets carry the bytes")
        }
    }
}

/// The job ends while a request is on its way.
struct WorkerStopped: Error {}
