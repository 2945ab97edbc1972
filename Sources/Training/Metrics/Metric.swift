public import Dataflow

/// A measure of a model that is right over a whole data set, also where that is evaluated in batches, or by several workers.
///
/// A mean of the batches' values is wrong for most measures (a root, an area, a ratio), so a metric has two parts: `sums`, a
/// node of numbers that are added up over the batches, and `finish`, which makes the measure of the total.
///
/// ```swift
/// let metrics: [Metric] = [.auc(labels: y, predictions: p), .logLoss(labels: y, predictions: p)]
/// let values = try session.evaluate(metrics, over: [[x: test.features, y: test.labels]])
/// print(values["auc"]!, values["log_loss"]!)
/// ```
public struct Metric: Sendable, CustomStringConvertible {
    /// What reports call it: "auc".
    public let name: String
    /// float64 [k]: of one batch; those of several are added element by element.
    public let sums: Node
    /// The measure, of k numbers that were added up; NaN where it is not defined, as a mean over no examples, and of another
    /// count of numbers.
    public let finish: @Sendable ([Double]) -> Double

    /// A measure of one's own.
    ///
    /// - Parameters:
    ///   - sums: numbers of any shape, whose count is known; taken as float64 [k].
    ///   - finish: the measure, of k added numbers.
    public init(
        name: String, sums: any Operand, file: StaticString = #fileID, line: UInt = #line,
        finish: @escaping @Sendable ([Double]) -> Double
    ) {
        self.name = name
        let (graph, count) = (sums.node.graph, sums.node.shape.elementCount)
        self.finish = { $0.count == count ? finish($0) : .nan }
        self.sums = graph.located(file, line) {
            if sums.node.vertex.error == nil, count == nil {
                graph.recordMistake(
                    "a metric's sums need a known count, got \(sums.node)", at: name, file: file, line: line)
            }
            return reshape(cast(sums, to: .float64), [-1])
        }
    }

    /// The mean of `values` over all examples; TensorFlow's `tf.metrics.mean`.
    ///
    /// - Parameters:
    ///   - values: of any shape: of the batch's examples, or a scalar that is their mean.
    ///   - weights: how much each counts, broadcast to `values`; of a batch's mean the number of its examples. 1 by default.
    public static func mean(
        of values: any Operand, weights: (any Operand)? = nil, name: String = "mean", file: StaticString = #fileID,
        line: UInt = #line
    ) -> Metric {
        let graph = values.node.graph
        return graph.located(file, line) {
            graph.scope(name) {
                let wide = cast(values, to: .float64)
                let ones = onesLike(wide)
                let weights = weights.map { ones * cast($0, to: .float64) } ?? ones
                return ratio(sum(wide * weights), sum(weights), name: name, file: file, line: line)
            }
        }
    }

    /// The quotient of two sums; NaN over nothing.
    static func ratio(
        _ above: Node, _ below: Node, name: String, file: StaticString, line: UInt,
        _ change: @escaping @Sendable (Double) -> Double = { $0 }
    ) -> Metric {
        Metric(name: name, sums: stack([above, below]), file: file, line: line) { change($0[0] / $0[1]) }
    }

    public var description: String { "metric '\(name)' over \(sums.shape.elementCount ?? 0) sums" }
}

/// The sums of a metric, added up over batches.
public struct MetricTotal: Sendable, CustomStringConvertible {
    public let metric: Metric
    /// What was added so far; empty before the first batch.
    public private(set) var sums: [Double] = []

    public init(_ metric: Metric) { self.metric = metric }

    /// Adds a batch's sums, as a run of `metric.sums` gives them, or those of another total.
    public mutating func add(_ batch: [Double]) {
        sums = sums.isEmpty ? batch : zip(sums, batch).map { $0 + $1 }
    }

    /// The measure over all that was added; NaN over nothing.
    public var value: Double { sums.isEmpty ? .nan : metric.finish(sums) }

    public var description: String { "\(metric.name) \(value)" }
}

extension Session {
    /// The values of `metrics` by name over all `batches` together.
    ///
    /// - Parameter batches: what each run is fed.
    /// - Throws: `GraphError` for what a run throws.
    public func evaluate(
        _ metrics: [Metric], over batches: some Sequence<Feeds>
    ) throws -> [String: Double] {
        var totals = metrics.map(MetricTotal.init)
        for feeds in batches {
            for (i, sums) in try run(metrics.map(\.sums), feeds: feeds).enumerated() { totals[i].add(try sums.doubles) }
        }
        return Dictionary(totals.map { ($0.metric.name, $0.value) }, uniquingKeysWith: { $1 })
    }
}
