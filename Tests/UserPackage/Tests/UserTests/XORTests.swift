import Dataflow
import Testing
import Training

@Test("XOR, as the README has it")
func xor() throws {
    let g = Graph(seed: 3)
    let x = g.placeholder(.float32, [nil, 2])
    let label = g.placeholder(.float32, [nil, 1])
    let hidden = dense(x, units: 10, activation: .relu)
    let out = dense(hidden, units: 1)
    let loss = mean(square(label - out))
    let step = Adam(learningRate: 0.05).minimize(loss)
    let session = try Session(g)
    try session.execute(g.globalVariablesInitializer())
    let cases: Feeds = [x: [[0, 0], [0, 1], [1, 0], [1, 1]], label: [[0], [1], [1], [0]]]
    for _ in 0..<500 { try session.execute(step, feeds: cases) }
    #expect(try session.run(out, feeds: cases).isClose(to: [[0], [1], [1], [0]], absolute: 0.1))
}
