import Cluster
import Foundation
import Messaging
import Synchronization

/// Stands before a node and passes each request on after a random while, and its answer back after another: messages come
/// late and overtake each other, as on a network.
final class DelayingRelay: Sendable {
    /// A worker's gradients of one step, as they reach a server.
    struct Arrival: Equatable, Sendable {
        let shard: Int
        let step: Int
        let worker: Int
    }

    private let front: ReplySocket
    private let back: RequestSocket
    private let longest: Double
    private let random: Mutex<Draws>
    private let seen = Mutex<[Arrival]>([])
    private let rename: @Sendable (consuming Message) -> Message

    /// - Parameters:
    ///   - longest: seconds that a message is kept at most.
    ///   - rename: changes the answers.
    init(
        listen: String, to target: String, longest: Double, seed: UInt64,
        rename: @escaping @Sendable (consuming Message) -> Message = { $0 }
    ) throws {
        front = try ReplySocket(listen: Address(listen), maximumMessage: 8 << 20)
        back = try RequestSocket(dial: Address(target), maximumMessage: 8 << 20)
        self.longest = longest
        self.rename = rename
        random = Mutex(Draws(state: seed))
        Thread.detachNewThread { [self] in
            do {
                while let request = try front.receive() {
                    let kept = Box(request)
                    Thread.detachNewThread { [self] in pass(kept) }
                }
            } catch {}  // It is closed.
        }
    }

    /// The gradients that have come, in order.
    var arrivals: [Arrival] { seen.withLock { $0 } }

    func end() {
        front.close()
        back.close()
    }

    private func pass(_ kept: Box<Request>) {
        guard var request = kept.take() else { return }
        pause()
        let message = request.takeMessage()
        let asked = message.withUnsafeBytes { try? ExchangeCodec.request($0) }
        if let asked, case .push(let push) = asked.request {
            let arrival = Arrival(
                shard: asked.envelope.shard, step: push.step, worker: asked.envelope.worker.worker)
            seen.withLock { $0.append(arrival) }
        }
        do {
            let answer = try back.request(message, timeout: .seconds(20))
            pause()
            try request.reply(rename(answer))
        } catch {}  // The job is over; who gets no answer before asks again.
    }

    private func pause() {
        let share = Double(random.withLock { $0.next() } % 1000) / 1000
        Thread.sleep(forTimeInterval: share * longest)
    }
}
