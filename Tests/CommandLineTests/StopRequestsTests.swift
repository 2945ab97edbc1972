import Foundation
import Testing
import TributaryCommand

@Suite("Signals that ask a process to end")
struct StopRequestsTests {
    @Test(
        "one wish may come as several signals; what a person repeats ends at once",
        arguments: [
            ([(SIGINT, 0), (SIGINT, 200)], [.begin, .end]),
            ([(SIGINT, 0), (SIGINT, 3), (SIGINT, 200)], [.begin, .ignore, .end]),
            // `timeout` and `make` pass on what the process group gets.
            ([(SIGTERM, 0), (SIGTERM, 5), (SIGTERM, 900), (SIGTERM, 1500)], [.begin, .ignore, .ignore, .end]),
            // A terminal that closes, with its shell and its session.
            ([(SIGHUP, 0), (SIGHUP, 100), (SIGTERM, 5000), (SIGHUP, 5001)], [.begin, .ignore, .ignore, .ignore]),
            ([(SIGTERM, 0), (SIGHUP, 2000)], [.begin, .ignore]),
            ([(SIGTERM, 0), (SIGINT, 300)], [.begin, .end]),
            ([(SIGINT, 0), (SIGTERM, 3000)], [.begin, .ignore]),
            ([(SIGHUP, 0), (SIGTERM, 2000), (SIGTERM, 4000)], [.begin, .ignore, .end]),
        ] as [([(Int32, Int)], [StopRequests.Answer])])
    func answers(signals: [(Int32, Int)], expected: [StopRequests.Answer]) {
        var requests = StopRequests()
        #expect(signals.map { requests.heard($0.0, at: .milliseconds($0.1)) } == expected)
    }
}
