/// `Const`: a value that is part of the graph.
public enum Const: Operation {
    public static var hostReason: String? { HostReason.nothing }
    public static let signature = Signature(
        [:], to: ["output": "dtype"], types: ["dtype": DType.any], required: ["value"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (value, dtype) = (try node.attributes.tensor("value"), try node.attributes.type("dtype"))
        guard value.dtype == dtype else {
            throw GraphError("the value is \(value.dtype), the attribute 'dtype' says \(dtype)")
        }
        return [value.shape]
    }
    public static func fold(_ node: ShapeContext) throws -> [Tensor]? { [try node.attributes.tensor("value")] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        fatalError("constants are known when a plan is made")
    }
}

extension Graph {
    /// What stands in the program, as part of the graph, to any rank: `g.constant(0.5)`, `g.constant([[3, 3]])`; TensorFlow's
    /// `tf.constant`.
    ///
    /// Whole numbers are int32, numbers with a point float32, true and false bool, texts string, unless `dtype` says otherwise.
    /// Rows of several lengths, numbers that `dtype` cannot hold exactly, and elements that do not fill `shape` are mistakes
    /// of the graph.
    ///
    /// - Parameter shape: of the elements in row-major order; a single number fills it.
    public func constant(
        _ literal: TensorLiteral, dtype: DType? = nil, shape: Shape? = nil, name: String = "Const",
        file: StaticString = #fileID, line: UInt = #line
    ) -> Node { constant(dtype, name, file, line) { try literal.tensor(dtype, shape) } }

    /// Values that the program has computed, as part of the graph: numbers, truth values, texts, and arrays of them to any
    /// rank. They keep their type (Float is float32, Double float64, Int int64) unless `dtype` says otherwise.
    ///
    /// Mistakes are as with a literal.
    /// - Parameter shape: of the elements in row-major order; a single value fills it.
    @_disfavoredOverload
    public func constant<Value: TensorConvertible>(
        _ value: Value, dtype: DType? = nil, shape: Shape? = nil, name: String = "Const",
        file: StaticString = #fileID, line: UInt = #line
    ) -> Node { constant(dtype, name, file, line) { try Tensor(value, dtype: dtype).filling(shape) } }

    /// A tensor as part of the graph.
    @inline(never)
    public func constant(
        _ value: Tensor, name: String = "Const", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        add(
            Const.self, [], ["dtype": .type(value.dtype), "value": .tensor(value)], name: name,
            location: SourceLocation(file: file, line: line)
        ).node
    }

    @inline(never)
    private func constant(
        _ dtype: DType?, _ name: String, _ file: StaticString, _ line: UInt, _ make: () throws -> Tensor
    ) -> Node {
        do { return constant(try make(), name: name, file: file, line: line) } catch {
            return (openBody ?? self).insert(
                Const.self, [], ["dtype": .type(dtype ?? .float32)], name: name,
                location: SourceLocation(file: file, line: line),
                mistake: error as? GraphError ?? GraphError("\(error)")
            ).node
        }
    }
}
