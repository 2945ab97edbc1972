public import Dataflow

/// How a weight's first value is drawn, as a value: `.glorotUniform`, `.normal(stddev: 0.1)`.
public enum Initializer: Sendable, Hashable {
    case zeros
    case constant(Double)
    case normal(mean: Double = 0, stddev: Double = 1)
    /// Normal numbers; those further than two standard deviations from the mean are drawn again.
    case truncatedNormal(mean: Double = 0, stddev: Double = 1)
    /// At least `min`, less than `max`.
    case uniform(min: Double = -0.05, max: Double = 0.05)
    /// Of variance scale / fan; TensorFlow's `VarianceScaling`.
    case varianceScaling(scale: Double, fan: Fan, distribution: Distribution)

    /// What a variance is divided by: the inputs of a unit, its outputs, or the mean of both.
    public enum Fan: String, Sendable, Hashable { case input = "fan_in", output = "fan_out", average = "fan_avg" }
    public enum Distribution: String, Sendable, Hashable { case truncatedNormal = "truncated_normal", uniform }

    /// Glorot (Xavier) initialisation: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    /// networks" (2010), equation 16; for tanh and sigmoid.
    public static let glorotUniform = varianceScaling(scale: 1, fan: .average, distribution: .uniform)
    /// Glorot (Xavier) initialisation with normal numbers.
    public static let glorotNormal = varianceScaling(scale: 1, fan: .average, distribution: .truncatedNormal)
    /// He initialisation: He, Zhang, Ren and Sun, "Delving deep into rectifiers" (2015); for ReLU.
    public static let heNormal = varianceScaling(scale: 2, fan: .input, distribution: .truncatedNormal)
    /// He initialisation with uniform numbers.
    public static let heUniform = varianceScaling(scale: 2, fan: .input, distribution: .uniform)

    /// The initialisers that configurations name; of two names for one, the first is written.
    public static let named: KeyValuePairs<String, Initializer> = [
        "he_normal": .heNormal, "he_uniform": .heUniform, "glorot_normal": .glorotNormal,
        "glorot_uniform": .glorotUniform, "xavier_normal": .glorotNormal, "xavier_uniform": .glorotUniform,
        "truncated_normal": .truncatedNormal(), "normal": .normal(), "uniform": .uniform(), "zeros": .zeros,
    ]

    /// A node that draws a value of this shape whenever it runs. The shape must be fully known.
    ///
    /// - Parameter seed: of the operation; nil derives one from the graph's seed and the operation's place in it.
    public func node(
        in graph: Graph, shape: Shape, dtype: DType = .float32, seed: Int? = nil, file: StaticString = #fileID,
        line: UInt = #line
    ) -> Node {
        guard shape.isFullyDefined, shape.knownExtents.allSatisfy({ Int32(exactly: $0) != nil }) else {
            graph.recordMistake(
                "an initial value needs a shape that is fully known, of dimensions below 2³¹, got \(shape)",
                at: "initializer", file: file, line: line)
            return Initializer.zeros.node(in: graph, shape: [], dtype: dtype)
        }
        return graph.located(file, line) { drawn(in: graph, shape, dtype, seed) }
    }

    private func drawn(in graph: Graph, _ shape: Shape, _ dtype: DType, _ seed: Int?) -> Node {
        switch self {
        case .zeros: return Initializer.constant(0).node(in: graph, shape: shape, dtype: dtype)
        case .constant(let value):
            let element = graph.constant(.numbers([value], dtype: dtype, sized: []))
            return fill(graph.constant(shape.knownExtents.map { Int32($0) }), element)
        case .normal(let mean, let stddev):
            return graph.randomNormal(shape: shape, mean: mean, stddev: stddev, dtype: dtype, seed: seed)
        case .truncatedNormal(let mean, let stddev):
            return graph.truncatedNormal(shape: shape, mean: mean, stddev: stddev, dtype: dtype, seed: seed)
        case .uniform(let min, let max):
            return graph.randomUniform(shape: shape, min: min, max: max, dtype: dtype, seed: seed)
        case .varianceScaling(let scale, let fan, let distribution):
            let variance = scale / Swift.max(1, Initializer.fan(fan, of: shape.knownExtents))
            return Initializer.of(variance: variance, distribution)
                .node(in: graph, shape: shape, dtype: dtype, seed: seed)
        }
    }

    /// The deviation that is left of a standard normal distribution cut at two.
    private static let truncatedDeviation = 0.87962566103423978

    private static func of(variance: Double, _ distribution: Distribution) -> Initializer {
        switch distribution {
        case .truncatedNormal: return .truncatedNormal(stddev: variance.squareRoot() / truncatedDeviation)
        case .uniform:
            let limit = (3 * variance).squareRoot()
            return .uniform(min: -limit, max: limit)
        }
    }

    /// Of a dense kernel [inputs, outputs], or a convolution's [height, width, inputs, outputs].
    private static func fan(_ fan: Fan, of shape: [Int]) -> Double {
        let field = shape.dropLast(2).reduce(1.0) { $0 * Double($1) }
        let inputs = field * Double(shape.dropLast().last ?? shape.last ?? 1)
        let outputs = field * Double(shape.last ?? 1)
        return switch fan {
        case .input: inputs
        case .output: outputs
        case .average: (inputs + outputs) / 2
        }
    }
}
