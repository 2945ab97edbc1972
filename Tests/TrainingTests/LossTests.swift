#if canImport(Glibc)
    import Glibc
#endif
import Dataflow
import Testing
import Training

@Suite("Losses and metrics")
struct LossTests {
    func value(_ node: Node) throws -> Double { try Session(node.graph).run(node).doubles[0] }

    @Test("mean squared error")
    func squares() throws {
        let g = Graph()
        let loss = meanSquaredError(
            labels: g.constant([[1.0], [2]], dtype: .float64), predictions: g.constant([[0.0], [5]], dtype: .float64))
        #expect(try value(loss) == 5)
    }

    static let logits: [[Double]] = [[1, 2, 3], [0, 0, 0], [1000, -1000, 0]]

    @Test(
        "softmax cross-entropy of indices of any integer type and of rows",
        arguments: [DType.int32, .int64, .uint8, .float64])
    func softmax(dtype: DType) throws {
        let g = Graph()
        let classes = [2.0, 1, 0]
        let labels =
            dtype == .float64
            ? g.constant(classes.map { c in (0..<3).map { Double($0) == c ? 1.0 : 0 } })
            : g.constant(.numbers(classes, dtype: dtype, sized: [3]))
        let loss = softmaxCrossEntropyLoss(labels: labels, logits: g.constant(LossTests.logits))
        let first = -log(exp(3.0) / (exp(1.0) + exp(2.0) + exp(3.0)))
        #expect(Swift.abs(try value(loss) - (first + log(3.0) + 0) / 3) < 1e-12)
    }

    @Test("sigmoid cross-entropy, and its derivative at 0")
    func sigmoid() throws {
        let g = Graph()
        let x = g.constant([[0.0], [2], [-3], [800]], dtype: .float64)
        let z = g.constant([[1.0], [0], [0.5], [1]], dtype: .float64)
        let loss = sigmoidCrossEntropyLoss(labels: z, logits: x)
        func s(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
        let expected = -log(0.5) - log(1 - s(2)) - 0.5 * log(s(-3)) - 0.5 * log(1 - s(-3))
        #expect(Swift.abs(try value(loss) - expected / 4) < 1e-12)
        let gradient = try #require(g.gradients(of: loss, by: [x])[0])
        let derivatives = try Session(g).run(gradient).doubles
        for (d, e) in zip(derivatives, [-0.5, s(2), s(-3) - 0.5, 0]) { #expect(Swift.abs(d - e / 4) < 1e-12) }
    }

    @Test("accuracy of indices and of rows")
    func accuracies() throws {
        let g = Graph()
        let outputs = g.constant([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
        #expect(try value(accuracy(labels: g.constant([Int32(1), 0, 0, 0]), predictions: outputs)) == 0.75)
        #expect(
            try value(
                accuracy(labels: g.constant(.numbers([1, 1, 0, 0], dtype: .uint8, sized: [4])), predictions: outputs))
                == 0.5)
        let rows = g.constant([[0.0, 1], [1, 0], [0, 1], [1, 0]])
        #expect(try value(accuracy(labels: rows, predictions: outputs)) == 1)
    }

    @Test("binary accuracy of probabilities and of logits")
    func binary() throws {
        let g = Graph()
        let labels = g.constant([[1.0], [0], [1], [0]])
        let probabilities = g.constant([[0.9], [0.2], [0.4], [0.1]])
        #expect(try value(binaryAccuracy(labels: labels, predictions: probabilities)) == 0.75)
        let logits = g.constant([[0.2], [-3], [0.1], [2]])
        #expect(try value(binaryAccuracy(labels: labels, predictions: logits, threshold: 0)) == 0.75)
    }
}
