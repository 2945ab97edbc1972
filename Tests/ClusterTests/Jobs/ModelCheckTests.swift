import Cluster
import Dataflow
import Testing
import Training

/// A model that each case builds otherwise.
private struct Model: TrainingJob {
    static let kind = "checked"
    var classes = 0
    var features = 2
    let make: @Sendable (_ graph: Graph, _ x: Node, _ y: Node) -> TrainingModel
    var x: TensorSpec = TensorSpec(.float32, [nil, 2])
    var y: TensorSpec = TensorSpec(.float32, [nil, 1])

    func data(_ config: JobConfig) throws -> DataSplit {
        let labels =
            classes > 0 ? Tensor((0..<8).map { Int32($0 % classes) }) : Tensor(repeating: Float(0.5), sized: [8, 1])
        let set = try Dataset(
            features: Tensor(repeating: Float(0.5), sized: [8, features]), labels: labels, classes: classes)
        return try DataSplit(training: set, test: set)
    }

    func build(_ graph: Graph, config: JobConfig, data: DataSplit) throws -> TrainingModel {
        let x = graph.placeholder(self.x.dtype, self.x.shape, name: "x")
        let y = graph.placeholder(self.y.dtype, self.y.shape, name: "y")
        return make(graph, x, y)
    }
}

@Suite("What is wrong with a model is told when it is prepared")
struct ModelCheckTests {
    private func mistake(
        classes: Int = 0, features: Int = 2, x: TensorSpec = TensorSpec(.float32, [nil, 2]),
        y: TensorSpec = TensorSpec(.float32, [nil, 1]),
        _ make: @escaping @Sendable (_ graph: Graph, _ x: Node, _ y: Node) -> TrainingModel
    ) -> GraphError? {
        do {
            _ = try PreparedJob(
                JobConfig(), Model(classes: classes, features: features, make: make, x: x, y: y))
            return nil
        } catch {
            #expect(error is GraphError, "\(error)")
            return error as? GraphError
        }
    }

    private static func line(_ x: Node, _ y: Node, units: Int = 1) -> (prediction: Node, loss: Node, train: Node) {
        let prediction = dense(x, units: units, name: "line")
        let loss = meanSquaredError(labels: y, predictions: prediction)
        return (prediction, loss, GradientDescent().minimize(loss))
    }

    @Test("a right one passes, also without labels")
    func right() {
        let plain = mistake { _, x, y in
            let (p, loss, train) = Self.line(x, y)
            return TrainingModel(
                features: x, labels: y, loss: loss, metrics: [.rmse, .r2], predictions: p, train: train)
        }
        #expect(plain == nil)
        let encoder = mistake { _, x, _ in
            let (p, loss, train) = Self.line(x, x, units: 2)
            return TrainingModel(features: x, labels: x, loss: loss, predictions: p, train: train)
        }
        #expect(encoder == nil)
    }

