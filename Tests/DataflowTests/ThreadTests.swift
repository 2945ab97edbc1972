import Dataflow
import Foundation
import Synchronization
import Testing

/// What threads share: sessions, graphs, tensors, devices, the threads that compute. `make sanitize` runs these under
/// ThreadSanitizer.
@Suite("Threads", .serialized)
struct ThreadTests {
    /// Runs `body` once on each of `count` threads at the same time; throws what one of them threw.
    private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let failure = Mutex<(any Error)?>(nil)
        let done = DispatchSemaphore(value: 0)
        for number in 0..<count {
            Thread.detachNewThread {
                do { try body(number) } catch { failure.withLock { $0 = error } }
                done.signal()
            }
        }
        for _ in 0..<count { done.wait() }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    @Test("runs of one session come one after the other, whichever threads ask for them")
    func oneSession() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil])
        let total = g.variable(Tensor(repeating: Float(0), sized: [4]), name: "total")
        let update = total.assignAdd(x)
        let profile = Profile()
        let session = try Session(g, options: SessionOptions(threads: 1, profile: profile))
        try session.execute(g.globalVariablesInitializer())
        try onThreads(4) { number in
            for _ in 0..<20 { _ = try session.run(update, feeds: [x: Tensor(repeating: Float(number), sized: [4])]) }
            _ = (try session.value(of: total), profile.byOperation)
        }
        #expect(try session.value(of: total).doubles == [120, 120, 120, 120])
    }

    @Test("sessions of one graph, of functions too, are planned and run by threads of their own")
    func oneGraph() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [])
        let power = whileLoop(
            [g.constant(Int32(0)), g.constant(Float(1))], while: { less($0[0], g.constant(Int32(3))) }
        ) {
            [$0[0] + 1, $0[1] * x]
        }[1]
        let chosen = cond(less(x, g.constant(Float(0))), then: { [-power] }, else: { [power * 2] })[0]
        let slope = try #require(g.gradients(of: chosen, by: [x])[0])
        try onThreads(4) { number in
            for value in [Float(-2), 2] {
                let session = try Session(g, options: SessionOptions(threads: 1))
                let values = try session.run([chosen, slope], feeds: [x: Tensor(value)])
                #expect(try values.map { try $0.doubles[0] } == (value < 0 ? [8, -12] : [16, 24]))
            }
        }
    }

    @Test("threads that compute are shared by sessions")
    func pool() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 512])
        let rows = gather(exp(-x) + x * 2, g.constant((0..<512).map { Int32($0 * 7 % 512) }))
        let sums = [sum(rows, axes: [0]), sum(matmul(rows, transpose(x)), axes: [1])]
        let feed = try Tensor((0..<512 * 512).map { Float($0 % 13) / 8 }).reshaped([512, 512])
        let expected = try Session(g, options: SessionOptions(threads: 4)).run(sums, feeds: [x: feed])
        try onThreads(3) { _ in
            let session = try Session(g, options: SessionOptions(threads: 4))
            for _ in 0..<3 { #expect(try session.run(sums, feeds: [x: feed]) == expected) }
        }
    }

    @Test("a tensor of texts may be fetched by several sessions at once")
    func texts() throws {
        let g = Graph()
        let x = g.placeholder(.string, [2])
        for round in 0..<50 {
            let made = Tensor(texts: ["one \(round)", "two \(round)"], sized: [2])
            // Memory that has the elements, and does not hold their texts yet.
            let copy = Tensor(dtype: .string, sized: [2]) { target in
                made.withUnsafeBytes { target.copyMemory(from: $0) }
            }
            try onThreads(3) { _ in
                // A plan copies what it is fed; vertex by vertex it is passed on.
                let options = SessionOptions(threads: 1, plan: .reference)
                let texts = try Session(g, options: options).run(x, feeds: [x: copy]).texts
                #expect(texts == ["one \(round)", "two \(round)"])
            }
            #expect(try made.texts == copy.texts)
        }
    }

    @Test(
        "one device serves the sessions of several threads", .enabled(if: !Accelerators.devices(emulated: true).isEmpty)
    )
    func device() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [64])
        let y = g.device("/gpu:0") { tanh(exp(x) * 2 + 1) }
        let options = SessionOptions(
            devices: DeviceOptions(standard: DeviceName(kind: .cpu), allowsEmulation: true))
        let feed = Tensor(repeating: Float(0.25), sized: [64])
        let expected = try Session(g, options: options).run(y, feeds: [x: feed])
        try onThreads(3) { _ in
            let session = try Session(g, options: options)
            for _ in 0..<5 { #expect(try session.run(y, feeds: [x: feed]) == expected) }
        }
    }
}
