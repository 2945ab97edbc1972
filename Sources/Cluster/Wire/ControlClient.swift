internal import Dataflow
internal import Foundation
public import Messaging
internal import SwiftProtobuf
internal import Synchronization

/// Talks to a coordinator: one request, one answer. A request whose connection breaks is sent again: the coordinator takes
/// a repeat for what it is.
public final class ControlClient: Sendable {
    /// The version of the control messages.
    package static let protocolVersion: UInt32 = 5
    /// The most bytes of a control message.
    package static let maximumMessage = (4 << 20) + (64 << 10)

    /// How long a node tells of its end when the job is over: the coordinator does not wait long for those who leave.
    package static let limitOfEnd = Duration.seconds(2)

    public let address: Address
    /// The job's secret: what was given, or what the coordinator left for this user; "" without either.
    package let token: String
    /// Whether the token was given, not found.
    private let isTokenGiven: Bool
    private let socket: RequestSocket
    private let persistence = Mutex(Persistence())

    /// - Parameters:
    ///   - token: the job's secret; nil: what a coordinator of this user left for the address, if there is one.
    ///   - tls: what to check the coordinator against, for `tls+tcp`.
    ///   - isInsecure: allows `tcp://` beyond this machine.
    /// - Throws: `NodeError` `.refused` if the address must not be dialled with these options.
    public init(_ address: Address, token: String? = nil, tls: TLS? = nil, isInsecure: Bool = false) throws {
        try ConnectionRules(client: tls, isInsecure: isInsecure).checkDialing(address)
        self.address = address
        isTokenGiven = token != nil
        self.token = try token ?? TokenStore().token(for: address) ?? ""
        do {
            socket = try RequestSocket(
                dial: address, tls: tls, secret: self.token, maximumMessage: ControlClient.maximumMessage)
        } catch { throw NodeError(.peerUnavailable, "\(error)") }
    }

    /// Sends a request and waits for the answer; again, after a pause, as long as none comes.
    ///
    /// - Parameters:
    ///   - timeout: how long to wait for an answer before the request is sent again.
    ///   - limit: how long in all; 0 tries once. nil: as `persist` says, but for as long as nothing at all is heard of the
    ///     coordinator, so that requests of several threads give up at the same time.
    ///   - check: called before a repeat; what it throws ends the wait.
    /// - Throws: `NodeError` `.peerUnavailable` without an answer in time, or once the process was asked to end at once;
    ///   `.refused` if the coordinator refuses, which is final.
    package func ask(
        _ kind: WireRequest.OneOf_Kind, timeout: Duration = .seconds(3), limit: Duration? = nil,
        check: () throws -> Void = {}
    ) throws -> WireReply.OneOf_Kind {
        var retries = Retries(from: .now)
        while true {
            let persistence = self.persistence.withLock { $0 }
            let most = limit ?? persistence.limit
            func left() -> Duration {
                let silentSince = self.persistence.withLock { $0.silentSince } ?? retries.began
                return (limit == nil ? min(retries.began, silentSince) : retries.began) + most - .now
            }
            let allowed = most == .zero ? timeout : min(timeout, max(left(), .milliseconds(100)))
            let begin = ContinuousClock.now
            let answer: Result<WireReply.OneOf_Kind, any Error>
            do throws(MessagingError) { answer = try askOnce(kind, timeout: allowed) } catch {
                // While this process did not run, nothing was tried.
                let excess = max(ContinuousClock.now - begin - allowed - .seconds(1), .zero)
                retries.began += excess
                self.persistence.withLock { $0.noteSilence(from: begin, excess) }
                guard error.code != .refused else {
                    let hint = error.detail.contains("token") ? tokenHint : ""
                    throw NodeError(.refused, "the coordinator at \(address) refuses: \(error.detail)\(hint)")
                }
                let failure = NodeError(.peerUnavailable, "the coordinator does not answer: \(error)")
                guard ControlClient.isWorthRepeating(error), let pause = retries.pause(left: left()) else {
                    throw failure
                }
                func goOn() throws {
                    try check()
                    guard persistence.allowsRepeat(after: ContinuousClock.now - retries.began) else { throw failure }
                }
                try goOn()
                Thread.sleep(forTimeInterval: pause / .seconds(1))
                try goOn()
                continue
            }
            self.persistence.withLock { $0.noteAnswer() }
            return try answer.get()
        }
    }