    @Test("a loss of another placeholder, with the one that it needs, at its line")
    func otherPlaceholder() {
        let labels = mistake { graph, x, y in
            let z = graph.placeholder(.float32, [nil, 1], name: "targets")
            let loss = mean(square(dense(x, units: 1) - z))
            return TrainingModel(features: x, labels: y, loss: loss, train: GradientDescent().minimize(loss))
        }
        #expect(
            labels?.message
                == "the loss needs the placeholder 'targets', which nothing feeds: features are 'x', labels 'y'")
        #expect(labels?.location?.file.hasSuffix("ModelCheckTests.swift") == true)
        let rate = mistake { graph, x, y in
            let step = graph.placeholder(.float32, [], name: "rate")
            let w = graph.variable(graph.constant([[Float(0)], [Float(0)]]), name: "w")
            let loss = meanSquaredError(labels: y, predictions: matmul(x, w))
            let train = w.assignSub(graph.gradients(of: loss, by: [w])[0]! * step)
            return TrainingModel(features: x, labels: y, loss: loss, train: train)
        }
        #expect(
            rate?.message.hasPrefix("the train operation needs the placeholder 'rate'") == true,
            "\(rate?.message ?? "")")
    }

    @Test("a loss that does not depend on features or labels")
    func independent() {
        let labels = mistake { _, x, y in
            let loss = mean(square(dense(x, units: 1)))
            return TrainingModel(features: x, labels: y, loss: loss, train: GradientDescent().minimize(loss))
        }
        #expect(
            labels?.message.hasPrefix("the loss does not depend on the labels, 'y', but on 'x'") == true,
            "\(labels?.message ?? "")")
        let features = mistake { graph, x, y in
            let w = graph.variable(graph.constant([[Float(0)]]), name: "w")
            let loss = mean(square(y - w))
            return TrainingModel(features: x, labels: y, loss: loss, train: GradientDescent().minimize(loss))
        }
        #expect(features?.message == "the loss does not depend on the features, 'x', but on 'y'")
    }

    @Test("a train operation, metrics and predictions that belong to something else")
    func others() {
        let train = mistake { graph, x, y in
            let (_, loss, _) = Self.line(x, y)
            let w = graph.variable(graph.constant([[Float(0)]]), name: "other")
            return TrainingModel(
                features: x, labels: y, loss: loss, train: GradientDescent().minimize(mean(square(y - w))))
        }
        #expect(
            train?.message.hasPrefix("the train operation changes no Variable that the loss depends on, but 'other'")
                == true)
        let metric = mistake { _, x, y in
            let (_, loss, train) = Self.line(x, y)
            return TrainingModel(
                features: x, labels: y, loss: loss, metrics: ["best": Graph().constant(Float(1))], train: train)
        }
        #expect(metric?.message.hasPrefix("the metric 'best' is a node of another graph") == true)
        let predictions = mistake { _, x, y in
            let (p, loss, train) = Self.line(x, y)
            return TrainingModel(features: x, labels: y, loss: loss, predictions: p - y, train: train)
        }
        #expect(predictions?.message.hasPrefix("the predictions need the labels, 'y'") == true)
        let without = mistake { _, x, y in
            let (_, loss, train) = Self.line(x, y)
            return TrainingModel(features: x, labels: y, loss: loss, metrics: [.mae], train: train)
        }
        #expect(without?.message.contains("the metric 'mae' compares labels with predictions") == true)
        #expect(without?.location?.file.hasSuffix("ModelCheckTests.swift") == true)
        let flag = mistake { graph, x, y in
            let (_, loss, train) = Self.line(x, y)
            let flag = graph.placeholder(.float32, [], name: "flag")
            return TrainingModel(features: x, labels: y, loss: loss, train: train, isTraining: flag)
        }
        #expect(flag?.message.hasPrefix("isTraining must be a bool scalar") == true)
    }

    @Test("placeholders that do not take what the data has")
    func placeholders() {
        let make: @Sendable (Graph, Node, Node) -> TrainingModel = { _, x, y in
            let columns = cast(y, to: .float32)
            let (_, loss, train) = Self.line(cast(x, to: .float32), columns, units: y.shape[1] ?? 1)
            return TrainingModel(features: x, labels: y, loss: loss, train: train)
        }
        let wide = mistake(features: 3, make)
        #expect(
            wide?.message == "the features, 'x', take float32[?, 2], but the data's features are float32[?, 3]",
            "\(wide?.message ?? "")")
        let whole = mistake(x: TensorSpec(.int32, [nil, 2]), make)
        #expect(
            whole?.message.contains("are int32, but the data's features are numbers such as 0.5") == true,
            "\(whole?.message ?? "")")
        let labels = mistake(y: TensorSpec(.int32, [nil, 1]), make)
        #expect(labels?.message.contains("the labels, 'y', are int32") == true, "\(labels?.message ?? "")")
        let classes = mistake(classes: 4, y: TensorSpec(.float32, [nil, 3]), make)
        #expect(
            classes?.message.contains("have 3 columns, but the data has 4 classes") == true, "\(classes?.message ?? "")"
        )
    }
}
