internal import Synchronization

/// A reference to a value that cannot be copied, so that arrays and dictionaries can hold it.
///
/// A parked ``Request`` or a ``PendingReply`` in flight is kept this way:
///
/// ```swift
/// var inFlight: [Box<PendingReply>] = []
/// inFlight.append(Box(try socket.send(message, timeout: .seconds(5))))
/// let reply = try inFlight.removeFirst().take()?.wait()
/// ```
///
/// Dropping the box drops what is still in it.
public final class Box<Value: ~Copyable & Sendable>: Sendable {
    private let value: Mutex<Value?>

    /// Puts `value` into a new box.
    public init(_ value: consuming Value) {
        self.value = Mutex(consume value)
    }

    /// Takes the value out; nil the second time.
    public func take() -> Value? {
        value.withLock { $0.take() }
    }
}
