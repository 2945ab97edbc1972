/// `SpaceToBatchND`: the spatial dimensions after the first, padded with zeros, fall into blocks whose elements at one place
/// become an image of their own: the batch grows as the images shrink.
public enum SpaceToBatchND: Operation {
    public static let signature = Signature(
        ["input": "T", "block_shape": "Tblock_shape", "paddings": "Tpaddings"], to: ["output": "T"],
        types: ["T": DType.all, "Tblock_shape": DType.indices, "Tpaddings": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [try SpaceBlocks.batchShape(node, block: node.integers(1), margins: 2)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(BatchToSpaceND.self, [node.upstream(), node.input(1), node.input(2)]), nil, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1, 2]) { binding in
            SpaceBlocks(
                space: binding.inputs[0].shape, batch: binding.outputs[0].shape, block: try binding.integers(1),
                margins: try binding.integers(2)
            ).toBatch(binding)
        }
    }
}

/// `BatchToSpaceND`: the images of a block put together again, and `crops` cut off their edges.
public enum BatchToSpaceND: Operation {
    public static let signature = Signature(
        ["input": "T", "block_shape": "Tblock_shape", "crops": "Tcrops"], to: ["output": "T"],
        types: ["T": DType.all, "Tblock_shape": DType.indices, "Tcrops": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [try SpaceBlocks.spaceShape(node, block: node.integers(1), margins: 2)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(SpaceToBatchND.self, [node.upstream(), node.input(1), node.input(2)]), nil, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1, 2]) { binding in
            SpaceBlocks(
                space: binding.outputs[0].shape, batch: binding.inputs[0].shape, block: try binding.integers(1),
                margins: try binding.integers(2)
            ).toSpace(binding)
        }
    }
}

