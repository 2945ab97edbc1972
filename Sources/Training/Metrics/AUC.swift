public import Dataflow

extension Metric {
    /// The area under the receiver operating characteristic, the chance that a positive example is ranked above a negative
    /// one; Keras's `AUC`, TensorFlow's `tf.metrics.auc` without its added 1e-6.
    ///
    /// Of the curve so many points are known, those of evenly spaced thresholds, with straight lines between; see
    /// `exactAUC` for the exact area. NaN if there are only positives, or only negatives. A prediction beyond 0...1 is thrown
    /// by the run.
    ///
    /// - Parameters:
    ///   - labels: class indices [examples], or 0 and 1 in the predictions' shape.
    ///   - predictions: probabilities. Of two columns the second one counts, that of class 1. Of more columns the mean over
    ///     the classes is taken, each against all others (scikit-learn's "ovr", "macro").
    ///   - thresholds: at least 2.
    public static func auc(
        labels: any Operand, predictions: any Operand, thresholds: Int = 200, name: String = "auc",
        file: StaticString = #fileID, line: UInt = #line
    ) -> Metric {
        classified(labels, predictions, name, file, line) { labels, predictions in
            let graph = labels.graph
            if !(2...(1 << 20)).contains(thresholds) {
                graph.recordMistake(
                    "an area needs from 2 to 1048576 thresholds, got \(thresholds)", at: name, file: file, line: line)
            }
            // Counting is the host's work.
            return graph.device("/cpu:0") {
                let decisions = Decisions(labels, probabilities(predictions, of: name), name, file, line)
                let classes = decisions.classes
                // Two numbers for each class and threshold travel from workers.
                let limit = (1 << 22) / classes
                if thresholds > limit, limit < 1 << 20 {
                    graph.recordMistake(
                        "an area of \(classes) classes takes at most \(limit) thresholds, got \(thresholds)", at: name,
                        file: file, line: line)
                }
                let curve = ThresholdCurve(thresholds: Swift.max(2, Swift.min(thresholds, limit, 1 << 20)))
                let sums = concat(curve.histograms(of: decisions) + [decisions.unknown], axis: 0)
                return Metric(name: name, sums: sums, file: file, line: line) { sums in
                    guard sums.last == 0 else { return .nan }
                    let areas = (0..<classes).map { curve.area(sums, class: $0, of: classes) }.filter { !$0.isNaN }
                    return areas.isEmpty ? .nan : areas.reduce(0, +) / Double(areas.count)
                }
            }
        }
    }

    /// The exact area under the receiver operating characteristic of numbers at hand, such as all predictions of a held-out
    /// set: the Mann–Whitney statistic, U / (positives · negatives), in which a tie is half (Hanley and McNeil, "The meaning
    /// and use of the area under a receiver operating characteristic curve", 1982). scikit-learn's `roc_auc_score`.
    ///
    /// - Parameters:
    ///   - labels: 0 or 1, of any shape and dtype; a number above 0 counts as 1.
    ///   - predictions: as many numbers; any scale that ranks.
    /// - Returns: NaN if there are only positives or only negatives, or if a prediction is NaN.
    /// - Throws: `GraphError` if there are not as many labels as predictions.
    public static func exactAUC(labels: Tensor, predictions: Tensor) throws -> Double {
        guard labels.elementCount == predictions.elementCount else {
            throw GraphError(
                "there must be as many labels as predictions, got the shapes \(labels.shape) and \(predictions.shape)")
        }
        let scores = try predictions.doubles
        let pairs = zip(scores, try labels.doubles).sorted { $0.0 < $1.0 }
        let positives = Double(pairs.count { $0.1 > 0 })
        let negatives = Double(pairs.count) - positives
        guard positives > 0, negatives > 0, !scores.contains(where: \.isNaN) else { return .nan }
        // The ranks of the positives, from 1 on; those that tie have their mean.
        var (ranks, start) = (0.0, 0)
        while start < pairs.count {
            let end = pairs[start...].firstIndex { $0.0 != pairs[start].0 } ?? pairs.count
            ranks += Double(pairs[start..<end].count { $0.1 > 0 }) * Double(start + 1 + end) / 2
            start = end
        }
        return (ranks - positives * (positives + 1) / 2) / (positives * negatives)
    }
}

/// The receiver operating characteristic at evenly spaced thresholds, as Keras's `AUC` has them: from just below 0 to just
/// above 1.
struct ThresholdCurve: Sendable {
    let thresholds: Int

    var values: [Double] {
        [-1e-7] + (1..<thresholds - 1).map { Double($0) / Double(thresholds - 1) } + [1 + 1e-7]
    }

    /// How many positives have so many thresholds below their score, then how many negatives have: for each class
    /// `thresholds` + 1 numbers, float64.
    func histograms(of decisions: Decisions) -> [Node] {
        let (graph, bins, classes) = (decisions.scores.graph, thresholds + 1, decisions.classes)
        let limits = graph.constant(.numbers(values, dtype: decisions.scores.dtype, sized: [1, thresholds]))
        let below = graph.add(LowerBound.self, [limits, reshape(decisions.scores, [1, -1])]).node
        let firsts = graph.constant((0..<classes).map { Int32($0 * bins) })
        let places = reshape(reshape(below, [-1, classes]) + firsts, [-1])
        let truths = reshape(decisions.truths, [-1])
        return [truths, 1 - truths].map {
            graph.add(Bincount.self, [places, graph.constant(Int32(classes * bins)), $0]).node
        }
    }

    /// The area of one class; NaN without both positives and negatives.
    func area(_ sums: [Double], class index: Int, of classes: Int) -> Double {
        let bins = thresholds + 1
        let positives = above(sums[(index * bins)..<((index + 1) * bins)])
        let negatives = above(sums[((classes + index) * bins)..<((classes + index + 1) * bins)])
        guard positives[0] > 0, negatives[0] > 0 else { return .nan }
        var area = 0.0
        for i in 1..<thresholds {
            area += (negatives[i - 1] - negatives[i]) * (positives[i - 1] + positives[i]) / 2
        }
        return area / (positives[0] * negatives[0])
    }

    /// For each threshold how many scores are above it.
    private func above(_ histogram: ArraySlice<Double>) -> [Double] {
        var (total, counts) = (0.0, [Double](repeating: 0, count: thresholds))
        for i in (0..<thresholds).reversed() {
            total += histogram[histogram.startIndex + i + 1]
            counts[i] = total
        }
        return counts
    }
}
