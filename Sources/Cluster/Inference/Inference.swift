internal import Dataflow
internal import Foundation
internal import Interchange
internal import Training

/// Uses what a checkpoint holds, in this process and without servers.
public enum Inference {
    /// A checkpoint's loss and metrics on held-out examples.
    public struct Evaluation: Codable, Sendable {
        /// Updates that the checkpoint has.
        public var step: Int
        public var examples: Int
        /// The mean over the examples.
        public var loss: Double
        @NullForNaN public var metrics: [String: Double]
    }

    /// A table: a row for each example.
    public struct Predictions: Sendable {
        public var columns: [String]
        public var rows: [[Double]]
    }

    /// Loss and metrics on the test part of the job's data.
    ///
    /// The training data need not be there, unless held-out examples are a share of its file.
    /// - Parameter onEvent: receives warnings: a damaged checkpoint was passed over, the data has changed, the loss is not finite.
    /// - Throws: `NodeError` without a checkpoint of this model in the directory `checkpoint`, or none that is undamaged.
    public static func evaluate(
        config: JobConfig, job: any TrainingJob, checkpoint: String, onEvent: (String) -> Void = { _ in }
    ) throws -> Evaluation {
        let (prepared, session, step) = try restore(config, job, checkpoint, .test, onEvent)
        guard prepared.data.test.count > 0 else {
            throw NodeError(.badData, "the data has no test part to evaluate on")
        }
        var sum = EvaluationSum()
        for batch in 0..<prepared.evaluationBatches {
            let (feeds, examples) = prepared.evaluationFeeds(batch)
            let (loss, metrics) = try prepared.summed(
                session.run(prepared.reportedNodes, feeds: feeds), examples: examples)
            sum += EvaluationSum(loss: loss, metrics: metrics, examples: examples)
        }
        if let name = Finiteness.name(sum.meanLoss) { onEvent("the loss of the \(sum.examples) examples is \(name)") }
        return Evaluation(
            step: step, examples: sum.examples, loss: sum.meanLoss,
            metrics: prepared.metrics.finished(sum.metrics, examples: sum.examples))
    }

    /// Predictions for the examples of a file, or for the test part of the job's data.
    ///
    /// No training data is needed.
    ///
    /// - Parameters:
    ///   - input: features, a row for each example: CSV, `.npy`, `.npz` or IDX, plain or gzipped; for ratings a file of users
    ///     and items. Columns with names are found by these, in any order; labels are passed over. Scale, categories and numbers
    ///     for missing cells are the checkpoint's.
    ///   - onEvent: receives a line for the log.
    /// - Returns: for a classifier the class and each class's probability, else the outputs.
    public static func predict(
        config: JobConfig, job: any TrainingJob, checkpoint: String, input: String? = nil,
        onEvent: (String) -> Void = { _ in }
    ) throws -> Predictions {
        let (prepared, session, _) = try restore(config, job, checkpoint, input == nil ? .test : .none, onEvent)
        guard let node = prepared.model.predictions else {
            throw NodeError(.configuration, "the model says nothing of its predictions")
        }
        let training = prepared.data.training
        var set = prepared.data.test
        if let input {
            let features = try read(input, prepared.preprocessing, config)
            let count = features.shape.knownExtents[0]
            let labels = training.labels.shape.knownExtents.dropFirst()
            set = training.replacing(
                features: features, labels: .zeros(training.labels.dtype, sized: Shape([count] + labels)))
        }
        var rows: [[Double]] = []
        var notFinite = 0
        let size = prepared.fixedBatch?.count ?? 256
        for start in stride(from: 0, to: set.count, by: size) {
            let indices = (start..<min(start + size, set.count)).map { Int32($0) }
            // Placeholders that fix how many examples they take get the last one again.
            let rest = prepared.fixedBatch == nil ? 0 : size - indices.count
            let fed = indices + Array(repeating: indices.last ?? 0, count: rest)
            let values = try session.run(node, feeds: prepared.feeds(set, fed, training: false))
            let width = values.elementCount / max(fed.count, 1)
            let numbers = values.knownDoubles
            for i in indices.indices {
                let outputs = Array(numbers[i * width..<(i + 1) * width])
                let isFinite = outputs.allSatisfy(\.isFinite)
                notFinite += isFinite ? 0 : 1
                // One number of two classes is the probability of the second.
                let isOfTwo = outputs.count == 1 && training.classes == 2
                let best = isOfTwo ? (outputs[0] > 0.5 ? 1 : 0) : outputs.indices.max { outputs[$0] < outputs[$1] } ?? 0
                // There is no largest among numbers that are none.
                rows.append(training.classes > 0 ? [isFinite ? Double(best) : .nan] + outputs : outputs)
            }
        }
        if notFinite > 0 { onEvent("\(notFinite) of \(set.count) predictions are not finite") }
        let width = (rows.first?.count ?? 1) - (training.classes > 0 ? 1 : 0)
        var names = training.classNames.count == width ? training.classNames : (0..<width).map(String.init)
        if width == 1, training.classes == 2 { names = [training.classNames.last ?? "1"] }
        let columns = training.classes > 0 ? ["class"] + names.map { "p(\($0))" } : (0..<width).map { "output_\($0)" }
        return Predictions(columns: columns, rows: rows)
    }

