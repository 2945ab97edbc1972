/// A connection that both sides have proved the secret on: frames go both ways.
protocol Link: AnyObject, Sendable {
    /// Sends a message, without waiting for the peer to read it; dropped once the link has ended.
    func send(_ message: consuming Message, number: UInt64)

    /// The owner has dealt with a message of this size: there is room for another.
    func taken(_ count: Int)

    /// Does not send the message with this number, if it is not on its way.
    func cancel(_ number: UInt64)

    /// Ends the link, and says so to the owner.
    func close()
}

/// What a link tells, from threads that must not be kept.
protocol LinkOwner: AnyObject, Sendable {
    /// The most bytes of a message.
    var maximumMessage: Int { get }
    var closing: Closing { get }
    func opened(_ link: any Link)
    func received(_ frame: Frame, on link: any Link)
    /// Told also of one that never opened, and again where it ended while it opened.
    func ended(_ link: any Link, _ reason: LinkEnd)
}

/// Why a link has ended.
enum LinkEnd: Error, Equatable {
    /// By this side.
    case closed
    /// The peer, or the network, by nng's number.
    case broken(Int32)
    case unreadable(FrameReader.Fault)
    case refused(Handshake.Refusal)
    /// Another user listens at a path of this machine.
    case foreignUser(UInt64)

    /// As a clause, for people.
    var description: String {
        switch self {
        case .closed: "closed"
        case .broken(let number): NNG.text(number)
        case .unreadable(.tooLong): "it sent a message that is too long"
        case .unreadable(.outOfMemory): "there is no memory for a message that it sent"
        case .unreadable(.unmarked): "it sent a message that is not marked as its own"
        case .foreignUser(let user): "the socket belongs to another user, whose number is \(user)"
        case .refused(.foreign): "what answers there does not speak tributary's protocol"
        case .refused(.otherVersion):
            "what answers there speaks another version of tributary's protocol; use one version everywhere"
        case .refused(.refusedByPeer): "the token is not this job's"
        case .refused(.unproved): "what answers there has not proved that it knows the token"
        }
    }
}
