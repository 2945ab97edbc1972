/// `Qr`: matrices [..., m, n] as q · r with q's columns orthonormal and r upper triangular.
///
/// With k = min(m, n), q is [..., m, k] and r [..., k, n], or with `full_matrices` [..., m, m] and [..., m, n]. By Householder
/// reflections (Golub and Van Loan, "Matrix computations", algorithm 5.2.1), with the signs that TensorFlow's Eigen gives: r's
/// diagonal has the sign opposite to the element it came from, unless there was nothing to reflect.
public enum Qr: Operation, FloatKernel {
    public static let signature = Signature(
        ["input": "T"], to: ["q": "T", "r": "T"], types: ["T": DType.floats],
        defaults: ["full_matrices": .bool(false)])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let extents = node.shape(0).dimensions else { return [.unknown, .unknown] }
        guard extents.count >= 2 else {
            throw GraphError("the input must have at least rank 2, got the shape \(node.shape(0))")
        }
        let (batch, m, n) = (extents.dropLast(2), extents[extents.count - 2], extents[extents.count - 1])
        if try node.attributes.bool("full_matrices") { return [Shape(batch + [m, m]), Shape(batch + [m, n])] }
        let k = m == 0 || n == 0 ? 0 : m.flatMap { m in n.map { min(m, $0) } }
        return [Shape(batch + [m, k]), Shape(batch + [k, n])]
    }

    /// TensorFlow's `_QrGrad`: for m ≥ n and reduced matrices by Walter and Lehmann, "Algorithmic differentiation of linear
    /// algebra functions" (2018); a wide matrix [x, y] is [q · u, q · v] with a square u.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (q, r) = (node.output(0), node.output(1))
        let (dq, dr) = (node.upstream(0), node.upstream(1))
        guard let m = q.shape[-2], let width = q.shape[-1], let k = r.shape[-2], let n = r.shape[-1] else {
            throw GraphError("the gradient of Qr needs matrices whose extents are known while building")
        }
        guard k <= n || m != width else {
            throw GraphError("Qr with 'full_matrices' of matrices of more rows than columns has no gradient")
        }
        if m >= n { return [tall(q, r, dq, dr)] }
        func columns(_ x: Node, _ range: Range<Int>) -> Node {
            let leading = [Int](repeating: 0, count: (x.shape.rank ?? 2) - 1)
            let all = (1 << leading.count) - 1
            return stridedSlice(
                x, begin: leading + [range.lowerBound], end: leading + [range.upperBound], beginMask: all, endMask: all)
        }
        let (u, du, dv) = (columns(r, 0..<m), columns(dr, 0..<m), columns(dr, m..<n))
        let y = columns(node.input(0), m..<n)
        let left = tall(q, u, dq + product(y, dv, transposesSecond: true), du)
        return [concat([left, product(q, dv)], axis: -1)]
    }

    private static func tall(_ q: Node, _ r: Node, _ dq: Node, _ dr: Node) -> Node {
        // x times the inverse of r, transposed.
        func divided(_ x: Node) -> Node {
            transposed(
                apply(
                    MatrixTriangularSolve.self, [r, transposed(x)], ["lower": .bool(false), "adjoint": .bool(false)]))
        }
        let qdq = product(q, dq, transposesFirst: true)
        let rdr = product(r, dr, transposesSecond: true)
        let graph = q.graph
        let (all, none) = (graph.constant(Int64(-1)), graph.constant(Int64(0)))
        let lower = apply(MatrixBandPart.self, [(qdq - transposed(qdq)) + (rdr - transposed(rdr)), all, none])
        return product(q, dr + divided(lower)) + divided(dq - product(q, qdq))
    }

    private static func product(
        _ a: Node, _ b: Node, transposesFirst: Bool = false, transposesSecond: Bool = false
    ) -> Node {
        apply(BatchMatMulV2.self, [a, b], ["adj_x": .bool(transposesFirst), "adj_y": .bool(transposesSecond)])
    }

    private static func transposed(_ x: Node) -> Node {
        let rank = x.shape.rank ?? 2
        let order = Array(0..<rank - 2) + [rank - 1, rank - 2]
        return apply(Transpose.self, [x, x.graph.constant(order.map { Int32($0) })])
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.inputs[0].dtype)
    }

    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let extents = binding.inputs[0].shape.knownExtents
        let (m, n) = (extents[extents.count - 2], extents[extents.count - 1])
        let (width, height) = (
            binding.outputs[0].shape.knownExtents[extents.count - 1],
            binding.outputs[1].shape.knownExtents[extents.count - 2]
        )
        let (input, q, r) = (binding.input(0), binding.output(0), binding.output(1))
        // Without an element there may be more matrices than can be counted.
        let isEmpty = binding.outputCount(0) + binding.outputCount(1) == 0
        let count = isEmpty ? 0 : Shape.product(extents.dropLast(2)) ?? 0
        return { memory in
            for matrix in 0..<count {
                let source = memory.pointer(input, type) + matrix * m * n
                let reflections = Reflections<Scalar>(source, rows: m, columns: n)
                reflections.writeTriangle(to: memory.pointer(r, type) + matrix * height * n, rows: height)
                reflections.writeProduct(to: memory.pointer(q, type) + matrix * m * width, columns: width)
            }
        }
    }
}

