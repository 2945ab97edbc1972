/// The extents of a two-dimensional convolution. Its filter lies in memory as [height, width, channels of a group, all
/// output channels]; a depthwise convolution is one with a group for each input channel.
struct ConvolutionGeometry: Sendable {
    let format: ImageFormat
    let batch: Int
    let groups: Int
    let inputChannels: Int
    let outputChannels: Int
    let height: WindowAxis
    let width: WindowAxis

    /// - Parameters:
    ///   - input: fully defined, in the order of the format.
    ///   - filter: [height, width, channels of a group, output channels], or for a depthwise convolution [height, width,
    ///     input channels, outputs of each].
    init(input: [Int], filter: [Int], isDepthwise: Bool, _ windows: WindowAttributes) throws {
        format = windows.format
        batch = input[0]
        inputChannels = input[format.channels]
        outputChannels = isDepthwise ? filter[2] * filter[3] : filter[3]
        groups = isDepthwise ? max(filter[2], 1) : max(inputChannels, 1) / max(filter[2], 1)
        height = try windows.axis(0, input: input[format.height], size: filter[0])
        width = try windows.axis(1, input: input[format.width], size: filter[1])
    }

    var groupInputs: Int { inputChannels / groups }
    var groupOutputs: Int { outputChannels / groups }
    var filterCount: Int { height.size * width.size * groupInputs * outputChannels }
    /// Multiplications, at most.
    var work: Int { batch * height.output * width.output * filterCount }

    /// The shape of a convolution's output, as far as those of its inputs are known.
    /// - Throws: `GraphError` with both shapes where they do not fit each other.
    static func output(
        input: Shape, filter: Shape, isDepthwise: Bool, _ windows: WindowAttributes
    ) throws -> Shape {
        let format = windows.format
        let channels = input[format.channels]
        let outputs: Int?
        if isDepthwise {
            guard channels == nil || filter[2] == nil || channels == filter[2] else {
                throw mismatch(input, filter, "dimension 2 of the filter must be the channels of the input")
            }
            outputs = (channels ?? filter[2]).flatMap { c in
                filter[3].flatMap {
                    let (n, overflow) = c.multipliedReportingOverflow(by: $0); return overflow ? nil : n
                }
            }
        } else {
            outputs = filter[3]
            if let channels, let own = filter[2] {
                guard own == channels || own > 0 && channels % own == 0 && channels > 0 else {
                    throw mismatch(
                        input, filter, "the channels of the input must be dimension 2 of the filter or a multiple of it"
                    )
                }
                if let outputs, own > 0, outputs % max(channels / own, 1) != 0 {
                    throw mismatch(
                        input, filter, "the filter's outputs must be a multiple of the \(channels / own) groups")
                }
            }
        }
        return Shape(
            format.arranged(
                batch: input[0], height: try windows.count(0, input: input[format.height], size: filter[0]),
                width: try windows.count(1, input: input[format.width], size: filter[1]), channels: outputs))
    }

    private static func mismatch(_ input: Shape, _ filter: Shape, _ what: String) -> GraphError {
        GraphError("an input of shape \(input) does not fit a filter of shape \(filter): \(what)")
    }
}
