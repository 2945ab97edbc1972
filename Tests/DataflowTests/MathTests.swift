import Dataflow
import Foundation
import OperationCoverage
import Testing

/// Operations of mathematics that have no vectors, against closed forms and central differences.
@Suite("Mathematics without vectors", .exercises(.mathematics))
struct MathTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let operation: any Dataflow.Operation.Type
        let points: [Double]
        let value: @Sendable (Double) -> Double
        let derivative: @Sendable (Double) -> Double
        var testDescription: String { operation.name }
    }

    static let rows: [Row] = [
        Row(
            operation: Acosh.self, points: [1.001, 1.5, 2, 10, 1e6],
            value: { Foundation.log($0 + ($0 * $0 - 1).squareRoot()) }, derivative: { 1 / ($0 * $0 - 1).squareRoot() }),
        Row(
            operation: Inv.self, points: [-3, -0.25, 0.5, 1, 8], value: { 1 / $0 },
            derivative: { -1 / ($0 * $0) }),
        Row(
            operation: Reciprocal.self, points: [-3, -0.25, 0.5, 1, 8], value: { 1 / $0 },
            derivative: { -1 / ($0 * $0) }),
    ]

    @Test("values and gradients are those of the formula", arguments: rows, [DType.float32, .float64])
    func formula(row: Row, dtype: DType) throws {
        let g = Graph()
        let x = g.constant(Tensor.numbers(row.points, dtype: dtype, sized: [row.points.count]))
        let y = g.add(row.operation, [x]).node
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        let results = try Session(g).run([y, gradient]).map { try $0.doubles }
        // Next to 1 float32 has few digits left of x² − 1.
        let tolerance = dtype == .float32 ? 1e-3 : 1e-9
        #expect(isClose(results[0], row.points.map(row.value), tolerance))
        #expect(isClose(results[1], row.points.map(row.derivative), tolerance))
    }

    @Test("Acosh is not a number below 1")
    func acoshDomain() throws {
        let g = Graph()
        let values = try Session(g).run(acosh(g.constant([Float(1), 0.5, -2]))).doubles
        #expect(values[0] == 0 && values[1].isNaN && values[2].isNaN)
    }

    @Test("InvGrad and ReciprocalGrad are −dy y², and so are their gradients")
    func reciprocalGradients() throws {
        for operation in [InvGrad.self, ReciprocalGrad.self] as [any Dataflow.Operation.Type] {
            let g = Graph()
            let y = g.constant([2.0, -0.5], dtype: .float64)
            let dy = g.constant([3.0, 4], dtype: .float64)
            let out = g.add(operation, [y, dy]).node
            let gradients = g.gradients(of: out, by: [y, dy]).compactMap { $0 }
            let results = try Session(g).run([out] + gradients).map { try $0.doubles }
            #expect(results == [[-12, -1], [-12, 4], [-4, -0.25]], "\(operation.name)")
        }
    }

    @Test("Polygamma at points whose values are known")
    func polygamma() throws {
        let zeta3 = 1.202056903159594
        let rows: [(order: Double, x: Double, value: Double)] = [
            (0, 1, -0.5772156649015329), (1, 1, .pi * .pi / 6), (1, 0.5, .pi * .pi / 2), (2, 1, -2 * zeta3),
            (3, 1, Foundation.pow(.pi, 4) / 15), (1, 2, .pi * .pi / 6 - 1),
        ]
        let g = Graph()
        let order = g.constant(rows.map(\.order))
        let x = g.constant(rows.map(\.x))
        let out = g.add(Polygamma.self, [order, x]).node
        let gradients = g.gradients(of: out, by: [order, x])
        #expect(gradients[0] == nil)
        let slope = try #require(gradients[1])
        let next = g.add(Polygamma.self, [order + 1, x]).node
        let results = try Session(g).run([out, slope, next]).map { try $0.doubles }
        #expect(isClose(results[0], rows.map(\.value), 1e-12))
        #expect(results[1] == results[2])
    }

    private func isClose(_ got: [Double], _ expected: [Double], _ tolerance: Double) -> Bool {
        got.count == expected.count
            && zip(got, expected).allSatisfy { abs($0 - $1) <= tolerance * Swift.max(1, abs($1)) }
    }
}
