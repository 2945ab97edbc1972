/// `ReverseV2`: the elements in the opposite order along some axes.
public enum ReverseV2: Operation {
    public static let signature = Signature(
        ["tensor": "T", "axis": "Tidx"], to: ["output": "T"], types: ["T": DType.moved, "Tidx": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        if let rank = node.shape(0).rank, let axes = node.integers(1) {
            let positions = try normalize(axes, rank: rank)
            guard Set(positions).count == positions.count else {
                throw GraphError("each axis may be named once, got \(axes)")
            }
        }
        return [node.shape(0)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(ReverseV2.self, [node.upstream(), node.input(1)]), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { binding in
            reversal(
                binding, axes: try normalize(binding.integers(1), rank: binding.inputs[0].shape.knownExtents.count))
        }
    }
}

/// `Reverse`: the elements in the opposite order along the dimensions for which `dims` holds.
public enum Reverse: Operation {
    public static let signature = Signature(
        ["tensor": "T", "dims": "bool"], to: ["output": "T"], types: ["T": DType.moved])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let dims = try node.shape(1, rank: 1, "'dims'")
        if let rank = node.shape(0).rank, let count = dims[0], rank != count {
            throw GraphError("'dims' must have a bool for each dimension of the shape \(node.shape(0)), got \(dims)")
        }
        return [node.shape(0)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(Reverse.self, [node.upstream(), node.input(1)]), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { binding in
            let dims = binding.constant(1)?.knownDoubles ?? []
            return reversal(binding, axes: dims.indices.filter { dims[$0] != 0 })
        }
    }
}

private func reversal(_ binding: KernelBinding, axes: [Int]) -> Kernel {
    let shape = binding.inputs[0].shape
    var strides = shape.strides
    var offset = 0
    for axis in axes {
        offset += (shape.knownExtents[axis] - 1) * strides[axis]
        strides[axis] = -strides[axis]
    }
    return StridedCopy(shape.knownExtents, from: strides, fromOffset: offset).kernel(binding)
}

/// `ReverseSequence`: in each row of `batch_dim` the first seq_lengths[row] elements along `seq_dim` in the opposite order.
public enum ReverseSequence: Operation {
    public static let signature = Signature(
        ["input": "T", "seq_lengths": "Tlen"], to: ["output": "T"], types: ["T": DType.moved, "Tlen": DType.indices],
        defaults: ["batch_dim": .int(0)], required: ["seq_dim"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (shape, lengths) = (node.shape(0), try node.shape(1, rank: 1, "'seq_lengths'"))
        guard let rank = shape.rank else { return [shape] }
        let (batch, sequence) = (try node.attributes.int("batch_dim"), try node.attributes.int("seq_dim"))
        guard batch >= 0, batch < rank, sequence >= 0, sequence < rank, batch != sequence else {
            throw GraphError(
                "'batch_dim' \(batch) and 'seq_dim' \(sequence) must be two dimensions of the shape \(shape)")
        }
        guard Shape([shape[batch]]).isCompatible(with: lengths) else {
            throw GraphError(
                "'seq_lengths' must hold a number for each element of dimension \(batch) of the shape \(shape), got"
                    + " \(lengths)")
        }
        return [shape]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [
            apply(
                ReverseSequence.self, [node.upstream(), node.input(1)], node.attributes.only(["batch_dim", "seq_dim"])),
            nil,
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let extents = binding.inputs[0].shape.knownExtents
        let (batch, sequence) = (try binding.attributes.int("batch_dim"), try binding.attributes.int("seq_dim"))
        let strides = binding.inputs[0].shape.strides
        if binding.outputCount() == 0 { return { _ in } }
        // Runs behind both dimensions move as one.
        let run = strides[Swift.max(batch, sequence)] * binding.inputs[0].dtype.size
        let rows = extents[...Swift.max(batch, sequence)].reduce(1, *)
        let (input, lengths, output) = (binding.input(0), IndexInput(binding, 1), binding.output())
        let last = strides[Swift.max(batch, sequence)]
        return { memory in
            for row in 0..<extents[batch] {
                let length = lengths.read(memory, row)
                guard length >= 0, length <= extents[sequence] else {
                    throw GraphError("seq_lengths[\(row)] = \(length) is not in [0, \(extents[sequence])]")
                }
            }
            for place in 0..<rows {
                let element = place * last
                let time = element / strides[sequence] % extents[sequence]
                let length = lengths.read(memory, element / strides[batch] % extents[batch])
                let source = time < length ? element + (length - 1 - 2 * time) * strides[sequence] : element
                (memory.raw(output) + place * run)
                    .copyMemory(from: memory.raw(input) + source / last * run, byteCount: run)
            }
        }
    }
}

/// The elements of `x` in the opposite order along `axes`; TensorFlow's `tf.reverse`.
public func reverse(
    _ x: any Operand, axis: Int? = nil, axes: [Int] = [], name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    apply(ReverseV2.self, [x, Tensor.small(axes + (axis.map { [$0] } ?? []))], [:], name, file, line)
}

/// In each row along `batchAxis` the first lengths[row] elements along `axis` in the opposite order; TensorFlow's
/// `tf.reverse_sequence`. `lengths` are int32 or int64.
public func reverseSequence(
    _ x: any Operand, lengths: any Operand, axis: Int, batchAxis: Int = 0, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        ReverseSequence.self, [x, lengths], ["seq_dim": .int(axis), "batch_dim": .int(batchAxis)], name, file, line)
}
