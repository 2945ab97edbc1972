#if canImport(Glibc)
    import Glibc
#endif
import Dataflow
import Testing
import Training

@Suite("Layers over sequences")
struct SequenceLayerTests {
    enum Recurrent: String, CaseIterable {
        case lstm, gru

        func callAsFunction(_ x: any Operand, units: Int) -> Node {
            switch self {
            case .lstm: Training.lstm(x, units: units)
            case .gru: Training.gru(x, units: units)
            }
        }
    }

    static func numbers(_ shape: Shape) -> Tensor {
        Tensor((0..<(shape.elementCount ?? 0)).map { Double(($0 * 7919 + 13) % 101 - 50) / 40 }, sized: shape)
    }

    func initialized(_ g: Graph) throws -> Session {
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        return session
    }

    @Test("layer normalization brings rows to mean 0 and variance 1, then scales and moves them")
    func normalization() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [nil, 3, 4])
        let y = layerNormalization(x, epsilon: 1e-12, name: "norm")
        #expect(y.shape == [nil, 3, 4])
        #expect(g.trainableVariables.map(\.name) == ["norm/gamma", "norm/beta"])
        let session = try initialized(g)
        let value = Self.numbers([2, 3, 4])
        let plain = try session.run(y, feeds: [x: value]).doubles
        for row in 0..<6 {
            let own = plain[row * 4..<row * 4 + 4]
            #expect(Swift.abs(own.reduce(0, +)) < 1e-9)
            #expect(Swift.abs(own.reduce(0) { $0 + $1 * $1 } / 4 - 1) < 1e-6)
        }
        try session.assign(Tensor([1.0, 2, 3, 4], dtype: .float64), to: g.variables[0])
        try session.assign(Tensor([0.5, 0, -1, 10], dtype: .float64), to: g.variables[1])
        let moved = try session.run(y, feeds: [x: value]).doubles
        for (i, z) in plain.enumerated() {
            #expect(Swift.abs(moved[i] - (z * [1, 2, 3, 4][i % 4] + [0.5, 0, -1, 10][i % 4])) < 1e-9)
        }
    }

    @Test("an embedding yields rows of its table, and its gradient adds up rows that are named twice")
    func embeddings() throws {
        let g = Graph()
        let indices = g.placeholder(.int32, [nil, 2])
        let y = embedding(indices, count: 4, width: 3, dtype: .float64)
        #expect(y.shape == [nil, 2, 3])
        #expect(g.variables.map(\.name) == ["embedding/embeddings"] && g.variables[0].shape == [4, 3])
        let gradient = try #require(g.gradients(of: sum(y), by: [g.variables[0]])[0])
        let session = try initialized(g)
        let table = Tensor((0..<12).map(Double.init), sized: [4, 3])
        try session.assign(table, to: g.variables[0])
        let feeds: Feeds = [indices: Tensor([[3, 0], [3, 1]])]
        #expect(try session.run(y, feeds: feeds).doubles == [9, 10, 11, 0, 1, 2, 9, 10, 11, 3, 4, 5])
        #expect(try session.run(gradient, feeds: feeds).doubles == [1, 1, 1, 1, 1, 1, 0, 0, 0, 2, 2, 2])
        let error = #expect(throws: GraphError.self) {
            try session.run(y, feeds: [indices: Tensor([[4, 0]])])
        }
        #expect(error?.description.contains("not in [0, 4)") == true)
    }

    @Test("an LSTM starts with a forget gate that is open, and keeps to its formula")
    func lstmValues() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [nil, nil, 1])
        let y = lstm(x, units: 1, initializer: .constant(0.5), name: "memory")
        #expect(y.shape == [nil, nil, 1])
        #expect(g.trainableVariables.map(\.name) == ["memory/kernel", "memory/bias"])
        #expect(g.variables.map(\.shape) == [[2, 4], [4]])
        let session = try initialized(g)
        let values = [[1.0, -2, 0.5], [0, 3, -1]]
        let result = try session.run([y, lastStep(y)], feeds: [x: Tensor(values.flatMap { $0 }, sized: [2, 3, 1])])
        func s(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        var expected: [Double] = []
        for row in values {
            var (state, output) = (0.0, 0.0)
            for value in row {
                let sum = 0.5 * value + 0.5 * output
                state = s(sum) * tanh(sum) + s(sum + 1) * state
                output = s(sum) * tanh(state)
                expected.append(output)
            }
        }
        for (a, b) in try zip(result[0].doubles, expected) { #expect(Swift.abs(a - b) < 1e-12) }
        #expect(try result[1] == Tensor([[result[0].doubles[2]], [result[0].doubles[5]]]))
    }

    @Test("a GRU starts with open gates, and keeps to its formula")
    func gruValues() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [nil, 3, 1])
        let layer = GRU(units: 1, initializer: .constant(0.5), name: "memory")
        let y = layer(x)
        #expect(y.shape == [nil, 3, 1])
        #expect(
            [layer.gatesKernel, layer.gatesBias, layer.candidateKernel, layer.candidateBias].map(\.name)
                == g.trainableVariables.map(\.name))
        #expect(
            g.trainableVariables.map(\.name) == [
                "memory/gates/kernel", "memory/gates/bias", "memory/candidate/kernel", "memory/candidate/bias",
            ])
        let session = try initialized(g)
        let values = [[1.0, -2, 0.5], [0, 3, -1]]
        let result = try session.run(y, feeds: [x: Tensor(values.flatMap { $0 }, sized: [2, 3, 1])]).doubles
        var expected: [Double] = []
        for row in values {
            var output = 0.0
            for value in row {
                let gate = 1 / (1 + exp(-(0.5 * value + 0.5 * output + 1)))
                let candidate = tanh(0.5 * value + 0.5 * gate * output)
                output = gate * output + (1 - gate) * candidate
                expected.append(output)
            }
        }
        for (a, b) in zip(result, expected) { #expect(Swift.abs(a - b) < 1e-12) }
    }

    @Test("attention mixes the values by the softmax of the scores, in each head for itself", arguments: [false, true])
    func attentionValues(causal: Bool) throws {
        let g = Graph()
        let (batch, time, width, heads) = (2, 3, 4, 2)
        let x = g.placeholder(.float64, [nil, time, width])
        let y = attention(x, heads: heads, causal: causal, name: "self")
        #expect(y.shape == [nil, time, width])
        #expect(
            g.trainableVariables.map(\.name)
                == ["query", "key", "value", "output"].flatMap { ["self/\($0)/kernel", "self/\($0)/bias"] })
        let session = try initialized(g)
        let kernels = try g.variables.map { try session.value(of: $0).doubles }
        let input = Self.numbers([batch, time, width])
        let result = try session.run(y, feeds: [x: input]).doubles
        func project(_ row: [Double], _ layer: Int) -> [Double] {
            let (kernel, bias) = (kernels[2 * layer], kernels[2 * layer + 1])
            var result = bias
            for i in 0..<width {
                for j in 0..<width { result[j] += row[i] * kernel[i * width + j] }
            }
            return result
        }
        for b in 0..<batch {
            let rows = (0..<time).map { t in
                Array(input.knownDoubles[(b * time + t) * width..<(b * time + t + 1) * width])
            }
            for t in 0..<time {
                let query = project(rows[t], 0)
                var mixed = [Double](repeating: 0, count: width)
                for head in 0..<heads {
                    let columns = head * 2..<head * 2 + 2
                    let seen = causal ? t + 1 : time
                    let weights = (0..<seen).map { other -> Double in
                        let key = project(rows[other], 1)
                        var score = 0.0
                        for j in columns { score += query[j] * key[j] }
                        return exp(score / 2.0.squareRoot())
                    }
                    let total = weights.reduce(0, +)
                    for other in 0..<seen {
                        let value = project(rows[other], 2)
                        for j in columns { mixed[j] += weights[other] / total * value[j] }
                    }
                }
                for (j, expected) in project(mixed, 3).enumerated() {
                    #expect(Swift.abs(result[(b * time + t) * width + j] - expected) < 1e-9)
                }
            }
        }
    }

    @Test("a residual layer adds its input, and must keep its shape")
    func residuals() throws {
        let g = Graph()
        let x = g.constant([[1.0, 2]], dtype: .float64)
        let y = residual(x) { 3 * $0 }
        let gradient = try #require(g.gradients(of: sum(y), by: [x])[0])
        #expect(try Session(g).run([y, gradient]).map { try $0.doubles } == [[4, 8], [4, 4]])
        _ = residual(x) { sum($0, axes: [1], keepDims: true) }
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.description.contains("must keep the shape [1, 2], got [1, 1]") == true)
    }

    @Test("wrong inputs are told with their shape")
    func wrongInputs() throws {
        let builders: [(Graph) -> Node] = [
            { lstm($0.placeholder(.float32, [nil, 3]), units: 2) },
            { lstm($0.placeholder(.float32, [nil, nil, nil]), units: 2) },
            { lstm($0.placeholder(.float32, [nil, nil, 3]), units: 0) },
            { gru($0.placeholder(.float32, [2, nil, 3]), units: 2) },
            { attention($0.placeholder(.float32, [2, 3, 5]), heads: 2) },
            { attention($0.placeholder(.float32, [2, 3, 4]), heads: 0) },
            { layerNormalization($0.placeholder(.float32, [])) },
            { layerNormalization($0.placeholder(.float32, [2, 3]), epsilon: 0) },
            { embedding($0.placeholder(.int32, [2]), count: 0, width: 2) },
        ]
        for (i, build) in builders.enumerated() {
            let g = Graph()
            _ = build(g)
            let error = #expect(throws: GraphError.self) { try g.validate() }
            #expect(error?.description.contains("got") == true, "\(i)")
            #expect(g.variables.isEmpty, "\(i)")
        }
    }

    @Test("a recurrent layer learns to remember the first of eight symbols", arguments: Recurrent.allCases)
    func memory(layer: Recurrent) throws {
        let (batch, time, symbols) = (32, 8, 8)
        let g = Graph()
        // Each run draws examples that no run has seen.
        let sequence = g.randomUniformInt(shape: [batch, time], max: symbols)
        let labels = reshape(slice(sequence, begin: [0, 0], size: [batch, 1]), [batch])
        let h = layer(oneHot(sequence, depth: symbols), units: 24)
        let logits = dense(lastStep(h), units: symbols)
        let (before, after) = try learn(labels, logits, Adam(learningRate: 0.02), steps: 400)
        #expect(before < 0.5)
        #expect(after > 0.95, "\(layer) remembers \(after)")
    }

    @Test("attention learns to find the symbol that is marked")
    func lookup() throws {
        let (batch, time, symbols) = (32, 6, 5)
        let g = Graph()
        let sequence = g.randomUniformInt(shape: [batch, time], max: symbols)
        let marked = g.randomUniformInt(shape: [batch], max: time)
        let labels = reshape(gather(sequence, reshape(marked, [batch, 1]), axis: 1, batchDims: 1), [batch])
        // A symbol, and whether it is marked.
        let mark = reshape(oneHot(marked, depth: time), [batch, time, 1])
        let x = concat([oneHot(sequence, depth: symbols), mark], axis: 2)
        let wide = reshape(dense(reshape(x, [-1, symbols + 1]), units: 16), [-1, time, 16])
        let h = residual(wide) { attention(layerNormalization($0), heads: 2) }
        // The first step has to be told by the others.
        let first = reshape(slice(h, begin: [0, 0, 0], size: [batch, 1, 16]), [batch, 16])
        let logits = dense(first, units: symbols)
        let (before, after) = try learn(labels, logits, Adam(learningRate: 0.01), steps: 600)
        #expect(before < 0.5)
        #expect(after > 0.9, "\(after)")
    }

    /// The share of right answers before and after so many steps, over eight batches.
    private func learn(
        _ labels: Node, _ logits: Node, _ optimizer: Adam, steps: Int
    ) throws -> (before: Float, after: Float) {
        let right = accuracy(labels: labels, predictions: logits)
        let train = optimizer.minimize(softmaxCrossEntropyLoss(labels: labels, logits: logits))
        let session = try initialized(logits.graph)
        func share() throws -> Float {
            try (0..<8).map { _ in try session.run(right).scalar(Float.self) }.reduce(0, +) / 8
        }
        let before = try share()
        for _ in 0..<steps { try session.execute(train) }
        return (before, try share())
    }
}
