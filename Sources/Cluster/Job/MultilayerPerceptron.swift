public import Dataflow
public import Training

/// `model: {kind: mlp}`: dense layers with an activation and dropout, then a loss that fits the labels.
public struct MultilayerPerceptron: TrainingJob {
    public static let kind = "mlp"

    public init() {}

    public func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let model = LayeredModel(graph, config, data, shape: [data.training.width])
        return try model.trained(model.logits(model.hidden(model.features)))
    }
}
