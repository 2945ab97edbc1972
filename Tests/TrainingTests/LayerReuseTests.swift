import Dataflow
import Testing
import Training

@Suite("Layers that share weights")
struct LayerReuseTests {
    /// A layer of each kind, with a shape that it takes and one that its Variables do not fit.
    struct Row: Sendable, CustomTestStringConvertible {
        let layer: any Layer
        let dtype: DType
        let shape: Shape
        let other: Shape?
        /// The Variables' names.
        let names: [String]
        var testDescription: String { layer.name }
    }

    static func rows() -> [Row] {
        let parts = ["query", "key", "value", "output"]
        return [
            Row(
                layer: Dense(units: 3, activation: .relu), dtype: .float32, shape: [2, 4], other: [2, 5],
                names: ["dense/kernel", "dense/bias"]),
            Row(
                layer: Conv2D(filters: 2, kernelSize: [2, 2]), dtype: .float32, shape: [1, 4, 4, 3],
                other: [1, 4, 4, 2], names: ["conv2d/kernel", "conv2d/bias"]),
            Row(
                layer: Embedding(count: 5, width: 2), dtype: .int32, shape: [3], other: nil,
                names: ["embedding/embeddings"]),
            Row(
                layer: LSTM(units: 2), dtype: .float32, shape: [1, 3, 4], other: [1, 3, 5],
                names: ["lstm/kernel", "lstm/bias"]),
            Row(
                layer: GRU(units: 2), dtype: .float32, shape: [1, 3, 4], other: [1, 3, 5],
                names: ["gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"].map { "gru/\($0)" }),
            Row(
                layer: BatchNormalization(), dtype: .float32, shape: [4, 3], other: [4, 2],
                names: ["gamma", "beta", "moving_mean", "moving_variance"].map { "batch_normalization/\($0)" }),
            Row(
                layer: LayerNormalization(), dtype: .float32, shape: [4, 3], other: [4, 2],
                names: ["layer_normalization/gamma", "layer_normalization/beta"]),
            Row(
                layer: MultiHeadAttention(heads: 2), dtype: .float32, shape: [1, 3, 4], other: [1, 3, 6],
                names: parts.flatMap { part in ["kernel", "bias"].map { "multi_head_attention/\(part)/\($0)" } }),
            Row(
                layer: Sequential([Dense(units: 3), Dropout(rate: 0.5), Dense(units: 2)]), dtype: .float32,
                shape: [2, 4], other: [2, 5],
                names: ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"].map { "sequential/\($0)" }),
        ]
    }

    @Test("two calls share what the first one made, and give the same for the same", arguments: 0..<9)
    func sharing(index: Int) throws {
        let row = Self.rows()[index]
        let g = Graph()
        let (a, b) = (g.placeholder(row.dtype, row.shape), g.placeholder(row.dtype, row.shape))
        let first = row.layer(a, training: false)
        let second = row.layer(b, training: false)
        #expect(row.layer.variables.map(\.name) == row.names)
        #expect(g.variables.map(\.name) == row.names)
        #expect(first.shape == second.shape)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let count = row.shape.elementCount ?? 0
        let value = Tensor.numbers((0..<count).map { Double($0 % 5) }, dtype: row.dtype, sized: row.shape)
        let values = try session.run([first, second], feeds: [a: value, b: value])
        #expect(values[0] == values[1])
        #expect(row.layer.description.contains(row.names[0]))
    }

    @Test("another width or another graph is a mistake at the call's line", arguments: 0..<9)
    func misuse(index: Int) throws {
        let row = Self.rows()[index]
        let g = Graph()
        _ = row.layer(g.placeholder(row.dtype, row.shape), training: false)
        try g.validate()
        if let other = row.other {
            let line: UInt = #line + 1
            _ = row.layer(g.placeholder(row.dtype, other), training: false)
            let error = #expect(throws: GraphError.self) { try g.validate() }
            #expect(error?.description.contains("since the first call") == true, "\(error?.description ?? "")")
            #expect(error?.location?.line == line)
        }
        let h = Graph()
        let line: UInt = #line + 1
        _ = row.layer(h.placeholder(row.dtype, row.shape), training: false)
        let error = #expect(throws: GraphError.self) { try Session(h) }
        #expect(error?.description.contains("another graph") == true, "\(error?.description ?? "")")
        #expect(error?.location?.line == line && h.variables.isEmpty)
    }

    @Test("the gradient by shared weights is that of both uses")
    func gradient() throws {
        let g = Graph()
        let encoder = Dense(units: 1, initializer: .constant(2), useBias: false)
        let (a, b) = (encoder(g.constant([[1.0, 2]])), encoder(g.constant([[10.0, 20]])))
        let gradient = try #require(g.gradients(of: a + b, by: [encoder.kernel])[0])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run([a, b, gradient]).map(\.knownDoubles) == [[6], [60], [11, 22]])
        #expect(try session.value(of: encoder.kernel).knownDoubles == [2, 2])
    }

    @Test("names go on after the layers before, not after their calls")
    func names() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 4])
        let (first, second) = (Dense(units: 4), Dense(units: 4))
        _ = first(first(first(x)))
        let h = second(x)
        g.scope("model") { _ = Dense(units: 4)(h) }
        _ = dense(first(h), units: 2)
        try g.validate()
        #expect(
            g.trainableVariables.map(\.name) == [
                "dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias", "model/dense/kernel",
                "model/dense/bias",
                "dense_2/kernel", "dense_2/bias",
            ])
        #expect(first.name == "dense" && second.name == "dense_1")
    }

    @Test("penalties of shared weights count once")
    func penalties() {
        let g = Graph()
        let layer = Dense(units: 1, l2: 0.5)
        _ = layer(layer(g.placeholder(.float32, [nil, 1])))
        #expect(g.regularizationLosses.count == 1)
    }

    @Test("a layer in a loop's body uses what was made outside")
    func loops() throws {
        let g = Graph()
        let step = Dense(units: 2, initializer: .constant(1), useBias: false)
        let start = step(g.constant([[1.0, 1]]))
        let end = whileLoop(
            [g.constant(Int32(0)), start], while: { less($0[0], g.constant(Int32(2))) },
            do: { [$0[0] + 1, step($0[1])] })[1]
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(end).knownDoubles == [8, 8])
    }

    @Test("before the first call the Variables are a mistake that says so, not a trap")
    func early() throws {
        let layer = Dense(units: 2, useBias: false)
        #expect(layer.variables.isEmpty && layer.description.contains("not called yet"))
        let g = Graph()
        _ = sum(layer.kernel) + g.constant(Float(1))
        let early = #expect(throws: GraphError.self) { try Session(g).value(of: layer.kernel) }
        #expect(early?.description.contains("before its first call") == true, "\(early?.description ?? "")")
        _ = layer(g.constant([[1.0]]))
        let session = try Session(g)
        let error = #expect(throws: GraphError.self) { try session.run(layer.bias) }
        #expect(error?.description.contains("no Variable 'bias', only kernel") == true, "\(error?.description ?? "")")
    }

    @Test("dropout and batch normalization must be told whether they train")
    func training() throws {
        for layer: any Layer in [Dropout(rate: 0.5), BatchNormalization(), Sequential([Dropout(rate: 0.5)])] {
            let g = Graph()
            _ = layer(g.placeholder(.float32, [nil, 2]))
            let error = #expect(throws: GraphError.self) { try g.validate() }
            #expect(error?.description.contains("pass training:") == true)
        }
        let g = Graph()
        let x = g.constant(Tensor(repeating: Float(1), sized: [100, 100]))
        let flag = g.placeholder(.bool, [])
        let drop = Dropout(rate: 0.25)
        let (on, off, either) = (drop(x, training: true), drop(x, training: false), drop(x, training: flag))
        let values = try Session(g).run([on, off, either], feeds: [flag: Tensor(true)])
        #expect(values[1] == Tensor(repeating: Float(1), sized: [100, 100]))
        for value in [values[0], values[2]] { #expect(Swift.abs(value.knownDoubles.reduce(0, +) / 10_000 - 1) < 0.05) }
        #expect(values[0] != values[2])
    }

    @Test("batch normalization trains and evaluates with the same Variables")
    func normalization() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 1])
        let norm = BatchNormalization(momentum: 0.5, epsilon: 1e-6)
        let (training, evaluation) = (norm(x, training: true), norm(x, training: false))
        #expect(g.variables.count == 4 && g.updateOperations.count == 2)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let feeds: Feeds = [x: Tensor([[3.0], [5]])]
        _ = try session.run([training] + g.updateOperations, feeds: feeds)
        #expect(try session.value(of: norm.movingMean).knownDoubles == [2])
        let variance = try session.value(of: norm.movingVariance).knownDoubles[0]
        let value = try session.run(evaluation, feeds: feeds).knownDoubles
        #expect(Swift.abs(value[0] - 1 / variance.squareRoot()) < 1e-4)
    }

    /// A layer of a program's own.
    private struct Scale: Layer {
        let weights = LayerWeights(name: "scale")
        func output(of x: Node, in call: LayerCall) -> Node {
            x * call.variable("factor", shape: [], dtype: x.dtype, initializer: .constant(3))
        }
    }

    @Test("a layer of one's own shares its Variables too")
    func own() throws {
        let g = Graph()
        let scale = Scale()
        let y = scale(scale(g.constant([2.0])))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(y).knownDoubles == [18])
        #expect(scale.variables.map(\.name) == ["scale/factor"])
    }

    @Test("a dense layer works over the last dimension of any rank", arguments: [2, 3, 4])
    func ranks(rank: Int) throws {
        let extents = [2, 3, 5].suffix(rank - 1) + [4]
        let kernel = Tensor((0..<8).map { Double($0) - 3 }, sized: [4, 2])
        let count = extents.reduce(1, *)
        let value = Tensor((0..<count).map { Double($0 * 7 % 11) }, sized: Shape(Array(extents)))
        // All known, the first unknown, all but the last unknown.
        for unknown in [0, 1, rank - 1] {
            let g = Graph()
            let known = Array(extents.dropFirst(unknown)).map(Optional.some)
            let shape = Shape([Int?](repeating: nil, count: unknown) + known)
            let x = g.placeholder(.float64, shape)
            let layer = Dense(units: 2, activation: .relu, biasInitializer: .constant(1))
            let y = layer(x)
            #expect(y.shape == Shape((shape.dimensions ?? []).dropLast() + [2]))
            let gradient = try #require(g.gradients(of: sum(y), by: [layer.kernel])[0])
            let session = try Session(g)
            try session.execute(g.globalVariablesInitializer())
            try session.assign(kernel, to: layer.kernel)
            let result = try session.run([y, gradient], feeds: [x: value])
            let (input, weights) = (value.knownDoubles, kernel.knownDoubles)
            var (expected, slope) = ([Double](), [Double](repeating: 0, count: 8))
            for row in 0..<count / 4 {
                for unit in 0..<2 {
                    var total = 1.0
                    for i in 0..<4 { total += input[row * 4 + i] * weights[i * 2 + unit] }
                    expected.append(Swift.max(total, 0))
                    for i in 0..<4 where total > 0 { slope[i * 2 + unit] += input[row * 4 + i] }
                }
            }
            #expect(result[0].knownDoubles == expected && result[1].knownDoubles == slope)
            #expect(result[0].shape == Shape(extents.dropLast() + [2]))
        }
    }

    @Test("no examples give no rows, of any rank")
    func noExamples() throws {
        for shape: [Int] in [[0, 4], [0, 3, 4], [2, 0, 4]] {
            for isKnown in [true, false] {
                let g = Graph()
                let dimensions = shape.dropLast().map { isKnown ? $0 : nil } + [4]
                let x = g.placeholder(.float32, Shape(dimensions))
                let y = dense(x, units: 2)
                let session = try Session(g)
                try session.execute(g.globalVariablesInitializer())
                let value = try session.run(y, feeds: [x: Tensor.zeros(.float32, sized: Shape(shape))])
                #expect(value.shape == Shape(shape.dropLast() + [2]))
            }
        }
    }
}
