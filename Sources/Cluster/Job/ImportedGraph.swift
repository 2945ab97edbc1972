public import Dataflow
internal import Interchange
public import Training

/// `model: {kind: graph, …}`: a training graph that TensorFlow 1 wrote, with its own gradients and optimizer.
///
/// The configuration names the graph's nodes: `train`, `loss`, the placeholders (`feeds`), `metrics` and `predictions`.
/// `ImportedNames` finds missing names in a MetaGraphDef (`.meta`) or a SavedModel. Nodes that training does not need, such
/// as summaries and savers, are not read. The jobs and tasks of the graph's devices are ignored: here the servers hold the
/// Variables that training writes.
public struct ImportedGraph: TrainingJob {
    public static let kind = "graph"

    public init() {}

    public func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let model = config.model
        guard let file = model.file else {
            throw NodeError(.configuration, "a model of the kind graph needs file, train, loss and feeds")
        }
        let source = try GraphSource(file)
        let names = try ImportedNames(source, model)
        let roots = [names.train, names.loss] + Array(model.metrics.values)
        let all = roots + [names.predictions].compactMap { $0 } + names.initialize
        let (_, nodes) = try GraphDefinition.decode(
            source.definition, into: graph, needed: all, feeds: names.feeds.mapValues { _ in nil },
            initializers: source.initializers, trainable: source.trainable, device: DeviceName())
        var fed: [JobConfig.Model.Feed: Node] = [:]
        for (name, feed) in names.feeds { fed[feed] = nodes[name] }
        guard let features = fed[.features], let labels = fed[.labels] else {
            throw NodeError(.configuration, "model.feeds must say what gets the features and what the labels")
        }
        return TrainingModel(
            features: features, labels: labels, loss: try graph.node(named: names.loss),
            metrics: ModelMetrics(means: try model.metrics.mapValues { try graph.node(named: $0) }),
            predictions: try names.predictions.map { try graph.node(named: $0) },
            train: try graph.node(named: names.train), isTraining: fed[.isTraining], note: names.note)
    }
}
