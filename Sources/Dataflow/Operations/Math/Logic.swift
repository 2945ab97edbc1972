/// `LogicalAnd`: x and y, broadcast.
public enum LogicalAnd: ElementwiseOperation {
    public static let signature = Signature(["x": "bool", "y": "bool"], to: ["z": "bool"])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] && x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `LogicalOr`: x or y, broadcast.
public enum LogicalOr: ElementwiseOperation {
    public static let signature = Signature(["x": "bool", "y": "bool"], to: ["z": "bool"])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] || x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `LogicalNot`: not x.
public enum LogicalNot: ElementwiseOperation {
    public static let signature = Signature(["x": "bool"], to: ["y": "bool"])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { !x[0] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// `IsNan`: whether x is no number.
public enum IsNan: ElementwiseOperation {
    public static let signature = Signature(["x": "T"], to: ["y": "bool"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] != x[0] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// `IsInf`: whether x is infinite.
public enum IsInf: ElementwiseOperation {
    public static let signature = Signature(["x": "T"], to: ["y": "bool"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.abs, x[0]) == .constant(.infinity)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// `IsFinite`: whether x is neither infinite nor NaN.
public enum IsFinite: ElementwiseOperation {
    public static let signature = Signature(["x": "T"], to: ["y": "bool"], types: ["T": DType.floats])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .apply(.abs, x[0]) < .constant(.infinity)
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil] }
}

/// `SelectV2`: t where the condition holds, else e; all three broadcast.
public enum SelectV2: ElementwiseOperation {
    public static let signature = Signature(
        ["condition": "bool", "t": "T", "e": "T"], to: ["output": "T"], types: ["T": DType.numbers + [.bool, .string]])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression {
        .where_(x[0], x[1], x[2])
    }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (condition, upstream, output) = (node.input(0), node.upstream(), node.output())
        let zeros = scalar(0, like: upstream)
        return [
            nil, unbroadcast(select(condition, upstream, zeros), to: node.input(1), from: output),
            unbroadcast(select(condition, zeros, upstream), to: node.input(2), from: output),
        ]
    }
}

/// x and y element by element, broadcast; TensorFlow's `tf.logical_and`.
@_disfavoredOverload
public func logicalAnd(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(LogicalAnd.self, [x, y], name, file, line) }

/// x or y element by element, broadcast; TensorFlow's `tf.logical_or`.
@_disfavoredOverload
public func logicalOr(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(LogicalOr.self, [x, y], name, file, line) }

/// Not x element by element; TensorFlow's `tf.logical_not`.
public func logicalNot(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(LogicalNot.self, [x], [:], name, file, line) }

/// Whether each element is no number; TensorFlow's `tf.math.is_nan`.
public func isNaN(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(IsNan.self, [x], [:], name, file, line) }

/// Whether each element is infinite; TensorFlow's `tf.math.is_inf`.
public func isInf(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(IsInf.self, [x], [:], name, file, line) }

/// Whether each element is neither infinite nor NaN; TensorFlow's `tf.math.is_finite`.
public func isFinite(
    _ x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(IsFinite.self, [x], [:], name, file, line) }

/// `x` where `condition` (bool) holds, else `y`; all three broadcast; TensorFlow's `tf.where`. Of `x` and `y` one may be a
/// Swift value, which takes the other's dtype, or both, which keep theirs.
@_disfavoredOverload
public func select(
    _ condition: any Operand, _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { choose(condition, x, y, name, file, line) }

func choose(
    _ condition: any Operand, _ x: any TensorOperand, _ y: any TensorOperand, _ name: String?, _ file: StaticString,
    _ line: UInt
) -> Node {
    let location = SourceLocation(file: file, line: line)
    guard let model = firstNode([x, y]) else { return apply(SelectV2.self, [condition, x, y], [:], name, file, line) }
    let sides = [x, y].map { node($0, like: model, in: model.graph, location) }
    return apply(SelectV2.self, [condition] + sides, [:], name, file, line)
}
