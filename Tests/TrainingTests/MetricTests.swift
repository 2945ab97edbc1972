import Dataflow
import Testing
import Training

@Suite("Metrics")
struct MetricTests {
    static let binaryLabels: [Int32] = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0]
    static let chances: [Float] = [0.1, 0.8, 0.35, 0.4, 0.9, 0.6, 0.05, 0.5, 0.7, 0.2]
    static let classLabels: [Int32] = [0, 2, 1, 2, 0, 1]
    static let rows: [[Float]] = [
        [0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.4, 0.35, 0.25], [0.1, 0.8, 0.1],
    ]

    /// A metric with what TensorFlow 2.21's `tf.keras.metrics` (or, of means over classes and R², scikit-learn's formula)
    /// makes of the same numbers.
    struct Row: Sendable, CustomTestStringConvertible {
        let title: String
        let expected: Double
        let make: @Sendable (_ labels: Node, _ predictions: Node) -> Metric
        var testDescription: String { title }

        init(_ title: String, _ expected: Double, _ make: @escaping @Sendable (Node, Node) -> Metric) {
            (self.title, self.expected, self.make) = (title, expected, make)
        }
    }

    static let binary: [Row] = [
        Row("AUC", 0.88) { .auc(labels: $0, predictions: $1) },
        Row("AUC at five thresholds", 0.86) { .auc(labels: $0, predictions: $1, thresholds: 5) },
        Row("precision", 0.75) { .precision(labels: $0, predictions: $1) },
        Row("recall", 0.6) { .recall(labels: $0, predictions: $1) },
        Row("precision above 0.3", 5.0 / 7) { .precision(labels: $0, predictions: $1, threshold: 0.3) },
        Row("recall above 0.3", 1) { .recall(labels: $0, predictions: $1, threshold: 0.3) },
        Row("F1", 2 * 0.75 * 0.6 / 1.35) { .f1(labels: $0, predictions: $1) },
        Row("log loss", 0.4235062) { .logLoss(labels: $0, predictions: $1) },
        Row("accuracy", 0.7) { .accuracy(labels: $0, predictions: $1) },
    ]

    static let classes: [Row] = [
        Row("AUC", 0.85416667) { .auc(labels: $0, predictions: $1) },
        Row("precision", 0.72222222) { .precision(labels: $0, predictions: $1) },
        Row("recall", 0.66666667) { .recall(labels: $0, predictions: $1) },
        Row("F1", 0.65555556) { .f1(labels: $0, predictions: $1) },
        Row("log loss", 0.73581344) { .logLoss(labels: $0, predictions: $1) },
        Row("accuracy", 0.66666667) { .accuracy(labels: $0, predictions: $1) },
        Row("top 2", 1) { .topKAccuracy(labels: $0, predictions: $1, k: 2) },
        Row("top 1", 0.66666667) { .topKAccuracy(labels: $0, predictions: $1, k: 1) },
    ]

    static let numbers: [Row] = [
        Row("MSE", 0.375) { .meanSquaredError(labels: $0, predictions: $1) },
        Row("RMSE", 0.6123724357) { .rootMeanSquaredError(labels: $0, predictions: $1) },
        Row("MAE", 0.5) { .meanAbsoluteError(labels: $0, predictions: $1) },
        Row("R²", 0.9486081370) { .r2(labels: $0, predictions: $1) },
    ]

    /// The metric over all examples, evaluated in batches of `size`.
    func value(
        _ row: Row, _ labels: (Range<Int>) throws -> Tensor, _ predictions: (Range<Int>) throws -> Tensor, count: Int,
        size: Int
    ) throws -> Double {
        let g = Graph()
        let shapes = [try labels(0..<count), try predictions(0..<count)].map {
            ($0.dtype, Shape([nil] + $0.shape.knownExtents.dropFirst().map(Optional.some)))
        }
        let (y, p) = (g.placeholder(shapes[0].0, shapes[0].1), g.placeholder(shapes[1].0, shapes[1].1))
        let metric = row.make(y, p)
        let batches = try stride(from: 0, to: count, by: size).map { start -> Feeds in
            let range = start..<min(start + size, count)
            return [y: try labels(range), p: try predictions(range)]
        }
        let values = try Session(g).evaluate([metric], over: batches)
        return try #require(values[metric.name])
    }

    @Test("of yes and no, in one batch or in several", arguments: binary, [1, 3, 10])
    func yesAndNo(row: Row, size: Int) throws {
        let (labels, chances) = (Self.binaryLabels, Self.chances)
        let found = [
            try value(row, { Tensor(Array(labels[$0])) }, { Tensor(Array(chances[$0])) }, count: 10, size: size),
            // Labels as numbers, predictions as a column.
            try value(
                row, { Tensor(labels[$0].map { Float($0) }) },
                { Tensor(Array(chances[$0]), sized: [$0.count, 1]) }, count: 10, size: size),
            // Both classes' probabilities.
            try value(
                row, { Tensor(labels[$0].map { Int64($0) }) }, { try Tensor(chances[$0].map { [1 - $0, $0] }) },
                count: 10,
                size: size),
            try value(
                row, { Tensor(labels[$0].map { $0 == 1 }) }, { Tensor(chances[$0].map { Double($0) }) }, count: 10,
                size: size),
        ]
        // 0.5 is neither side of a threshold of 0.5, nor a larger column.
        for value in found { #expect(Swift.abs(value - row.expected) < 2e-7, "\(found)") }
    }

    @Test("of several classes, in one batch or in several", arguments: classes, [1, 4, 6])
    func severalClasses(row: Row, size: Int) throws {
        let (labels, rows) = (Self.classLabels, Self.rows)
        let found = [
            try value(row, { Tensor(Array(labels[$0])) }, { try Tensor(Array(rows[$0])) }, count: 6, size: size),
            try value(
                row, { Tensor(Array(labels[$0]), sized: [$0.count, 1]) }, { try Tensor(Array(rows[$0])) }, count: 6,
                size: size),
        ]
        for value in found { #expect(Swift.abs(value - row.expected) < 2e-7, "\(found)") }
    }

    @Test("of numbers, in one batch or in several", arguments: numbers, [1, 3, 4])
    func regression(row: Row, size: Int) throws {
        let (labels, predictions) = ([3, -0.5, 2, 7], [2.5, 0, 2, 8])
        let found = [
            try value(row, { Tensor(Array(labels[$0])) }, { Tensor(Array(predictions[$0])) }, count: 4, size: size),
            try value(
                row, { Tensor(labels[$0].map { Float($0) }, sized: [$0.count, 1]) }, { Tensor(Array(predictions[$0])) },
                count: 4, size: size),
        ]
        for value in found { #expect(Swift.abs(value - row.expected) < 1e-9, "\(found)") }
    }

    @Test("R² of several columns is their mean; of labels that are all alike 1 or 0")
    func determination() throws {
        let row = Self.numbers[3]
        let (labels, predictions) = ([[0.5, 1], [-1, 1], [7, -6]], [[0.0, 2], [-1, 2], [8, -5]])
        let both = try value(
            row, { try Tensor(Array(labels[$0])) }, { try Tensor(Array(predictions[$0])) }, count: 3, size: 2)
        #expect(Swift.abs(both - 0.9368005) < 1e-7)
        let alike = [0.1, 0.1, 0.1]
        #expect(try value(row, { Tensor(Array(alike[$0])) }, { Tensor(Array(alike[$0])) }, count: 3, size: 1) == 1)
        let other = [0.1, 0.1, 0.2]
        #expect(try value(row, { Tensor(Array(alike[$0])) }, { Tensor(Array(other[$0])) }, count: 3, size: 1) == 0)
    }

    @Test("the mean of batches' means counts each by its examples")
    func weightedMean() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil])
        let metric = Metric.mean(of: mean(x), weights: size(x), name: "loss")
        let values = try Session(g).evaluate(
            [metric, .mean(of: x)], over: [[x: Tensor([Float(1), 2, 3])], [x: Tensor([Float(6)])]])
        #expect(values == ["loss": 3, "mean": 3])
        #expect(try Session(g).evaluate([metric], over: [])["loss"]?.isNaN == true)
    }

    @Test("the exact area counts pairs, ties as half")
    func exactArea() throws {
        let labels = Tensor(Self.binaryLabels)
        #expect(Swift.abs(try Metric.exactAUC(labels: labels, predictions: Tensor(Self.chances)) - 0.88) < 1e-12)
        let tied: [Float] = [0.2, 0.2, 0.7, 0.7, 0.7, 0.2, 0.1, 0.1, 0.9, 0.9]
        var (wins, pairs) = (0.0, 0.0)
        for (i, a) in tied.enumerated() where Self.binaryLabels[i] == 1 {
            for (j, b) in tied.enumerated() where Self.binaryLabels[j] == 0 {
                pairs += 1
                wins += a > b ? 1 : a == b ? 0.5 : 0
            }
        }
        #expect(Swift.abs(try Metric.exactAUC(labels: labels, predictions: Tensor(tied)) - wins / pairs) < 1e-12)
        #expect(try Metric.exactAUC(labels: Tensor([1.0, 1]), predictions: Tensor([0.0, 1])).isNaN)
        #expect(throws: GraphError.self) { try Metric.exactAUC(labels: labels, predictions: Tensor([0.5])) }
    }

    @Test("what is not defined is NaN, what finds nothing 0")
    func edges() throws {
        func value(_ name: Metric.Named, _ labels: [Float], _ predictions: [Float]) throws -> Double {
            let g = Graph()
            let metric = name(labels: g.constant(labels), predictions: g.constant(predictions))
            return try #require(try Session(g).evaluate([metric], over: [[:]])[name.rawValue])
        }
        #expect(try value(.auc, [1, 1], [0.2, 0.3]).isNaN)
        #expect(try value(.precision, [1, 0], [0.2, 0.3]) == 0)
        #expect(try value(.recall, [0, 0], [0.2, 0.7]) == 0)
        #expect(try value(.f1, [0, 0], [0.2, 0.3]) == 0)
        for name: Metric.Named in [.auc, .precision, .recall, .f1, .logLoss, .mse, .rmse, .mae, .r2] {
            #expect(try value(name, [1, 0, 1], [0.2, .nan, 0.5]).isNaN, "\(name)")
        }
    }

    @Test("every metric by its name", arguments: Metric.Named.allCases)
    func names(name: Metric.Named) throws {
        let g = Graph()
        let isRegression = [.mse, .rmse, .mae, .r2].contains(name)
        let metric =
            isRegression
            ? name(labels: g.constant([1.0, 2]), predictions: g.constant([1.0, 3]))
            : name(labels: g.constant([Int32(1), 0]), predictions: g.constant([[0.2, 0.8], [0.6, 0.4]]))
        #expect(metric.name == name.rawValue && metric.sums.shape.isFullyDefined && metric.sums.dtype == .float64)
        let value = try #require(try Session(g).evaluate([metric], over: [[:]])[name.rawValue])
        #expect(value.isFinite)
    }

    @Test("mistakes are told at the user's line")
    func mistakes() throws {
        let builders: [(Graph) -> Metric] = [
            { .auc(labels: $0.placeholder(.float32, [3]), predictions: $0.placeholder(.float32, [4])) },
            { .precision(labels: $0.placeholder(.float32, [3, 2]), predictions: $0.placeholder(.float32, [3, 4])) },
            { .r2(labels: $0.placeholder(.float32, [3]), predictions: $0.placeholder(.float32, [4])) },
            { .r2(labels: $0.placeholder(.float32, [3, nil]), predictions: $0.placeholder(.float32, [3, nil])) },
            {
                .topKAccuracy(labels: $0.placeholder(.int32, [3]), predictions: $0.placeholder(.float32, [3, 4]), k: 0)
            },
            { .auc(labels: $0.constant([1.0]), predictions: $0.constant([0.5]), thresholds: 1) },
            { Metric(name: "own", sums: $0.placeholder(.float32, [nil])) { $0[0] } },
        ]
        for (i, build) in builders.enumerated() {
            let g = Graph()
            _ = build(g)
            let error = #expect(throws: GraphError.self) { try g.validate() }
            #expect(error?.location?.file.hasSuffix("MetricTests.swift") == true, "\(i): \(error?.description ?? "")")
        }
        let g = Graph()
        let line: UInt = #line + 1
        let area = Metric.auc(labels: g.constant([1.0, 0]), predictions: g.constant([3.5, -2]))
        let loss = Metric.logLoss(
            labels: g.constant([Int32(1), 2]), predictions: g.constant([[0.5, 0.5], [0.5, 0.5]]))
        let session = try Session(g)
        #expect(area.sums.vertex.location?.line == line)
        let logits = #expect(throws: GraphError.self) { try session.evaluate([area], over: [[:]]) }
        #expect(logits?.description.contains("probabilities from 0 to 1") == true)
        let label = #expect(throws: GraphError.self) { try session.evaluate([loss], over: [[:]]) }
        #expect(label?.description.contains("not in 0..<2") == true)
    }
}
