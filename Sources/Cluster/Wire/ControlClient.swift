internal import Foundation
public import Messaging
internal import SwiftProtobuf

/// Talks to a coordinator: one request, one answer.
public final class ControlClient: Sendable {
    /// The version of the control messages.
    package static let protocolVersion: UInt32 = 2
    /// The most bytes of a control message.
    package static let maximumMessage = (4 << 20) + (64 << 10)

    public let address: Address
    /// The job's secret: what was given, or what the coordinator left for this user; "" without either.
    package let token: String
    /// Whether the token was given, not found.
    private let isTokenGiven: Bool
    private let socket: RequestSocket

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
            socket = try RequestSocket(dial: address, tls: tls, maximumMessage: ControlClient.maximumMessage)
        } catch { throw NodeError(.peerUnavailable, "\(error)") }
    }

    /// Sends a request and waits for the answer.
    /// - Throws: `NodeError` `.peerUnavailable` without an answer in time, `.refused` if the coordinator refuses.
    package func ask(_ kind: WireRequest.OneOf_Kind, timeout: Duration = .seconds(10)) throws -> WireReply.OneOf_Kind {
        var request = WireRequest()
        request.protocol = ControlClient.protocolVersion
        request.token = token
        request.kind = kind
        let bytes: [UInt8] = try request.serializedBytes()
        let answer: Messaging.Message
        do { answer = try socket.request(Messaging.Message(bytes), timeout: timeout) } catch {
            if case .peerNotAuthenticated = error.code { throw NodeError(.refused, "\(error)\(tokenHint)") }
            throw NodeError(.peerUnavailable, "the coordinator does not answer: \(error)")
        }
        guard let reply = try? answer.withUnsafeBytes({ try WireReply(serializedBytes: Array($0)) }),
            let kind = reply.kind
        else {
            throw NodeError(.peerUnavailable, "what answers at \(address) is no coordinator of this version")
        }
        if case .refused(let refusal) = kind {
            let details = refusal.differences.isEmpty ? "" : ": " + refusal.differences.joined(separator: "; ")
            let hint = refusal.reason.contains("token") ? tokenHint : ""
            throw NodeError(.refused, "the coordinator at \(address) refuses: \(refusal.reason)\(details)\(hint)")
        }
        return kind
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
        guard case .statusReport(let report) = try ask(.status(WireStatus()), timeout: timeout) else {
            throw unexpected()
        }
        return JobStatus(report)
    }

    /// Ends the job: after a last checkpoint, or at once.
    public func stop(now: Bool = false, reason: String = "stopped from the command line") throws {
        var stop = WireStop()
        stop.now = now
        stop.reason = reason
        _ = try ask(.stop(stop), timeout: .seconds(5))
    }

    package func unexpected() -> NodeError {
        NodeError(.peerUnavailable, "the coordinator at \(address) answered something else")
    }
}
