import Foundation
import Synchronization

/// Stands before a TCP server and breaks connections at random: before a request has reached it, in the midst of one, or
/// after the request and before its answer.
final class BreakingRelay: Sendable {
    /// Where a connection broke.
    enum Place: CaseIterable { case before, within, after }

    /// One connection, and the one that it is passed on to.
    private final class Pair: Sendable {
        let front: Int32
        let back: Int32
        /// The next answer does not come through.
        let losesAnswer = Mutex(false)
        private let open = Mutex(2)

        init(_ front: Int32, _ back: Int32) { (self.front, self.back) = (front, back) }

        /// Wakes both threads.
        func cut() {
            shutdown(front, Int32(SHUT_RDWR))
            shutdown(back, Int32(SHUT_RDWR))
        }

        /// A thread is done with it; the last one closes.
        func leave() {
            cut()
            let isLast = open.withLock { open in
                open -= 1
                return open == 0
            }
            if isLast { for descriptor in [front, back] { close(descriptor) } }
        }
    }

    let port: Int
    private let target: Int
    private let listener: Int32
    private let random: Mutex<Draws>
    /// One of so many requests breaks its connection.
    private let every: UInt64
    private let counts = Mutex<[Place: Int]>([:])
    private let pairs = Mutex<[Pair]>([])
    private let isBroken = Mutex(false)

    init(to target: Int, every: UInt64, seed: UInt64) throws {
        self.target = target
        self.every = every
        random = Mutex(Draws(state: seed))
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = BreakingRelay.loopback(0)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeBytes(of: &address) {
            bind(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), size) == 0
        }
        guard isBound, listen(descriptor, 64) == 0 else { throw POSIXError(.EADDRINUSE) }
        var length = size
        _ = withUnsafeMutableBytes(of: &address) {
            getsockname(descriptor, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        listener = descriptor
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let front = accept(listener, nil, nil)
                guard front >= 0 else { return }
                serve(front)
            }
        }
    }

    /// Connections broken so far.
    var breaks: [Place: Int] { counts.withLock { $0 } }

    /// Breaks all connections, and takes no more.
    func end() {
        isBroken.withLock { $0 = true }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        pairs.withLock { $0.forEach { $0.cut() } }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private func serve(_ front: Int32) {
        let back = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = BreakingRelay.loopback(target)
        let isConnected = withUnsafeBytes(of: &address) {
            connect(
                back, $0.baseAddress!.assumingMemoryBound(to: sockaddr.self),
                socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
        guard isConnected, !isBroken.withLock({ $0 }) else {
            for descriptor in [front, back] { close(descriptor) }
            return
        }
        for descriptor in [front, back] {
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        }
        let pair = Pair(front, back)
        pairs.withLock { $0 = $0.suffix(200) + [pair] }
        Thread.detachNewThread { [self] in
            passRequests(pair)
            pair.leave()
        }
        Thread.detachNewThread { [self] in
            passAnswers(pair)
            pair.leave()
        }
    }

    private func passRequests(_ pair: Pair) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(pair.front, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            let draw = random.withLock { ($0.next(), $0.next()) }
            guard draw.0 % every == 0 else {
                guard send(pair.back, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
                continue
            }
            let place = Place.allCases[Int(draw.1 % 3)]
            counts.withLock { $0[place, default: 0] += 1 }
            switch place {
            case .before: return
            case .within:
                _ = send(pair.back, buffer, count / 2, Int32(MSG_NOSIGNAL))
                return
            case .after:
                pair.losesAnswer.withLock { $0 = true }
                guard send(pair.back, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }

    private func passAnswers(_ pair: Pair) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(pair.back, &buffer, buffer.count, 0)
            guard count > 0, !pair.losesAnswer.withLock({ $0 }),
                send(pair.front, buffer, count, Int32(MSG_NOSIGNAL)) == count
            else { return }
        }
    }
}
