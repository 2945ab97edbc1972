import Dataflow
import Testing

/// Swift values beside nodes, in operators and functions.
@Suite("Swift values beside nodes")
struct ScalarTests {
    private let g = Graph()

    private func value(_ node: Node) throws -> [Double] { try Session(node.graph).run(node).doubles }

    /// One statement for each, as a program has them: the type checker sees one expression at a time.
    private func check(_ node: Node, _ expected: [Double], _ dtype: DType? = nil, line: Int = #line) throws {
        #expect(dtype == nil || node.dtype == dtype, "line \(line)")
        #expect(try value(node) == expected, "line \(line)")
    }

    @Test(
        "operators take Float, Double and Int on both sides, in the node's dtype", arguments: [DType.float32, .float64])
    func operators(dtype: DType) throws {
        let x = cast(g.constant([Float(2), 4]), to: dtype)
        let (half, quarter, k) = (Float(0.5), 0.25, 3)
        try check(x * half, [1, 2], dtype)
        try check(half * x, [1, 2], dtype)
        try check(x + quarter, [2.25, 4.25], dtype)
        try check(quarter - x, [-1.75, -3.75], dtype)
        try check(x * k, [6, 12], dtype)
        try check(k - x, [1, -1], dtype)
        try check(k / x, [1.5, 0.75], dtype)
        try check(x / 4, [0.5, 1], dtype)
        try check(2 * x + 1, [5, 9], dtype)
        try check(1 - x, [-1, -3], dtype)
        try check(x % k, [2, 1], dtype)
        try check(-x * -2, [4, 8], dtype)
        try check(x + [1, 2], [3, 6], dtype)
        try check(x * Tensor(half), [1, 2], dtype)
    }

    @Test("a quotient of literals is a fraction, in operators and functions")
    func fractions() throws {
        let x = g.constant([8.0, 64], dtype: .float64)
        let v = g.variable(Tensor(Float(8)))
        let any: any Operand = x
        #expect(try value(x * (1 / 2)) == [4, 32])
        #expect(try value(1 / 2 * x) == [4, 32])
        #expect(try value(any * (1 / 2)) == [4, 32])
        #expect(try value(pow(x, 1 / 3)).map { ($0 * 1e9).rounded() / 1e9 } == [2, 4])
        #expect(try value(less(x, 17 / 2)) == [1, 0])
        #expect(try value(x .< 17 / 2) == [1, 0])
        let session = try Session(g)
        try session.execute(v.initializer)
        #expect(try session.run(v.assignAdd(1 / 2)).doubles == [8.5])
        #expect(try session.run(v * (1 / 2)).doubles == [4.25])
    }

    @Test("numbers of Swift's alone stay Swift's")
    func plainNumbers() {
        let product = 2 * 3.0
        let sum = 1 + 2 * 3 - 4 / 2
        #expect(type(of: product) == Double.self && product == 6)
        #expect(type(of: sum) == Int.self && sum == 5)
    }

    @Test("long chains of nodes, Variables and literals have one meaning")
    func chains() throws {
        let (x, y) = (g.constant([2.0], dtype: .float64), g.constant([3.0], dtype: .float64))
        let (a, b, k) = (g.constant([0.5], dtype: .float64), 1.5, 2)
        try check(a * x * x + b * x - 0.5 * (y - 1) / 2, [4.5])
        let quotient = Double(k) / b * (x + 1) * (1 - x) / (1 + y) * 2 / 3
        try check(round((b * b * x + Double(k) * x - quotient) * 6), [55])
        try check(1 * x + 2 * y + 3 * x + 4 * y + 5 * x + 6 * y + 7 * x + 8 * y + 9 * x + 10 * y, [140])
        try check(0.5 * x * (1 + x * 0.75 * (x + 0.25 * x * x * x)), [7])
        var total = x
        total += 2 * y
        total -= 1
        total *= k
        total /= y
        #expect(try value(total) == [14.0 / 3])
    }

