/// `Slice`: the block that starts at `begin` and has the extents `size`, where −1 is all that is left.
public enum SliceOperation: Operation {
    public static var name: String { "Slice" }
    public static let signature = Signature(
        ["input": "T", "begin": "Index", "size": "Index"], to: ["output": "T"],
        types: ["T": DType.moved, "Index": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = node.shape(0)
        let rank = shape.rank ?? node.integers(1)?.count ?? node.integers(2)?.count
        guard let rank else { return [.unknown] }
        for i in 1...2 {
            if let count = node.shape(i).elementCount, count != rank {
                throw GraphError("'\(i == 1 ? "begin" : "size")' must have \(rank) elements for the shape \(shape)")
            }
        }
        guard let size = node.integers(2) else { return [.unknown(rank: rank)] }
        let begin = node.integers(1)
        var result: [Int?] = []
        for i in 0..<rank {
            let (start, extent) = (begin?[i], shape[i])
            guard size[i] >= -1, (start ?? 0) >= 0,
                extent.map({ (start ?? 0) + max(size[i], 0) <= $0 }) ?? true
            else {
                throw GraphError(
                    "\(size[i]) elements from \(start ?? 0) on are not within dimension \(i) of the shape \(shape)")
            }
            if size[i] >= 0 {
                result.append(size[i])
            } else if let start, let extent {
                result.append(extent - start)
            } else {
                result.append(nil)
            }
        }
        return [Shape(result)]
    }
    /// The upstream gradient in zeros.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (x, begin, dy) = (node.input(0), node.input(1), node.upstream())
        let after = shape(x, as: begin.dtype) - shape(node.output(), as: begin.dtype) - begin
        let paddings = concat([expandDims(begin, axis: 1), expandDims(after, axis: 1)], axis: 1)
        return [apply(Pad.self, [dy, paddings]), nil, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try copy($0).kernel($0) }
    }
    fileprivate static func copy(_ binding: KernelBinding) throws -> StridedCopy {
        let begin = try binding.integers(1)
        let (shape, size) = (binding.inputs[0].shape, binding.outputs[0].shape.knownExtents)
        for (i, start) in begin.enumerated() where start < 0 || start + size[i] > shape.knownExtents[i] {
            throw GraphError("\(size[i]) elements from \(start) on are not within dimension \(i) of the shape \(shape)")
        }
        let offset = zip(begin, shape.strides).reduce(0) { $0 + $1.0 * $1.1 }
        return StridedCopy(size, from: shape.strides, fromOffset: offset)
    }
}

extension SliceOperation: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { try copy(binding).gpu(binding) }
}

/// The block of `x` that starts at `begin` and has the extents `size` (int vectors); TensorFlow's `tf.slice`.
public func slice(
    _ x: any Operand, begin: any Operand, size: any Operand, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { apply(SliceOperation.self, [x, begin, size], [:], name, file, line) }

/// The block of `x` that starts at `begin` and has the extents `size`, where −1 is all that is left.
public func slice(
    _ x: any Operand, begin: [Int], size: [Int], name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(SliceOperation.self, [x] + sameWidth([begin, size]), [:], name, file, line)
}
