import Dataflow
import Testing
import Training

@Test("XOR, as the README has it")
func xor() throws {
    let g = Graph(seed: 3)
    let x = g.placeholder(.float32, [nil, 2])
    let label = g.placeholder(.float32, [nil, 1])
    let w1 = g.variable(Initializer.normal().node(in: g, shape: [2, 10]))
    let b1 = g.variable(Tensor(repeating: Float(0.1), shape: [1, 10]))
    let w2 = g.variable(Initializer.normal().node(in: g, shape: [10, 1]))
    let b2 = g.variable(Tensor(repeating: Float(0.1), shape: [1, 1]))
    let out = matmul(relu(matmul(x, w1) + b1), w2) + b2
    let loss = mean(sum(square(label - out), axes: [1]))
    let step = GradientDescent(learningRate: 0.05).minimize(loss)
    let session = try Session(g)
    try session.execute(g.globalVariablesInitializer())
    let cases = [x: Tensor([[Float(0), 0], [0, 1], [1, 0], [1, 1]]), label: Tensor([[Float(0)], [1], [1], [0]])]
    for _ in 0..<2000 { try session.execute(step, feeds: cases) }
    let answers = try session.run(out, feeds: cases).doubles
    for (answer, right) in zip(answers, [0.0, 1, 1, 0]) { #expect(abs(answer - right) < 0.1) }
}
