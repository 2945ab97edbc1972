import Dataflow
import Foundation
import Interchange
import Testing
import Training

@Suite("Graphs and sessions")
struct GraphTests {
    @Test("a graph written as GraphDef, read, and run")
    func graphDef() throws {
        let g = Graph(seed: 7)
        let x = g.placeholder(.float32, [nil, 3], name: "x")
        _ = identity(dense(x, units: 2, activation: .tanh), name: "y")
        _ = g.globalVariablesInitializer(name: "init")
        let folder = try Folder()
        let path = folder.file("graph.pb")
        try Data(GraphDefinition.encode(g)).write(to: URL(filePath: path))

        let rows = [[1, 2, 3], [4, 5, 6]]
        let session = try Session(g)
        try session.execute(g.node(named: "init"))
        let before = try session.run(g.node(named: "y"), feeds: [x: rows])
        let file = try GraphFile(path)
        try file.execute("init")
        let after = try file.run(["y"], feeds: ["x": Tensor([[1.0, 2, 3], [4, 5, 6]])])[0]
        #expect(after == before && after.shape == [2, 2])

        // Read into a graph that one builds on.
        let read = try GraphDefinition.decode([UInt8](Data(contentsOf: URL(filePath: path))))
        let twice = 2 * (try read.node(named: "y"))
        let other = try Session(read)
        try other.execute(read.node(named: "init"))
        #expect(try other.run(twice, feeds: [read.node(named: "x"): rows]).isClose(to: before * 2))
    }

    @Test("four threads on one Session")
    func threads() async throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil])
        let total = g.variable(0.0, name: "total")
        let add = total.assignAdd(sum(x))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { for _ in 0..<250 { try session.execute(add, feeds: [x: [1, 2, 3]]) } } }
            try await group.waitForAll()
        }
        #expect(try session.value(of: total).doubles == [6000])
    }

    @Test("control dependencies order what data does not")
    func controlDependencies() throws {
        let g = Graph()
        let counter = g.variable(1.0, name: "counter")
        let double = counter.assign(counter * 2)
        let after = g.controlDependencies([double]) { identity(counter.reference) }
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        for expected in [2.0, 4, 8] { #expect(try session.run(after).doubles == [expected]) }
    }

    @Test("a profile tells what each kind of operation takes")
    func profile() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [64, 64])
        let y = matmul(x, matmul(x, x))
        let profile = Profile()
        _ = try Session(g).run(y, feeds: [x: Tensor(repeating: 1.0, shape: [64, 64])], profile: profile)
        let products = try #require(profile.byOperation.first { $0.operation == "MatMul" })
        #expect(products.count == 2 && products.seconds > 0)
    }

    @Test("mistakes name both shapes, and the line of the program")
    func mistakes() throws {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 2])
        let line = #line + 1
        let wrong = matmul(x, g.constant([1.0, 2, 3]))
        let error = #expect(throws: GraphError.self) { try Session(g).run(wrong, feeds: [:]) }
        #expect(error?.description.contains("[3]") == true && error?.location?.line == UInt(line))
    }
}
