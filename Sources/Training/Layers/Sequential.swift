public import Dataflow

/// Layers one after another; TensorFlow's `tf.keras.Sequential`. Its scope is around theirs: "sequential/dense/kernel".
///
/// ```swift
/// let model = Sequential([Dense(units: 32, activation: .relu), Dropout(rate: 0.2), Dense(units: 10)])
/// let (training, evaluation) = (model(x, training: true), model(x, training: false))
/// ```
public struct Sequential: Layer {
    public let layers: [any Layer]
    public let weights: LayerWeights

    public init(_ layers: [any Layer], name: String = "sequential") {
        self.layers = layers
        weights = LayerWeights(name: name)
    }

    public func output(of x: Node, in call: LayerCall) -> Node { layers.reduce(x) { call.output(of: $1, over: $0) } }
}
