package import Dataflow
package import Interchange
package import Training

/// A job that is ready to run in a process: its data is read, its graph is built and cut into the servers' and the workers'
/// parts. The coordinator and each worker make one from the same configuration; all are equal.
package struct PreparedJob: Sendable {
    package let config: JobConfig
    package let data: DataSplit
    /// From a checkpoint, or fitted to the training part.
    package let preprocessing: Preprocessing
    /// Facts about the data, to detect that it has changed since a checkpoint.
    package let facts: DataFacts
    package let graph: Graph
    package let model: TrainingModel
    /// By name.
    package let metrics: [ReportedMetric]
    package let cut: TrainingCut
    /// A fingerprint of the graph and the training data, to compare between nodes.
    package let fingerprint: String
    /// A fingerprint of the part of the graph that computes the loss. A checkpoint fits every job with this fingerprint,
    /// also one with another optimizer.
    package let modelFingerprint: String
    /// The place where the order of batches begins, and the least number of updates; both from the checkpoint that the job
    /// continues from.
    package var origin = BatchSchedule.Origin()
    package var leastSteps = 0

    /// - Throws: `ConfigurationError`, `NodeError`, `GraphError` or what a reader throws.
    package init(_ config: JobConfig, _ job: any TrainingJob) throws {
        let config = try config.checked(for: job)
        self.config = config
        var data = try job.data(config)
        guard data.training.count > 0 || (config.reading.preprocessing != nil && config.reading.parts != .all) else {
            throw NodeError(.badData, "the training data is empty")
        }
        if let fitted = config.reading.preprocessing {
            let name = config.data.path ?? "the data"
            data.training = try fitted.accept(data.training, name: name)
            data.test = try fitted.accept(data.test, name: config.data.testPath ?? name)
            preprocessing = fitted
        } else {
            preprocessing = Preprocessing(fittedTo: data.training, scale: config.data.scale)
        }
        self.data = data
        facts = DataFacts(data)
        graph = Graph(seed: config.seed)
        let graph = self.graph
        model = try job.build(graph, config: config, data: data)
        try graph.validate()
        try ModelCheck(model, graph).check(data)
        metrics = try model.reportedMetrics(adding: config.train.metrics)
        cut = try TrainingCut(
            train: model.train, PreparedJob.cutFacts(model, metrics, config, data.training, preprocessing.scaling))
        fingerprint = try "\(GraphDefinition.fingerprint(graph))-\(facts.checksum)"
        modelFingerprint = try GraphDefinition.fingerprint(
            graph, of: TrainingCut.ancestors(of: [model.loss.vertex], controls: true))
        try checkFixedBatch()
        try PreparedJob.checkSizes(cut)
    }

    /// - Throws: `NodeError` if the Variables are too large to be counted or sent.
    private static func checkSizes(_ cut: TrainingCut) throws(NodeError) {
        var total = 0
        for variable in cut.writes.flatMap(\.variables) {
            guard let spec = variable.variableSpec, spec.shape.isFullyDefined else { continue }
            guard let bytes = spec.byteCount, bytes <= Limit.shard.range.upperBound - total else {
                throw NodeError(
                    .configuration,
                    "the Variables of this model take more than 1 TiB, with '\(variable.name)' of \(spec.shape): make it smaller"
                )
            }
            total += bytes
        }
    }

    /// What the cut needs to know about the job.
    private static func cutFacts(
        _ model: TrainingModel, _ metrics: [ReportedMetric], _ config: JobConfig, _ training: Dataset,
        _ scaling: Scaling
    ) -> TrainingCut.Facts {
        var facts = TrainingCut.Facts()
        facts.reported = [model.loss] + metrics.map(\.node)
        facts.sums = Set(metrics.filter { !$0.isMean }.map(\.node))
        if let flag = model.isTraining { facts.known[flag] = Tensor(true) }
        // Asynchronous embedding tables take each worker's part alone.
        let consistency = config.cluster.consistency
        facts.aggregates = consistency.isSynchronous && !consistency.hasAsynchronousTables
        if training.count > 0 {
            facts.batches = BatchShapes.counts.map { (count: Int) -> [Node: TensorSpec] in
                let examples = (0..<count).map { Int32($0 % training.count) }
                return PreparedJob.feeds(model, training, examples, scaling, training: true).specs
            }
        }
        return facts
    }

    /// Lines for the log: harmless differences between the checkpoint and the present data and configuration.
    func changes(since manifest: Manifest) -> [String] {
        guard manifest.preprocessing != nil else {
            return [
                "the checkpoint is of an older version and has no columns, scale and classes: they are fitted again, "
                    + "which is right only if the training data has not changed"
            ]
        }
        var changes = [config.scaleNote(preprocessing)].compactMap { $0 }
        // Without a training part there is nothing to compare.
        if data.training.count > 0, let before = manifest.data, let change = facts.change(since: before) {
            changes.append(
                change
                    + (config.reading.parts == .all
                        ? "; columns, scale, categories and classes of the checkpoint are kept"
                        : "; the test part is drawn again, and may have examples that were trained on"))
        }
        return changes
    }

    /// Takes over the order of batches from the coordinator.
    package mutating func begin(_ assigned: WireWorkerAssigned) throws {
        let first = try BatchSchedule.Origin(
            batch: Limit.step.check(assigned.firstBatch, "WorkerAssigned.first_batch"),
            epoch: Limit.epoch.check(assigned.firstEpoch, "WorkerAssigned.first_epoch"),
            place: Limit.examples.check(assigned.firstPlace, "WorkerAssigned.first_place"))
        guard first.place < data.training.count else {
            throw NodeError(
                .refused,
                "WorkerAssigned.first_place is \(first.place) of \(data.training.count) examples, which cannot be")
        }
        let total = try Limit.step.check(assigned.totalSteps, "WorkerAssigned.total_steps")
        try begin(first, leastSteps: total, .refused)
    }

    /// Sets where the order of batches begins, and the least number of updates.
    ///
    /// - Throws: `NodeError` of this kind if these are more epochs than a job can have.
    mutating func begin(_ first: BatchSchedule.Origin, leastSteps: Int, _ kind: NodeError.Kind) throws {
        (origin, self.leastSteps) = (first, leastSteps)
        guard data.training.count > 0 else { return }
        _ = try Limit.step.check(totalSteps, "the number of the job's steps", kind)
        // The positions in the order of all epochs must be countable.
        let epoch = schedule.epoch(ofBatch: totalSteps)
        let (positions, overflow) = (epoch + 1).multipliedReportingOverflow(by: data.training.count)
        guard !overflow, positions <= 1 << 61 else {
            throw NodeError(
                kind,
                "the epoch of the last of \(totalSteps) steps is \(epoch), which cannot be with \(data.training.count) examples"
            )
        }
    }

    /// The order of batches.
    package var schedule: BatchSchedule {
        BatchSchedule(
            of: data.training.count, batch: config.train.batch, seed: UInt64(bitPattern: Int64(config.seed)),
            shuffle: config.train.shuffle, origin: origin)
    }

    /// The updates of the job, with those of the checkpoint that it continues from; at least the checkpoint's.
    package var totalSteps: Int {
        let steps = config.train.totalSteps(examples: data.training.count)
        let all =
            origin.batch == 0 || config.train.steps != nil
            ? steps : schedule.firstBatch(ofEpoch: config.train.epochs ?? 1)
        return max(all, origin.batch, leastSteps)
    }

    /// The examples of all updates; an example counts once in each epoch.
    package var totalExamples: Int { totalSteps == 0 ? 0 : schedule.positions(ofBatch: totalSteps - 1).upperBound }

    /// The number of batches of the test part.
    package var evaluationBatches: Int { (data.test.count + evaluationBatch - 1) / evaluationBatch }

    /// Batch `index` of the test part.
    func evaluationFeeds(_ index: Int) -> (feeds: Feeds, examples: Int) {
        let start = index * evaluationBatch
        let end = min(start + evaluationBatch, data.test.count)
        return (feeds(data.test, (start..<end).map { Int32($0) }, training: false), end - start)
    }

    /// The feeds for the examples `indices` of `set`.
    package func feeds(_ set: Dataset, _ indices: [Int32], training: Bool) -> Feeds {
        PreparedJob.feeds(model, set, indices, preprocessing.scaling, training: training)
    }

    private static func feeds(
        _ model: TrainingModel, _ set: Dataset, _ indices: [Int32], _ scaling: Scaling, training: Bool
    ) -> Feeds {
        let batch = set.batch(known: indices, scaling)
        var feeds: Feeds = [model.features: batch.features.fitted(to: model.features.spec)]
        // A model without labels uses its features as labels.
        if model.labels != model.features { feeds[model.labels] = batch.labels.fitted(to: model.labels.spec) }
        if let flag = model.isTraining { feeds[flag] = Tensor(training) }
        return feeds
    }

    /// Loss and metrics in a fixed order.
    package var reportedNodes: [Node] { [model.loss] + metrics.map(\.node) }

    /// A worker's report of a batch: the loss times the number of examples, and sums by metric.
    ///
    /// - Parameter values: the values of `reportedNodes`.
    /// - Throws: `GraphError` if a loss or a mean is not one number.
    func summed(
        _ values: some Collection<Tensor>, examples: Int
    ) throws -> (loss: Double, metrics: [String: [Double]]) {
        if let loss = values.first, loss.elementCount != 1 { throw PreparedJob.severalNumbers(model.loss, loss) }
        var sums: [String: [Double]] = [:]
        for (metric, value) in zip(metrics, values.dropFirst()) {
            guard !metric.isMean || value.elementCount == 1 else {
                throw PreparedJob.severalNumbers(metric.node, value)
            }
            sums[metric.name] = metric.sums(value, examples: examples)
        }
        return ((values.first?.knownDoubles[0] ?? .nan) * Double(examples), sums)
    }

    private static func severalNumbers(_ node: Node, _ value: Tensor) -> GraphError {
        GraphError(
            "a loss and a metric are one number for a batch, not \(value.dtype)\(value.shape)", node: node.name,
            location: node.vertex.location)
    }

    /// The Variables by name, dtype and shape. An error about another graph names the difference.
    package var variables: [VariableInfo] {
        graph.variables.map { VariableInfo(name: $0.name, dtype: $0.dtype, shape: $0.shape) }
    }
}
