internal import ArgumentParser
package import Cluster
internal import Dataflow
internal import Interchange
internal import Messaging

/// An error as the shell sees it: a message and an exit status.
package struct Failure: Equatable {
    package let status: Int32
    /// For standard error; for standard output where the status is 0 (help). May be empty.
    package let message: String

    package init(status: Int32, message: String) {
        self.status = status
        self.message = message
    }

    package init(_ status: ExitStatus, message: String) { self.init(status: status.rawValue, message: message) }

    package init(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as ConfigurationError: self.init(.configuration, error)
        case let error as NodeError: self.init(error.kind, error)
        case let error as JobError: self.init(error.report.hasDiverged ? .badData : .peerUnavailable, error)
        case let error as MessagingError: self.init(Self.status(of: error), error)
        case let error as FormatError: self.init(error.isOutput ? .cannotCreate : .badData, error)
        // Errors of a graph come from the configuration: its model, its devices.
        case let error as GraphError:
            // The message holds names from a file, so escape them.
            self.init(
                error.isOutput ? .cannotCreate : .configuration, line: TerminalText.line("\(error)"))
        default: self = Self.fromParser(error)
        }
    }

    private init(_ status: ExitStatus, _ error: any Error) { self.init(status, line: "\(error)") }

    private init(_ status: ExitStatus, line: String) { self.init(status, message: "tributary: \(line)") }

    private static func status(of error: MessagingError) -> ExitStatus {
        switch error.code {
        case .timedOut, .closed, .canceled, .connectionRefused, .connectionReset: .peerUnavailable
        case .addressInUse, .permissionDenied: .cannotCreate
        case .addressInvalid: error.operation == .parse ? .usage : .cannotCreate
        case .cryptography: .configuration
        case .peerNotAuthenticated, .refused: .refused
        case .messageTooLarge, .outOfResources, .other: .failed
        }
    }

    private static func fromParser(_ error: any Error) -> Failure {
        let status = TributaryCommand.exitCode(for: error).rawValue
        let text = TributaryCommand.fullMessage(for: error)
        switch status {
        case 0: return Failure(status: 0, message: text)
        case ExitStatus.usage.rawValue:
            let words = text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
            return Failure(status: status, message: "tributary: \(words)")
        default: return Failure(.failed, message: "tributary: internal error: \(error)")
        }
    }
}

extension Failure: Error {}
