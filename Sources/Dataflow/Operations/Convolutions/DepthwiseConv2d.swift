/// `DepthwiseConv2dNative`: every input channel convolved by itself, with as many filters as dimension 3 says: from
/// [batch, height, width, channels] and [height, width, channels, multiplier] to
/// [batch, height, width, channels · multiplier]. float32 runs in oneDNN.
public enum DepthwiseConv2dNative: ConvolutionOperation {
    public static let signature = ConvolutionFamily.signature(["input": "T", "filter": "T"], types: DType.floats)
    static let role = ConvolutionRole.output
    static var family: ConvolutionFamily { .depthwise }
}

/// `DepthwiseConv2dNativeBackpropInput`: its gradient by the input, whose shape is `input_sizes`.
public enum DepthwiseConv2dNativeBackpropInput: ConvolutionOperation {
    public static let signature = ConvolutionFamily.signature(
        ["input_sizes": "int32", "filter": "T", "out_backprop": "T"], types: DType.floats)
    static let role = ConvolutionRole.inputGradient
    static var family: ConvolutionFamily { .depthwise }
}

/// `DepthwiseConv2dNativeBackpropFilter`: its gradient by the filter, whose shape is `filter_sizes`.
public enum DepthwiseConv2dNativeBackpropFilter: ConvolutionOperation {
    public static let signature = ConvolutionFamily.signature(
        ["input": "T", "filter_sizes": "int32", "out_backprop": "T"], types: DType.floats)
    static let role = ConvolutionRole.filterGradient
    static var family: ConvolutionFamily { .depthwise }
}

/// A convolution of every channel by itself; TensorFlow's `tf.nn.depthwise_conv2d`.
///
/// - Parameters:
///   - x: [batch, height, width, channels], or [batch, channels, height, width] if `dataFormat` is "NCHW".
///   - filter: [height, width, channels, multiplier].
///   - strides: along height and width. TensorFlow's CPU takes equal ones only.
///   - dilations: along height and width. TensorFlow's CPU takes 1 only.
/// - Returns: [batch, height, width, channels · multiplier], or as `dataFormat` says; channel c · multiplier + q is filter q
///   over channel c.
public func depthwiseConv2d(
    _ x: any Operand, _ filter: any Operand, strides: [Int] = [1, 1], padding: WindowPadding,
    dilations: [Int] = [1, 1], dataFormat: String = "NHWC", name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    let attributes = convolutionAttributes(strides, padding, dilations, dataFormat)
    return apply(DepthwiseConv2dNative.self, [x, filter], attributes, name, file, line)
}
