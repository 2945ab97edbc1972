import Dataflow
import Testing
import Training

@Suite("Layers")
struct LayerTests {
    @Test("an LSTM over sequences of many lengths learns their sums")
    func lstmOfManyLengths() throws {
        let g = Graph(seed: 1)
        let x = g.placeholder(.float32, [nil, nil, 1])
        let y = g.placeholder(.float32, [nil, 1])
        let out = dense(lastStep(lstm(x, units: 8)), units: 1)
        let loss = meanSquaredError(labels: y, predictions: out)
        let step = Adam(learningRate: 0.01).minimize(loss)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        var losses: [Double] = []
        for round in 0..<300 {
            let length = 2 + round % 7
            let values = (0..<16 * length).map { Float(($0 * 7 + round * 3) % 11) / 11 - 0.5 }
            let sums = (0..<16).map { row in values[row * length..<(row + 1) * length].reduce(0, +) }
            let feeds: Feeds = [x: try Tensor(values, shape: [16, length, 1]), y: try Tensor(sums, shape: [16, 1])]
            losses.append(try session.run([loss, step], feeds: feeds)[0].doubles[0])
        }
        let (first, last) = (losses.prefix(20).reduce(0, +) / 20, losses.suffix(20).reduce(0, +) / 20)
        #expect(last < first / 5, "\(first) → \(last)")
    }

    @Test("a convolutional network tells horizontal from vertical bars")
    func convolution() throws {
        let g = Graph(seed: 2)
        let x = g.placeholder(.float32, [nil, 8, 8, 1])
        let label = g.placeholder(.int32, [nil])
        let features = maxPool(
            conv2d(x, filters: 4, kernelSize: [3, 3], padding: .same, activation: .relu), size: [2, 2])
        let logits = dense(flatten(features), units: 2)
        let loss = softmaxCrossEntropyLoss(labels: label, logits: logits)
        let right = accuracy(labels: label, predictions: logits)
        let step = Adam(learningRate: 0.01).minimize(loss)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let images = (0..<16).flatMap { image in
            (0..<64).map { Float((image < 8 ? $0 / 8 : $0 % 8) == image % 8 ? 1 : 0) }
        }
        let feeds: Feeds = [
            x: try Tensor(images, shape: [16, 8, 8, 1]), label: (0..<16).map { $0 < 8 ? 0 : 1 },
        ]
        for _ in 0..<100 { try session.execute(step, feeds: feeds) }
        #expect(try session.run(right, feeds: feeds).doubles == [1])
    }

    @Test("an embedding learns a number for each word, and only of those that it sees")
    func embeddings() throws {
        let g = Graph(seed: 3)
        let word = g.placeholder(.int32, [nil])
        let score = g.placeholder(.float32, [nil, 1])
        let table = Embedding(count: 5, width: 1)
        let value = table(word)
        let step = GradientDescent(learningRate: 0.5).minimize(meanSquaredError(labels: score, predictions: value))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let before = try session.value(of: table.embeddings).doubles
        for _ in 0..<100 { try session.execute(step, feeds: [word: [0, 2, 4], score: [[1], [-1], [3]]]) }
        let after = try session.value(of: table.embeddings)
        #expect(try after.isClose(to: [[1], [before[1]], [-1], [before[3]], [3]], absolute: 1e-4))
    }

    @Test("dropout drops while training, and keeps the mean")
    func dropouts() throws {
        let g = Graph(seed: 4)
        let x = g.placeholder(.float32, [nil])
        let training = g.placeholder(.bool, [])
        let out = dropout(x, rate: 0.25, training: training)
        let session = try Session(g)
        let ones = try Tensor(repeating: 1.0, shape: [10_000])
        #expect(try session.run(out, feeds: [x: ones, training: false]) == ones)
        let dropped = try session.run(out, feeds: [x: ones, training: true]).doubles
        #expect(Set(dropped.map { ($0 * 1000).rounded() / 1000 }) == [0, 1.333])
        #expect(abs(dropped.reduce(0, +) / 10_000 - 1) < 0.02)
    }

    @Test("batch normalisation keeps moving averages by the graph's update operations")
    func batchNormalization() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 1, 1, 1])
        let training = g.placeholder(.bool, [])
        let out = Training.batchNormalization(x, training: training, momentum: 0.5)
        let update = g.group(g.updateOperations)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        // Mean 3; variance 4, or 8 with Bessel's correction, as TensorFlow keeps it.
        let batch = [[[[1]]], [[[5]]]]
        let trained = try session.run([out, update], feeds: [x: batch, training: true])[0]
        #expect(try trained.isClose(to: [[[[-1.0]]], [[[1.0]]]], absolute: 1e-3))
        for _ in 0..<30 { try session.execute(update, feeds: [x: batch, training: true]) }
        let used = try session.run(out, feeds: [x: batch, training: false])
        #expect(try used.isClose(to: [[[[-0.7071]]], [[[0.7071]]]], absolute: 1e-3))
    }

    @Test("one encoder for two inputs: its weights are shared")
    func siamese() throws {
        let g = Graph(seed: 5)
        let a = g.placeholder(.float32, [nil, 3])
        let b = g.placeholder(.float32, [nil, 3])
        let encoder = Dense(units: 2, activation: .tanh, name: "encoder")
        let distance = sum(square(encoder(a) - encoder(b)), axis: 1)
        #expect(g.trainableVariables(in: "encoder").map(\.name) == ["encoder/kernel", "encoder/bias"])
        #expect(try g.variable(named: "encoder/kernel").shape == [3, 2])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let same = try session.run(distance, feeds: [a: [[1, 2, 3]], b: [[1, 2, 3]]])
        let other = try session.run(distance, feeds: [a: [[1, 2, 3]], b: [[3, 2, 1]]])
        #expect(try same.doubles == [0] && other.doubles[0] > 0)
    }

    @Test("a dense layer over the last axis of any rank")
    func denseOverRows() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, nil, 3])
        let y = Dense(units: 2, initializer: .constant(1))(x)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let value = try session.run(y, feeds: [x: [[[1, 2, 3], [4, 5, 6]]]])
        #expect(try value.shape == [1, 2, 2] && value.doubles == [6, 6, 15, 15])
    }
}
