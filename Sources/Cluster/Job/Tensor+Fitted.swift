internal import Dataflow

extension Tensor {
    /// A batch as a placeholder takes it: rows in the shape of its examples, class indices one-hot where it wants a row of
    /// floating numbers for each, numbers of its dtype. What fits already, or cannot be made fit, stays as it is.
    func fitted(to spec: TensorSpec) -> Tensor {
        guard let wanted = spec.shape.dimensions, let rank = shape.rank, rank > 0, !wanted.isEmpty else {
            return converted(to: spec.dtype)
        }
        let rest = wanted.dropFirst()
        if rank == 1, rest.count == 1, let classes = rest.first ?? nil, classes > 1, !dtype.isFloating {
            let indices = integers
            var hot = [Double](repeating: 0, count: indices.count * classes)
            for (row, index) in indices.enumerated() where index < classes { hot[row * classes + index] = 1 }
            return .numbers(hot, dtype: spec.dtype, shape: [indices.count, classes])
        }
        let extents = rest.compactMap { $0 }
        let width = elementCount / max(shape.concrete[0], 1)
        guard extents.count == rest.count, extents.reduce(1, *) == width else { return converted(to: spec.dtype) }
        return reshaped(Shape([shape.concrete[0]] + extents)).converted(to: spec.dtype)
    }

    private func converted(to dtype: DType) -> Tensor {
        dtype == self.dtype || dtype == .string || dtype == .resource || dtype == .variant
            ? self : .numbers(doubles, dtype: dtype, shape: shape)
    }
}
