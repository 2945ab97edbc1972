internal import Crypto
internal import Foundation

/// How both ends of a new connection prove that they know the secret, before anything else is read.
///
/// The listening side sends a challenge: a nonce. The dialling side answers with a nonce of its own and a proof, an
/// HMAC-SHA256 over both under the secret. Only then the listening side proves itself. The secret does not travel, and no
/// proof is good for another connection. All three frames have a fixed size. Who passes on what both say gets a connection
/// on which he cannot say anything himself, for later frames are marked under a key of these two nonces (`FrameSeal`).
///
/// It decides only: bytes in, bytes out.
package struct Handshake {
    package enum Side: Sendable { case listening, dialling }

    /// Why there is no connection.
    package enum Refusal: UInt8, Error {
        /// What the peer says is nothing of ours.
        case foreign = 1
        /// It is, but of another version.
        case otherVersion = 2
        /// The peer says that this side's proof is wrong.
        case refusedByPeer = 3
        /// The peer's own proof is wrong.
        case unproved = 4
    }

    /// What is to be done with bytes that were read.
    package struct Step {
        package var send: [UInt8] = []
        /// nil while it goes on; afterwards whether the connection is open.
        package var end: Result<Void, Refusal>?
    }

    private static let magic = Array("TRIBUTRY".utf8)
    private static let version: UInt16 = 1
    private static let nonceSize = 32
    private static let proofSize = 32
    /// Before each frame: what it is, the version, a verdict, 5 bytes 0.
    private static let headSize = 16

    private enum Frame {
        case challenge, answer, verdict

        var size: Int {
            switch self {
            case .challenge: headSize + nonceSize
            case .answer: headSize + nonceSize + proofSize
            case .verdict: headSize + proofSize
            }
        }
    }

    /// The most bytes that are read at once.
    package static let longestFrame = Frame.answer.size

    private let side: Side
    private let key: SymmetricKey
    private let nonce: [UInt8]
    private var peerNonce: [UInt8] = []
    private var expected: Frame
    private var bytes: [UInt8] = []

    /// - Parameter secret: what both sides must know; empty where none is asked for.
    package init(_ side: Side, secret: String) {
        self.side = side
        key = SymmetricKey(data: SHA256.hash(data: Array(secret.utf8)))
        var generator = SystemRandomNumberGenerator()
        nonce = (0..<Handshake.nonceSize).map { _ in UInt8.random(in: 0...255, using: &generator) }
        expected = side == .listening ? .answer : .challenge
    }

    /// Whether the peer has not begun yet, and need not have: it may be that it has not taken the connection.
    package var isWaiting: Bool { expected == .challenge && bytes.isEmpty }

    /// What is sent before anything is read.
    package var opening: [UInt8] { side == .listening ? head() + nonce : [] }

    /// How many bytes are to be read now; never more than those.
    package var missing: Int { expected.size - bytes.count }

    /// Takes some of them.
    package mutating func take(_ received: some Collection<UInt8>) -> Step {
        bytes += received
        // What is no head of ours is not waited for.
        guard bytes.starts(with: Handshake.magic.prefix(bytes.count)) else { return Step(end: .failure(.foreign)) }
        guard missing == 0 else { return Step() }
        defer { bytes = [] }
        let version = UInt16(bytes[8]) | UInt16(bytes[9]) << 8
        let body = Array(bytes.dropFirst(Handshake.headSize))
        switch expected {
        case .challenge:
            guard version == Handshake.version else { return Step(end: .failure(.otherVersion)) }
            peerNonce = body
            expected = .verdict
            return Step(send: head() + nonce + proof(by: .dialling))
        case .answer:
            guard version == Handshake.version else { return verdict(.otherVersion) }
            peerNonce = Array(body.prefix(Handshake.nonceSize))
            guard isProof(body.suffix(Handshake.proofSize), by: .dialling) else { return verdict(.unproved) }
            return verdict(nil)
        case .verdict:
            switch Refusal(rawValue: bytes[10]) {
            case .otherVersion: return Step(end: .failure(.otherVersion))
            case .some: return Step(end: .failure(.refusedByPeer))
            case nil:
                let isProved = bytes[10] == 0 && isProof(body[...], by: .listening)
                return Step(end: isProved ? .success(()) : .failure(.unproved))
            }
        }
    }

    /// The key by which frames of one direction are marked; known to the two sides of this connection alone.
    package func frameKey(of sender: Side) -> [UInt8] {
        let name = sender == .listening ? "tributary frames, listening" : "tributary frames, dialling "
        return Array(HMAC<SHA256>.authenticationCode(for: Array(name.utf8) + nonces, using: key))
    }

    private func verdict(_ refusal: Refusal?) -> Step {
        let proof = refusal == nil ? proof(by: .listening) : [UInt8](repeating: 0, count: Handshake.proofSize)
        return Step(send: head(refusal?.rawValue ?? 0) + proof, end: refusal.map { .failure($0) } ?? .success(()))
    }

    private func head(_ verdict: UInt8 = 0) -> [UInt8] {
        Handshake.magic + [UInt8(Handshake.version & 0xff), UInt8(Handshake.version >> 8), verdict, 0, 0, 0, 0, 0]
    }

    /// What a proof is computed over: whose it is, and both nonces, the listening side's first.
    private func subject(of prover: Side) -> [UInt8] {
        let name = prover == .listening ? "tributary listening" : "tributary dialling "
        return Array(name.utf8) + head() + nonces
    }

    /// Both sides', the listening side's first.
    private var nonces: [UInt8] { side == .listening ? nonce + peerNonce : peerNonce + nonce }

    private func proof(by prover: Side) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: subject(of: prover), using: key))
    }

    /// Compares in a time that does not depend on where they differ.
    private func isProof(_ bytes: ArraySlice<UInt8>, by prover: Side) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(Array(bytes), authenticating: subject(of: prover), using: key)
    }
}
