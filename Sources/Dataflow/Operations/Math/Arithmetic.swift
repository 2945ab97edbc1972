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

/// x · y element by element under a name; TensorFlow's `tf.multiply`.
@_disfavoredOverload
public func mul(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Mul.self, [x, y], name, file, line) }

/// x + y under a name; TensorFlow's `tf.add`.
@_disfavoredOverload
public func add(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(AddV2.self, [x, y], name, file, line) }

/// x − y under a name; TensorFlow's `tf.subtract`.
@_disfavoredOverload
public func sub(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Sub.self, [x, y], name, file, line) }

/// x / y of floating nodes under a name; TensorFlow's `tf.realdiv`. Integers take `floorDiv`.
@_disfavoredOverload
public func div(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(RealDiv.self, [x, y], name, file, line) }
