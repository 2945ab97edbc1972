package import Dataflow
internal import Training

/// A metric that workers compute as sums, and the coordinator turns into a number.
package struct ReportedMetric: Sendable {
    package let name: String
    /// The value for one batch: a mean over its examples, or sums [k].
    package let node: Node
    /// Computes the number from the added sums; nil for a mean over the examples.
    private let metric: Metric?

    /// A mean over the examples.
    init(name: String, mean: Node) {
        (self.name, node, metric) = (name, mean, nil)
    }

    init(_ metric: Metric, name: String) {
        (self.name, node, self.metric) = (name, metric.sums, metric)
    }

    /// Whether workers multiply it by the number of examples.
    package var isMean: Bool { metric == nil }

    /// The sums that a worker sends for a batch.
    func sums(_ value: Tensor, examples: Int) -> [Double] {
        metric == nil ? [value.knownDoubles[0] * Double(examples)] : value.knownDoubles
    }

    /// The number for added sums; nil if they are not this metric's.
    func finished(_ sums: [Double], examples: Int) -> Double? {
        guard sums.count == metric?.sums.shape.elementCount ?? 1 else { return nil }
        if let metric { return metric.finish(sums) }
        return examples == 0 ? .nan : sums[0] / Double(examples)
    }
}

extension [ReportedMetric] {
    /// The numbers for added sums, by name; metrics without sums are left out.
    func finished(_ sums: [String: [Double]], examples: Int) -> [String: Double] {
        var numbers: [String: Double] = [:]
        for metric in self {
            numbers[metric.name] = sums[metric.name].flatMap { metric.finished($0, examples: examples) }
        }
        return numbers
    }
}

extension [String: [Double]] {
    /// Adds sums name by name, place by place.
    mutating func add(_ others: [String: [Double]]) {
        for (name, sums) in others {
            guard let known = self[name] else {
                self[name] = sums
                continue
            }
            // Ignore a worker that sends another number of sums.
            self[name] = known.count == sums.count ? zip(known, sums).map(+) : []
        }
    }
}

extension TrainingModel {
    /// All metrics by name, those that the configuration adds included; these are made in the graph.
    ///
    /// - Throws: `GraphError` for a name that is given twice, a metric that lacks predictions, or labels and predictions that
    ///   a metric cannot compare.
    func reportedMetrics(adding names: [Metric.Named]) throws -> [ReportedMetric] {
        let graph = loss.graph
        var reported = metrics.means.map { ReportedMetric(name: $0.key, mean: $0.value) }
        for element in metrics.elements {
            guard !reported.contains(where: { $0.name == element.name }) else {
                throw GraphError("the metric '\(element.name)' is given twice; give one of them another name")
            }
            guard let metric = graph.located(file, line, { element.make(labels, predictions) }) else {
                throw GraphError(
                    "the metric '\(element.name)' compares labels with predictions, and the model has no predictions: "
                        + "give TrainingModel its predictions", location: SourceLocation(file: file, line: line))
            }
            guard metric.sums.graph === graph else {
                throw GraphError(
                    "the metric '\(element.name)' is of another graph: build the whole model in the graph that `build` is given",
                    node: metric.sums.vertex.name, location: metric.sums.vertex.location)
            }
            reported.append(ReportedMetric(metric, name: element.name))
        }
        try graph.validate()
        for name in names where !reported.contains(where: { $0.name == name.rawValue }) {
            guard let predictions else {
                throw NodeError(
                    .configuration,
                    "train.metrics has \(name.rawValue), which compares labels with predictions, and the model has no predictions"
                )
            }
            reported.append(ReportedMetric(name(labels: labels, predictions: predictions), name: name.rawValue))
            do { try graph.validate() } catch let error as GraphError {
                throw NodeError(
                    .configuration, "train.metrics can't have \(name.rawValue) of this model: \(error.message)")
            }
        }
        return reported.sorted { $0.name < $1.name }
    }
}
