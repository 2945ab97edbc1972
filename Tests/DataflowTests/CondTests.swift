import Dataflow
import OperationCoverage
import Testing

/// Branches built by `cond`, with their gradients.
@Suite("Branches", .exercises(.branches))
struct CondTests {
    @Test("branches that draw random numbers make an If, which is not computed before the run")
    func stateful() throws {
        let g = Graph(seed: 1)
        let choice = g.placeholder(.bool, [])
        let y = cond(
            choice, then: { [g.randomUniform(shape: [4], min: 2, max: 3)] },
            else: { [g.constant([Float](repeating: 0, count: 4))] })[0]
        #expect(y.vertex.operation.name == "If")
        let session = try Session(g)
        let (first, second) = (
            try session.run(y, feeds: [choice: true]).doubles, try session.run(y, feeds: [choice: true]).doubles
        )
        #expect(first != second && (first + second).allSatisfy { (2..<3).contains($0) })
        #expect(try session.run(y, feeds: [choice: false]).doubles == [0, 0, 0, 0])
    }

    @Test("the branch taken is computed, with what it captures")
    func values() throws {
        let g = Graph()
        let (flag, x) = (g.placeholder(.bool, []), g.placeholder(.float64, [2]))
        let w = g.variable(Tensor([10.0, 20], dtype: .float64))
        let y = cond(flag, then: { [x * w, sum(x)] }, else: { [x, g.constant(7.0, dtype: .float64)] })
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let given: Feeds = [x: Tensor([1.0, 2], dtype: .float64)]
        let taken = try session.run(y, feeds: given.merging([flag: Tensor(true)]))
        #expect(try taken.map { try $0.doubles } == [[10, 40], [3]])
        let other = try session.run(y, feeds: given.merging([flag: Tensor(false)]))
        #expect(try other.map { try $0.doubles } == [[1, 2], [7]])
    }

    @Test("first and second derivatives, of either branch")
    func derivatives() throws {
        let g = Graph()
        let (flag, x) = (g.placeholder(.bool, []), g.placeholder(.float64, [2]))
        let y = cond(flag, then: { [x * x * x] }, else: { [sin(x)] })[0]
        let first = try #require(g.gradients(of: y, by: [x])[0])
        for choice in [true, false] {
            try LoopTests.checkGradient(y, by: x, at: [0.4, -1.2], feeds: [flag: Tensor(choice)])
            try LoopTests.checkGradient(first, by: x, at: [0.4, -1.2], feeds: [flag: Tensor(choice)])
        }
    }

    @Test("branches of different shapes yield what the run tells")
    func shapes() throws {
        let g = Graph()
        let (flag, x) = (g.placeholder(.bool, []), g.placeholder(.float64, [2]))
        let y = cond(flag, then: { [concat([x, x], axis: 0)] }, else: { [x] })[0]
        #expect(y.shape == [nil])
        let session = try Session(g)
        let given: Feeds = [x: Tensor([1.0, 2], dtype: .float64)]
        #expect(
            try session.run(sum(y), feeds: given.merging([flag: Tensor(true)])) == Tensor(6.0, dtype: .float64))
        #expect(
            try session.run(y, feeds: given.merging([flag: Tensor(false)])) == Tensor([1.0, 2], dtype: .float64))
    }

    @Test("a branch in a branch captures through both")
    func nested() throws {
        let g = Graph()
        let (a, b) = (g.placeholder(.bool, []), g.placeholder(.bool, []))
        let (x, z) = (g.placeholder(.float64, []), g.placeholder(.float64, []))
        let y = cond(a, then: { cond(b, then: { [x * z] }, else: { [x - z] }) }, else: { [z] })[0]
        let gradients = try g.gradients(of: y, by: [x, z]).map { try #require($0) }
        let session = try Session(g)
        func run(_ first: Bool, _ second: Bool) throws -> [[Double]] {
            try session.run(
                [y] + gradients,
                feeds: [
                    a: Tensor(first), b: Tensor(second), x: Tensor(3.0, dtype: .float64),
                    z: Tensor(5.0, dtype: .float64),
                ]
            ).map { try $0.doubles }
        }
        #expect(try run(true, true) == [[15], [5], [3]])
        #expect(try run(true, false) == [[-2], [1], [-1]])
        #expect(try run(false, true) == [[5], [0], [1]])
    }
}
