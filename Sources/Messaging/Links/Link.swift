/// A connection that both sides have proved the secret on: frames go both ways.
protocol Link: AnyObject, Sendable {
    /// Sends a message, without waiting for the peer to read it; dropped once the link has ended.
    func send(_ message: consuming Message, number: UInt64)

    /// The owner has dealt with a message of this size: there is room for another.
    func taken(_ count: Int)

    /// Ends the link; the owner is told.
    func close()
}

/// What a link tells, from threads that must not be kept.
protocol LinkOwner: AnyObject, Sendable {
    /// The most bytes of a message.
    var maximumMessage: Int { get }
    func opened(_ link: any Link)
    func received(_ frame: Frame, on link: any Link)
    /// Told once, also of one that never opened.
    func ended(_ link: any Link, _ reason: LinkEnd)
}

/// Why a link has ended.
enum LinkEnd: Error, Equatable {
    /// By this side.
    case closed
    /// The peer, or the network, by nng's number.
    case broken(Int32)
    /// The peer sent a message that is too long, or for which there is no memory.
    case unreadable
    case refused(Handshake.Refusal)

    /// As a clause, for people.
    var description: String {
        switch self {
        case .closed: "closed"
        case .broken(let number): NNG.text(number)
        case .unreadable: "it sent a message that is too long"
        case .refused(.foreign): "what answers there does not speak tributary's protocol"
        case .refused(.otherVersion):
            "what answers there speaks another version of tributary's protocol; use one version everywhere"
        case .refused(.refusedByPeer): "the token is not this job's"
        case .refused(.unproved): "what answers there has not proved that it knows the token"
        }
    }
}
