/// Reduces a gradient of a broadcast result to the shape of one operand: sums over the dimensions that were repeated.
func unbroadcast(_ gradients: (Node?, Node?), to node: GradientContext) -> [Node?] {
    let (x, y) = (node.input(0), node.input(1))
    if x.shape.isFullyDefined, x.shape == y.shape { return [gradients.0, gradients.1] }
    let graph = node.graph
    let reductions = graph.add(BroadcastGradientArgs.self, [shape(x), shape(y)])
    return [(gradients.0, x, 0), (gradients.1, y, 1)].map { gradient, operand, index in
        gradient.map { reshape(apply(Sum.self, [$0, reductions.output(index)]), shape(operand)) }
    }
}

/// As above for one operand of a result that several broadcast to.
func unbroadcast(_ gradient: Node, to operand: Node, from output: Node) -> Node {
    if operand.shape.isFullyDefined, operand.shape == output.shape { return gradient }
    let reductions = operand.graph.add(BroadcastGradientArgs.self, [shape(operand), shape(output)])
    return reshape(apply(Sum.self, [gradient, reductions.output(0)]), shape(operand))
}

/// `AddV2`: x + y, broadcast.
public enum AddV2: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] + x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        unbroadcast((node.upstream(), node.upstream()), to: node)
    }
}

/// `Sub`: x − y, broadcast.
public enum Sub: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] - x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        unbroadcast((node.upstream(), -node.upstream()), to: node)
    }
}

/// `Mul`: x · y, broadcast.
public enum Mul: ElementwiseOperation {
    public static let signature = Signature.binary(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] * x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        unbroadcast((node.upstream() * node.input(1), node.upstream() * node.input(0)), to: node)
    }
}

/// `RealDiv`: x / y, broadcast.
public enum RealDiv: ElementwiseOperation {
    public static let signature = Signature.binary(DType.floats)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] / x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (dz, x, y) = (node.upstream(), node.input(0), node.input(1))
        return unbroadcast((dz / y, dz * (-x / y / y)), to: node)
    }
}

/// `Neg`: −x.
public enum Neg: ElementwiseOperation {
    public static let signature = Signature.unary(DType.signed)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { -x[0] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [-node.upstream()] }
}

/// x + y, broadcast; TensorFlow's `AddV2`.
public func + (x: any Operand, y: any Operand) -> Node { apply(AddV2.self, [x, y]) }
/// x − y, broadcast; TensorFlow's `Sub`.
public func - (x: any Operand, y: any Operand) -> Node { apply(Sub.self, [x, y]) }
/// x · y element by element, broadcast; TensorFlow's `Mul`.
public func * (x: any Operand, y: any Operand) -> Node { apply(Mul.self, [x, y]) }
/// x / y, broadcast; TensorFlow's `RealDiv`.
public func / (x: any Operand, y: any Operand) -> Node { apply(RealDiv.self, [x, y]) }
/// −x; TensorFlow's `Neg`.
public prefix func - (x: any Operand) -> Node { apply(Neg.self, [x]) }

/// A scalar constant of the operand's dtype. That an integer operand's dtype cannot hold it is a mistake of the graph.
func scalar(_ value: Double, like x: any Operand) -> Node {
    let (dtype, graph) = (x.node.dtype, x.node.graph)
    let tensor = Tensor.numbers([value], dtype: dtype, sized: [])
    if !dtype.isFloating, x.node.vertex.error == nil, tensor.knownDoubles != [value] {
        graph.record(
            GraphError("\(value) is no \(dtype), which \(x.node) is; use cast()")
                .at(x.node.vertex.name, x.node.vertex.location))
    }
    return graph.constant(tensor)
}

public func + (x: any Operand, y: Double) -> Node { x + scalar(y, like: x) }
public func + (x: Double, y: any Operand) -> Node { scalar(x, like: y) + y }
public func - (x: any Operand, y: Double) -> Node { x - scalar(y, like: x) }
public func - (x: Double, y: any Operand) -> Node { scalar(x, like: y) - y }
public func * (x: any Operand, y: Double) -> Node { x * scalar(y, like: x) }
public func * (x: Double, y: any Operand) -> Node { scalar(x, like: y) * y }
public func / (x: any Operand, y: Double) -> Node { x / scalar(y, like: x) }
public func / (x: Double, y: any Operand) -> Node { scalar(x, like: y) / y }

/// x · y element by element under a name; TensorFlow's `tf.multiply`.
public func mul(
    _ x: any Operand, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Mul.self, [x, y], [:], name, file, line) }

/// x + y under a name; TensorFlow's `tf.add`.
public func add(
    _ x: any Operand, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(AddV2.self, [x, y], [:], name, file, line) }
