import Dataflow
import Testing

/// Operations over Variables, which have no vectors of their own.
@Suite("Updates of Variables")
struct UpdateTests {
    @Test("AssignAdd and AssignSub change the memory and yield the new value")
    func addAndSubtract() throws {
        let g = Graph()
        let x = g.variable(Tensor([Float(1), 2]))
        let more = x.assignAdd(g.constant([Float(10), 20]))
        let less = x.assignSub(g.constant([Float(1), 1]))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(more) == Tensor([Float(11), 22]))
        #expect(try session.run(less) == Tensor([Float(10), 21]))
        #expect(try session.value(of: x) == Tensor([Float(10), 21]))
    }

    @Test("IsVariableInitialized tells before and after the initialiser")
    func isInitialized() throws {
        let g = Graph()
        let x = g.variable(1)
        let told = g.add(IsVariableInitialized.self, [x.reference]).node
        let session = try Session(g)
        #expect(try session.run(told) == Tensor(false))
        try session.execute(g.globalVariablesInitializer())
        #expect(try session.run(told) == Tensor(true))
    }

    @Test("StopGradient passes the value and no gradient")
    func stop() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [])
        let y = x * stopGradient(x)
        let gradient = try #require(g.gradients(of: y, by: [x])[0])
        #expect(try Session(g).run([y, gradient], feeds: [x: Tensor(Float(3))]).map(\.doubles) == [[9], [3]])
    }
}
