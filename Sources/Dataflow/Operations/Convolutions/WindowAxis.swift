/// Windows along one spatial dimension: window i has its taps at i · stride − before + tap · dilation.
struct WindowAxis: Sendable {
    /// Sizes, strides, dilations and paddings are below it, so that no sum or product of them overflows.
    static let limit = 1 << 30

    /// Elements of the image.
    let input: Int
    /// Windows.
    let output: Int
    /// Taps of a window.
    let size: Int
    let stride: Int
    let dilation: Int
    /// Padding on both sides.
    let before: Int
    let after: Int

    /// - Parameter padding: before and after the image; nil for as much as gives ⌈input / stride⌉ windows (SAME).
    /// - Throws: where the image with its padding is smaller than a window, as TensorFlow does where it knows the shapes.
    init(input: Int, size: Int, stride: Int, dilation: Int, padding: (before: Int, after: Int)?) throws {
        let reach = (size - 1) * dilation + 1
        if let padding {
            // Looked at before the division, which rounds towards zero: a window that does not fit would count as one or none.
            let room = input + padding.before + padding.after - reach
            guard room >= 0 else {
                throw GraphError(
                    "negative dimension size: a window that reaches over \(reach) elements does not fit an extent of"
                        + " \(input) with a padding of \(padding.before) and \(padding.after)")
            }
            output = room / stride + 1
            (before, after) = padding
        } else {
            output = (input + stride - 1) / stride
            let total = max((output - 1) * stride + reach - input, 0)
            (before, after) = (total / 2, total - total / 2)
        }
        (self.input, self.size, self.stride, self.dilation) = (input, size, stride, dilation)
    }

    /// The element under tap 0 of window `position`; beyond the image where there is padding.
    @inline(__always) func start(_ position: Int) -> Int { position * stride - before }

    /// The taps of window `position` that lie within the image.
    @inline(__always) func taps(_ position: Int) -> Range<Int> {
        let start = start(position)
        let first = start >= 0 ? 0 : min((dilation - 1 - start) / dilation, size)
        let end = start >= input ? 0 : min((input - start + dilation - 1) / dilation, size)
        return first..<max(first, end)
    }
}

/// What an operation's attributes say of its windows.
struct WindowAttributes: Sendable {
    let format: ImageFormat
    let padding: WindowPadding
    /// Along height and width.
    private let strides: [Int]
    private let dilations: [Int]

    init(_ attributes: Attributes) throws {
        format = try ImageFormat(attributes)
        padding = try WindowPadding(attributes, format)
        strides = try Self.spatial("strides", attributes, format)
        dilations = attributes["dilations"] == nil ? [1, 1] : try Self.spatial("dilations", attributes, format)
    }

    /// The numbers for height and width of an attribute that has one for each dimension.
    static func spatial(_ name: String, _ attributes: Attributes, _ format: ImageFormat) throws -> [Int] {
        let numbers = try attributes.ints(name)
        guard numbers.count == 4, numbers.allSatisfy({ $0 >= 1 && $0 < WindowAxis.limit }), numbers[0] == 1,
            numbers[format.channels] == 1
        else {
            throw GraphError(
                "\(name) must be four numbers of at least 1 in the order \(format.rawValue),"
                    + " 1 for the batch and the channels, got \(numbers)")
        }
        return [numbers[format.height], numbers[format.width]]
    }

    /// The windows along dimension 0 (height) or 1 (width).
    func axis(_ dimension: Int, input: Int, size: Int) throws -> WindowAxis {
        guard input < WindowAxis.limit, size < WindowAxis.limit else {
            throw GraphError("an extent of \(max(input, size)) is too large for windows")
        }
        guard size > 0 else { throw GraphError("a window must have at least one element, got \(size)") }
        let around: (before: Int, after: Int)? =
            switch padding {
            case .same: nil
            case .valid: (0, 0)
            case .explicit(let top, let bottom, let left, let right): dimension == 0 ? (top, bottom) : (left, right)
            }
        return try WindowAxis(
            input: input, size: size, stride: strides[dimension], dilation: dilations[dimension], padding: around)
    }

    /// The number of windows along a dimension, nil where it is not known yet.
    func count(_ dimension: Int, input: Int?, size: Int?) throws -> Int? {
        guard let input else { return nil }
        if padding == .same, size == nil { return try axis(dimension, input: input, size: 1).output }
        guard let size else { return nil }
        return try axis(dimension, input: input, size: size).output
    }
}

/// Numbers for height and width as an attribute's four; other counts stay, for the operation to refuse.
func windowAttribute(_ numbers: [Int], _ format: String) -> AttributeValue {
    guard numbers.count == 2 else { return .ints(numbers) }
    let order = ImageFormat(rawValue: format) ?? .channelsLast
    return .ints(order.arranged(batch: 1, height: numbers[0], width: numbers[1], channels: 1))
}
