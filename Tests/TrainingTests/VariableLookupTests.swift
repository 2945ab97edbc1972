import Dataflow
import Testing
import Training

@Suite("Variables by name and scope")
struct VariableLookupTests {
    func graph() -> (graph: Graph, loss: Node) {
        let g = Graph()
        let x = g.placeholder(.float32, [nil, 3], name: "x")
        let h = dense(x, units: 2, name: "encoder")
        let norm = g.scope("model") { batchNormalization(dense(h, units: 2), training: true) }
        return (g, sum(square(dense(norm, units: 1, name: "encoder_1") - 1)))
    }

    @Test("a Variable is found by its name")
    func named() throws {
        let (g, _) = graph()
        for name in ["encoder/kernel", "model/dense/bias", "model/batch_normalization/moving_mean"] {
            #expect(try g.variable(named: name).name == name)
            #expect(try g.variable(named: name + ":0").name == name)
        }
    }

    @Test(
        "another name is told with the nearest one, and the user's line",
        arguments: [
            ("encoder/kernal", "did you mean 'encoder/kernel'"), ("Encoder/Kernel", "did you mean 'encoder/kernel'"),
            ("bias", "did you mean 'encoder/bias'"), ("gamma", "did you mean 'model/batch_normalization/gamma'"),
            ("something quite different", "its Variables are encoder/kernel, encoder/bias"),
        ])
    func nearest(name: String, hint: String) {
        let (g, _) = graph()
        let line: UInt = #line + 1
        let error = #expect(throws: GraphError.self) { try g.variable(named: name) }
        #expect(error?.description.contains("no Variable named '\(name)'") == true)
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
        #expect(error?.location?.line == line)
        let none = #expect(throws: GraphError.self) { try Graph().variable(named: name) }
        #expect(none?.description.contains("it has no Variables") == true)
    }

    @Test("a scope has its own Variables alone")
    func scopes() {
        let (g, _) = graph()
        #expect(g.variables(in: "encoder").map(\.name) == ["encoder/kernel", "encoder/bias"])
        #expect(g.variables(in: "model/").count == 6)
        #expect(
            g.trainableVariables(in: "model").map(\.name) == [
                "model/dense/kernel", "model/dense/bias", "model/batch_normalization/gamma",
                "model/batch_normalization/beta",
            ])
        #expect(g.variables(in: "").count == g.variables.count)
        #expect(g.variables(in: "enc").isEmpty && g.variables(in: "nothing").isEmpty)
    }

    @Test("minimize changes the Variables of a scope alone")
    func minimize() throws {
        let (g, loss) = graph()
        let train = GradientDescent(learningRate: 0.1).minimize(loss, variables: g.trainableVariables(in: "encoder_1"))
        let session = try Session(g)
        try session.execute(g.globalVariablesInitializer())
        let before = try g.variables.map { try session.value(of: $0) }
        try session.execute(train, feeds: [try g.node(named: "x"): [[1, 2, 3], [4, 6, 5], [-2, 0, 1]]])
        for (variable, value) in zip(g.variables, before) {
            #expect((try session.value(of: variable) != value) == variable.name.hasPrefix("encoder_1/"))
        }
    }
}
