internal import Dataflow
internal import Training

extension PreparedJob {
    /// The number of examples in a batch, if the shape of a placeholder fixes it.
    var fixedBatch: (placeholder: Node, count: Int)? {
        for node in [model.features, model.labels] {
            if let first = node.shape.dimensions?.first, let count = first, count > 0 { return (node, count) }
        }
        return nil
    }

    /// The number of examples in a batch of the test part.
    package var evaluationBatch: Int { fixedBatch?.count ?? max(config.train.batch, 256) }

    /// Checks that every batch has the number of examples that the placeholders fix.
    /// - Throws: `NodeError` with the batch that does not, and what to change.
    func checkFixedBatch() throws {
        guard let (placeholder, count) = fixedBatch else { return }
        let what = "the placeholder '\(placeholder.vertex.name)' takes exactly \(count) examples at once"
        let advice = "; or leave its first dimension open (None) in the program that writes the graph"
        if data.test.count % count > 0 {
            throw NodeError(
                .configuration,
                "\(what), and the test part has \(data.test.count) examples: choose data.test_fraction so that it is a "
                    + "multiple of \(count), or 0\(advice)")
        }
        guard data.training.count > 0 else { return }
        guard config.train.batch == count else {
            throw NodeError(
                .configuration, "\(what), and train.batch is \(config.train.batch): set it to \(count)\(advice)")
        }
        if config.cluster.consistency.isSynchronous, config.cluster.workers > 1 {
            throw NodeError(
                .configuration,
                "\(what), and synchronous workers each take a part of a batch: use one worker, or consistency async\(advice)"
            )
        }
        let rest = data.training.count % count
        if rest > 0, totalSteps >= data.training.count / count + 1 {
            throw NodeError(
                .configuration,
                "\(what), and the last batch of each epoch has \(rest) of the \(data.training.count) examples: set data.limit, "
                    + "or data.test_fraction, so that the rest is 0\(advice)")
        }
    }
}
