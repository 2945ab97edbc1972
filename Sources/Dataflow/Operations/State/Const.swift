/// `Const`: a value that is part of the graph.
public enum Const: Operation {
    public static let signature = Signature(
        [:], to: ["output": "dtype"], types: ["dtype": DType.any], required: ["value"])
    public static func infer(_ node: Inference) throws -> [Shape] {
        let (value, dtype) = (try node.attributes.tensor("value"), try node.attributes.type("dtype"))
        guard value.dtype == dtype else {
            throw GraphError("the value is \(value.dtype), the attribute 'dtype' says \(dtype)")
        }
        return [value.shape]
    }
    public static func fold(_ node: Inference) throws -> [Tensor]? { [try node.attributes.tensor("value")] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        preconditionFailure("constants are known when a plan is made")
    }
}

extension Graph {
    /// A value that is part of the graph; TensorFlow's `tf.constant`.
    @inline(never)
    public func constant(
        _ value: Tensor, name: String = "Const", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        add(
            Const.self, [], ["dtype": .type(value.dtype), "value": .tensor(value)], name: name,
            location: SourceLocation(file: file, line: line)
        ).node
    }

    /// A scalar constant, shape `[]`, of the number's type: `g.constant(Float(0.5))`.
    @inline(never)
    public func constant<Scalar: TensorScalar>(
        _ value: Scalar, name: String = "Const", file: StaticString = #fileID, line: UInt = #line
    ) -> Node { constant(Tensor(value), name: name, file: file, line: line) }

    /// A vector constant, shape `[values.count]`.
    @inline(never)
    public func constant<Scalar: TensorScalar>(
        _ values: [Scalar], name: String = "Const", file: StaticString = #fileID, line: UInt = #line
    ) -> Node { constant(Tensor(values), name: name, file: file, line: line) }

    /// A matrix constant, shape `[rows.count, columns]`.
    @inline(never)
    public func constant<Scalar: TensorScalar>(
        _ rows: [[Scalar]], name: String = "Const", file: StaticString = #fileID, line: UInt = #line
    ) -> Node { constant(Tensor(rows), name: name, file: file, line: line) }
}