    /// A session with the checkpoint's values.
    private static func restore(
        _ config: JobConfig, _ job: any TrainingJob, _ directory: String, _ parts: JobConfig.Reading.Parts,
        _ onEvent: (String) -> Void
    ) throws -> (job: PreparedJob, session: Session, step: Int) {
        guard let manifest = try Manifest.newest(in: directory, tell: onEvent) else {
            throw NodeError(.badData, "there is no checkpoint in \(directory)")
        }
        var config = config
        config.reading = .init(preprocessing: try manifest.readPreprocessing(in: directory), parts: parts)
        let prepared = try PreparedJob(config, job)
        guard manifest.fingerprint == prepared.modelFingerprint else {
            throw NodeError(
                .badData,
                "the checkpoint at step \(manifest.step) in \(directory) is of another model than this configuration's")
        }
        for change in prepared.changes(since: manifest) { onEvent(change) }
        let reader = try CheckpointReader(manifest, directory: directory)
        let session = try Session(prepared.graph, options: try config.sessionOptions(for: .worker(0)))
        let local = prepared.cut.localVariables.map(\.initializer)
        if !local.isEmpty { _ = try session.run(local) }
        // Slots too: averages of weights are what some models predict with.
        for variable in prepared.cut.writes.flatMap(\.variables) {
            let spec = variable.variableSpec!
            let value = try reader.tensor(named: variable.name, dtype: spec.dtype, shape: spec.shape)
            try session.withVariable(variable, initialize: true) { bytes in
                value.withUnsafeBytes { bytes.copyMemory(from: $0) }
            }
        }
        return (prepared, session, manifest.step)
    }

    private static func read(_ path: String, _ fitted: Preprocessing, _ config: JobConfig) throws -> Tensor {
        let width = fitted.width
        let tensor: Tensor
        if path.hasSuffix(".npy"), fitted.vocabularies.isEmpty {
            tensor = try Npy.read(path)
        } else if path.hasSuffix(".npz"), fitted.vocabularies.isEmpty {
            tensor = try NPZReader.features(path)
        } else if config.data.format == .ratings {
            tensor = try config.ratingsReader.features(path, by: fitted)
        } else if fitted.table != nil || path.hasSuffix(".csv") || path.hasSuffix(".csv.gz") {
            tensor = try config.csvReader.features(path, by: fitted)
        } else {
            tensor = try IDXReader.read(path)
        }
        let count = tensor.shape.rank == 0 ? 1 : tensor.shape.knownExtents[0]
        guard tensor.shape.rank ?? 0 > 0, tensor.elementCount == count * width else {
            throw NodeError(
                .badData, "\(path) holds \(tensor.dtype)\(tensor.shape); the model wants \(width) features a row")
        }
        let matrix = tensor.viewed(as: [count, width])
        return matrix.dtype == .float32 || matrix.dtype == .uint8
            ? matrix : .numbers(matrix.knownDoubles, dtype: .float32, sized: matrix.shape)
    }
}
