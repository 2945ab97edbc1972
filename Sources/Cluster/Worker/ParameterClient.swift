internal import Dataflow
internal import Messaging

/// A worker's side of the exchange: pulls values into a session's Variables, pushes gradients, and retries both.
final class ParameterClient {
    /// Requests in flight at once: enough to keep the wire busy, few enough to stay in the cache.
    private static let window = 4
    /// Of one request; servers answer at least every two seconds.
    private static let requestTimeout = Duration.seconds(3)

    private let cut: TrainingCut
    private let layout: BundleLayout
    private let session: Session
    private let sockets: [[RequestSocket]]
    private let jobKey: UInt64
    private let incarnation: UInt64
    private let worker: Int
    private let variables: [String: Vertex]
    private let deadline: Duration
    private let shouldStop: () -> Bool
    private let onEvent: (String) -> Void

    /// What came of an exchange with all bundles.
    struct Outcome {
        /// Updates that the values of the first bundle have.
        var step = 0
        /// The view that the first bundle's server acted on: the one all workers go by.
        var view: UInt64 = 0
    }

    init(
        cut: TrainingCut, layout: BundleLayout, session: Session, sockets: [[RequestSocket]], jobKey: UInt64,
        incarnation: UInt64, worker: Int, deadline: Duration, shouldStop: @escaping () -> Bool,
        onEvent: @escaping (String) -> Void
    ) {
        self.cut = cut
        self.layout = layout
        self.session = session
        self.sockets = sockets
        self.jobKey = jobKey
        self.incarnation = incarnation
        self.worker = worker
        self.deadline = deadline
        self.shouldStop = shouldStop
        self.onEvent = onEvent
        variables = Dictionary(
            cut.writes.map { ($0.variable.name, $0.variable) }, uniquingKeysWith: { first, _ in first })
    }

    /// Gets all values.
    func pull() throws -> Outcome {
        try exchange { bundle in
            DataHeader(
                .pull, jobKey: self.jobKey, incarnation: self.incarnation, worker: self.worker, bundle: bundle.number
            ).message(room: 0)
        }
    }

    /// Pushes the gradients of one step and gets the new values; ends when they are applied.
    ///
    /// - Parameters:
    ///   - gradients: for each write of the cut, its pushed inputs; nil where this worker has no examples in the batch.
    ///   - view: by which the batch was divided, in a synchronous job.
    ///   - wantsValues: whether the new values are needed; must be in a synchronous job.
    func push(
        step: Int, batch: Int, examples: Int, gradients: [[Int: Tensor]]?, view: UInt64 = 0, wantsValues: Bool = true
    ) throws -> Outcome {
        let kind = wantsValues ? DataHeader.Kind.push : .pushOnly
        func header(_ kind: DataHeader.Kind, _ bundle: Bundle) -> DataHeader {
            DataHeader(
                kind, jobKey: jobKey, incarnation: incarnation, step: step, batch: batch, clock: view,
                worker: worker, bundle: bundle.number, examples: examples)
        }
        return try exchange { bundle in
            guard let gradients else { return header(kind, bundle).message(room: 0) }
            var message = header(kind, bundle).message(room: bundle.pushBytes)
            message.withUnsafeMutableBytes { bytes in
                for push in bundle.pushes {
                    let tensor = gradients[bundle.blocks[push.block].write][push.input]!
                    tensor.withUnsafeBytes { source in
                        UnsafeMutableRawBufferPointer(rebasing: bytes[(DataHeader.size + push.offset)...])
                            .copyMemory(
                                from: UnsafeRawBufferPointer(rebasing: source[push.start..<push.start + push.bytes]))
                    }
                }
            }
            return message
        } again: { bundle in
            header(.await, bundle).message(room: 0)
        }
    }

    /// Sends a request to every bundle's lane, some at a time, and takes the values in the answers.
    private func exchange(
        _ make: (Bundle) throws -> Message, again: ((Bundle) -> Message)? = nil
    ) throws -> Outcome {
        var outcome = Outcome()
        var inFlight: [(bundle: Bundle, reply: Box<PendingReply>)] = []
        var next = 0
        while next < layout.bundles.count || !inFlight.isEmpty {
            while next < layout.bundles.count, inFlight.count < ParameterClient.window {
                let bundle = layout.bundles[next]
                inFlight.append((bundle, Box(try send(make(bundle), bundle))))
                next += 1
            }
            let (bundle, reply) = inFlight.removeFirst()
            try finish(bundle, reply, make, again, &outcome)
        }
        return outcome
    }

    private func send(_ message: consuming Message, _ bundle: Bundle) throws -> PendingReply {
        do {
            return try sockets[bundle.server][bundle.lane].send(message, timeout: ParameterClient.requestTimeout)
        } catch { throw NodeError(.peerUnavailable, "\(error)") }
    }

    /// Waits for a bundle's values, asking again where the connection broke or the step has to wait for others.
    private func finish(
        _ bundle: Bundle, _ first: Box<PendingReply>, _ make: (Bundle) throws -> Message,
        _ again: ((Bundle) -> Message)?,
        _ outcome: inout Outcome
    ) throws {
        var pending = first
        var trouble: ContinuousClock.Instant?
        while true {
            if shouldStop() { throw WorkerStopped() }
            do {
                guard let waiting = pending.take() else { preconditionFailure("a reply is waited for once") }
                let message = try waiting.wait()
                switch try take(message, bundle, &outcome) {
                case .done: return
                case .waiting(let names):
                    trouble = nil
                    onEvent("the step waits for \(names)")
                    pending = Box(try send(again?(bundle) ?? make(bundle), bundle))
                }
            } catch let error as MessagingError {
                trouble = trouble ?? .now
                guard ContinuousClock.now - trouble! < deadline else {
                    throw NodeError(.peerUnavailable, "server \(bundle.server) does not answer: \(error)")
                }
                pending = Box(try send(make(bundle), bundle))
            }
        }
    }

    private enum Answer { case done, waiting(String) }

    private func take(_ message: borrowing Message, _ bundle: Bundle, _ outcome: inout Outcome) throws -> Answer {
        try message.withUnsafeBytes { (bytes) throws -> Answer in
            guard let header = DataHeader(bytes), header.bundle == UInt32(bundle.number) || header.kind == .refused
            else {
                throw NodeError(.peerUnavailable, "server \(bundle.server) answered something else")
            }
            switch header.kind {
            case .values:
                guard bytes.count == DataHeader.size + bundle.valueBytes else {
                    throw NodeError(
                        .peerUnavailable,
                        "server \(bundle.server) sent \(bytes.count) bytes for bundle \(bundle.number)")
                }
                for (block, offset) in zip(bundle.blocks, bundle.valueOffsets) {
                    try session.withVariable(variables[block.variable]!, initialize: true) { target in
                        (target.baseAddress! + block.offset * block.dtype.size).copyMemory(
                            from: bytes.baseAddress! + DataHeader.size + offset, byteCount: block.bytes)
                    }
                }
                if bundle.number == 0 { outcome = Outcome(step: Int(header.step), view: header.clock) }
                return .done
            case .applied: return .done
            case .waiting: return .waiting(DataHeader.text(bytes))
            default: throw NodeError(.refused, "server \(bundle.server) refuses: \(DataHeader.text(bytes))")
            }
        }
    }
}

/// The job ends while a request is on its way.
struct WorkerStopped: Error {}
