/// Why a connection is made again.
enum Redial {
    case wasOpen
    case neverOpened
    /// The peer, or this side, has refused the other: trying again soon will not help.
    case refused
}

/// Makes the connection of a socket that sends requests. It tells its `RequestCore` what becomes of it.
protocol Dialer: AnyObject, Sendable {
    /// Begins to connect.
    func dial()

    /// Begins to connect again, after a pause that grows while nobody is there.
    func redial(_ reason: Redial)

    /// Ends the connection, and makes no other.
    func stop()
}
