/// `Less`: whether x < y, broadcast. False for NaN.
public enum Less: ElementwiseOperation {
    public static let signature = Signature.comparison(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] < x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `LessEqual`: whether x ≤ y, broadcast. False for NaN.
public enum LessEqual: ElementwiseOperation {
    public static let signature = Signature.comparison(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] <= x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `Greater`: whether x > y, broadcast. False for NaN.
public enum Greater: ElementwiseOperation {
    public static let signature = Signature.comparison(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] > x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `GreaterEqual`: whether x ≥ y, broadcast. False for NaN.
public enum GreaterEqual: ElementwiseOperation {
    public static let signature = Signature.comparison(DType.numbers)
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] >= x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `Equal`: whether x = y, broadcast. False for NaN.
public enum Equal: ElementwiseOperation {
    public static let signature = Signature(
        ["x": "T", "y": "T"], to: ["z": "bool"], types: ["T": DType.numbers + [.bool, .string]],
        defaults: ["incompatible_shape_error": .bool(true)])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] == x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `NotEqual`: whether x ≠ y, broadcast. True for NaN.
public enum NotEqual: ElementwiseOperation {
    public static let signature = Signature(
        ["x": "T", "y": "T"], to: ["z": "bool"], types: ["T": DType.numbers + [.bool, .string]],
        defaults: ["incompatible_shape_error": .bool(true)])
    public static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { x[0] != x[1] }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// `ApproximateEqual`: whether |x − y| ≤ `tolerance`, for x and y of one shape. False for NaN.
public enum ApproximateEqual: ElementwiseOperation {
    public static let signature = Signature(
        ["x": "T", "y": "T"], to: ["z": "bool"], types: ["T": DType.floats], defaults: ["tolerance": .float(1e-5)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let shape = node.shape(0).merged(with: node.shape(1)) else {
            throw GraphError("'x' and 'y' must have one shape, got \(node.shape(0)) and \(node.shape(1))")
        }
        return [shape]
    }
    public static func expression(_ x: [Expression], _ attributes: Attributes) throws -> Expression {
        .apply(.abs, x[0] - x[1]) <= .constant(Double(try attributes.float("tolerance")))
    }
    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil] }
}

/// Whether x < y element by element, broadcast, as bool; TensorFlow's `tf.less`.
@_disfavoredOverload
public func less(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Less.self, [x, y], name, file, line) }

/// Whether x ≤ y element by element, broadcast, as bool; TensorFlow's `tf.less_equal`.
@_disfavoredOverload
public func lessEqual(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(LessEqual.self, [x, y], name, file, line) }

/// Whether x > y element by element, broadcast, as bool; TensorFlow's `tf.greater`.
@_disfavoredOverload
public func greater(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Greater.self, [x, y], name, file, line) }

/// Whether x ≥ y element by element, broadcast, as bool; TensorFlow's `tf.greater_equal`.
@_disfavoredOverload
public func greaterEqual(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(GreaterEqual.self, [x, y], name, file, line) }

/// Whether x = y element by element, broadcast, as bool; TensorFlow's `tf.equal`.
@_disfavoredOverload
public func equal(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(Equal.self, [x, y], name, file, line) }

/// Whether x ≠ y element by element, broadcast, as bool; TensorFlow's `tf.not_equal`.
@_disfavoredOverload
public func notEqual(
    _ x: any TensorOperand, _ y: any TensorOperand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { applyAlike(NotEqual.self, [x, y], name, file, line) }