/// A matrix made upper triangular by reflections, which are kept.
private struct Reflections<Scalar: NumericScalar & BinaryFloatingPoint> {
    private let rows: Int
    private let columns: Int
    /// Row-major. Above and on the diagonal r, below it each reflection's direction, whose first element is 1.
    private var values: [Scalar]
    /// Of each reflection x − factor · v (v · x).
    private var factors: [Scalar] = []

    init(_ matrix: UnsafePointer<Scalar>, rows: Int, columns: Int) {
        (self.rows, self.columns) = (rows, columns)
        values = Array(UnsafeBufferPointer(start: matrix, count: rows * columns))
        for k in 0..<min(rows, columns) { reflect(k) }
    }

    private mutating func reflect(_ k: Int) {
        let head = values[k * columns + k]
        var squares: Scalar = 0
        for i in k + 1..<max(rows, k + 1) { squares += values[i * columns + k] * values[i * columns + k] }
        // Nothing to reflect; NaN goes on.
        if squares <= Scalar.leastNormalMagnitude { return factors.append(0) }
        let length = (head * head + squares).squareRoot()
        let end = head >= 0 ? -length : length
        for i in k + 1..<rows { values[i * columns + k] /= head - end }
        factors.append((end - head) / end)
        values[k * columns + k] = end
        apply(k)
    }

    /// Reflects the columns after k.
    private mutating func apply(_ k: Int) {
        let factor = factors[k]
        guard k + 1 < columns else { return }
        var products = Array(values[k * columns + k + 1..<(k + 1) * columns])
        for i in k + 1..<max(rows, k + 1) {
            let v = values[i * columns + k]
            for j in products.indices { products[j] += v * values[i * columns + k + 1 + j] }
        }
        for j in products.indices {
            products[j] *= factor
            values[k * columns + k + 1 + j] -= products[j]
        }
        for i in k + 1..<max(rows, k + 1) {
            let v = values[i * columns + k]
            for j in products.indices { values[i * columns + k + 1 + j] -= v * products[j] }
        }
    }

    func writeTriangle(to r: UnsafeMutablePointer<Scalar>, rows height: Int) {
        for i in 0..<height {
            for j in 0..<columns { r[i * columns + j] = j >= i ? values[i * columns + j] : 0 }
        }
    }

    /// The first columns of all reflections one after another.
    func writeProduct(to q: UnsafeMutablePointer<Scalar>, columns width: Int) {
        for i in 0..<rows {
            for j in 0..<width { q[i * width + j] = i == j ? 1 : 0 }
        }
        var products = [Scalar](repeating: 0, count: width)
        for k in factors.indices.reversed() where factors[k] != 0 {
            for j in 0..<width { products[j] = q[k * width + j] }
            for i in k + 1..<max(rows, k + 1) {
                let v = values[i * columns + k]
                for j in 0..<width { products[j] += v * q[i * width + j] }
            }
            for j in 0..<width {
                products[j] *= factors[k]
                q[k * width + j] -= products[j]
            }
            for i in k + 1..<max(rows, k + 1) {
                let v = values[i * columns + k]
                for j in 0..<width { q[i * width + j] -= v * products[j] }
            }
        }
    }
}
