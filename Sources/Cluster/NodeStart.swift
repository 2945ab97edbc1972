internal import Dataflow
internal import Foundation
internal import Messaging
internal import Training

/// What servers and workers do alike: ask for the configuration, and keep in touch with the coordinator.
package enum NodeStart {
    /// The program's version, which all nodes of a job must share.
    package static let version = "0.1.0"

    static var host: String { ProcessInfo.processInfo.hostName }

    /// A coordinator that listens has left its token after this time.
    private static let tokenDelay = Duration.seconds(2)

    /// Connects to the coordinator and asks for the job's configuration, again until the coordinator is there or the time
    /// to join is over.
    ///
    /// - Returns: The configuration, and the connection with the token that the coordinator took.
    /// - Throws: `NodeStopped` if the process is asked to end meanwhile.
    static func connect(
        _ coordinator: Address, _ options: NodeOptions
    ) throws -> (control: ControlClient, config: JobConfig) {
        let begin = ContinuousClock.now
        /// Since when each token was refused: the coordinator leaves its token for others right after it begins to listen.
        var refused: [String: ContinuousClock.Instant] = [:]
        while true {
            let control = try ControlClient(
                coordinator, token: options.token, tls: options.clientTLS, isInsecure: options.isInsecure)
            do { return (control, try configuration(control, options, since: begin)) } catch let error as NodeError {
                control.close()
                let since = refused[control.token] ?? .now
                refused[control.token] = since
                guard error.kind == .refused, options.token == nil, coordinator.transport.hasPort,
                    ContinuousClock.now - begin < options.joinTimeout,
                    try TokenStore().token(for: coordinator) ?? "" != control.token
                        || ContinuousClock.now - since < tokenDelay
                else { throw error }
                Thread.sleep(forTimeInterval: 0.05)
            } catch {
                control.close()
                throw error
            }
        }
    }

    private static func configuration(
        _ control: ControlClient, _ options: NodeOptions, since begin: ContinuousClock.Instant
    ) throws -> JobConfig {
        if options.stop.isStopped { throw NodeStopped() }
        let (yaml, preprocessing) = try job(control, options, until: begin + options.joinTimeout)
        var config = try JobConfig.received(yaml: yaml, modelKinds: Set(options.jobs.map { type(of: $0).kind }))
        config.reading.preprocessing = try Preprocessing(
            json: preprocessing, name: "the coordinator's preprocessing")
        return config
    }

    /// The configuration's YAML and, put together from its pieces, the preprocessing's JSON.
    private static func job(
        _ control: ControlClient, _ options: NodeOptions, until deadline: ContinuousClock.Instant
    ) throws -> (yaml: String, preprocessing: [UInt8]) {
        var preprocessing = Pieces("Configuration.preprocessing_total")
        while true {
            var ask = WireGetConfiguration()
            ask.preprocessingOffset = Int64(preprocessing.bytes.count)
            let answer: WireReply.OneOf_Kind
            do {
                answer = try control.ask(
                    .getConfiguration(ask), timeout: .seconds(2), limit: max(deadline - .now, .milliseconds(1))
                ) {
                    if options.stop.isStopped { throw NodeStopped() }
                    // One that has come meanwhile has left another token.
                    if options.token == nil, try TokenStore().token(for: control.address) ?? "" != control.token {
                        throw NodeError(.refused, "the token has changed")
                    }
                }
            } catch let error as NodeError where error.kind == .peerUnavailable && ContinuousClock.now >= deadline {
                throw NodeError(
                    .peerUnavailable,
                    "no coordinator at \(control.address) within \(options.joinTimeout); is it running, and is the address right? (\(error.message))"
                )
            }
            guard case .configuration(let reply) = answer else { throw control.unexpected() }
            if try preprocessing.take(reply.preprocessing, of: reply.preprocessingTotal) {
                return (reply.yaml, preprocessing.bytes)
            }
        }
    }

    /// Sends a heartbeat; the answer is the view, at once if there is a newer one.
    ///
    /// - Parameters:
    ///   - interval: how long the coordinator may hold it.
    ///   - limit, check: as of `ControlClient.ask`.
    @discardableResult
    static func heartbeat(
        _ control: ControlClient, _ report: NodeReport, interval: Duration, limit: Duration? = nil,
        check: () throws -> Void = {}
    ) throws -> ClusterView {
        let answer = try control.ask(
            .heartbeat(report.wire), timeout: interval + .seconds(3), limit: limit, check: check)
        guard case .view(let view) = answer else { throw control.unexpected() }
        return try ClusterView(view)
    }
}

/// The process was asked to end before it had a part in the job.
struct NodeStopped: Error {}

extension StopSignal {
    var isStopped: Bool { request != .none }
}
