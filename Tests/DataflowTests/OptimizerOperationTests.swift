import Dataflow
import OperationCoverage
import Testing

/// The optimizers' steps against the same formulas computed here in float64.
@Suite("Optimizer operations", .exercises(.optimizers))
struct OptimizerOperationTests {
    struct Row: CustomTestStringConvertible {
        let operation: any Operation.Type
        let attributes: Attributes
        /// Starting values of the state: the Variable first.
        let state: [Double]
        /// The other inputs in order; nil stands for the gradient.
        let rest: [Double?]
        /// The state after a step with the gradient.
        let step: @Sendable ([Double], Double) -> [Double]
        var testDescription: String { "\(operation.name) \(attributes.values)" }
    }

    static let rows: [Row] = [
        Row(operation: ApplyGradientDescent.self, attributes: [:], state: [1], rest: [0.1, nil]) { [$0[0] - 0.1 * $1] },
        Row(operation: ApplyMomentum.self, attributes: [:], state: [1, 0.5], rest: [0.1, nil, 0.9]) { s, g in
            let accum = 0.9 * s[1] + g
            return [s[0] - 0.1 * accum, accum]
        },
        Row(
            operation: ApplyMomentum.self, attributes: ["use_nesterov": .bool(true)], state: [1, 0.5],
            rest: [0.1, nil, 0.9]
        ) { s, g in
            let accum = 0.9 * s[1] + g
            return [s[0] - 0.1 * (g + 0.9 * accum), accum]
        },
        Row(operation: ApplyAdagrad.self, attributes: [:], state: [1, 0.1], rest: [0.1, nil]) { s, g in
            let accum = s[1] + g * g
            return [s[0] - 0.1 * g / accum.squareRoot(), accum]
        },
        Row(operation: ApplyAdagradV2.self, attributes: [:], state: [1, 0.1], rest: [0.1, 0.01, nil]) { s, g in
            let accum = s[1] + g * g
            return [s[0] - 0.1 * g / (accum.squareRoot() + 0.01), accum]
        },
        Row(
            operation: ApplyRMSProp.self, attributes: [:], state: [1, 0.2, 0.3], rest: [0.1, 0.9, 0.5, 0.01, nil]
        ) { s, g in
            let ms = 0.9 * s[1] + 0.1 * g * g
            let mom = 0.5 * s[2] + 0.1 * g / (ms + 0.01).squareRoot()
            return [s[0] - mom, ms, mom]
        },
        Row(
            operation: ApplyCenteredRMSProp.self, attributes: [:], state: [1, 0.1, 0.2, 0.3],
            rest: [0.1, 0.9, 0.5, 0.01, nil]
        ) { s, g in
            let mg = 0.9 * s[1] + 0.1 * g
            let ms = 0.9 * s[2] + 0.1 * g * g
            let mom = 0.5 * s[3] + 0.1 * g / (ms - mg * mg + 0.01).squareRoot()
            return [s[0] - mom, mg, ms, mom]
        },
        Row(
            operation: ApplyAdam.self, attributes: [:], state: [1, 0.2, 0.3],
            rest: [0.9, 0.99, 0.1, 0.9, 0.99, 0.01, nil]
        ) { s, g in adam(s, g, isNesterov: false) },
        Row(
            operation: ApplyAdam.self, attributes: ["use_nesterov": .bool(true)], state: [1, 0.2, 0.3],
            rest: [0.9, 0.99, 0.1, 0.9, 0.99, 0.01, nil]
        ) { s, g in adam(s, g, isNesterov: true) },
        Row(
            operation: ApplyAdadelta.self, attributes: [:], state: [1, 0.2, 0.3], rest: [0.1, 0.9, 0.01, nil]
        ) { s, g in
            let accum = 0.9 * s[1] + 0.1 * g * g
            let change = g * ((s[2] + 0.01) / (accum + 0.01)).squareRoot()
            return [s[0] - 0.1 * change, accum, 0.9 * s[2] + 0.1 * change * change]
        },
        Row(
            operation: ApplyFtrl.self, attributes: [:], state: [1, 0.25, 0.3], rest: [nil, 0.1, 0.05, 0.02, -0.5]
        ) { s, g in
            let accum = s[1] + g * g
            let linear = s[2] + g - (accum.squareRoot() - s[1].squareRoot()) / 0.1 * s[0]
            let sign: Double = linear > 0 ? 1 : -1
            let next = (sign * 0.05 - linear) / (accum.squareRoot() / 0.1 + 0.04)
            return [linear.magnitude > 0.05 ? next : 0, accum, linear]
        },
    ]

    private static func adam(_ s: [Double], _ g: Double, isNesterov: Bool) -> [Double] {
        let m = 0.9 * s[1] + 0.1 * g
        let v = 0.99 * s[2] + 0.01 * g * g
        let alpha = 0.1 * (1 - 0.99).squareRoot() / (1 - 0.9)
        let direction = isNesterov ? 0.1 * g + 0.9 * m : m
        return [s[0] - alpha * direction / (v.squareRoot() + 0.01), m, v]
    }

    @Test("three steps are those of the formula, for shapes of one tile and more", arguments: rows, [1, 5, 3000])
    func steps(row: Row, count: Int) throws {
        let g = Graph()
        let gradients = (0..<count).map { Double($0 % 17 - 8) / 5 + 0.03 }
        let state = row.state.map { g.variable(Tensor([Double](repeating: $0, count: count))) }
        let rest = row.rest.map { value in value.map { g.constant($0) } ?? g.constant(gradients) }
        let step = g.add(row.operation, state.map(\.reference) + rest, row.attributes).node
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        var expected = gradients.map { _ in row.state }
        for _ in 0..<3 {
            try session.execute(step)
            expected = zip(expected, gradients).map { row.step($0, $1) }
        }
        for (i, variable) in state.enumerated() {
            let got = try session.value(of: variable).doubles
            for (a, b) in zip(got, expected.map { $0[i] }) {
                #expect((a - b).magnitude <= 1e-9 * Swift.max(1, b.magnitude), "state \(i)")
            }
        }
    }
}
