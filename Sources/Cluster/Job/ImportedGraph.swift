public import Dataflow
internal import Interchange
public import Training

/// `model: {kind: graph, …}`: a training graph that TensorFlow 1 wrote, with its gradients and optimizer, as it stands.
///
/// The configuration names the graph's nodes: `train`, `loss`, what its placeholders are fed (`feeds`), `metrics` and
/// `predictions`. What none of them needs (summaries, savers) is not read. Where the graph says on which jobs it was to run,
/// that falls away: here servers hold the Variables that training writes.
public struct ImportedGraph: TrainingJob {
    public static let kind = "graph"

    public init() {}

    public func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let model = config.model
        guard let file = model.file, let train = model.train, case .node(let loss)? = model.loss else {
            throw NodeError(.configuration, "a model of the kind graph needs file, train, loss and feeds")
        }
        let names = [train, loss] + model.feeds.keys + model.metrics.values
        let roots = names + [model.predictions, model.initialize].compactMap { $0 }
        try GraphDefinition.decode(
            try Gzip.read(file), into: graph, needed: roots, keepingInitializers: true,
            device: DeviceName())
        var fed: [JobConfig.Model.Feed: Node] = [:]
        for (name, feed) in model.feeds { fed[feed] = try graph.node(named: name) }
        guard let features = fed[.features], let labels = fed[.labels] else {
            throw NodeError(.configuration, "model.feeds must say what gets the features and what the labels")
        }
        return TrainingModel(
            features: features, labels: labels, loss: try graph.node(named: loss),
            metrics: try model.metrics.mapValues { try graph.node(named: $0) },
            predictions: try model.predictions.map { try graph.node(named: $0) }, train: try graph.node(named: train),
            isTraining: fed[.isTraining])
    }
}
