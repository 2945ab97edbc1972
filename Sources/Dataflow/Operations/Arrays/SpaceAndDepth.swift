/// `SpaceToDepth`: squares of `block_size` pixels become one pixel of as many times the channels.
public enum SpaceToDepth: Operation {
    public static let signature = blockSignature
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let layout = try ImageBlocks(node.attributes)
        let shape = try node.shape(0, rank: 4, "'input'")
        let (h, w) = (layout.rows, layout.columns)
        for axis in [h, w] where shape[axis].map({ $0 % layout.block != 0 }) ?? false {
            throw GraphError(
                "height and width of the shape \(shape) must be multiples of 'block_size' \(layout.block)")
        }
        var result = shape.dimensions ?? []
        for axis in [h, w] { result[axis] = shape[axis].map { $0 / layout.block } }
        result[layout.channels] = try shape[layout.channels].map {
            try Shape.extent($0, times: layout.block * layout.block)
        }
        return [Shape(result)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(DepthToSpace.self, [node.upstream()], node.attributes.only(blockAttributes))]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try ImageBlocks(binding.attributes).kernel(binding, space: binding.inputs[0].shape, toDepth: true)
    }
}

/// `DepthToSpace`: each pixel becomes a square of `block_size` pixels, among which its channels are dealt out.
public enum DepthToSpace: Operation {
    public static let signature = blockSignature
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let layout = try ImageBlocks(node.attributes)
        let shape = try node.shape(0, rank: 4, "'input'")
        let square = layout.block * layout.block
        if let channels = shape[layout.channels], channels % square != 0 {
            throw GraphError(
                "the channels of the shape \(shape) must be a multiple of \(square), the square of 'block_size'")
        }
        var result = shape.dimensions ?? []
        for axis in [layout.rows, layout.columns] {
            result[axis] = try shape[axis].map { try Shape.extent($0, times: layout.block) }
        }
        result[layout.channels] = shape[layout.channels].map { $0 / square }
        return [Shape(result)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(SpaceToDepth.self, [node.upstream()], node.attributes.only(blockAttributes))]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try ImageBlocks(binding.attributes).kernel(binding, space: binding.outputs[0].shape, toDepth: false)
    }
}

private let blockSignature = Signature(
    ["input": "T"], to: ["output": "T"], types: ["T": DType.all], defaults: ["data_format": .string("NHWC")],
    required: ["block_size"])
private let blockAttributes = ["block_size", "data_format"]

/// How images fall into blocks.
private struct ImageBlocks {
    let block: Int
    let isChannelsLast: Bool
    var rows: Int { isChannelsLast ? 1 : 2 }
    var columns: Int { rows + 1 }
    var channels: Int { isChannelsLast ? 3 : 1 }

    init(_ attributes: Attributes) throws {
        block = try attributes.int("block_size")
        guard (2...1 << 24).contains(block) else {
            throw GraphError("'block_size' must be at least 2 and at most \(1 << 24), got \(block)")
        }
        switch try attributes.string("data_format") {
        case "NHWC": isChannelsLast = true
        case "NCHW": isChannelsLast = false
        case let other: throw GraphError("data_format must be NHWC or NCHW, got \(other)")
        }
    }

    /// Both sides walk through [batch, rows, row in block, columns, column in block, channels].
    func kernel(_ binding: KernelBinding, space shape: Shape, toDepth: Bool) -> Kernel {
        let (n, h, w, c) = (
            shape.knownExtents[0], shape.knownExtents[rows], shape.knownExtents[columns], shape.knownExtents[channels]
        )
        let extents = [n, h / block, block, w / block, block, c]
        let (sh, sw, sc) = (shape.strides[rows], shape.strides[columns], shape.strides[channels])
        let space = [h * w * c, block * sh, sh, block * sw, sw, sc]
        let small = (h / block) * (w / block)
        let depth =
            isChannelsLast
            ? [
                h * w * c, (w / block) * block * block * c, block * c, block * block * c, c, 1,
            ] : [h * w * c, w / block, block * c * small, 1, c * small, small]
        return StridedCopy(extents, from: toDepth ? space : depth, to: toDepth ? depth : space).kernel(binding)
    }
}

/// Squares of `blockSize` pixels as one pixel of as many times the channels; TensorFlow's `tf.nn.space_to_depth`.
public func spaceToDepth(
    _ x: any Operand, blockSize: Int, dataFormat: String = "NHWC", name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        SpaceToDepth.self, [x], ["block_size": .int(blockSize), "data_format": .string(dataFormat)], name, file, line)
}

/// Each pixel as a square of `blockSize` pixels, among which its channels are dealt out; TensorFlow's
/// `tf.nn.depth_to_space`.
public func depthToSpace(
    _ x: any Operand, blockSize: Int, dataFormat: String = "NHWC", name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        DepthToSpace.self, [x], ["block_size": .int(blockSize), "data_format": .string(dataFormat)], name, file, line)
}
