public import Dataflow

/// The function that a layer applies to its weighted sums; raw values are the names that configurations use.
public enum Activation: String, Sendable, Hashable, CaseIterable {
    case linear, relu, relu6, elu, selu, sigmoid, tanh, softplus, softsign, softmax
    case leakyRelu = "leaky_relu"

    /// The function over a node, element by element; softmax over the last dimension.
    public func callAsFunction(_ x: any Operand, file: StaticString = #fileID, line: UInt = #line) -> Node {
        x.node.graph.located(file, line) { value(x) }
    }

    /// The initialiser that suits a layer with this function: He (2015) for the ReLU family, else Glorot (2010).
    public var initializer: Initializer {
        switch self {
        case .relu, .relu6, .leakyRelu, .elu, .selu, .softplus: .heNormal
        case .linear, .sigmoid, .tanh, .softsign, .softmax: .glorotUniform
        }
    }

    private func value(_ x: any Operand) -> Node {
        switch self {
        case .linear: x.node
        case .relu: Dataflow.relu(x)
        case .leakyRelu: Dataflow.leakyRelu(x)
        case .relu6: Dataflow.relu6(x)
        case .elu: Dataflow.elu(x)
        case .selu: Dataflow.selu(x)
        case .sigmoid: Dataflow.sigmoid(x)
        case .tanh: Dataflow.tanh(x)
        case .softplus: Dataflow.softplus(x)
        case .softsign: Dataflow.softsign(x)
        case .softmax: Dataflow.softmax(x)
        }
    }
}
