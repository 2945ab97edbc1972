import Dataflow
import Testing
import Training

/// Three steps of every rule over a table of which rows are gathered, with the numbers of TensorFlow 2.21's optimizers of
/// the same name (`tf.compat.v1.train`, of the same settings; AdamW's are Keras's).
struct RowRow: Sendable, CustomTestStringConvertible {
    let title: String
    /// After three steps on Σw².
    let dense: [Double]
    /// After three steps on a sum over the rows 2, 0 and 2 again, and 1 and 2 in another gather.
    let rows: [Double]?
    var clipNorm: Double?

    var testDescription: String { clipNorm == nil ? title : "\(title), clipped" }
    var rule: any Optimizer { OptimizerRow.all.first { $0.title == title }!.rule }

    static let all: [RowRow] = [
        RowRow(
            title: "gradient descent", dense: [0.512, -1.024, 0.128, 0.256, -0.768, 0.384, 1.536, -0.256],
            rows: [0.512, -1.024, 0.616, 0.744, 0.216, 0.36, 3, -0.5]),
        RowRow(
            title: "momentum", dense: [0.062, -0.124, 0.0155, 0.031, -0.093, 0.0465, 0.186, -0.031],
            rows: [0.062, -0.124, 0.9535, 0.969, 1.899, -0.0225, 3, -0.5]),
        RowRow(
            title: "Nesterov",
            dense: [
                -0.10835198, 0.21670397, -0.02708800, -0.05417599, 0.16252798, -0.08126399, -0.32505595, 0.05417599,
            ], rows: [-0.10835198, 0.21670397, 1.08126399, 1.05417599, 0.89078395, 0.20664001, 3, -0.5]),
        RowRow(
            title: "Adagrad",
            dense: [
                0.78229919, -1.77629664, 0.08411645, 0.29751962, -1.27816195, 0.53694320, 2.77457201, -0.29751962,
            ], rows: [0.78229919, -1.77629664, 0.46305680, 0.70248038, -1.27629028, 0.54660120, 3, -0.5]),
        RowRow(
            title: "Adagrad", dense: [],
            rows: [0.84395939, -1.79813167, 0.38161119, 0.59770602, -1.27611803, 0.58838609, 3, -0.5], clipNorm: 1),
        RowRow(
            title: "RMSProp",
            dense: [
                0.38734479, -1.13180431, 0.06519846, 0.14620524, -0.72739345, 0.25281402, 2.03495290, -0.14620524,
            ], rows: [0.38734479, -1.13180431, 0.74718598, 0.85379476, -0.51298508, 0.23554923, 3, -0.5]),
        RowRow(
            title: "centered RMSProp",
            dense: [
                0.36853074, -1.07862014, 0.06468643, 0.14260004, -0.68972442, 0.24277576, 1.96264835, -0.14260004,
            ], rows: [0.36853074, -1.07862014, 0.75722424, 0.85739996, -0.43758735, 0.22884399, 3, -0.5]),
        RowRow(
            title: "Adam",
            dense: [
                0.70158733, -1.70062443, -0.03020734, 0.20487231, -1.20090392, 0.45245772, 2.70038256, -0.20487231,
            ], rows: [0.70158733, -1.70062443, 0.54754228, 0.79512769, -1.20069680, 0.45683602, 3, -0.5]),
        RowRow(
            title: "AdamW",
            dense: [
                0.68827199, -1.67234987, -0.03197993, 0.19910848, -1.18010259, 0.44290006, 2.65717285, -0.19910848,
            ], rows: nil),
        RowRow(
            title: "Adadelta",
            dense: [
                0.95188678, -1.95167166, 0.20329956, 0.45233462, -1.45174271, 0.70203349, 2.95160126, -0.45233462,
            ], rows: [0.95188678, -1.95167166, 0.29796654, 0.54766538, -1.45168934, 0.70248937, 3, -0.5]),
        RowRow(
            title: "FTRL",
            dense: [
                0.63625106, -1.62190645, 0.01330054, 0.17514819, -1.12625880, 0.39787613, 2.61798826, -0.17514819,
            ], rows: [0.63625106, -1.62190645, 0.41455605, 0.56805163, -1.23410519, 0.47413066, 3, -0.5]),
    ]
}

@Suite("Gradients of rows")
struct RowGradientTests {
    static let start = Tensor([[1, -2], [0.25, 0.5], [-1.5, 0.75], [3, -0.5]], dtype: .float64)

    private func trained(_ row: RowRow, _ loss: (Variable) -> Node) throws -> [Double] {
        let g = Graph()
        let w = g.variable(RowGradientTests.start, name: "w")
        let train = row.rule.minimize(loss(w), clipNorm: row.clipNorm)
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        for _ in 0..<3 { try session.execute(train) }
        return try session.value(of: w).doubles
    }

    private func loss(_ w: Variable) -> Node {
        let g = w.graph
        return sum(square(gather(w, g.constant([Int32(2), 0, 2]))))
            + sum(square(gather(w, g.constant([[1], [2]])) - 1))
    }

    @Test("every rule gives TensorFlow's numbers, for whole Variables and for rows", arguments: RowRow.all)
    func numbers(row: RowRow) throws {
        if !row.dense.isEmpty {
            let got = try trained(row) { sum(square($0)) }
            // TensorFlow's rates and betas are float32 numbers even where its Variables are float64.
            #expect(zip(got, row.dense).allSatisfy { abs($0 - $1) < 1e-5 }, "\(got)")
        }
        let rows = try trained(row, loss)
        if let expected = row.rows {
            #expect(zip(rows, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(rows)")
        }
        // Where rows without a gradient stay, and so for a rule that decays all, the whole gradient gives the same numbers.
        guard row.clipNorm == nil else { return }
        let whole = try trained(row) { loss($0) + 0 * sum(square($0)) }
        #expect(zip(rows.prefix(6), whole).allSatisfy { abs($0 - $1) < 1e-9 }, "\(rows) \(whole)")
    }

    @Test("rows come from gathers alone; the same Variable used otherwise has a whole gradient")
    func kinds() throws {
        let g = Graph()
        let w = g.variable(RowGradientTests.start, name: "w")
        let rows = GradientDescent().computeGradients(loss(w))[0].gradient
        guard case .rows(let slices) = rows else {
            Issue.record("expected rows")
            return
        }
        let dense = try #require(g.gradients(of: loss(w), by: [w])[0])
        let mixed = GradientDescent().computeGradients(loss(w) + sum(w))[0].gradient
        guard case .dense(let both) = mixed else {
            Issue.record("expected a whole tensor")
            return
        }
        let along = GradientDescent().computeGradients(sum(gather(w, g.constant([Int32(0)]), axis: 1)))[0].gradient
        if case .rows = along { Issue.record("a gather of columns has no rows") }
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let values = try session.run([slices.indices, slices.denseShape, slices.dense, dense, both])
        #expect(try values[0].doubles == [2, 0, 2, 1, 2] || values[0].doubles == [1, 2, 2, 0, 2])
        #expect(try values[1].doubles == [4, 2])
        #expect(values[2] == values[3])
        #expect(try zip(values[4].doubles, values[3].doubles).allSatisfy { $0 == $1 + 1 })
        let once = try session.run([slices.summingRepeated().indices, slices.summingRepeated().dense])
        #expect(once[0].elementCount == 3 && once[1] == values[3])
    }
}
