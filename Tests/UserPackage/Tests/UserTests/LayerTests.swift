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
            let feeds = [x: Tensor(values, shape: [16, length, 1]), y: Tensor(sums, shape: [16, 1])]
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
        let logits = dense(reshape(features, [-1, 4 * 4 * 4]), units: 2)
        let loss = softmaxCrossEntropyLoss(labels: label, logits: logits)
        let right = accuracy(labels: label, predictions: logits)
        let step = Adam(learningRate: 0.01).minimize(loss)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let images = (0..<16).flatMap { image in
            (0..<64).map { Float((image < 8 ? $0 / 8 : $0 % 8) == image % 8 ? 1 : 0) }
        }
        let feeds = [
            x: Tensor(images, shape: [16, 8, 8, 1]), label: Tensor((0..<16).map { Int32($0 < 8 ? 0 : 1) }),
        ]
        for _ in 0..<100 { try session.execute(step, feeds: feeds) }
        expectClose(try session.run(right, feeds: feeds), [1])
    }

    @Test("an embedding learns a number for each word, and only of those that it sees")
    func embeddings() throws {
        let g = Graph(seed: 3)
        let word = g.placeholder(.int32, [nil])
        let score = g.placeholder(.float32, [nil, 1])
        let value = embedding(word, count: 5, width: 1)
        let step = GradientDescent(learningRate: 0.5).minimize(meanSquaredError(labels: score, predictions: value))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let table = try #require(g.trainableVariables.first)
        let before = try session.value(of: table).doubles
        let feeds = [word: Tensor([Int32(0), 2, 4]), score: Tensor([[Float(1)], [-1], [3]])]
        for _ in 0..<100 { try session.execute(step, feeds: feeds) }
        expectClose(try session.value(of: table), [1, before[1], -1, before[3], 3], 1e-4)
    }

    @Test("dropout drops while training, and keeps the mean")
    func dropouts() throws {
        let g = Graph(seed: 4)
        let x = g.placeholder(.float32, [nil])
        let training = g.placeholder(.bool, [])
        let out = dropout(x, rate: 0.25, training: training)
        let session = try Session(g)
        let ones = Tensor(repeating: Float(1), shape: [10_000])
        expectClose(try session.run(out, feeds: [x: ones, training: Tensor(false)]), ones.doubles)
        let dropped = try session.run(out, feeds: [x: ones, training: Tensor(true)]).doubles
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
        let batch = Tensor([Float(1), 5], shape: [2, 1, 1, 1])
        let trained = try session.run([out, update], feeds: [x: batch, training: Tensor(true)])[0]
        expectClose(trained, [-1, 1], 1e-3)
        for _ in 0..<30 { try session.execute(update, feeds: [x: batch, training: Tensor(true)]) }
        let used = try session.run(out, feeds: [x: batch, training: Tensor(false)])
        expectClose(used, [-2 / 8.001.squareRoot(), 2 / 8.001.squareRoot()], 1e-3)
    }
}
