/// Where `SaveV2`, `RestoreV2` and `MergeV2Checkpoints` keep tensors: the files of a format that others read. A session is
/// given one in its options.
public protocol CheckpointStore: Sendable {
    /// Writes a checkpoint of these tensors, or parts of them, in place of one of the same prefix.
    /// - Throws: if the files cannot be written; then what was there is as it was.
    func write(_ parts: [CheckpointPart], to prefix: String) throws

    /// The tensors, or parts of them, in the order in which they are asked for.
    /// - Throws: if the files cannot be read, or lack one of the tensors, naming both.
    func read(_ wanted: [CheckpointKey], from prefix: String) throws -> [Tensor]

    /// Makes one checkpoint of several, which are gone afterwards.
    /// - Parameters:
    ///   - deletingFolders: whether to remove the folders of `parts` too, where nothing else is in them.
    ///   - allowingMissing: whether some of `parts` need not be there.
    func merge(
        _ parts: [String], into prefix: String, deletingFolders: Bool, allowingMissing: Bool
    ) throws
}

/// A tensor in a checkpoint, or a part of one.
public struct CheckpointKey: Sendable, Equatable {
    public let name: String
    /// nil: the whole tensor.
    public let slice: CheckpointSlice?

    public init(_ name: String, slice: CheckpointSlice? = nil) {
        self.name = name
        self.slice = slice
    }
}

/// A tensor to be kept under a name: the whole, or a part of it.
public struct CheckpointPart: Sendable {
    public let key: CheckpointKey
    public let tensor: Tensor

    public init(_ key: CheckpointKey, _ tensor: Tensor) {
        self.key = key
        self.tensor = tensor
    }
}

/// A part's place in a tensor, as partitioned Variables are saved.
public struct CheckpointSlice: Sendable, Equatable {
    /// The extents of the whole tensor.
    public let shape: [Int]
    /// In each dimension where the part starts and how long it is; nil: all of the dimension.
    public let ranges: [Range<Int>?]

    /// A part that is cut out of one dimension of a tensor of extents `shape`. Traps if it does not lie in it.
    package init(_ shape: [Int], axis: Int, _ range: Range<Int>) {
        require(
            shape.indices.contains(axis) && range.lowerBound >= 0 && range.upperBound <= shape[axis],
            "the part \(range) of dimension \(axis) does not lie in \(shape)")
        self.shape = shape
        ranges = shape.indices.map { $0 == axis ? range : nil }
    }

    /// The whole of a tensor of extents `shape`.
    package init(whole shape: [Int]) { (self.shape, ranges) = (shape, shape.map { _ in nil }) }

    /// What TensorFlow writes as "10 4 0,5:-": the whole tensor's extents, then for each dimension start and length, or "-".
    /// - Throws: `GraphError` if it is no such text, or the part does not lie in the tensor.
    public init(_ text: String) throws {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        let extents = words.dropLast().map { Int($0) }
        let parts =
            words.last?.isEmpty ?? true ? [] : words.last!.split(separator: ":", omittingEmptySubsequences: false)
        let odd = GraphError("'\(text)' is no place of a part in a tensor; it is written as \"10 4 0,5:-\"")
        guard extents.count == parts.count, extents.count <= 254 else { throw odd }
        var shape: [Int] = []
        var ranges: [Range<Int>?] = []
        for (extent, part) in zip(extents, parts) {
            guard let extent, extent >= 0 else { throw odd }
            shape.append(extent)
            if part == "-" {
                ranges.append(nil)
                continue
            }
            let numbers = part.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
            guard numbers.count == 2, let start = numbers[0], let length = numbers[1], start >= 0, length >= 0 else {
                throw odd
            }
            guard start <= extent, length <= extent - start else {
                throw GraphError("the part '\(text)' does not lie in the tensor of shape \(Shape(shape))")
            }
            ranges.append(start..<start + length)
        }
        (self.shape, self.ranges) = (shape, ranges)
        guard Shape(shape).elementCount != nil else { throw GraphError("'\(text)' is beyond all memory") }
    }

    /// The part's own shape.
    public var partShape: Shape { Shape(zip(shape, ranges).map { $1?.count ?? $0 }) }

    /// Whether the part is all there is.
    public var isWhole: Bool {
        zip(shape, ranges).allSatisfy { extent, range in range.map { $0 == 0..<extent } ?? true }
    }

    /// The part of a tensor of the whole's shape. Traps on another shape.
    public func part(of tensor: Tensor) -> Tensor {
        require(tensor.shape == Shape(shape), "a part of \(Shape(shape)) is not one of \(tensor.shape)")
        if isWhole { return tensor }
        let extents = partShape.knownExtents
        let strides = tensor.shape.strides
        let offset = zip(strides, ranges).reduce(0) { $0 + $1.0 * ($1.1?.lowerBound ?? 0) }
        let copy = StridedCopy(extents, from: strides, fromOffset: extents.contains(0) ? 0 : offset)
        return Tensor(dtype: tensor.dtype, sized: partShape) { bytes in
            guard let target = bytes.baseAddress, !bytes.isEmpty else { return }
            tensor.withUnsafeBytes { source in
                let source = UnsafeMutableRawPointer(mutating: source.baseAddress!)
                switch tensor.dtype.size {
                case 1: copy.run(source, target, as: UInt8.self, threads: 1)
                case 2: copy.run(source, target, as: UInt16.self, threads: 1)
                case 4: copy.run(source, target, as: UInt32.self, threads: 1)
                default: copy.run(source, target, as: UInt64.self, threads: 1)
                }
            }
        }
    }
}
