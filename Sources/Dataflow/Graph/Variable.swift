/// State that outlives a run: TensorFlow's `Variable`, kept by each `Session` (or by a parameter server).
///
/// As an operand it stands for its value. Reading it before its initialiser has run is an error.
public struct Variable: Operand, CustomStringConvertible {
    /// The `VariableV2` (or `VarHandleOp`) vertex: the memory itself, or its handle.
    public let reference: Node
    /// The value: an `Identity` over the reference.
    public let value: Node
    /// The `Assign` that gives the first value.
    public let initializer: Node
    /// Whether `minimize` updates it unless told otherwise.
    public let isTrainable: Bool

    public var node: Node { value }
    /// The name of the `VariableV2` vertex, with its scopes: the name in checkpoints.
    public var name: String { reference.vertex.name }
    public var dtype: DType { reference.vertex.variableSpec?.dtype ?? reference.dtype }
    public var shape: Shape { reference.shape }
    public var graph: Graph { reference.graph }
    public var description: String { "\(name) \(dtype)\(shape)" }
}

extension Graph {
    /// State with a first value; TensorFlow's `tf.Variable`.
    ///
    /// - Parameters:
    ///   - initial: the first value, computed when the initialiser runs. Its shape must be fully known.
    ///   - trainable: whether `minimize` updates it unless told otherwise.
    @discardableResult
    public func variable(
        _ initial: any Operand, name: String = "Variable", trainable: Bool = true, file: StaticString = #fileID,
        line: UInt = #line
    ) -> Variable {
        let initial = initial.node
        let location = SourceLocation(file: file, line: line)
        var attributes: Attributes = ["dtype": .type(initial.dtype), "shape": .shape(initial.shape)]
        if initial.vertex.error == nil, !initial.shape.isFullyDefined {
            record(
                GraphError("a Variable needs an initial value of known shape, got \(initial.shape)").at(name, location))
            attributes.values["shape"] = .shape([])
        }
        return withoutControlDependencies {
            let vertex = add(VariableV2.self, [], attributes, name: name, location: location)
            return finish(vertex, initial, trainable: trainable, location)
        }
    }

    /// State whose first value is a tensor.
    @discardableResult
    public func variable(
        _ initial: Tensor, name: String = "Variable", trainable: Bool = true, file: StaticString = #fileID,
        line: UInt = #line
    ) -> Variable {
        let value = withoutControlDependencies {
            constant(initial, name: "\(name)/initial_value", file: file, line: line)
        }
        return variable(value, name: name, trainable: trainable, file: file, line: line)
    }

    /// State whose first value stands in the program, to any rank: `g.variable(0.5)` is a float32, `g.variable(0)` an int32,
    /// by the rule of `constant(_:dtype:shape:)`.
    ///
    /// - Parameter shape: of the elements in row-major order; a single number fills it.
    @discardableResult
    public func variable(
        _ initial: TensorLiteral, dtype: DType? = nil, shape: Shape? = nil, name: String = "Variable",
        trainable: Bool = true, file: StaticString = #fileID, line: UInt = #line
    ) -> Variable {
        let value = withoutControlDependencies {
            constant(initial, dtype: dtype, shape: shape, name: "\(name)/initial_value", file: file, line: line)
        }
        return variable(value, name: name, trainable: trainable, file: file, line: line)
    }

    /// State whose first value the program has computed: a number, a truth value, a text, or arrays of them to any rank. It
    /// keeps the values' type (Float is float32, Double float64, Int int64) unless `dtype` says otherwise.
    ///
    /// - Parameter shape: of the elements in row-major order; a single value fills it.
    @_disfavoredOverload
    @discardableResult
    public func variable<Value: TensorConvertible>(
        _ initial: Value, dtype: DType? = nil, shape: Shape? = nil, name: String = "Variable", trainable: Bool = true,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Variable {
        let value = withoutControlDependencies {
            constant(initial, dtype: dtype, shape: shape, name: "\(name)/initial_value", file: file, line: line)
        }
        return variable(value, name: name, trainable: trainable, file: file, line: line)
    }

    private func finish(_ vertex: Vertex, _ initial: Node, trainable: Bool, _ location: SourceLocation) -> Variable {
        let base = vertex.name
        let assign = add(
            Assign.self, [vertex.output(0), initial], exactName: unusedVertexName(base + "/Assign"),
            device: vertex.device,
            location: location)
        let read = add(
            Identity.self, [vertex.output(0)], exactName: unusedVertexName(base + "/read"), device: vertex.device,
            location: location)
        let variable = Variable(
            reference: vertex.output(0), value: read.output(0), initializer: assign.node, isTrainable: trainable)
        register(variable)
        return variable
    }

    /// Makes vertices that are in the graph already known as a Variable, for importers.
    @discardableResult
    package func adoptVariable(_ reference: Node, initializer: Node, value: Node, isTrainable: Bool) -> Variable {
        let variable = Variable(
            reference: reference, value: value, initializer: initializer, isTrainable: isTrainable)
        register(variable)
        return variable
    }

    /// `name`, or a name like it that no vertex has.
    func unusedVertexName(_ name: String) -> String { freshName(name) { vertex(named: $0) != nil } }

    /// Runs the initialiser of every Variable made so far; TensorFlow's `tf.global_variables_initializer()`.
    public func globalVariablesInitializer(
        name: String = "init", file: StaticString = #fileID, line: UInt = #line
    ) -> Node { group(variables.map(\.initializer), name: name, file: file, line: line) }

    /// Runs every one of `nodes` and yields nothing; TensorFlow's `tf.group`.
    public func group(
        _ nodes: [Node], name: String = "group_deps", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        add(
            NoOp.self, [], name: name, controls: nodes.map(\.vertex), device: DeviceName(),
            location: SourceLocation(file: file, line: line)
        ).node
    }
}
