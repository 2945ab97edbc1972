internal import Dataflow

extension Tensor {
    /// The batch in the dtype and shape of a placeholder. Class indices become one-hot rows if the placeholder takes rows of
    /// floating numbers. A batch that cannot fit keeps its shape.
    func fitted(to spec: TensorSpec) -> Tensor {
        guard let wanted = spec.shape.dimensions, let rank = shape.rank, rank > 0, !wanted.isEmpty else {
            return cast(to: spec.dtype)
        }
        let rest = wanted.dropFirst()
        if rank == 1, rest.count == 1, let classes = rest.first ?? nil, classes > 1, !dtype.isFloating {
            let indices = knownIntegers
            var hot = [Double](repeating: 0, count: indices.count * classes)
            for (row, index) in indices.enumerated() where index < classes { hot[row * classes + index] = 1 }
            return .numbers(hot, dtype: spec.dtype, sized: [indices.count, classes])
        }
        let extents = rest.compactMap { $0 }
        let width = elementCount / max(shape.knownExtents[0], 1)
        guard extents.count == rest.count, extents.reduce(1, *) == width else { return cast(to: spec.dtype) }
        return viewed(as: Shape([shape.knownExtents[0]] + extents)).cast(to: spec.dtype)
    }

    private func cast(to dtype: DType) -> Tensor {
        dtype == self.dtype || dtype == .string || dtype == .resource || dtype == .variant
            ? self : .numbers(knownDoubles, dtype: dtype, sized: shape)
    }
}
