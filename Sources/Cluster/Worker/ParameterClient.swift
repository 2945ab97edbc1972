package import Dataflow
internal import Foundation
package import Messaging

/// A worker's side of the exchange: gets values into a session's Variables, pushes gradients, and retries both.
///
/// A step's gradients leave bundle by bundle as the run of `exchange` makes them; the answers are taken just before the
/// next run reads the values, or by `settle`. Pipelined, the next run reads the values that came before those, and the
/// answers are taken before it makes the next gradients.
///
/// Where it is to look for gradients that are not finite, each bundle's are scanned before they leave. From the first such
/// one on nothing of the step leaves; and nothing before the run is over where a step goes into all bundles or into none.
package final class ParameterClient {
    /// Seconds before a push is repeated that found no room.
    private static let pause = 0.002
    /// Of one request; servers answer at least every two seconds.
    private static let requestTimeout = Duration.seconds(3)

    package typealias Outcome = WorkerState.Outcome

    /// What a worker tells of the step whose gradients it pushes.
    package struct Push {
        /// The worker's step, counted from 0.
        var step: Int
        var batch: Int
        /// 0 where this worker has no examples in the batch, and no gradients.
        var examples: Int
        /// The view by which the batch was divided, in a synchronous job; the worker's clock under bounded staleness; not
        /// used in an asynchronous job.
        var clock: UInt64 = 0
        /// Whether the new values are needed; must be in a synchronous job.
        var wantsValues = true

        package init(step: Int, batch: Int, examples: Int, clock: UInt64 = 0, wantsValues: Bool = true) {
            self.step = step
            self.batch = batch
            self.examples = examples
            self.clock = clock
            self.wantsValues = wantsValues
        }
    }

    /// A request whose answer has not been taken.
    private struct Flight {
        /// Makes the request, or the shorter one for when its bytes are known to have arrived.
        let make: (_ sequence: UInt64, _ isAgain: Bool) -> Draft
        var sending: RequestSender.Sending
        var sequence: UInt64
        let bytes: Int
        /// Where the values of the answer go.
        let place: Int
    }

    /// A request, and whether the bundle's gradients are still to be copied into it.
    private struct Draft: ~Copyable {
        var message: Message
        var lacksGradients = false
    }

    private let layout: BundleLayout
    private let memory: ExchangeMemory
    private let session: Session
    private let sockets: [[RequestSocket]]
    private let sender = RequestSender()
    private let jobKey: UInt64
    private let incarnation: UInt64
    private let worker: Int
    private let deadline: Duration
    private let shouldStop: () -> Bool
    private let onEvent: (String) -> Void
    /// Bytes in flight in sockets at once.
    private let window: Int
    private let wire: WireFormat
    private let consistency: JobConfig.Cluster.Consistency
    private var encoder: GradientEncoder
    /// By bundle.
    private var flights: [Flight?]
    private var isShared: [Bool]
    /// By place and bundle, the updates that the values have.
    private var updates: [[UInt64]]
    /// Answers that have been read, by bundle: the next push is written there.
    private var spares: [Box<Message>?]
    /// Bundles whose push of the step at hand has not left.
    private var isWaiting: [Bool]
    /// Bundles in flight, the oldest first.
    private var order: [Int] = []
    private var bytesInFlight = 0
    private var sequence: UInt64 = 0
    private var push = Push(step: 0, batch: 0, examples: 0)
    private let onNaN: JobConfig.Train.OnNaN?
    /// Bundles whose gradients of the step at hand have not been scanned.
    private var isUnscanned: [Bool]
    /// The first gradient of the step at hand that is not finite.
    private(set) var notFinite: NotFiniteNumbers?
    /// What is not finite is told of already, and is not looked for any more.
    var hasToldOfNaN = false
    /// Memory is being offered; servers that refuse it, and why.
    private var isJoining = false
    private var refusals: [Int: String] = [:]
    private(set) var outcome = Outcome()
    /// What a run of the session that computes gradients is to be given.
    private(set) var exchange: RunExchange!

    package init(
        cut: TrainingCut, layout: BundleLayout, session: Session, sockets: [[RequestSocket]], jobKey: UInt64,
        incarnation: UInt64, worker: Int, cluster: JobConfig.Cluster, onNaN: JobConfig.Train.OnNaN? = nil,
        shouldStop: @escaping () -> Bool, onEvent: @escaping (String) -> Void
    ) throws {
        self.layout = layout
        self.session = session
        self.sockets = sockets
        self.jobKey = jobKey
        self.incarnation = incarnation
        self.worker = worker
        deadline = cluster.heartbeatTimeout
        window = cluster.window(lanes: sockets.map(\.count))
        wire = cluster.wire
        consistency = cluster.consistency
        encoder = GradientEncoder(cluster.wire)
        self.onNaN = onNaN
        self.shouldStop = shouldStop
        self.onEvent = onEvent
        flights = Array(repeating: nil, count: layout.bundles.count)
        isShared = Array(repeating: false, count: layout.bundles.count)
        isWaiting = isShared
        isUnscanned = isShared
        spares = Array(repeating: nil, count: layout.bundles.count)
        let places = cluster.consistency.isPipelined ? 2 : 1
        updates = Array(repeating: Array(repeating: 0, count: layout.bundles.count), count: places)
        memory = ExchangeMemory(
            cut, places: places, isShared: cluster.sharedMemory && cluster.wire == .float32, onEvent: onEvent)
        try memory.bind(session)
        exchange = RunExchange(
            groups: layout.bundles.map { bundle in
                RunExchange.Group(
                    fetches: bundle.pushes.map { cut.writes[bundle.blocks[$0.block].write].pushed[$0.input]! },
                    variables: bundle.blocks.map { block in
                        cut.writes[block.write].readable.first { $0.name == block.variable }!
                    },
                    hasValues: cluster.consistency.isPipelined)
            }, destinations: memory.destinations,
            willUse: { [unowned self] bundle in try arrive(bundle) },
            isFinal: { [unowned self] bundle in try complete(bundle) })
        try share()
    }

    // MARK: Exchanges

    /// Gets all values.
    ///
    /// - Parameter pauses: how often this worker has paused.
    package func pull(pauses: UInt64 = 0) throws -> Outcome {
        try settle()
        var rest = layout.bundles[...]
        var told = -1
        if !consistency.isAsynchronous {
            // The arbiter names the step, or the clock from which this worker begins; the others hear it from the worker.
            let arbiter = layout.bundles[layout.arbiter]
            try ask(.pull, arbiter, clock: pauses)
            try settle()
            told = consistency.isSynchronous ? outcome.step : Int(min(outcome.clock, 1 << 53 - 2))
            rest = layout.bundles.filter { $0.number != layout.arbiter }[...]
        }
        for bundle in rest { try ask(.pull, bundle, step: told + 1, clock: pauses) }
        try settle()
        return outcome
    }

    /// Waits at the arbiter for the end of a step in which this worker has no part.
    func wait(step: Int) throws -> Outcome {
        try settle()
        try ask(.push, layout.bundles[layout.arbiter], step: step)
        try settle()
        return outcome
    }

    /// Tells all servers that this worker has no batches for now.
    ///
    /// - Parameter pauses: how often it has paused, this time included.
    func pause(pauses: UInt64) throws {
        try settle()
        for bundle in layout.bundles { try ask(.pause, bundle, clock: pauses) }
        try settle()
    }

    /// Sends a request without gradients.
    private func ask(_ kind: DataHeader.Kind, _ bundle: Bundle, step: Int = 0, clock: UInt64 = 0) throws {
        let place = memory.place
        try send(bundle, bytes: isShared[bundle.number] ? 0 : bundle.valueBytes) { [unowned self] sequence, isAgain in
            var header = self.header(isAgain && kind == .push ? .await : kind, bundle, sequence, place: place)
            header.step = Int64(step)
            header.clock = clock
            return Draft(message: header.message(room: 0))
        }
    }

    /// Says what the pushes that follow are about: those of a run that is given `exchange`, or of `pushRest`.
    package func begin(_ push: Push) throws {
        self.push = push
        if consistency.isPipelined {
            if order.isEmpty {
                // These are the newest, and the step after the next is to find no older ones.
                memory.copyToOtherPlace()
                updates[1 - memory.place] = updates[memory.place]
            } else {
                // The answers to the step before the last have all come, or the last would not have been pushed.
                try memory.turn(session)
            }
        }
        for i in isWaiting.indices { (isWaiting[i], isUnscanned[i]) = (true, true) }
        notFinite = nil
    }

    /// A bundle's gradients are final.
    private func complete(_ number: Int) throws {
        scan(number)
        guard onNaN != .skip, onNaN == .ignore || notFinite == nil else { return }
        try depart(number)
    }

    private func scan(_ number: Int) {
        guard isUnscanned[number], onNaN != nil, !hasToldOfNaN, push.examples > 0 else { return }
        isUnscanned[number] = false
        notFinite = notFinite ?? memory.notFiniteGradient(layout.bundles[number])
    }

    /// Looks for gradients that are not finite where that has not been done, after the run.
    func scanRest() { for number in isUnscanned.indices { scan(number) } }

    /// The first Variable whose values here are not finite.
    func notFiniteVariable() -> NotFiniteNumbers? { memory.notFiniteVariable() }

    /// Pushes what the run has not pushed, as where there was no run because there are no examples.
    ///
    /// - Parameter isVoid: the step's gradients are not finite: servers are only told that they are left out.
    package func pushRest(isVoid: Bool = false) throws {
        for number in isWaiting.indices where isWaiting[number] { try depart(number, isVoid: isVoid) }
    }

    /// Waits for the answer of the bundle by which all workers go.
    func arbitrate() throws -> Outcome {
        try arrive(layout.arbiter)
        return outcome
    }

    /// Waits for all answers: what was pushed is applied.
    package func settle() throws { while let oldest = order.first { try arrive(oldest) } }

    /// Makes gradients of zeros, where a benchmark computes none.
    func clearGradients() { memory.clearGradients() }

    // MARK: One bundle

    private func header(
        _ kind: DataHeader.Kind, _ bundle: Bundle, _ sequence: UInt64, place: Int = 0
    ) -> DataHeader {
        var header = DataHeader(
            kind, jobKey: jobKey, incarnation: incarnation, worker: worker, bundle: bundle.number)
        header.sequence = sequence
        header.isShared = isShared[bundle.number]
        header.hasHalfValues = wire == .bfloat16
        header.isSecond = place == 1
        return header
    }

    /// Pushes a bundle's gradients, which are final.
    private func depart(_ number: Int, isVoid: Bool = false) throws {
        try arrive(number)
        let bundle = layout.bundles[number]
        let (push, place) = (self.push, memory.place)
        let clock = consistency.isAsynchronous ? updates[place][number] : push.clock
        let hasBytes = push.examples > 0 && !isShared[number] && !isVoid
        isWaiting[number] = false
        // Once: what a format leaves out goes into the next step, and a repeat says the same.
        let encoded = hasBytes && wire != .float32 ? memory.encodeGradients(bundle, with: &encoder) : nil
        try send(bundle, bytes: isShared[number] ? 0 : max(bundle.pushBytes, bundle.valueBytes)) {
            [unowned self] sequence, isAgain in
            let kind: DataHeader.Kind = isAgain ? .await : push.wantsValues ? .push : .pushOnly
            var header = self.header(kind, bundle, sequence, place: place)
            header.step = Int64(push.step)
            header.batch = Int64(push.batch)
            header.clock = clock
            header.examples = UInt32(push.examples)
            header.isVoid = isVoid
            guard hasBytes, !isAgain else { return Draft(message: header.message(room: 0)) }
            if let encoded {
                header.isEncoded = true
                return Draft(message: header.message(bytes: encoded))
            }
            let message = header.message(room: bundle.pushBytes, reusing: spares[number]?.take())
            return Draft(message: message, lacksGradients: true)
        }
    }

    /// Sends a request about a bundle, after others have come back if too much is in flight.
    private func send(
        _ bundle: Bundle, bytes: Int, _ make: @escaping (_ sequence: UInt64, _ isAgain: Bool) -> Draft
    ) throws {
        while bytesInFlight + bytes > window, let oldest = order.first { try arrive(oldest) }
        sequence += 1
        flights[bundle.number] = Flight(
            make: make, sending: start(bundle, make(sequence, false)), sequence: sequence, bytes: bytes,
            place: memory.place)
        order.append(bundle.number)
        bytesInFlight += bytes
    }

    private func start(_ bundle: Bundle, _ draft: consuming Draft) -> RequestSender.Sending {
        // Nothing of a bundle's gradients is written before its answer has come.
        nonisolated(unsafe) let memory = memory
        var fill: (@Sendable (UnsafeMutableRawBufferPointer) -> Void)?
        if draft.lacksGradients {
            fill = { bytes in memory.copyGradients(bundle, to: bytes.baseAddress! + DataHeader.size) }
        }
        return sender.send(
            draft.message, to: sockets[bundle.server][bundle.lane], timeout: ParameterClient.requestTimeout, fill: fill)
    }

    private func reply(to flight: borrowing Flight) throws -> PendingReply {
        do { return try flight.sending.reply() } catch { throw NodeError(.peerUnavailable, "\(error)") }
    }

    /// Takes a bundle's answer, if there is one to come: asks again where the connection broke or the step has to wait
    /// for others.
    private func arrive(_ number: Int) throws {
        guard var flight = flights[number] else { return }
        let bundle = layout.bundles[number]
        var trouble: ContinuousClock.Instant?
        retry: while true {
            if shouldStop() { throw WorkerStopped() }
            var isAgain = false
            let pending = try reply(to: flight)
            do {
                let message = try pending.wait()
                let answer = try take(message, bundle, flight)
                if case .done = answer {
                    if !isShared[number] { spares[number] = Box(message) }
                    break retry
                }
                trouble = nil
                if case .waiting(let names) = answer {
                    isAgain = true
                    onEvent("the step waits for \(names)")
                } else {
                    Thread.sleep(forTimeInterval: ParameterClient.pause)
                }
            } catch let error as MessagingError {
                guard error.code != .refused else {
                    throw NodeError(.refused, "server \(bundle.server) refuses: \(error.detail)")
                }
                trouble = trouble ?? .now
                guard ContinuousClock.now - trouble! < deadline else {
                    throw NodeError(.peerUnavailable, "server \(bundle.server) does not answer: \(error)")
                }
            }
            sequence += 1
            flight.sequence = sequence
            flight.sending = start(bundle, flight.make(sequence, isAgain))
        }
        flights[number] = nil
        order.removeAll { $0 == number }
        bytesInFlight -= flight.bytes
    }

    private enum Answer { case done, waiting(String), busy }

    private func take(_ message: borrowing Message, _ bundle: Bundle, _ flight: borrowing Flight) throws -> Answer {
        try message.withUnsafeBytes { (bytes) throws -> Answer in
            guard let header = DataHeader(bytes), (try? header.check(mostExamples: Int(UInt32.max))) != nil,
                header.sequence == flight.sequence || header.kind == .refused,
                header.bundle == UInt32(bundle.number) || header.kind == .refused
            else { throw NodeError(.peerUnavailable, "server \(bundle.server) answered something else") }
            switch header.kind {
            case .values, .late:
                let isHalf = wire == .bfloat16
                let size = header.isShared ? 0 : isHalf ? memory.halfBytes(bundle) : bundle.valueBytes
                guard bytes.count == DataHeader.size + size, !header.isShared || isShared[bundle.number],
                    header.hasHalfValues == isHalf
                else {
                    throw NodeError(
                        .peerUnavailable,
                        "server \(bundle.server) sent \(bytes.count) bytes for bundle \(bundle.number)")
                }
                let values = bytes.baseAddress! + DataHeader.size
                if isHalf {
                    memory.readHalfValues(bundle, from: values, to: flight.place)
                } else if !header.isShared {
                    memory.copyValues(bundle, from: values, to: flight.place)
                }
                updates[flight.place][bundle.number] = UInt64(header.step)
                if bundle.number == layout.arbiter {
                    outcome = Outcome(step: Int(header.step), clock: header.clock, isLate: header.kind == .late)
                }
                return .done
            case .applied: return .done
            case .attached:
                isShared[bundle.number] = true
                return .done
            case .waiting: return .waiting(DataHeader.text(bytes))
            case .busy: return .busy
            case .refused where isJoining:
                refusals[bundle.server] = DataHeader.text(bytes)
                return .done
            default: throw NodeError(.refused, "server \(bundle.server) refuses: \(DataHeader.text(bytes))")
            }
        }
    }

    // MARK: Shared memory

    /// Offers every server the memory that its bundles' bytes are in; those on other machines cannot open it.
    private func share() throws {
        guard let shared = memory.shared else { return }
        isJoining = true
        for bundle in layout.bundles {
            guard let offer = memory.offer(bundle) else { continue }
            try send(bundle, bytes: 0) { [unowned self] sequence, _ in
                Draft(message: header(.attach, bundle, sequence).message(bytes: offer.bytes))
            }
        }
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