/// `SpaceToBatch`: as `SpaceToBatchND` for images [batch, height, width, channels] and square blocks.
public enum SpaceToBatch: Operation {
    public static let signature = Signature(
        ["input": "T", "paddings": "Tpaddings"], to: ["output": "T"],
        types: ["T": DType.all, "Tpaddings": DType.indices], required: ["block_size"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(0, rank: 4, "'input'")
        return [try SpaceBlocks.batchShape(node, block: square(node.attributes), margins: 1)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let attributes = node.attributes.only(["block_size"])
        return [apply(BatchToSpace.self, [node.upstream(), node.input(1)], attributes), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { binding in
            SpaceBlocks(
                space: binding.inputs[0].shape, batch: binding.outputs[0].shape, block: try square(binding.attributes),
                margins: try binding.integers(1)
            ).toBatch(binding)
        }
    }
}

/// `BatchToSpace`: as `BatchToSpaceND` for images [batch, height, width, channels] and square blocks.
public enum BatchToSpace: Operation {
    public static let signature = Signature(
        ["input": "T", "crops": "Tidx"], to: ["output": "T"], types: ["T": DType.all, "Tidx": DType.indices],
        required: ["block_size"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        _ = try node.shape(0, rank: 4, "'input'")
        return [try SpaceBlocks.spaceShape(node, block: square(node.attributes), margins: 1)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let attributes = node.attributes.only(["block_size"])
        return [apply(SpaceToBatch.self, [node.upstream(), node.input(1)], attributes), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { binding in
            SpaceBlocks(
                space: binding.outputs[0].shape, batch: binding.inputs[0].shape, block: try square(binding.attributes),
                margins: try binding.integers(1)
            ).toSpace(binding)
        }
    }
}

private func square(_ attributes: Attributes) throws -> [Int] {
    let size = try attributes.int("block_size")
    guard size > 1 else { throw GraphError("'block_size' must be at least 2, got \(size)") }
    return [size, size]
}

/// How the spatial dimensions of one tensor and the batch of another belong together.
private struct SpaceBlocks {
    /// For each place in a block, the copy between its elements in space and its images in the batch.
    private var copies: [(extents: [Int], space: [Int], spaceOffset: Int, batch: [Int], batchOffset: Int)] = []

    init(space: Shape, batch: Shape, block: [Int], margins: [Int]) {
        let (images, inner) = (space.knownExtents, batch.knownExtents)
        if batch.elementCount == 0 || space.elementCount == 0 { return }
        for place in 0..<block.reduce(1, *) {
            // Which row of the block, which column, ….
            var position = [Int](repeating: 0, count: block.count)
            var rest = place
            for d in block.indices.reversed() {
                position[d] = rest % block[d]
                rest /= block[d]
            }
            var (extents, strides) = (images, space.strides)
            var (spaceOffset, batchOffset) = (0, place * images[0] * batch.strides[0])
            for d in block.indices {
                let (axis, margin) = (d + 1, margins[2 * d])
                // Element j of the small image is element j · block + position − margin of the large one, if it has that.
                let shift = margin - position[d]
                let first = shift <= 0 ? 0 : (shift + block[d] - 1) / block[d]
                let last = images[axis] + shift - 1
                let end = last < 0 ? 0 : Swift.min(last / block[d] + 1, inner[axis])
                extents[axis] = Swift.max(end - first, 0)
                spaceOffset += (first * block[d] - shift) * strides[axis]
                batchOffset += first * batch.strides[axis]
                strides[axis] *= block[d]
            }
            if extents.contains(0) { continue }
            copies.append((extents, strides, spaceOffset, batch.strides, batchOffset))
        }
    }

    /// What the margins are is zeros.
    func toBatch(_ binding: KernelBinding) -> Kernel {
        let clear = binding.clearing()
        let kernels = copies.map {
            StridedCopy($0.extents, from: $0.space, to: $0.batch, fromOffset: $0.spaceOffset, toOffset: $0.batchOffset)
                .kernel(binding)
        }
        return { memory in
            try clear(memory)
            for kernel in kernels { try kernel(memory) }
        }
    }

    func toSpace(_ binding: KernelBinding) -> Kernel {
        let kernels = copies.map {
            StridedCopy($0.extents, from: $0.batch, to: $0.space, fromOffset: $0.batchOffset, toOffset: $0.spaceOffset)
                .kernel(binding)
        }
        return { memory in for kernel in kernels { try kernel(memory) } }
    }

    /// The block and the margins (before and after, for each of its dimensions), once they fit the input.
    private static func checked(
        _ node: ShapeContext, _ block: [Int]?, _ margins: Int
    ) throws -> (block: [Int], margins: [Int])? {
        if let block {
            guard block.allSatisfy({ $0 > 0 }), node.shape(0).rank ?? .max > block.count else {
                throw GraphError("blocks of \(block) do not fit the shape \(node.shape(0))")
            }
        }
        guard let block, let numbers = node.integers(margins) else { return nil }
        guard node.shape(margins).isCompatible(with: [block.count, 2]), numbers.count == 2 * block.count,
            numbers.allSatisfy({ $0 >= 0 })
        else {
            throw GraphError(
                "paddings or crops must be a matrix of two numbers of at least 0 for each dimension of a block \(block),"
                    + " got \(numbers) of shape \(node.shape(margins))")
        }
        // Beyond this nothing fits into memory, and sums and products of them into an Int.
        guard Shape.product(block).map({ $0 <= 1 << 40 }) ?? false, numbers.allSatisfy({ $0 <= 1 << 40 }) else {
            throw GraphError("blocks of \(block) with margins of \(numbers) are too large")
        }
        return (block, numbers)
    }

    static func batchShape(_ node: ShapeContext, block: [Int]?, margins: Int) throws -> Shape {
        guard let (block, paddings) = try checked(node, block, margins), var result = node.shape(0).dimensions else {
            return node.shape(0).rank.map(Shape.unknown(rank:)) ?? .unknown
        }
        result[0] = try result[0].map { try Shape.extent($0, times: block.reduce(1, *)) }
        for (d, size) in block.enumerated() {
            guard let extent = result[d + 1] else { continue }
            let padded = try Shape.extent(extent, times: 1) + paddings[2 * d] + paddings[2 * d + 1]
            guard padded % size == 0 else {
                throw GraphError(
                    "dimension \(d + 1) of the shape \(node.shape(0)), padded to \(padded), is no multiple of the block's"
                        + " \(size)")
            }
            result[d + 1] = padded / size
        }
        return Shape(result)
    }

    static func spaceShape(_ node: ShapeContext, block: [Int]?, margins: Int) throws -> Shape {
        guard let (block, crops) = try checked(node, block, margins), var result = node.shape(0).dimensions else {
            return node.shape(0).rank.map(Shape.unknown(rank:)) ?? .unknown
        }
        let images = block.reduce(1, *)
        if let batch = result[0] {
            guard batch % images == 0 else {
                throw GraphError(
                    "the \(batch) images of the shape \(node.shape(0)) are no multiple of a block's \(images)")
            }
            result[0] = batch / images
        }
        for (d, size) in block.enumerated() {
            guard let extent = result[d + 1] else { continue }
            let cropped = try Shape.extent(extent, times: size) - crops[2 * d] - crops[2 * d + 1]
            guard cropped >= 0 else {
                throw GraphError(
                    "crops of \(crops[2 * d]) and \(crops[2 * d + 1]) are more than dimension \(d + 1) of the shape"
                        + " \(node.shape(0)) times \(size) has")
            }
            result[d + 1] = cropped
        }
        return Shape(result)
    }
}
