import Dataflow
import Testing
import Training

/// e^(−x²), element by element: one expression, from which the CPU's loop, the fused loop and the GPU's text come.
private enum Gaussian: ElementwiseOperation {
    static let signature = Signature.unary(DType.floats)
    static func expression(_ x: [Expression], _ attributes: Attributes) -> Expression { .apply(.exp, -(x[0] * x[0])) }
    static func gradient(_ node: GradientContext) -> [Node?] {
        [node.upstream() * node.output() * node.input(0) * -2.0]
    }
}

/// How far each row is from `center`: [rows, width] and [width] → [rows], with a kernel of its own.
private enum Distances: Dataflow.Operation, FloatKernel {
    static let signature = Signature(["x": "T", "center": "T"], to: ["y": "T"], types: ["T": DType.floats])

    static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (x, center) = (try node.shape(0, rank: 2, "x"), try node.shape(1, rank: 1, "center"))
        guard Shape([x[1]]).isCompatible(with: center) else {
            throw GraphError("x \(x) and center \(center) must be of one width")
        }
        return [[x[0]]]
    }

    static func gradient(_ node: GradientContext) -> [Node?] {
        let away = node.input(0) - node.input(1)
        let x = away * expandDims(node.upstream() / node.output(), axis: 1)
        return [x, -sum(x, axes: [0])]
    }

    static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.inputs[0].dtype)
    }

    static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let (x, center, y) = (binding.input(0), binding.input(1), binding.output())
        let (rows, width) = (binding.outputCount(), binding.count(1))
        return { memory in
            let (x, center, y) = (memory.pointer(x, type), memory.pointer(center, type), memory.pointer(y, type))
            for row in 0..<rows {
                var total: Scalar = 0
                for i in 0..<width {
                    let away = x[row * width + i] - center[i]
                    guard !away.isNaN else { throw GraphError("row \(row) is not a number") }
                    total += away * away
                }
                y[row] = total.squareRoot()
            }
        }
    }
}

private func distances(
    _ x: any Operand, _ center: any Operand, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.graph.add(
        Distances.self, [x.node, center.node], location: SourceLocation(file: file, line: line)
    ).output(0)
}

@Suite("Operations of a program's own")
struct OwnOperationTests {
    @Test("an expression runs, fuses and has gradients of gradients")
    func expression() throws {
        let g = Graph()
        let x = g.constant([0.0, 0.5, -1], dtype: .float64)
        let y = g.add(Gaussian.self, [x]).output(0)
        let slope = try #require(g.gradients(of: sum(y), by: [x])[0])
        let curvature = try #require(g.gradients(of: sum(slope), by: [x])[0])
        for plan in [SessionOptions(), SessionOptions(plan: .reference)] {
            let values = try Session(g, options: plan).run([y, slope, curvature]).map(\.knownDoubles)
            for (i, x) in [0.0, 0.5, -1].enumerated() {
                // e^(−x²) by its series.
                var (value, term) = (1.0, 1.0)
                for n in 1..<40 {
                    term *= -x * x / Double(n)
                    value += term
                }
                #expect(Swift.abs(values[0][i] - value) < 1e-12)
                #expect(Swift.abs(values[1][i] + 2 * x * value) < 1e-12)
                #expect(Swift.abs(values[2][i] - (4 * x * x - 2) * value) < 1e-12)
            }
        }
    }

    @Test("a kernel of one's own trains a Variable", arguments: [DType.float32, .float64])
    func kernel(dtype: DType) throws {
        let g = Graph()
        let points = g.placeholder(dtype, [nil, 2])
        let center = g.variable(.numbers([3, -4], dtype: dtype, sized: [2]), name: "center")
        let y = distances(points, center)
        #expect(y.shape == [nil])
        let loss = sum(y)
        let train = GradientDescent(learningRate: 0.5).minimize(loss)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let feeds: Feeds = [points: Tensor.numbers([0, 0, 3, -3], dtype: dtype, sized: [2, 2])]
        #expect(try session.run(y, feeds: feeds).knownDoubles == [5, 1])
        try session.execute(train, feeds: feeds)
        // (3, −4) − ½ · ((3, −4) / 5 + (0, −1))
        let moved = try session.value(of: center).knownDoubles
        #expect(Swift.abs(moved[0] - 2.7) < 1e-6 && Swift.abs(moved[1] + 3.1) < 1e-6)
    }

    @Test("its mistakes are told as the library's own are")
    func mistakes() throws {
        let g = Graph()
        let line: UInt = #line + 1
        _ = distances(g.placeholder(.float32, [4, 3]), g.placeholder(.float32, [2]))
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.node == "Distances 'Distances'" && error?.location?.line == line)
        #expect(error?.message == "x [4, 3] and center [2] must be of one width")
        let h = Graph()
        let y = distances(h.constant([[1.0], [.nan]]), h.constant([0.0]))
        let failure = #expect(throws: GraphError.self) { try Session(h).run(y) }
        #expect(failure?.node == "Distances 'Distances'" && failure?.message == "row 1 is not a number")
    }
}
