public import Dataflow
public import Training

/// `model: {kind: lstm}`: layers of long short-term memory, or of gated recurrent units, over the time steps that an
/// example's features are cut into. The output of the last step goes to the output layer.
///
/// An image is read row by row: each row is a time step.
public struct RecurrentNetwork: TrainingJob {
    public static let kind = "lstm"

    public init() {}

    public func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let settings = config.model
        let steps = try Self.steps(settings, data.training)
        let model = LayeredModel(graph, config, data, shape: [steps, data.training.width / steps])
        // Gates are sigmoids, so the default does not depend on `activation`.
        let initial = settings.initializer ?? .glorotUniform
        var h = model.features
        for layer in 1...settings.layers {
            switch settings.cell {
            case .lstm: h = lstm(h, units: settings.units, initializer: initial, name: "lstm\(layer)")
            case .gru: h = gru(h, units: settings.units, initializer: initial, name: "gru\(layer)")
            }
            if layer == settings.layers { h = lastStep(h) }
            h = model.dropped(h, name: "dropout\(layer)")
        }
        return try model.trained(model.logits(h))
    }

    /// The time steps, from the configuration or the data. Throws if neither has them, or they do not divide the features.
    private static func steps(_ model: JobConfig.Model, _ data: Dataset) throws -> Int {
        guard let steps = model.steps ?? (data.featureShape.count > 1 ? data.featureShape[0] : nil) else {
            throw NodeError(
                .configuration,
                "model.steps is required: the data has \(data.width) features an example and does not say how many time "
                    + "steps they are; write e.g. model.steps: 28")
        }
        guard data.width % steps == 0 else {
            throw NodeError(
                .configuration,
                "model.steps is \(steps), which does not divide the \(data.width) features of an example")
        }
        return steps
    }
}
