extension Tensor {
    /// A part of the tensor, as numpy takes it: `t[0]`, `t[1..<3]`, `t[..., 0]`, `t[.newAxis]`, `t[-1, .range(step: 2)]`; see
    /// `TensorIndex`. Dimensions behind the last index stay whole. Leading parts share the elements.
    /// - Throws: `GraphError` for an index beyond its dimension, too many indices, two ellipses, a step of 0.
    public subscript<each Index: TensorIndexConvertible>(_ indices: repeat each Index) -> Tensor {
        get throws { try slice(TensorIndex.list(repeat each indices)) }
    }

    /// A part of the tensor: `t[...]`, `t[..., 0]`.
    public subscript<each Index: TensorIndexConvertible>(
        _ ellipsis: UnboundedRange, _ indices: repeat each Index
    ) -> Tensor {
        get throws { try slice([.ellipsis] + TensorIndex.list(repeat each indices)) }
    }

    /// A part of the tensor: `t[0, ...]`, `t[0, ..., 1]`; further behind the ellipsis is spelt `.ellipsis`.
    public subscript<each Index: TensorIndexConvertible>(
        _ first: some TensorIndexConvertible, _ ellipsis: UnboundedRange, _ indices: repeat each Index
    ) -> Tensor {
        get throws { try slice([first.tensorIndex, .ellipsis] + TensorIndex.list(repeat each indices)) }
    }

    /// The part that the indices of a subscript name.
    func slice(_ indices: [TensorIndex]) throws -> Tensor {
        let slice = TensorSlice(indices)
        let bounds = try SliceBounds(
            shape, begin: slice.begin, end: slice.end, strides: slice.strides, slice.attributes)
        let result = Shape(bounds.result)
        let copy = bounds.copy(scatters: false)
        if copy.isContiguous, elementCount > 0, result.elementCount != 0 {
            let size = dtype.size
            return Tensor(
                dtype: dtype, shape: result,
                storage: TensorStorage(
                    pointer: storage.pointer + copy.fromOffset * size, byteCount: (result.elementCount ?? 0) * size,
                    owner: storage))
        }
        let part = Tensor(dtype: dtype, sized: result) { _ in }
        var pointers = [storage.pointer, part.storage.pointer]
        try pointers.withUnsafeMutableBufferPointer {
            try copy.kernel(from: 0, to: 1, size: dtype.size, threads: CPUDevice.cores)(
                RunMemory(pointers: $0.baseAddress!))
        }
        extendLifetime(storage)
        part.holdTexts()
        return part
    }
}

/// The indices of a subscript as `StridedSlice` takes them.
struct TensorSlice {
    private(set) var begin: [Int] = []
    private(set) var end: [Int] = []
    private(set) var strides: [Int] = []
    /// By the names of the attributes.
    private(set) var masks = [
        "begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0,
    ]

    init(_ indices: [TensorIndex]) {
        for index in indices {
            switch index.kind {
            case .index(let index): add(index, index, 1, "shrink_axis_mask")
            case .ellipsis: add(0, 0, 1, "ellipsis_mask")
            case .newAxis: add(0, 0, 1, "new_axis_mask")
            case .range(let from, let to, let step):
                if from == nil { mark("begin_mask") }
                if to == nil { mark("end_mask") }
                add(from ?? 0, to ?? 0, step)
            }
        }
    }

    var attributes: Attributes { Attributes(masks.mapValues { .int($0) }) }

    private mutating func add(_ from: Int, _ to: Int, _ step: Int, _ mask: String? = nil) {
        if let mask { mark(mask) }
        begin.append(from)
        end.append(to)
        strides.append(step)
    }

    /// Sets the bit of the next index.
    private mutating func mark(_ mask: String) { masks[mask, default: 0] |= 1 << begin.count }
}
