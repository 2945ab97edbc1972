/// `ImageSummary`: a summary with the first `max_images` images of a batch [n, height, width, 1, 3 or 4] as PNG.
///
/// uint8 images are taken as they are. Of others each image is scaled: by 255 over its largest value, or if any is below 0 by
/// 127 over the largest magnitude, around 128. Pixels that are no numbers become `bad_color`.
public enum ImageSummary: StringOperation {
    public static let signature = Signature(
        ["tag": "string", "tensor": "T"], to: ["summary": "string"], types: ["T": [.float32, .float64, .uint8]],
        defaults: [
            "max_images": .int(3), "bad_color": .tensor(Tensor([UInt8](arrayLiteral: 255, 0, 0, 255))),
        ])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(0).isCompatible(with: []) else {
            throw GraphError("'tag' must be a scalar, got the shape \(node.shape(0))")
        }
        let shape = node.shape(1)
        guard shape.rank ?? 4 == 4, [nil, 1, 3, 4].contains(shape.rank == nil ? nil : shape[3]) else {
            throw GraphError("the images must have the shape [n, height, width, 1, 3 or 4], got \(shape)")
        }
        let color = try node.attributes.tensor("bad_color")
        guard color.dtype == .uint8, color.shape.rank == 1 else {
            throw GraphError("'bad_color' must be a vector of uint8, got \(color.dtype)\(color.shape)")
        }
        return [[]]
    }

    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        let (tag, tensor) = (try call.bytes(0, "'tag'"), call.inputs[1])
        let extents = tensor.shape.knownExtents
        let (height, width, depth) = (extents[1], extents[2], extents[3])
        guard height > 0, width > 0, height < 1 << 31, width < 1 << 31, height * width < 1 << 31 else {
            throw GraphError("images must have pixels, got the shape \(tensor.shape)")
        }
        let color = try call.attributes.tensor("bad_color").elements(of: UInt8.self)
        guard color.count >= depth || tensor.dtype == .uint8 else {
            throw GraphError("'bad_color' has \(color.count) elements for \(depth) channels")
        }
        let limit = try call.attributes.int("max_images")
        guard limit > 0 else { throw GraphError("'max_images' must be at least 1, got \(limit)") }
        let values = try (0..<min(limit, extents[0])).map { i in
            let image = tensor.viewed(rows: i..<i + 1)
            let pixels: [UInt8] =
                switch tensor.dtype {
                case .uint8: image.elements(of: UInt8.self)
                case .float32: scaled(image.elements(of: Float.self), depth, color)
                default: scaled(image.elements(of: Double.self), depth, color)
                }
            let file = try PNG.encode(pixels, width: width, height: height, channels: depth)
            return SummaryBytes.message { message in
                message.add(1, bytes: tag + Array((limit > 1 ? "/image/\(i)" : "/image").utf8))
                message.add(
                    4,
                    bytes: SummaryBytes.message { image in
                        image.add(1, integer: height)
                        image.add(2, integer: width)
                        image.add(3, integer: depth)
                        image.add(4, bytes: file)
                    })
            }
        }
        return [call.text(SummaryBytes.summary(values))]
    }

    private static func scaled<Scalar: BinaryFloatingPoint>(
        _ values: [Scalar], _ depth: Int, _ color: [UInt8]
    ) -> [UInt8] {
        let pixels = stride(from: 0, to: values.count, by: depth)
        let isFinite = pixels.map { start in values[start..<start + depth].allSatisfy(\.isFinite) }
        var (least, most) = (Float.infinity, -Float.infinity)
        for (start, finite) in zip(pixels, isFinite) where finite {
            for value in values[start..<start + depth] {
                (least, most) = (min(least, Float(value)), max(most, Float(value)))
            }
        }
        let (scale, offset): (Float, Float)
        if least < 0 {
            let largest = max(abs(least), abs(most))
            (scale, offset) = (largest < 1e-6 ? 0 : 127 / largest, 128)
        } else {
            (scale, offset) = (most < 1e-6 ? 0 : 255 / most, 0)
        }
        var result: [UInt8] = []
        result.reserveCapacity(values.count)
        for (start, finite) in zip(pixels, isFinite) {
            guard finite else {
                result += color.prefix(depth)
                continue
            }
            for value in values[start..<start + depth] {
                let number = value * Scalar(scale) + Scalar(offset)
                result.append(number.isFinite ? UInt8(clamping: Int(min(max(number, 0), 255))) : 0)
            }
        }
        return result
    }
}
