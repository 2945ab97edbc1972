/// The extents of pooling windows over images. Images with their channels first are pooled as images of one channel each.
struct PoolingGeometry: Sendable {
    let images: Int
    let channels: Int
    let height: WindowAxis
    let width: WindowAxis

    init(input: [Int], _ attributes: Attributes) throws {
        let windows = try WindowAttributes(attributes)
        let size = try Self.size(attributes, windows)
        let format = windows.format
        let separate = format == .channelsFirst
        images = separate ? input[0] * input[format.channels] : input[0]
        channels = separate ? 1 : input[format.channels]
        height = try windows.axis(0, input: input[format.height], size: size[0])
        width = try windows.axis(1, input: input[format.width], size: size[1])
    }

    /// The shape of the pooled images, as far as known.
    static func output(_ input: Shape, _ attributes: Attributes) throws -> Shape {
        let windows = try WindowAttributes(attributes)
        let size = try Self.size(attributes, windows)
        let format = windows.format
        return Shape(
            format.arranged(
                batch: input[0], height: try windows.count(0, input: input[format.height], size: size[0]),
                width: try windows.count(1, input: input[format.width], size: size[1]),
                channels: input[format.channels]))
    }

    /// Height and width of a window; paddings are smaller, so that no window lies wholly in them.
    private static func size(_ attributes: Attributes, _ windows: WindowAttributes) throws -> [Int] {
        let size = try WindowAttributes.spatial("ksize", attributes, windows.format)
        if case .explicit(let top, let bottom, let left, let right) = windows.padding {
            guard max(top, bottom) < size[0], max(left, right) < size[1] else {
                throw GraphError(
                    "explicit_paddings must be smaller than the window of \(size[0]) × \(size[1]),"
                        + " got \(top), \(bottom), \(left), \(right)")
            }
        }
        return size
    }

    var inputImage: Int { height.input * width.input * channels }
    var outputImage: Int { height.output * width.output * channels }

    /// Whether every pixel lies under exactly one window.
    var windowsTile: Bool {
        [height, width].allSatisfy { (axis: WindowAxis) in
            axis.stride == axis.size && axis.before == 0 && axis.output * axis.size == axis.input
        }
    }

    /// Calls `body` for the images of each thread.
    @inline(__always)
    func forEachPart(_ threads: Int, _ body: (Range<Int>) -> Void) {
        let work = images * outputImage * height.size * width.size
        let parts = min(usefulThreads(threads, work: work), max(images, 1))
        parallel(parts) { part in body(images * part / parts..<images * (part + 1) / parts) }
    }

    /// Calls `body` with the offset of an output pixel and its window.
    @inline(__always)
    func forEachWindow(_ images: Range<Int>, _ body: (_ output: Int, _ window: PoolingWindow) -> Void) {
        guard channels > 0 else { return }
        for image in images {
            for row in 0..<height.output {
                let rows = height.taps(row)
                let top = height.start(row) + rows.lowerBound
                for column in 0..<width.output {
                    let columns = width.taps(column)
                    let left = width.start(column) + columns.lowerBound
                    body(
                        image * outputImage + (row * width.output + column) * channels,
                        PoolingWindow(
                            first: image * inputImage + (top * width.input + left) * channels, rows: rows.count,
                            columns: columns.count, rowStep: width.input * channels, columnStep: channels))
                }
            }
        }
    }
}

/// The pixels of one image under one window, without the padding.
struct PoolingWindow {
    /// The offset of the first.
    let first: Int
    let rows: Int
    let columns: Int
    let rowStep: Int
    let columnStep: Int

    var count: Int { rows * columns }

    /// Calls `body` with the offset of every pixel, row by row.
    @inline(__always)
    func forEachPixel(_ body: (_ pixel: Int) -> Void) {
        for row in 0..<rows {
            for column in 0..<columns { body(first + row * rowStep + column * columnStep) }
        }
    }
}

/// The attributes of a pooling operation.
func poolingSignature(
    _ inputs: KeyValuePairs<String, String>, types: [DType], allowsExplicitPadding: Bool = false
) -> Signature {
    var defaults: [String: AttributeValue] = ["data_format": .string("NHWC")]
    if allowsExplicitPadding { defaults["explicit_paddings"] = .ints([]) }
    return Signature(
        inputs, to: ["output": "T"], types: ["T": types], defaults: defaults,
        required: ["ksize", "strides", "padding"])
}

/// Refuses a shape that is not the one that pooling gives or takes.
func checkPooled(_ shape: Shape, _ expected: Shape, _ name: String, _ input: Shape) throws {
    guard shape.isCompatible(with: expected) else {
        throw GraphError("'\(name)' must have the shape \(expected) for images of shape \(input), got \(shape)")
    }
}

func poolingAttributes(_ size: [Int], _ strides: [Int], _ padding: WindowPadding, _ format: String) -> Attributes {
    var attributes = padding.attributes(ImageFormat(rawValue: format) ?? .channelsLast)
    attributes["ksize"] = windowAttribute(size, format)
    attributes["strides"] = windowAttribute(strides, format)
    attributes["data_format"] = .string(format)
    return Attributes(attributes)
}
