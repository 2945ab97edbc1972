import Dataflow
import Testing
import Training

@Suite("Convolutional layers")
struct ConvolutionalLayerTests {
    @Test("a convolutional layer is activation(x ∗ kernel + bias)", arguments: ["NHWC", "NCHW"])
    func values(format: String) throws {
        let g = Graph()
        let isFirst = format == "NCHW"
        let x = g.placeholder(.float32, isFirst ? [nil, 1, 3, 3] : [nil, 3, 3, 1])
        let y = conv2d(
            x, filters: 2, kernelSize: [2, 2], dataFormat: format, activation: .relu, initializer: .constant(2),
            biasInitializer: .constant(-30), name: "layer")
        #expect(y.shape == (isFirst ? [nil, 2, 2, 2] : [nil, 2, 2, 2]))
        #expect(g.trainableVariables.map(\.name) == ["layer/kernel", "layer/bias"])
        #expect(g.variables.map(\.shape) == [[2, 2, 1, 2], [2]])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let image = Tensor((1...9).map { Float($0) }, sized: isFirst ? [1, 1, 3, 3] : [1, 3, 3, 1])
        // Twice the sums 12, 16, 24 and 28 of the windows, less 30.
        let windows: [Float] = [0, 2, 18, 26]
        let expected = isFirst ? windows + windows : windows.flatMap { [$0, $0] }
        #expect(try session.run(y, feeds: [x: image]) == Tensor(expected, sized: [1, 2, 2, 2]))
    }