    /// Has requests sent again for so long while the coordinator is silent, and not after the process was asked to end at once.
    package func persist(for limit: Duration, stop: StopSignal) {
        persistence.withLock { ($0.limit, $0.stop) = (limit, stop) }
    }

    private struct Persistence {
        /// How long a request that has not got an answer is sent again.
        var limit = Duration.zero
        var stop: StopSignal?
        /// Since when nothing is heard of the coordinator; nil while its answers come.
        private(set) var silentSince: ContinuousClock.Instant?
        private var lastAnswer: ContinuousClock.Instant?
        /// Asked to end in good order, a process waits less for a coordinator that is silent.
        private static let limitOfStop = Duration.seconds(5)

        mutating func noteAnswer() { (silentSince, lastAnswer) = (nil, .now) }

        /// A request that was sent at `begin` has got no answer; others may have.
        ///
        /// - Parameter excess: time since then in which this process did not run.
        mutating func noteSilence(from begin: ContinuousClock.Instant, _ excess: Duration) {
            silentSince = min((silentSince ?? max(begin, lastAnswer ?? begin)) + excess, .now)
        }

        func allowsRepeat(after elapsed: Duration) -> Bool {
            switch stop?.request ?? .none {
            case .none: true
            case .gracefully: elapsed < Persistence.limitOfStop
            case .now: false
            }
        }
    }

    /// Whether another try may do what this one did not.
    private static func isWorthRepeating(_ error: MessagingError) -> Bool {
        switch error.code {
        case .timedOut, .connectionReset, .connectionRefused, .outOfResources, .other: true
        case .closed, .canceled, .addressInUse, .addressInvalid, .permissionDenied, .messageTooLarge, .cryptography,
            .peerNotAuthenticated, .refused:
            false
        }
    }

    /// The answer to a request that is sent once: a refusal is one, and so is what is none of a coordinator.
    private func askOnce(
        _ kind: WireRequest.OneOf_Kind, timeout: Duration
    ) throws(MessagingError) -> Result<WireReply.OneOf_Kind, any Error> {
        var request = WireRequest()
        request.protocol = ControlClient.protocolVersion
        request.kind = kind
        let bytes: [UInt8]
        do { bytes = try request.serializedBytes() } catch { return .failure(error) }
        let answer = try socket.request(Messaging.Message(bytes), timeout: timeout)
        guard let reply = try? answer.withUnsafeBytes({ try WireReply(serializedBytes: Array($0)) }),
            let kind = reply.kind
        else {
            return .failure(
                NodeError(.peerUnavailable, "what answers at \(address) is no coordinator of this version"))
        }
        if case .refused(let refusal) = kind {
            let details = refusal.differences.isEmpty ? "" : ": " + refusal.differences.joined(separator: "; ")
            let reason = TerminalText.line(refusal.reason + details)
            return .failure(NodeError(.refused, "the coordinator at \(address) refuses: \(reason)"))
        }
        return .success(kind)
    }

    public func close() { socket.close() }

    /// What to do if the coordinator refuses the token, to be put after the error.
    package var tokenHint: String {
        let rest =
            "give the job's own: --token-file FILE or TRIBUTARY_TOKEN. A coordinator without a given token makes one and logs the file it is in"
        if isTokenGiven { return "; the token given is another one, \(rest)" }
        if !token.isEmpty {
            return "; the token found on this machine is of an earlier job or of another listener, \(rest)"
        }
        let folders =
            address.transport.hasPort ? ", and none was found in \(TokenStore().folders.joined(separator: " or "))" : ""
        return "; no token was given\(folders): \(rest)"
    }
}

extension ControlClient {
    /// The job as its coordinator sees it.
    public func status(timeout: Duration = .seconds(5)) throws -> JobStatus {
        guard case .statusReport(let report) = try ask(.status(WireStatus()), timeout: timeout, limit: timeout) else {
            throw unexpected()
        }
        return try JobStatus(report)
    }

    /// Ends the job: after a last checkpoint, or at once.
    public func stop(now: Bool = false, reason: String = "stopped from the command line") throws {
        var stop = WireStop()
        stop.now = now
        stop.reason = reason
        _ = try ask(.stop(stop), timeout: .seconds(5), limit: .seconds(5))
    }

    package func unexpected() -> NodeError {
        NodeError(.peerUnavailable, "the coordinator at \(address) answered something else")
    }
}

extension ControlClient: CustomStringConvertible {
    public var description: String { "a client of the coordinator at \(address)" }
}
