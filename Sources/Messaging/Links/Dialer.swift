/// Makes the connection of a socket that sends requests. It tells its `RequestCore` what becomes of it.
protocol Dialer: AnyObject, Sendable {
    /// Begins to connect.
    func dial()

    /// Begins to connect again, after a pause that grows while nobody is there.
    func redial(wasOpen: Bool)

    /// Ends the connection, and makes no other.
    func stop()
}
