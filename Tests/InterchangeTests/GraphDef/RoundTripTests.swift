import Dataflow
import Interchange
import Schemas
import SwiftProtobuf
import Testing

@Suite("Graphs as GraphDef")
struct RoundTripTests {
    @Test("a training graph that was written and read trains to the same bits")
    func training() throws {
        let graph = TrainingGraph().graph
        let copy = try GraphDefinition.decode(GraphDefinition.encode(graph))
        let expected = try TrainingGraph.outcome(of: graph)
        #expect(try expected.last?.scalar(Int64.self) == 10)
        #expect(try TrainingGraph.outcome(of: copy) == expected)
    }

    @Test("names, operations, attributes, inputs, control inputs, devices and shapes stay")
    func structure() throws {
        let graph = TrainingGraph().graph
        let copy = try GraphDefinition.decode(GraphDefinition.encode(graph))
        #expect(copy.vertices.map(\.name) == graph.vertices.map(\.name))
        for (a, b) in zip(graph.vertices, copy.vertices) {
            #expect(a.operation.name == b.operation.name)
            #expect(a.attributes == b.attributes)
            #expect(a.inputs.map(\.name) == b.inputs.map(\.name))
            #expect(a.controls.map(\.name) == b.controls.map(\.name))
            #expect(a.device == b.device)
            #expect(a.outputs == b.outputs)
        }
        #expect(graph.vertices.contains { !$0.controls.isEmpty } && graph.vertices.contains { $0.device.task == 1 })
        #expect(graph.vertices.contains { $0.inputs.contains { $0.output > 0 } })
    }

    @Test("loops and branches with their gradients stay what they are, to the byte")
    func functions() throws {
        let g = Graph()
        let (x, flag) = (g.placeholder(.float64, [2], name: "x"), g.placeholder(.bool, [], name: "flag"))
        let loop = whileLoop(
            [g.constant(Int32(0)), x], while: { less($0[0], g.constant(Int32(3))) },
            do: { values in
                [values[0] + 1, cond(flag, then: { [sin(values[1]) * x] }, else: { [values[1] * x] })[0]]
            })[1]
        let gradient = identity(try #require(g.gradients(of: loop, by: [x])[0]), name: "slope")
        let bytes = try GraphDefinition.encode(g)
        let copy = try GraphDefinition.decode(bytes)
        #expect(try GraphDefinition.encode(copy) == bytes)
        for choice in [true, false] {
            let values = [Tensor([0.3, -1.1], dtype: .float64), Tensor(choice)]
            let mine = try Session(g).run(gradient, feeds: [x: values[0], flag: values[1]])
            let theirs = try Session(copy).run(
                copy.node(named: "slope"),
                feeds: [copy.node(named: "x"): values[0], copy.node(named: "flag"): values[1]])
            #expect(mine == theirs)
        }
        #expect(try GraphDefinition.fingerprint(g) == GraphDefinition.fingerprint(copy))
    }

    @Test("the Variables of a file are Variables, trainable if an optimizer writes them")
    func variables() throws {
        let graph = TrainingGraph().graph
        let copy = try GraphDefinition.decode(GraphDefinition.encode(graph))
        #expect(copy.variables.map(\.name) == ["layer1/w", "layer1/b", "layer2/w", "global_step"])
        #expect(copy.trainableVariables.map(\.name) == ["layer1/w", "layer1/b", "layer2/w"])
        for (a, b) in zip(graph.variables, copy.variables) {
            #expect(a.initializer.name == b.initializer.name)
            #expect(a.value.name == b.value.name)
        }
    }

    @Test("the same graph gives the same bytes; nodes in any order give the same graph")
    func order() throws {
        let bytes = try GraphDefinition.encode(TrainingGraph().graph)
        #expect(try GraphDefinition.encode(TrainingGraph().graph) == bytes)
        #expect(try GraphDefinition.encode(GraphDefinition.decode(bytes)) == bytes)
        var definition = try TFGraphDef(serializedBytes: bytes)
        definition.node.reverse()
        let reversed = try GraphDefinition.decode(definition.serializedBytes())
        #expect(try TrainingGraph.outcome(of: reversed) == TrainingGraph.outcome(of: GraphDefinition.decode(bytes)))
    }

    @Test("a part of a graph is written alone, unless it needs something that is left out")
    func part() throws {
        let graph = TrainingGraph().graph
        let layer = graph.vertices.filter { $0.name.hasPrefix("layer1/") && !$0.name.contains("grad") }
        let copy = try GraphDefinition.decode(GraphDefinition.encode(graph, vertices: layer.reversed()))
        #expect(copy.vertices.map(\.name) == layer.map(\.name))
        let error = #expect(throws: GraphError.self) {
            try GraphDefinition.encode(graph, vertices: [graph.node(named: "layer1/w/read").vertex])
        }
        #expect(error?.message.contains("'layer1/w'") == true)
    }

    @Test("a file is added to a graph that has other nodes, whatever the scope")
    func into() throws {
        let graph = Graph()
        let two = graph.constant(Float(2), name: "two")
        let bytes = try GraphDefinition.encode(TrainingGraph().graph)
        _ = try graph.device("/cpu:0") {
            try graph.scope("outer") { try GraphDefinition.decode(bytes, into: graph) }
        }
        let doubled = try graph.node(named: "loss") * two
        #expect(graph.vertex(named: "x")?.device.isEmpty == true)
        #expect(doubled.shape == [])
        #expect(throws: GraphError.self) { try GraphDefinition.decode(bytes, into: graph) }
    }

    @Test("every dtype, and values that are not finite, stay to the bit", arguments: DType.all)
    func dtypes(_ dtype: DType) throws {
        let graph = Graph()
        let value = Tensor.numbers([0, 1, 2, 3, 100, 255], dtype: dtype, sized: [2, 3])
        _ = graph.constant(value, name: "c")
        _ = graph.constant(Tensor.zeros(dtype, sized: [0, 2]), name: "empty")
        _ = graph.constant(Tensor([Float.nan, -.infinity, -0.0]), name: "odd")
        _ = graph.placeholder(dtype, [nil, 3], name: "x")
        _ = graph.placeholder(dtype, name: "y")
        let copy = try GraphDefinition.decode(GraphDefinition.encode(graph))
        for (a, b) in zip(graph.vertices, copy.vertices) {
            #expect(a.attributes == b.attributes)
            #expect(a.outputs == b.outputs)
        }
    }
}
