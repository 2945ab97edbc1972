internal import Synchronization

/// The time that runs spend in each operation; TensorFlow's `RunMetadata`.
///
/// ```swift
/// let profile = Profile()
/// for batch in batches { try session.run(train, feeds: batch, profile: profile) }
/// for line in profile.byOperation { print(line.operation, line.seconds) }
/// try Data(profile.chromeTrace().utf8).write(to: url)
/// ```
///
/// Measuring costs some hundred nanoseconds a step. Runs without a profile pay nothing.
public final class Profile: Sendable {
    /// One execution of one step.
    public struct Event: Sendable {
        /// The name of the vertex; if several run as one kernel, of the last.
        public let name: String
        /// TensorFlow's name of the op; if several run as one kernel, their names joined by "+".
        public let operation: String
        public let device: String
        /// Seconds since the profile was made.
        public let start: Double
        /// Seconds.
        public let duration: Double
        /// Bytes of the inputs and outputs.
        public let bytes: Int
    }

    /// The total of all executions of one kind of operation.
    public struct Total: Sendable {
        public let operation: String
        public let count: Int
        public let seconds: Double
        public let bytes: Int
    }

    /// The events in the order in which the steps ran.
    public var events: [Event] { collected.withLock { $0 } }
    private let collected = Mutex<[Event]>([])
    private let clock = ContinuousClock()
    package let origin: ContinuousClock.Instant
    private let limit: Int

    /// - Parameter limit: the profile keeps this many events, the first ones.
    public init(limit: Int = .max) {
        origin = clock.now
        self.limit = limit
    }

    /// The time by kind of operation, the longest first.
    public var byOperation: [Total] {
        Dictionary(grouping: events, by: \.operation)
            .map { operation, events in
                Total(
                    operation: operation, count: events.count, seconds: events.reduce(0) { $0 + $1.duration },
                    bytes: events.reduce(0) { $0 + $1.bytes })
            }
            .sorted { ($0.seconds, $1.operation) > ($1.seconds, $0.operation) }
    }

    /// Runs and measures a step.
    func measure(_ label: PlanDescription.Step, _ body: () throws -> Void) rethrows {
        let begin = clock.now
        try body()
        let end = clock.now
        let event = Event(
            name: label.name, operation: label.operation, device: label.device, start: (begin - origin).inSeconds,
            duration: (end - begin).inSeconds, bytes: label.bytes)
        collected.withLock { events in
            if events.count < limit { events.append(event) }
        }
    }

    /// The events as JSON that chrome://tracing and Perfetto open (Google's "Trace Event Format"), a row for each
    /// device.
    ///
    /// - Parameters:
    ///   - process: the name of the process, above its rows.
    ///   - number: the number of the process, so that one file can hold the traces of several.
    public func chromeTrace(process: String = "tributary", number: Int = 0) -> String {
        "{\"traceEvents\": [\n\(chromeEvents(process: process, number: number).joined(separator: ",\n"))\n]}\n"
    }

    /// The elements of a trace's `traceEvents`. Times count from `start`; nil: from when the profile was made.
    package func chromeEvents(
        process: String, number: Int, since start: ContinuousClock.Instant? = nil
    ) -> [String] {
        let offset = start.map { (origin - $0).inSeconds } ?? 0
        let events = events
        var rows: [String: Int] = [:]
        for event in events where rows[event.device] == nil { rows[event.device] = rows.count }
        let header = "{\"ph\": \"M\", \"pid\": \(number), "
        let names =
            ["\(header)\"name\": \"process_name\", \"args\": {\"name\": \(quoted(process))}}"]
            + rows.sorted { $0.value < $1.value }.map { device, row in
                "\(header)\"tid\": \(row), \"name\": \"thread_name\", \"args\": {\"name\": \(quoted(device))}}"
            }
        return names
            + events.map { event in
                "{\"ph\": \"X\", \"pid\": \(number), \"tid\": \(rows[event.device] ?? 0), \"cat\": \"Op\", "
                    + "\"name\": \(quoted(event.operation)), \"ts\": \((offset + event.start) * 1e6), \"dur\": \(event.duration * 1e6), "
                    + "\"args\": {\"name\": \(quoted(event.name)), \"bytes\": \(event.bytes)}}"
            }
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// A JSON string.
private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\u{0}"..<" ":
            let code = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - code.count) + code
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

extension Profile: CustomStringConvertible {
    /// A line for each kind of operation with its time, the longest first.
    public var description: String {
        let lines = byOperation.map(\.description)
        return lines.isEmpty ? "a profile of no run" : lines.joined(separator: "\n")
    }
}

extension Profile.Total: CustomStringConvertible {
    public var description: String { "\(operation): \(seconds) s in \(count) runs, \(bytes) bytes" }
}

extension Profile.Event: CustomStringConvertible {
    public var description: String {
        "\(operation) '\(name)' on \(device): \(duration) s from \(start) s, \(bytes) bytes"
    }
}
