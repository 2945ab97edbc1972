internal import CKernels

/// `GatherV2`: slices of `params` along an axis, in the order of `indices`; with `batch_dims`, for each batch its own.
public enum GatherV2: RowPicking {
    public static let signature = Signature(
        ["params": "Tparams", "indices": "Tindices", "axis": "Taxis"], to: ["output": "Tparams"],
        types: ["Tparams": DType.moved, "Tindices": DType.indices, "Taxis": DType.indices],
        defaults: ["batch_dims": .int(0)])

    /// params[..axis] + indices[batch..] + params[axis + 1..].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let params = node.shape(0).dimensions, let indices = node.shape(1).dimensions else { return [.unknown] }
        let batch = try batchDimensions(node.attributes, rank: indices.count)
        guard let value = try node.integer(2) else {
            return [params.isEmpty ? .unknown : .unknown(rank: params.count - 1 + indices.count - batch)]
        }
        let axis = try normalize([value], rank: params.count)[0]
        guard batch <= axis, Shape(Array(params[..<batch])).isCompatible(with: Shape(Array(indices[..<batch]))) else {
            throw GraphError(
                "the first \(batch) dimensions of params \(node.shape(0)) and indices \(node.shape(1)) must be the"
                    + " same, and before the axis \(axis)")
        }
        return [Shape(Array(params[..<axis] + indices[batch...] + params[(axis + 1)...]))]
    }

    static func batchDimensions(_ attributes: Attributes, rank: Int) throws -> Int {
        let value = try attributes.int("batch_dims")
        let batch = value < 0 ? value + rank : value
        guard batch >= 0, batch <= rank else {
            throw GraphError("'batch_dims' is \(value), the indices have the rank \(rank)")
        }
        return batch
    }

    /// Every slice of the upstream gradient added where it came from: with params seen as [batches, between, n, inner] and
    /// the indices as [batches, k], slice (b, m, k) belongs to row (b · between + m) · n + indices[b, k].
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (params, indices, dy) = (node.input(0), node.input(1), node.upstream())
        guard let value = node.input(2).constant?.knownIntegers.first else {
            throw GraphError("the gradient of GatherV2 needs an axis that is known while building")
        }
        if let rows = try rowGradient(node) { return [rows.dense, nil, nil] }
        let type = indices.dtype
        let extents = shape(params, as: type)
        guard let rank = params.shape.rank, let indexRank = indices.shape.rank else {
            throw GraphError("the gradient of GatherV2 along the axis \(value) needs ranks known while building")
        }
        let axis = try normalize([value], rank: rank)[0]
        let batch = try batchDimensions(node.attributes, rank: indexRank)
        let one = node.graph.constant(.numbers([1], dtype: type, sized: []))
        let zero = node.graph.constant(.numbers([0], dtype: type, sized: []))
        let product = { (range: Range<Int>, source: Node) in
            range.reduce(one) { $0 * dimension(source, $1) }
        }
        let (batches, between) = (product(0..<batch, extents), product(batch..<axis, extents))
        let count = product(batch..<indexRank, shape(indices, as: type))
        let (n, inner) = (dimension(extents, axis), product(axis + 1..<rank, extents))
        let outer = batches * between
        let starts = apply(RangeOperation.self, [zero, outer, one]) * n
        let ids =
            reshape(starts, stack([batches, between, one])) + reshape(indices, stack([batches, one, count]))
        let rows = apply(
            UnsortedSegmentSum.self,
            [
                reshape(dy, stack([outer * count, inner])), reshape(ids, stack([outer * count])), outer * n,
            ])
        return [reshape(rows, extents), nil, nil]
    }

    static func rowGradient(_ node: GradientContext) throws -> IndexedSlices? {
        guard node.input(2).constant?.knownIntegers == [0], try node.attributes.int("batch_dims") == 0 else {
            return nil
        }
        return pickedRows(node)
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([2]) { binding in
            let rank = binding.inputs[0].shape.knownExtents.count
            return try gatheringKernel(
                Self.self, binding, axis: normalize([binding.integer(2)], rank: rank)[0],
                batch: batchDimensions(binding.attributes, rank: binding.inputs[1].shape.knownExtents.count))
        }
    }
}

/// `Gather`: the rows `indices` of `params`, as graphs of TensorFlow 1 name it.
public enum Gather: RowPicking {
    public static let signature = Signature(
        ["params": "Tparams", "indices": "Tindices"], to: ["output": "Tparams"],
        types: ["Tparams": DType.moved, "Tindices": DType.indices], defaults: ["validate_indices": .bool(true)])

    /// The shape of `indices` + the dimensions of `params` without the first.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let params = node.shape(0).dimensions, let indices = node.shape(1).dimensions else { return [.unknown] }
        guard !params.isEmpty else { throw GraphError("'params' must have at least one dimension, got a scalar") }
        return [Shape(indices + params.dropFirst())]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [pickedRows(node).dense, nil]
    }
    static func rowGradient(_ node: GradientContext) throws -> IndexedSlices? { pickedRows(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try gatheringKernel(Self.self, binding, axis: 0, batch: 0)
    }
}

/// The extents of a tensor, or of the Variable whose handle it is.
func extents(of x: Node, as dtype: DType) -> Node {
    x.dtype == .resource ? apply(VariableShape.self, [x], ["out_type": .type(dtype)]) : shape(x, as: dtype)
}

