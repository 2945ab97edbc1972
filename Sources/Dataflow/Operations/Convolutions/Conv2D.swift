/// `Conv2D`: a two-dimensional convolution (without flipping the filter), from
/// [batch, height, width, inputs] and [height, width, inputs of a group, outputs] to [batch, height, width, outputs].
/// float32 runs in oneDNN.
///
/// The type is not called as the operation is: `Conv2D` is a layer.
public enum Convolution2D: ConvolutionOperation {
    public static var name: String { "Conv2D" }
    public static let signature = ConvolutionFamily.signature(
        ["input": "T", "filter": "T"], types: [.float32, .float64, .int32],
        defaults: ["use_cudnn_on_gpu": .bool(true)])
    static let role = ConvolutionRole.output
    static var family: ConvolutionFamily { .conv2D }
}

/// `Conv2DBackpropInput`: the gradient of a convolution by its input, whose shape is `input_sizes`; a "transposed
/// convolution".
public enum Conv2DBackpropInput: ConvolutionOperation {
    public static let signature = ConvolutionFamily.signature(
        ["input_sizes": "int32", "filter": "T", "out_backprop": "T"], types: [.float32, .float64, .int32],
        defaults: ["use_cudnn_on_gpu": .bool(true)])
    static let role = ConvolutionRole.inputGradient
    static var family: ConvolutionFamily { .conv2D }
}

/// `Conv2DBackpropFilter`: the gradient of a convolution by its filter, whose shape is `filter_sizes`.
public enum Conv2DBackpropFilter: ConvolutionOperation {
    public static let signature = ConvolutionFamily.signature(
        ["input": "T", "filter_sizes": "int32", "out_backprop": "T"], types: DType.floats,
        defaults: ["use_cudnn_on_gpu": .bool(true)])
    static let role = ConvolutionRole.filterGradient
    static var family: ConvolutionFamily { .conv2D }
}

/// A two-dimensional convolution; TensorFlow's `tf.nn.conv2d`.
///
/// - Parameters:
///   - x: [batch, height, width, inputs], or [batch, inputs, height, width] if `dataFormat` is "NCHW".
///   - filter: [height, width, inputs, outputs]; with inputs a divisor of those of `x` the channels are convolved in
///     groups.
///   - strides: along height and width.
///   - dilations: how many elements lie from one tap of the filter to the next, along height and width.
/// - Returns: [batch, height, width, outputs], or as `dataFormat` says.
public func conv2d(
    _ x: any Operand, _ filter: any Operand, strides: [Int] = [1, 1], padding: WindowPadding,
    dilations: [Int] = [1, 1], dataFormat: String = "NHWC", name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    let attributes = convolutionAttributes(strides, padding, dilations, dataFormat)
    return apply(Convolution2D.self, [x, filter], attributes, name, file, line)
}

/// The gradient of a convolution as a layer of its own, which makes images larger; TensorFlow's `tf.nn.conv2d_transpose`.
///
/// - Parameters:
///   - x: [batch, height, width, inputs], or [batch, inputs, height, width] if `dataFormat` is "NCHW".
///   - filter: [height, width, outputs, inputs].
///   - outputShape: height and width of the result, or all four extents in the order of `dataFormat`.
///   - strides: along height and width, of the convolution that it is the gradient of.
/// - Returns: [batch, height, width, outputs], or as `dataFormat` says.
public func conv2dTranspose(
    _ x: any Operand, _ filter: any Operand, outputShape: [Int], strides: [Int] = [1, 1],
    padding: WindowPadding = .same, dilations: [Int] = [1, 1], dataFormat: String = "NHWC", name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    let sizes = Tensor(outputShape.map { Int32(clamping: $0) })
    let attributes = convolutionAttributes(strides, padding, dilations, dataFormat)
    return apply(Conv2DBackpropInput.self, [sizes, filter, x], attributes, name, file, line)
}

func convolutionAttributes(
    _ strides: [Int], _ padding: WindowPadding, _ dilations: [Int], _ format: String
) -> Attributes {
    var attributes = padding.attributes(ImageFormat(rawValue: format) ?? .channelsLast)
    attributes["strides"] = windowAttribute(strides, format)
    attributes["dilations"] = windowAttribute(dilations, format)
    attributes["data_format"] = .string(format)
    return Attributes(attributes)
}
