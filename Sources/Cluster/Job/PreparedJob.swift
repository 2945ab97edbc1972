package import Dataflow
package import Interchange
package import Training

/// A job made ready in a process: data read, graph built and cut. Coordinator and workers each make one; it comes out alike.
package struct PreparedJob: Sendable {
    package let config: JobConfig
    package let data: DataSplit
    package let scaling: Scaling
    package let graph: Graph
    package let model: TrainingModel
    package let cut: TrainingCut
    /// Of the graph, to compare between nodes.
    package let fingerprint: String
    /// Of the part of the graph that computes the loss: what a checkpoint fits, whatever optimizer goes on from it.
    package let modelFingerprint: String

    /// - Throws: `NodeError`, `GraphError` or what a reader throws.
    package init(_ config: JobConfig, _ job: any TrainingJob) throws {
        self.config = config
        data = try job.data(config)
        guard data.training.count > 0 else { throw NodeError(.badData, "the training data is empty") }
        scaling = config.scaling(for: data.training)
        graph = Graph(seed: config.seed)
        let graph = self.graph
        let data = self.data
        model = try job.build(graph, config: config, data: data)
        try graph.validate()
        cut = try TrainingCut(train: model.train, try PreparedJob.facts(model, config, data.training, scaling))
        fingerprint = try GraphDefinition.fingerprint(graph)
        modelFingerprint = try GraphDefinition.fingerprint(
            graph, of: TrainingCut.ancestors(of: [model.loss.vertex], controls: true))
    }

    /// What the cut is to know of the job.
    private static func facts(
        _ model: TrainingModel, _ config: JobConfig, _ training: Dataset, _ scaling: Scaling
    ) throws -> TrainingCut.Facts {
        var facts = TrainingCut.Facts()
        facts.reported = [model.loss] + Array(model.metrics.values)
        if let flag = model.isTraining { facts.known[flag] = Tensor(true) }
        // Tables that go at their own pace take each worker's part by itself.
        let consistency = config.cluster.consistency
        facts.aggregates = consistency.isSynchronous && !consistency.hasAsynchronousTables
        if training.count > 0 {
            facts.batches = BatchShapes.counts.map { (count: Int) -> [Node: TensorSpec] in
                let examples = (0..<count).map { Int32($0 % training.count) }
                return PreparedJob.feeds(model, training, examples, scaling, training: true)
                    .mapValues { TensorSpec($0.dtype, $0.shape) }
            }
        }
        return facts
    }

    /// The order of batches.
    package var schedule: BatchSchedule {
        BatchSchedule(
            examples: data.training.count, batch: config.train.batch, seed: UInt64(bitPattern: Int64(config.seed)),
            shuffle: config.train.shuffle)
    }

    /// Updates that the job makes.
    package var totalSteps: Int { config.train.totalSteps(examples: data.training.count) }

    /// Examples that the job trains on, each counted as often as it comes.
    package var totalExamples: Int { totalSteps == 0 ? 0 : schedule.positions(ofBatch: totalSteps - 1).upperBound }

    /// Held-out batches of an evaluation.
    package var evaluationBatches: Int { (data.test.count + evaluationBatch - 1) / evaluationBatch }
    package var evaluationBatch: Int { max(config.train.batch, 256) }

    /// The held-out batch `index`.
    func evaluationFeeds(_ index: Int) -> (feeds: [Node: Tensor], examples: Int) {
        let start = index * evaluationBatch
        let end = min(start + evaluationBatch, data.test.count)
        return (feeds(data.test, (start..<end).map { Int32($0) }, training: false), end - start)
    }

    /// What a run is fed for the examples `indices` of `set`.
    package func feeds(_ set: Dataset, _ indices: [Int32], training: Bool) -> [Node: Tensor] {
        PreparedJob.feeds(model, set, indices, scaling, training: training)
    }

    private static func feeds(
        _ model: TrainingModel, _ set: Dataset, _ indices: [Int32], _ scaling: Scaling, training: Bool
    ) -> [Node: Tensor] {
        let batch = set.batch(indices, scaling: scaling)
        var feeds = [
            model.features: batch.features.fitted(to: model.features.spec),
            model.labels: batch.labels.fitted(to: model.labels.spec),
        ]
        if let flag = model.isTraining { feeds[flag] = Tensor(training) }
        return feeds
    }

    /// Loss and metrics in a fixed order.
    package var metricNames: [String] { model.metrics.keys.sorted() }
    package var reportedNodes: [Node] { [model.loss] + metricNames.map { model.metrics[$0]! } }

    /// The Variables by name, dtype and shape, by which a refusal names the difference.
    package var variables: [VariableInfo] {
        graph.variables.map { VariableInfo(name: $0.name, dtype: $0.dtype, shape: $0.shape) }
    }
}