/// The gradient of gathering rows of input 0 by input 1: the upstream gradient's rows, one after another.
func pickedRows(_ node: GradientContext) -> IndexedSlices {
    let (params, indices, dy) = (node.input(0), node.input(1), node.upstream())
    let extents = extents(of: params, as: indices.dtype)
    if indices.shape.rank == 1 { return IndexedSlices(values: dy, indices: indices, denseShape: extents) }
    let count = reshape(cast(size(indices), to: indices.dtype), [1])
    return IndexedSlices(
        values: reshape(dy, concat([count, tail(extents, from: 1)], axis: 0)), indices: reshape(indices, count),
        denseShape: extents)
}

func gatheringKernel(
    _ operation: any Operation.Type, _ binding: KernelBinding, axis: Int, batch: Int
) throws -> Kernel {
    let params = binding.inputs[0].shape.knownExtents
    let indices = binding.inputs[1].shape.knownExtents
    let batches = params[..<batch].reduce(1, *)
    let between = params[batch..<axis].reduce(1, *)
    let count = indices[batch...].reduce(1, *)
    let n = params[axis]
    let bytes = params[(axis + 1)...].reduce(1, *) * binding.inputs[0].dtype.size
    let (source, index, target) = (binding.input(0), IndexInput(binding, 1), binding.output())
    let (picked, total) = (batches * count, batches * between * count)
    let threads = min(usefulThreads(binding.threads, work: total * bytes / 4), max(total, 1))
    return { memory in
        let (from, to) = (memory.raw(source), memory.raw(target))
        try withUnsafeTemporaryAllocation(of: Int.self, capacity: max(picked, 1)) { rows in
            for k in 0..<picked {
                rows[k] = index.read(memory, k)
                guard rows[k] >= 0, rows[k] < n else {
                    throw GraphError("indices[\(k)] = \(rows[k]) is not in [0, \(n))")
                }
            }
            let indices = UnsafePointer(rows.baseAddress!)
            parallel(threads) { part in
                var (row, end) = (total * part / threads, total * (part + 1) / threads)
                while row < end {
                    // As far as the slices of one table reach.
                    let (table, first) = row.quotientAndRemainder(dividingBy: count)
                    let some = min(count - first, end - row)
                    tributary_gather_rows(
                        from + table * n * bytes, indices + table / between * count + first, to + row * bytes, some,
                        bytes)
                    row += some
                }
            }
        }
    }
}

/// Dimension `i` of a vector of extents, a scalar.
func dimension(_ extents: Node, _ i: Int) -> Node { stridedSlice(extents, begin: [i], end: [i + 1], shrinkAxisMask: 1) }

/// The elements of a vector from `start` on.
func tail(_ extents: Node, from start: Int) -> Node { stridedSlice(extents, begin: [start], end: [0], endMask: 1) }

/// The slices `indices` of `x` along `axis`; TensorFlow's `tf.gather`. An index out of range is thrown by the run.
public func gather(
    _ x: any Operand, _ indices: any TensorOperand, axis: Int = 0, batchDims: Int = 0, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(GatherV2.self, [x, indices, Tensor.small(axis)], ["batch_dims": .int(batchDims)], name, file, line)
}

extension GatherV2: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        let rank = binding.inputs[0].shape.knownExtents.count
        return gatheringProgram(
            binding, axis: try normalize([binding.integer(2)], rank: rank)[0],
            batch: try batchDimensions(binding.attributes, rank: binding.inputs[1].shape.knownExtents.count))
    }
}

extension Gather: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? { gatheringProgram(binding, axis: 0, batch: 0) }
}

extension ResourceGather: GPUOperation {
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        try binding.attributes.int("batch_dims") == 0 ? gatheringProgram(binding, axis: 0, batch: 0) : nil
    }
}

/// An index out of range, which the CPU refuses, gives zeros, as on TensorFlow's GPUs.
private func gatheringProgram(_ binding: KernelBinding, axis: Int, batch: Int) -> GPUProgram? {
    let (params, indices) = (binding.inputs[0].shape.knownExtents, binding.inputs[1].shape.knownExtents)
    guard let index = binding.inputs[1].dtype.gpuName else { return nil }
    let type = ["uchar", "ushort", "uint", "ulong"][binding.outputs[0].dtype.size.trailingZeroBitCount]
    let (between, count) = (params[batch..<axis].reduce(1, *), indices[batch...].reduce(1, *))
    let (inner, total) = (params[(axis + 1)...].reduce(1, *), binding.outputCount())
    let source = """
        KERNEL void gather(int n, GLOBAL const \(type) *x, GLOBAL const \(index) *indices, GLOBAL \(type) *y,
            int between, int count, int rows, int inner) {
            int i = INDEX;
            if (i >= n) return;
            int c = i % inner, slice = i / inner, k = slice % count, outer = slice / count;
            \(index) row = indices[outer / between * count + k];
            y[i] = row >= 0 && row < rows ? x[(outer * rows + (int)row) * inner + c] : 0;
        }

        """
    return GPUProgram(
        .launch(
            GPULaunch(
                "gather", source, items: total, memory: [.input(0), .input(1), .output(0)],
                integers: [between, count, params[axis], inner])))
}
