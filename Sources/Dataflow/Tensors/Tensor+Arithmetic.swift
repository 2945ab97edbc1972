/// Arithmetic on values, element by element, broadcast as numpy does, by the engine's own kernels: what the same operators
/// on nodes give. Both sides are of one dtype; what is no tensor (a number, an array of numbers) takes the tensor's.
extension Tensor {
    /// x + y.
    /// - Throws: `GraphError` for shapes that do not broadcast, several dtypes, and dtypes without arithmetic.
    public static func + (x: Tensor, y: Tensor) throws -> Tensor { try computed { $0.constant(x) + $0.constant(y) } }
    /// x − y.
    public static func - (x: Tensor, y: Tensor) throws -> Tensor { try computed { $0.constant(x) - $0.constant(y) } }
    /// x · y, element by element.
    public static func * (x: Tensor, y: Tensor) throws -> Tensor { try computed { $0.constant(x) * $0.constant(y) } }
    /// x / y, of floats.
    public static func / (x: Tensor, y: Tensor) throws -> Tensor { try computed { $0.constant(x) / $0.constant(y) } }
    /// −x.
    public static prefix func - (x: Tensor) throws -> Tensor { try computed { -$0.constant(x) } }

    /// x + y, with y in the dtype of x.
    /// - Throws: also where that dtype cannot hold y exactly (a decimal is rounded to a floating dtype).
    @_disfavoredOverload
    public static func + (x: Tensor, y: some TensorConvertible) throws -> Tensor { try x + x.like(y) }
    @_disfavoredOverload
    public static func + (x: some TensorConvertible, y: Tensor) throws -> Tensor { try y.like(x) + y }
    @_disfavoredOverload
    public static func - (x: Tensor, y: some TensorConvertible) throws -> Tensor { try x - x.like(y) }
    @_disfavoredOverload
    public static func - (x: some TensorConvertible, y: Tensor) throws -> Tensor { try y.like(x) - y }
    @_disfavoredOverload
    public static func * (x: Tensor, y: some TensorConvertible) throws -> Tensor { try x * x.like(y) }
    @_disfavoredOverload
    public static func * (x: some TensorConvertible, y: Tensor) throws -> Tensor { try y.like(x) * y }
    @_disfavoredOverload
    public static func / (x: Tensor, y: some TensorConvertible) throws -> Tensor { try x / x.like(y) }
    @_disfavoredOverload
    public static func / (x: some TensorConvertible, y: Tensor) throws -> Tensor { try y.like(x) / y }

    // Literals go through these: `t * (1 / 2)` is half of t, as beside nodes, where Swift's Int would give 0.
    public static func + (x: Tensor, y: Double) throws -> Tensor { try x + x.like(y) }
    public static func + (x: Double, y: Tensor) throws -> Tensor { try y.like(x) + y }
    public static func - (x: Tensor, y: Double) throws -> Tensor { try x - x.like(y) }
    public static func - (x: Double, y: Tensor) throws -> Tensor { try y.like(x) - y }
    public static func * (x: Tensor, y: Double) throws -> Tensor { try x * x.like(y) }
    public static func * (x: Double, y: Tensor) throws -> Tensor { try y.like(x) * y }
    public static func / (x: Tensor, y: Double) throws -> Tensor { try x / x.like(y) }
    public static func / (x: Double, y: Tensor) throws -> Tensor { try y.like(x) / y }

    /// The value in this tensor's dtype.
    private func like(_ value: some TensorConvertible) throws -> Tensor { try value.tensor().converted(to: dtype) }

    /// What the engine computes in a graph of its own.
    private static func computed(_ build: (Graph) -> Node) throws -> Tensor {
        do {
            let graph = Graph()
            let node = build(graph)
            return try Session(graph, options: SessionOptions(devices: .hostOnly, plan: .reference)).run(node)
        } catch let error as GraphError {
            // The names of that graph and its lines say nothing to the caller.
            throw GraphError(error.message)
        }
    }
}

extension Tensor {
    /// Whether each element lies within a tolerance of the other's: |a − b| ≤ absolute + relative · |b|, broadcast, as numpy's
    /// `allclose` has it.
    ///
    /// Numbers of any two dtypes are compared; texts and handles must be the same. Equal infinities are close. false where
    /// the shapes do not broadcast.
    ///
    /// - Parameters:
    ///   - absolute: numpy's `atol`.
    ///   - relative: numpy's `rtol`, of the other's elements.
    ///   - equalNaN: whether a NaN is close to a NaN.
    public func isClose(
        to other: Tensor, absolute: Double = 1e-8, relative: Double = 1e-5, equalNaN: Bool = false
    ) -> Bool {
        guard DType.all.contains(dtype), DType.all.contains(other.dtype) else { return self == other }
        guard let shape = shape.broadcast(with: other.shape) else { return false }
        let (a, b) = (knownDoubles, other.knownDoubles)
        func isClose(_ x: Double, _ y: Double) -> Bool {
            if x == y { return true }
            if x.isNaN, y.isNaN { return equalNaN }
            return y.isFinite && abs(x - y) <= absolute + relative * abs(y)
        }
        if self.shape == other.shape { return zip(a, b).allSatisfy(isClose) }
        // Row-major over the common shape; a dimension of 1 repeats.
        let indices = [self.shape, other.shape].map { BroadcastIndex($0, in: shape) }
        return (0..<(shape.elementCount ?? 0)).allSatisfy {
            isClose(a[indices[0].index(of: $0)], b[indices[1].index(of: $0)])
        }
    }

    /// As `isClose(to:absolute:relative:equalNaN:)`, with numbers, or arrays of them to any rank, as Swift has them.
    /// - Throws: `GraphError` where their rows differ in length.
    public func isClose(
        to other: some TensorConvertible, absolute: Double = 1e-8, relative: Double = 1e-5, equalNaN: Bool = false
    ) throws -> Bool {
        isClose(to: try other.tensor(), absolute: absolute, relative: relative, equalNaN: equalNaN)
    }
}

/// Where the elements of a tensor are that is broadcast to a shape.
private struct BroadcastIndex {
    /// Of each dimension of the shape, the last first: its extent, and how far the tensor moves along it.
    private let steps: [(extent: Int, step: Int)]

    init(_ own: Shape, in shape: Shape) {
        let (extents, strides) = (own.knownExtents, own.strides)
        let missing = shape.knownExtents.count - extents.count
        steps = shape.knownExtents.enumerated().reversed().map { i, extent in
            (extent, i < missing || extents[i - missing] == 1 ? 0 : strides[i - missing])
        }
    }

    func index(of element: Int) -> Int {
        var (rest, index) = (element, 0)
        for (extent, step) in steps {
            index += rest % extent * step
            rest /= extent
        }
        return index
    }
}
