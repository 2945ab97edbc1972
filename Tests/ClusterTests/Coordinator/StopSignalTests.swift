import Cluster
import Foundation
import Synchronization
import Testing

@Suite("Requests to stop")
struct StopSignalTests {
    private final class Heard: Sendable {
        let requests = Mutex<[StopSignal.Request]>([])
    }

    /// Has a signal observed by several at once while `body` runs.
    private static func observe(
        _ stop: StopSignal, _ observers: ArraySlice<@Sendable (StopSignal.Request, String) -> Void>, _ body: () -> Void
    ) {
        guard let first = observers.first else { return body() }
        stop.observed(by: first) { observe(stop, observers.dropFirst(), body) }
    }

    @Test("a slow stop in good order never takes back one at once that overtakes it")
    func race() {
        let stop = StopSignal()
        let isUrgent = Atomic(false)
        let heard = (0..<8).map { _ in Heard() }
        let observers = heard.map { heard -> @Sendable (StopSignal.Request, String) -> Void in
            { request, _ in
                // Whoever hears of the first stop is slow, until there is a second one, and a moment more.
                if request == .gracefully {
                    while !isUrgent.load(ordering: .acquiring) { usleep(1000) }
                    usleep(50_000)
                }
                heard.requests.withLock { $0.append(request) }
            }
        }
        Self.observe(stop, observers[...]) {
            let first = Thread { stop.stop() }
            first.start()
            while stop.request == .none { usleep(1000) }
            isUrgent.store(true, ordering: .releasing)
            stop.stop(now: true)
            #expect(stop.request == .now)
            // Every observer has heard of it when the call returns.
            #expect(heard.allSatisfy { $0.requests.withLock { $0.last } == .now })
            while !first.isFinished { usleep(1000) }
        }
        for one in heard {
            let requests = one.requests.withLock { $0 }
            #expect(requests == [.now] || requests == [.gracefully, .now], "\(requests)")
        }
    }

    @Test("an observer hears of each request once, of one made before at once, and may ask for more itself")
    func once() {
        let stop = StopSignal()
        let heard = Heard()
        stop.stop(reason: "first")
        stop.observed { request, reason in
            heard.requests.withLock { $0.append(request) }
            #expect(reason == (request == .now ? "second" : "first"))
            if request == .gracefully { stop.stop(now: true, reason: "second") }
        } while: {
            #expect(heard.requests.withLock { $0 } == [.gracefully, .now])
            stop.stop(reason: "late")
            stop.stop(now: true, reason: "late")
        }
        #expect(heard.requests.withLock { $0 } == [.gracefully, .now])
    }
}
