public import Dataflow

/// A fully connected layer, activation(x · kernel + bias), over the last dimension; TensorFlow's `tf.layers.dense`.
///
/// Its input is [..., inputs] of at least two dimensions, with the last one known, its output [..., units]. Its Variables
/// are "<name>/kernel" [inputs, units] and "<name>/bias" [units].
public struct Dense: Layer {
    public let units: Int
    public let activation: Activation
    public let initializer: Initializer
    public let useBias: Bool
    public let biasInitializer: Initializer
    public let l1: Double
    public let l2: Double
    public let weights: LayerWeights

    /// - Parameters:
    ///   - l1: adds l1 · Σ|kernel| to the graph's `regularizationLosses`; TensorFlow's `l1_regularizer`.
    ///   - l2: adds l2 · ½Σkernel² likewise; TensorFlow's `l2_regularizer`.
    public init(
        units: Int, activation: Activation = .linear, initializer: Initializer = .glorotUniform, useBias: Bool = true,
        biasInitializer: Initializer = .zeros, name: String = "dense", l1: Double = 0, l2: Double = 0
    ) {
        self.units = units
        self.activation = activation
        self.initializer = initializer
        self.useBias = useBias
        self.biasInitializer = biasInitializer
        self.l1 = l1
        self.l2 = l2
        weights = LayerWeights(name: name)
    }

    /// [inputs, units].
    public var kernel: Variable { weights["kernel"] }
    /// [units].
    public var bias: Variable { weights["bias"] }

    public func output(of x: Node, in call: LayerCall) -> Node {
        guard let rank = x.shape.rank, rank >= 2, let columns = x.shape[-1], units > 0 else {
            if x.vertex.error == nil {
                call.recordMistake(
                    units > 0
                        ? "a dense layer needs at least two dimensions, the last with a known number of columns, got \(x)"
                        : "a dense layer needs at least one unit, got \(units)")
            }
            return x
        }
        let kernel = call.variable(
            "kernel", shape: [columns, units], dtype: x.dtype, initializer: initializer, l1: l1, l2: l2)
        var sums = matmul(rank == 2 ? x : reshape(x, [-1, columns]), kernel)
        if useBias {
            sums = biasAdd(
                sums, call.variable("bias", shape: [units], dtype: x.dtype, initializer: biasInitializer))
        }
        let outputs = activation(sums)
        return rank == 2 ? outputs : lastDimensionReplaced(x, outputs)
    }

    /// `outputs` [rows, units] in the shape of `x` [..., inputs], whose last dimension becomes units.
    private func lastDimensionReplaced(_ x: Node, _ outputs: Node) -> Node {
        let leading = x.shape.dimensions?.dropLast() ?? []
        let result = Shape(leading + [units])
        // One dimension may be told by the number of elements, if that tells anything.
        if leading.count(where: { $0 == nil }) <= 1, !leading.contains(0) {
            return reshape(outputs, leading.map { $0 ?? -1 } + [units])
        }
        let rows = slice(shape(x), begin: [0], size: [leading.count])
        return ensureShape(reshape(outputs, concat([rows, x.graph.constant([Int32(units)])], axis: 0)), result)
    }
}

/// A fully connected layer over `x`; `Dense(units: units, …)(x)`.
///
/// - Parameters:
///   - x: [..., inputs] of at least two dimensions, with the last one known.
///   - l1: adds l1 · Σ|kernel| to the graph's `regularizationLosses`; TensorFlow's `l1_regularizer`.
///   - l2: adds l2 · ½Σkernel² likewise; TensorFlow's `l2_regularizer`.
/// - Returns: [..., units].
public func dense(
    _ x: any Operand, units: Int, activation: Activation = .linear, initializer: Initializer = .glorotUniform,
    useBias: Bool = true, biasInitializer: Initializer = .zeros, name: String = "dense", l1: Double = 0,
    l2: Double = 0, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    Dense(
        units: units, activation: activation, initializer: initializer, useBias: useBias,
        biasInitializer: biasInitializer, name: name, l1: l1, l2: l2)(x, file: file, line: line)
}