    @Test("functions of two nodes take a number for either, Foundation's of the same name or not")
    func functions() throws {
        let x = g.constant([Float(1), 4])
        let n = g.constant([Int32(7), -7])
        let (two, half) = (2, Float(0.5))
        try check(pow(x, 2), [1, 16])
        try check(pow(2, x), [2, 16])
        try check(pow(x, two), [1, 16])
        try check(pow(x, half), [1, 2])
        try check(maximum(x, 2), [2, 4])
        try check(maximum(2, x), [2, 4])
        try check(minimum(two, x), [1, 2])
        try check(less(x, 2), [1, 0])
        try check(greaterEqual(x, two), [0, 1])
        try check(equal(x, 4), [0, 1])
        try check(notEqual(1, x), [0, 1])
        try check(floorDiv(n, 2), [3, -4])
        try check(floorMod(n, two), [1, 1])
        try check(n % 4, [3, 1])
        try check(squaredDifference(x, 2), [1, 4])
        try check(select(x .> 2, x, 0), [0, 4])
        try check(select(x .> 2, 0, x), [1, 0])
        try check(select(x .> 2, 1, 0), [0, 1])
        try check(select(x .> 2, two, 5), [5, 2])
        try check(clip(x, 2, 3), [2, 3])
        try check(clip(x, two, half + 2), [2, 2.5])
        try check(clip(n, -1, 1), [1, -1])
        try check(divNoNan(x, 0), [0, 0])
        try check(truncateDiv(n, 2), [3, -3])
        try check(bitwiseAnd(n, 3), [3, 1])
        try check(sub(x, half), [0.5, 3.5])
        try check(div(1, x), [1, 0.25])
        try check(mul(x, [2, 3]), [2, 12])
        try check(equal(g.constant(["a", "b"]), "a"), [1, 0])
        try check(equal(x .> 2, true), [0, 1])
        try check(logicalOr(x .> 2, true), [1, 1])
        #expect(atan2(x, 1).dtype == .float32)
        #expect(select(x .> 2, 1, 0).dtype == .float32)
    }

    @Test("the number may stand first or second")
    func bothSides() throws {
        let x = g.constant([Float(1), 4])
        let n = g.constant([Int32(7), -7])
        try check(add(x, 2), [3, 6])
        try check(add(2, x), [3, 6])
        try check(sub(x, 1), [0, 3])
        try check(sub(5, x), [4, 1])
        try check(mul(x, 2), [2, 8])
        try check(mul(2, x), [2, 8])
        try check(div(x, 2), [0.5, 2])
        try check(less(2, x), [0, 1])
        try check(lessEqual(x, 1), [1, 0])
        try check(lessEqual(4, x), [0, 1])
        try check(greater(x, 1), [0, 1])
        try check(greater(4, x), [1, 0])
        try check(greaterEqual(x, 4), [0, 1])
        try check(greaterEqual(4, x), [1, 1])
        try check(equal(4, x), [0, 1])
        try check(notEqual(x, 1), [0, 1])
        try check(squaredDifference(3, x), [4, 1])
        try check(minimum(x, 2), [1, 2])
        try check(minimum(2, x), [1, 2])
        try check(floorDiv(9, x), [9, 2])
        try check(floorMod(x, 3), [1, 1])
        try check(floorMod(9, x), [0, 1])
        try check(truncateDiv(15, n), [2, -2])
        try check(truncateMod(n, 4), [3, -3])
        try check(truncateMod(15, n), [1, 1])
        try check(divNoNan(8, x), [8, 2])
        try check(mulNoNan(x, 2), [2, 8])
        try check(mulNoNan(2, x), [2, 8])
        try check(xlogy(x, 1), [0, 0])
        try check(xlogy(0, x), [0, 0])
        try check(xlog1py(x, 0), [0, 0])
        try check(xlog1py(0, x), [0, 0])
        try check(xdivy(x, 2), [0.5, 2])
        try check(xdivy(8, x), [8, 2])
        try check(round(100 * zeta(2, x)), [164, 28])
        try check(round(100 * zeta(x + 1, 1)), [164, 104])
        try check(round(100 * atan2(x, 1)), [79, 133])
        try check(atan2(0, x), [0, 0])
    }

    @Test("the same functions take two nodes")
    func nodes() throws {
        let (x, y) = (g.constant([Float(1), 4]), g.constant([Float(1), 2]))
        let (n, k) = (g.constant([Int32(7), -7]), g.constant([Int32(2), 2]))
        try check(truncateDiv(n, k), [3, -3])
        try check(truncateMod(n, k), [1, -1])
        try check(mulNoNan(x, y), [1, 8])
        try check(xlogy(x - y, x), try value((x - y) * log(x)))
        try check(xlog1py(x - x, y), [0, 0])
        try check(xdivy(x, y), [1, 2])
        try check(round(100 * zeta(x + 1, y)), [164, 4])
        try check(atan2(x - x, y), [0, 0])
    }

