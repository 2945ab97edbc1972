public import Dataflow

/// A convolutional layer, activation(x ∗ kernel + bias); TensorFlow's `tf.layers.conv2d`.
///
/// Its input are images [batch, height, width, inputs], or [batch, inputs, height, width] if `dataFormat` is "NCHW", whose
/// number of inputs is known; its output is [batch, height, width, filters], or as `dataFormat` says. Its Variables are
/// "<name>/kernel" [height, width, inputs, filters] and "<name>/bias" [filters].
public struct Conv2D: Layer {
    public let filters: Int
    public let kernelSize: [Int]
    public let strides: [Int]
    public let padding: WindowPadding
    public let dilations: [Int]
    public let dataFormat: String
    public let activation: Activation
    public let initializer: Initializer
    public let useBias: Bool
    public let biasInitializer: Initializer
    public let l1: Double
    public let l2: Double
    public let weights: LayerWeights

    /// - Parameters:
    ///   - filters: how many channels the result has.
    ///   - kernelSize: height and width of the kernel.
    ///   - strides: along height and width.
    ///   - dilations: how many elements lie from one tap of the kernel to the next, along height and width.
    ///   - l1: adds l1 · Σ|kernel| to the graph's `regularizationLosses`; TensorFlow's `l1_regularizer`.
    ///   - l2: adds l2 · ½Σkernel² likewise; TensorFlow's `l2_regularizer`.
    public init(
        filters: Int, kernelSize: [Int], strides: [Int] = [1, 1], padding: WindowPadding = .valid,
        dilations: [Int] = [1, 1], dataFormat: String = "NHWC", activation: Activation = .linear,
        initializer: Initializer = .glorotUniform, useBias: Bool = true, biasInitializer: Initializer = .zeros,
        name: String = "conv2d", l1: Double = 0, l2: Double = 0
    ) {
        self.filters = filters
        self.kernelSize = kernelSize
        self.strides = strides
        self.padding = padding
        self.dilations = dilations
        self.dataFormat = dataFormat
        self.activation = activation
        self.initializer = initializer
        self.useBias = useBias
        self.biasInitializer = biasInitializer
        self.l1 = l1
        self.l2 = l2
        weights = LayerWeights(name: name)
    }

    /// [height, width, inputs, filters].
    public var kernel: Variable { weights["kernel"] }
    /// [filters].
    public var bias: Variable { weights["bias"] }

    public func output(of x: Node, in call: LayerCall) -> Node {
        guard x.vertex.error == nil else { return x }
        guard x.shape.rank == 4, let channels = x.shape[dataFormat == "NCHW" ? 1 : 3] else {
            call.recordMistake(
                "a convolutional layer needs images of four dimensions with a known number of channels, got \(x)")
            return x
        }
        guard filters > 0, kernelSize.count == 2, kernelSize.allSatisfy({ $0 > 0 }) else {
            call.recordMistake(
                "a convolutional layer needs at least one filter of two extents of at least 1,"
                    + " got \(filters) of \(kernelSize)")
            return x
        }
        let kernel = call.variable(
            "kernel", shape: Shape(kernelSize + [channels, filters]), dtype: x.dtype, initializer: initializer, l1: l1,
            l2: l2)
        var sums = Dataflow.conv2d(
            x, kernel, strides: strides, padding: padding, dilations: dilations, dataFormat: dataFormat)
        if useBias {
            sums = biasAdd(
                sums, call.variable("bias", shape: [filters], dtype: x.dtype, initializer: biasInitializer),
                dataFormat: dataFormat)
        }
        return activation(sums)
    }
}

/// A convolutional layer over `x`; `Conv2D(filters: filters, …)(x)`.
///
/// - Parameters:
///   - x: images [batch, height, width, inputs], or [batch, inputs, height, width] if `dataFormat` is "NCHW", whose number
///     of inputs is known.
///   - filters: how many channels the result has.
///   - kernelSize: height and width of the kernel.
///   - strides: along height and width.
///   - dilations: how many elements lie from one tap of the kernel to the next, along height and width.
///   - l1: adds l1 · Σ|kernel| to the graph's `regularizationLosses`; TensorFlow's `l1_regularizer`.
///   - l2: adds l2 · ½Σkernel² likewise; TensorFlow's `l2_regularizer`.
/// - Returns: [batch, height, width, filters], or as `dataFormat` says.
public func conv2d(
    _ x: any Operand, filters: Int, kernelSize: [Int], strides: [Int] = [1, 1], padding: WindowPadding = .valid,
    dilations: [Int] = [1, 1], dataFormat: String = "NHWC", activation: Activation = .linear,
    initializer: Initializer = .glorotUniform, useBias: Bool = true, biasInitializer: Initializer = .zeros,
    name: String = "conv2d", l1: Double = 0, l2: Double = 0, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    Conv2D(
        filters: filters, kernelSize: kernelSize, strides: strides, padding: padding, dilations: dilations,
        dataFormat: dataFormat, activation: activation, initializer: initializer, useBias: useBias,
        biasInitializer: biasInitializer, name: name, l1: l1, l2: l2)(x, file: file, line: line)
}
