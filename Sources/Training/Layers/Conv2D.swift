public import Dataflow

/// A convolutional layer, activation(x ∗ kernel + bias); TensorFlow's `tf.layers.conv2d`.
///
/// Makes the Variables "<name>/kernel" [height, width, inputs, filters] and "<name>/bias" [filters]; a name used twice
/// becomes "<name>_1".
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
    let input = x.node
    let graph = input.graph
    return graph.scope(name) {
        let axis = dataFormat == "NCHW" ? 1 : 3
        guard input.vertex.error == nil else { return input }
        guard input.shape.rank == 4, let channels = input.shape[axis] else {
            graph.recordMistake(
                "a convolutional layer needs images of four dimensions with a known number of channels, got \(input)",
                at: name, file: file, line: line)
            return input
        }
        guard filters > 0, kernelSize.count == 2, kernelSize.allSatisfy({ $0 > 0 }) else {
            graph.recordMistake(
                "a convolutional layer needs at least one filter of two extents of at least 1,"
                    + " got \(filters) of \(kernelSize)", at: name, file: file, line: line)
            return input
        }
        let kernel = graph.variable(
            initializer.node(in: graph, shape: Shape(kernelSize + [channels, filters]), dtype: input.dtype),
            name: "kernel", file: file, line: line)
        penalize(kernel, l1: l1, l2: l2)
        var sums = Dataflow.conv2d(
            input, kernel, strides: strides, padding: padding, dilations: dilations, dataFormat: dataFormat, file: file,
            line: line)
        if useBias {
            let initial = biasInitializer.node(in: graph, shape: [filters], dtype: input.dtype)
            let bias = graph.variable(initial, name: "bias", file: file, line: line)
            sums = biasAdd(sums, bias, dataFormat: dataFormat)
        }
        return activation(sums)
    }
}
