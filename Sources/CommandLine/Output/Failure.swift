internal import ArgumentParser
internal import Cluster
internal import Dataflow
internal import Interchange
internal import Messaging

/// An error as the shell sees it: one clear message and a status of sysexits.h.
package struct Failure: Equatable {
    /// sysexits.h
    package enum Status {
        package static let usage: Int32 = 64
        package static let data: Int32 = 65
        package static let unavailable: Int32 = 69
        package static let software: Int32 = 70
        package static let cannotCreate: Int32 = 73
        package static let refused: Int32 = 77
        package static let configuration: Int32 = 78
        package static let interrupted: Int32 = 130
    }

    package let status: Int32
    /// For standard error; for standard output where the status is 0 (help). May be empty.
    package let message: String

    package init(status: Int32, message: String) {
        self.status = status
        self.message = message
    }

    package init(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as ConfigurationError: self.init(Status.configuration, error)
        case let error as NodeError: self.init(error.exitStatus, error)
        case let error as JobError: self.init(error.report.hasDiverged ? Status.data : Status.unavailable, error)
        case let error as MessagingError: self.init(Self.status(of: error), error)
        case let error as FormatError: self.init(error.isOutput ? Status.cannotCreate : Status.data, error)
        // The graph follows from the configuration: its model, its devices.
        case let error as GraphError:
            // Names of the file stand in it.
            self.init(
                error.isOutput ? Status.cannotCreate : Status.configuration, line: TerminalText.line("\(error)"))
        default: self = Self.fromParser(error)
        }
    }

    private init(_ status: Int32, _ error: any Error) { self.init(status, line: "\(error)") }

    private init(_ status: Int32, line: String) { self.init(status: status, message: "tributary: \(line)") }

    private static func status(of error: MessagingError) -> Int32 {
        switch error.code {
        case .timedOut, .closed, .canceled, .connectionRefused, .connectionReset: Status.unavailable
        case .addressInUse, .permissionDenied: Status.cannotCreate
        case .addressInvalid: error.operation == .parse ? Status.usage : Status.cannotCreate
        case .cryptography: Status.configuration
        case .peerNotAuthenticated, .refused: Status.refused
        case .messageTooLarge, .outOfResources, .other: Status.software
        }
    }

    private static func fromParser(_ error: any Error) -> Failure {
        let status = TributaryCommand.exitCode(for: error).rawValue
        let text = TributaryCommand.fullMessage(for: error)
        switch status {
        case 0: return Failure(status: 0, message: text)
        case Status.usage:
            let words = text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
            return Failure(status: status, message: "tributary: \(words)")
        default: return Failure(status: Status.software, message: "tributary: internal error: \(error)")
        }
    }
}

extension Failure: Error {}