    @Test("two layers of one name, strides, padding, penalties")
    func settings() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [nil, 28, 28, 1])
        let first = conv2d(x, filters: 4, kernelSize: [5, 5], strides: [2, 2], padding: .same, l2: 0.5)
        let second = conv2d(first, filters: 3, kernelSize: [3, 3], dilations: [2, 2], useBias: false)
        try g.validate()
        #expect(first.shape == [nil, 14, 14, 4] && second.shape == [nil, 10, 10, 3])
        #expect(g.variables.map(\.name) == ["conv2d/kernel", "conv2d/bias", "conv2d_1/kernel"])
        #expect(g.variables.allSatisfy { $0.dtype == .float64 })
        #expect(g.regularizationLosses.count == 1)
    }

    @Test("wrong images, filters and kernels are told")
    func mistakes() {
        let check = { (words: String, build: (Graph) -> Void) in
            let g = Graph()
            build(g)
            let text = #expect(throws: GraphError.self) { try g.validate() }?.description ?? ""
            #expect(text.contains(words), "\(text)")
        }
        for shape: Shape in [[nil, 28, 28, nil], [nil, 784], .unknown] {
            check("known number of channels") {
                _ = conv2d($0.placeholder(.float32, shape), filters: 1, kernelSize: [3, 3])
            }
        }
        let images: Shape = [nil, 28, 28, 1]
        check("got 0 of [3, 3]") { _ = conv2d($0.placeholder(.float32, images), filters: 0, kernelSize: [3, 3]) }
        check("got 1 of [3]") { _ = conv2d($0.placeholder(.float32, images), filters: 1, kernelSize: [3]) }
    }

    /// Four examples of two channels: means 2.5 and 0, variances 1.25 and 4.
    static let batch: [Float] = [1, -2, 2, 2, 3, -2, 4, 2]

    private func close(_ tensor: Tensor, _ expected: [Double]) throws -> Bool {
        try tensor.elementCount == expected.count
            && zip(tensor.doubles, expected).allSatisfy { Swift.abs($0 - $1) < 1e-5 }
    }

    @Test("each run says whether it trains; the averages move only while it does", arguments: [true, false])
    func normalization(asImages: Bool) throws {
        let g = Graph()
        let shape: Shape = asImages ? [4, 1, 1, 2] : [4, 2]
        let x = g.placeholder(.float32, asImages ? [nil, 1, 1, 2] : [nil, 2])
        let training = g.placeholder(.bool, [])
        let y = batchNormalization(x, training: training, momentum: 0.75, epsilon: 0, name: "norm")
        #expect(y.shape.rank == shape.rank)
        #expect(g.variables.map(\.name) == ["norm/gamma", "norm/beta", "norm/moving_mean", "norm/moving_variance"])
        #expect(g.trainableVariables.map(\.name) == ["norm/gamma", "norm/beta"])
        #expect(g.updateOperations.count == 2)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let update = g.group(g.updateOperations)
        let averages = g.variables[2...].map(\.node)
        let feeds = { (isTraining: Bool) -> Feeds in
            [x: Tensor(Self.batch, sized: shape), training: Tensor(isTraining)]
        }

        let before = try session.run([y, update], feeds: feeds(false))[0]
        #expect(before == Tensor(Self.batch, sized: shape))
        #expect(try session.run(averages).map { try $0.doubles } == [[0, 0], [1, 1]])

        let trained = try session.run([y, update], feeds: feeds(true))[0]
        let step = 1.25.squareRoot()
        #expect(try close(trained, [-1.5 / step, -1, -0.5 / step, 1, 0.5 / step, -1, 1.5 / step, 1]))
        // A quarter of the way to the means 2.5 and 0 and to the variances 5/3 and 16/3.
        let moved = try session.run(averages)
        #expect(try close(moved[0], [0.625, 0]) && close(moved[1], [0.75 + 5.0 / 12, 0.75 + 4.0 / 3]))

        let after = try session.run(y, feeds: feeds(false)).doubles
        let first = (Double(Self.batch[0]) - 0.625) / (0.75 + 5.0 / 12).squareRoot()
        #expect(Swift.abs(after[0] - first) < 1e-5)
    }

    @Test("a layer built for training is normalised by the batch, one that is not by the averages")
    func fixedMode() throws {
        let g = Graph()
        let x = g.constant(Tensor(Self.batch, sized: [4, 1, 1, 2]))
        let trained = batchNormalization(x, training: true, epsilon: 0, name: "a")
        #expect(g.updateOperations.count == 2)
        let fixed = batchNormalization(x, training: false, epsilon: 0, center: false, scale: false, name: "b")
        #expect(g.updateOperations.count == 2)
        #expect(g.variables.map(\.name).suffix(2) == ["b/moving_mean", "b/moving_variance"])
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let values = try session.run([trained, fixed])
        #expect(try Swift.abs(values[0].doubles[1] + 1) < 1e-5)
        #expect(values[1] == Tensor(Self.batch, sized: [4, 1, 1, 2]))
    }

    @Test("the gradient flows through the batch's mean while training, and past the averages otherwise")
    func gradient() throws {
        let g = Graph()
        let x = g.placeholder(.float64, [4, 1, 1, 2])
        let training = g.placeholder(.bool, [])
        let y = batchNormalization(x, training: training, epsilon: 0)
        let inputs: [Node] = [x, g.trainableVariables[0].node, g.trainableVariables[1].node]
        let slopes = g.gradients(of: sum(y), by: inputs).compactMap { $0 }
        try #require(slopes.count == 3)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let batch = Tensor(Self.batch.map { Double($0) }, sized: [4, 1, 1, 2])
        let run = { (isTraining: Bool) throws -> [Tensor] in
            try session.run(slopes, feeds: [x: batch, training: Tensor(isTraining)])
        }
        let (during, otherwise) = (try run(true), try run(false))
        // Whatever is added to all examples the batch's mean takes off again.
        #expect(try during[0].doubles.allSatisfy { Swift.abs($0) < 1e-9 })
        #expect(try otherwise[0].doubles == [Double](repeating: 1, count: 8))
        #expect(try during[2].doubles == [4, 4] && otherwise[2].doubles == [4, 4])
    }

    @Test("a training step with its updates makes the loss smaller and moves the averages")
    func training() throws {
        let g = Graph(seed: 3)
        let x = g.placeholder(.float32, [8, 6, 6, 1])
        let target = g.placeholder(.float32, [8, 1])
        let hidden = relu(batchNormalization(conv2d(x, filters: 4, kernelSize: [3, 3]), training: true))
        let pooled = maxPool(hidden, size: [2, 2])
        let loss = mean(square(dense(reshape(pooled, [8, 16]), units: 1) - target))
        let step = g.group([Adam(learningRate: 0.01).minimize(loss)] + g.updateOperations)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let images = (0..<288).map { (i: Int) -> Float in Float(i * 37 % 101) / 50 - 1 }
        let feeds: Feeds = [
            x: Tensor(images, sized: [8, 6, 6, 1]), target: Tensor([Float(0), 1, 0, 1, 0, 1, 0, 1], sized: [8, 1]),
        ]
        let first = try session.run(loss, feeds: feeds).doubles[0]
        for _ in 0..<50 { _ = try session.run(step, feeds: feeds) }
        #expect(try session.run(loss, feeds: feeds).doubles[0] < first / 2)
        let average = try #require(g.variables.first { $0.name.hasSuffix("moving_mean") })
        #expect(try session.run(average).doubles.contains { $0 != 0 })
    }

    @Test("what cannot be normalised is told")
    func wrongNormalization() {
        for shape: Shape in [[nil, 28, 28, nil], [nil, nil], [3], .unknown] {
            let g = Graph()
            _ = batchNormalization(g.placeholder(.float32, shape), training: true)
            let text = #expect(throws: GraphError.self) { try g.validate() }?.description ?? ""
            #expect(text.contains("known number of channels"), "\(text)")
        }
    }
}
