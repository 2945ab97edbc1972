internal import Dataflow
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
    private let socket: RequestSocket
    private let token: String

    public init(_ address: Address, token: String? = nil, tls: TLS? = nil) throws {
        self.address = address
        self.token = token ?? ""
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
            throw NodeError(.peerUnavailable, "the coordinator does not answer: \(error)")
        }
        guard let reply = try? answer.withUnsafeBytes({ try WireReply(serializedBytes: Array($0)) }),
            let kind = reply.kind
        else {
            throw NodeError(.peerUnavailable, "what answers at \(address) is no coordinator of this version")
        }
        if case .refused(let refusal) = kind {
            let details = refusal.differences.isEmpty ? "" : ": " + refusal.differences.joined(separator: "; ")
            let reason = TerminalText.line(refusal.reason + details)
            throw NodeError(.refused, "the coordinator at \(address) refuses: \(reason)")
        }
        return kind
    }

    public func close() { socket.close() }
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
