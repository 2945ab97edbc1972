public import Dataflow
public import Training

/// `model: {kind: wide_and_deep}`: the sum of a linear model and of dense layers, trained together: Cheng and others, "Wide &
/// deep learning for recommender systems" (2016).
///
/// The wide part has a weight for each category and number. The deep part takes an embedding of `model.embedding` numbers
/// for each category, and the numbers. Unlike in the paper, one optimizer trains both parts, and there are no crossed
/// categories.
public struct WideAndDeep: TrainingJob {
    public static let kind = "wide_and_deep"

    public init() {}

    public func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let training = data.training
        guard !training.vocabularies.isEmpty else {
            throw NodeError(
                .configuration,
                "model.kind wide_and_deep needs categories: data.format ratings, or csv with data.categorical")
        }
        let model = LayeredModel(graph, config, data, shape: [training.width])
        let outputs = try model.outputs()
        var wide: [Node] = []
        var deep: [Node] = []
        for (column, vocabulary) in training.vocabularies.sorted(by: { $0.key < $1.key }) {
            let indices = cast(gather(model.features, graph.constant(Int32(column)), axis: 1), to: .int32)
            wide.append(
                embedding(
                    indices, count: vocabulary.size, width: outputs, initializer: .zeros, name: "wide_column\(column)"))
            deep.append(
                embedding(
                    indices, count: vocabulary.size, width: config.model.embedding, name: "deep_column\(column)"))
        }
        let numbers = (0..<training.width).filter { training.vocabularies[$0] == nil }
        if !numbers.isEmpty {
            let values = gather(model.features, graph.constant(numbers.map { Int32($0) }), axis: 1)
            deep.append(values)
            wide.append(
                dense(
                    values, units: outputs, useBias: false, name: "wide_numbers", l1: config.train.l1,
                    l2: config.train.l2))
        }
        let input = model.dropped(deep.count == 1 ? deep[0] : concat(deep, axis: 1), name: "dropout")
        let start = graph.variable(
            .numbers(Self.start(training, outputs: outputs), dtype: .float32, sized: [outputs]), name: "wide_bias")
        let sum = wide.dropFirst().reduce(wide[0]) { $0 + $1 }
        return try model.trained(biasAdd(sum + model.logits(model.hidden(input)), start))
    }

    /// The first values of the bias: for a regression the means of the targets, so that learning starts from there.
    private static func start(_ data: Dataset, outputs: Int) -> [Double] {
        let targets = data.classes > 0 ? 0 : data.labels.shape.knownExtents[1]
        var means = [Double](repeating: 0, count: outputs)
        guard targets == outputs, data.count > 0 else { return means }
        for (i, label) in data.labels.knownDoubles.enumerated() { means[i % targets] += label / Double(data.count) }
        return means
    }
}