    @Test("remainders, and updates of a node in place, take nodes, Variables and numbers")
    func remaindersAndUpdates() throws {
        let x = g.constant([Float(5), 7])
        let v = g.variable(Tensor(Float(4)))
        let k = 3
        try check(x % 3, [2, 1])
        try check(9 % x, [4, 2])
        try check(k % x, [3, 3])
        try check(x % x, [0, 0])
        let session = try Session(g)
        try session.execute(v.initializer)
        #expect(try session.run(x % v).doubles == [1, 3])
        #expect(try session.run(v - x).doubles == [-1, -3])
        #expect(try session.run(20 / v / x).doubles == [1, Double(Float(5) / 7)])
        var total = x
        total += 1
        total += k
        total += v
        total -= 2
        total -= k
        total -= v
        total *= 2
        total *= v
        total /= 4
        total /= k
        #expect(try session.run(total).doubles == [Double(Float(32) / 4 / 3), Double(Float(48) / 4 / 3)])
        #expect(try session.run(v.assignSub(1)).doubles == [3])
    }

    @Test("Variables take numbers")
    func variables() throws {
        let count = g.variable(Tensor(Int64(5)))
        let step = 2
        let session = try Session(g)
        try session.execute(count.initializer)
        #expect(try session.run(count.assignAdd(1)).doubles == [6])
        #expect(try session.run(count.assignSub(step)).doubles == [4])
        #expect(try session.run(count.assign(0)).doubles == [0])
    }

    @Test("gradients flow past numbers")
    func gradients() throws {
        let x = g.constant([3.0], dtype: .float64)
        let y = pow(x, 2) * 2 + maximum(x, 1) / 4 - Float(0.5) * x
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        #expect(try value(gradient) == [11.75])
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        let text: String
        let build: @Sendable (Graph) -> Node
        var testDescription: String { text }
    }

    static let wrong: [Mistake] = [
        Mistake(text: "0.5 is no int32") { $0.constant([Int32(1)]) * 0.5 },
        Mistake(text: "0.5 is no int32") { Float(0.5) + $0.constant([Int32(1)]) },
        Mistake(text: "3000000000 is no int32") { maximum($0.constant([Int32(1)]), 3_000_000_000) },
        Mistake(text: "-1 is no uint8") { $0.constant([UInt8(1)]) + -1 },
        Mistake(text: "may have been rounded") { $0.constant([Int64(1)]) + 9_007_199_254_740_994 },
        Mistake(text: "no float32") { $0.constant([Float(1)]) * 1e300 },
        Mistake(text: "no text") { $0.placeholder(.string, []) + 1 },
        Mistake(text: "is no float32") { equal($0.constant([Float(1)]), "a") },
        Mistake(text: "only numbers") { pow(2, $0.constant([Float(1)])) + maximum(1, 2) },
    ]

    @Test("what the dtype cannot hold is a mistake with its place", arguments: wrong)
    func inexact(mistake: Mistake) throws {
        let graph = Graph()
        let wrong = mistake.build(graph)
        _ = identity(wrong)
        let error = #expect(throws: GraphError.self) { try graph.validate() }
        #expect(error?.description.contains(mistake.text) == true, "\(error?.description ?? "")")
        #expect(error?.location?.file == #fileID)
    }

    @Test("a function's mistake has the line of its call")
    func line() throws {
        let n = g.constant([Int32(1)])
        let line: UInt = #line + 1
        _ = pow(n, 0.5)
        let error = #expect(throws: GraphError.self) { try g.validate() }
        #expect(error?.location == SourceLocation(file: #fileID, line: line))
    }

    @Test("an Int64 beyond 2^53 is exact as an Int")
    func wide() throws {
        let x = g.constant([Int64(0)])
        let wide = 9_007_199_254_740_993
        let sum = try Session(g).run(x + wide)
        #expect(sum == Tensor([Int64(wide)]))
    }

    @Test("an empty list is a mistake of what uses the result")
    func empty() throws {
        let x = g.constant([Float(1)])
        for node in [addN([]), stack([]), concat([], axis: 0), einsum("i->i", [])] {
            let graph = Graph()
            _ = graph.constant(Float(1)) + node
            #expect(throws: GraphError.self) { try graph.validate() }
        }
        _ = x
    }
}
