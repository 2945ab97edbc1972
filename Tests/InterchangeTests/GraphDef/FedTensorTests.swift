import Dataflow
import Foundation
import Interchange
import Schemas
import SwiftProtobuf
import Testing

@Suite("Fed tensors of files, and what is shown of them")
struct FedTensorTests {
    private let temporary = try! TemporaryFolder()

    private func node(
        _ name: String, _ op: String, _ inputs: [String] = [], _ types: [String: TFDataType] = ["T": .dtFloat]
    ) -> TFNodeDef {
        .with {
            $0.name = name
            $0.op = op
            $0.input = inputs
            for (key, type) in types { $0.attr[key] = .with { $0.type = type } }
        }
    }

    private func file(_ nodes: [TFNodeDef]) throws -> GraphSource {
        let definition = TFGraphDef.with { $0.node = nodes }
        return try GraphSource(temporary.write(try definition.serializedBytes() as [UInt8], "graph.pb"))
    }

    private func types(_ node: TFNodeDef, _ key: String, _ list: [TFDataType]) -> TFNodeDef {
        var node = node
        node.attr[key] = .with { $0.list.type = list }
        return node
    }

    @Test("what lies behind a fed tensor may be unknown, damaged or missing")
    func cut() throws {
        let pipeline = types(
            node("next", "IteratorGetNext", ["nowhere"], [:]), "output_types", [.dtFloat, .dtFloat])
        let source = try file([
            pipeline, node("a", "Neg", ["next"]), node("b", "Mul", ["a", "next:1"]),
            node("odd", "Unheard", ["next:7", "odd"]), node("c", "AddV2", ["b", "odd"]),
        ])
        let (x, y) = (Tensor([Float(1), 2]), Tensor([Float(3), 5]))
        let feeds = ["next:0": x, "next:1": y, "odd": x]
        let graph = try GraphFile(source, needed: ["c", "b:0", "next:1"], feeds: feeds.mapValues(\.dtype))
        let values = try graph.run(["c", "b:0", "next:1"], feeds: feeds)
        #expect(try values.map { try $0.array(of: Float.self) } == [[-2, -8], [-3, -10], [3, 5]])
        // Without a feed the operations are asked for.
        let error = #expect(throws: GraphError.self) {
            try GraphFile(source, needed: ["b"], feeds: ["next": .float32])
        }
        #expect(error?.description.contains("IteratorGetNext") == true)
        let missing = #expect(throws: GraphError.self) {
            try GraphFile(source, needed: ["b"], feeds: ["nix": .float32])
        }
        #expect(missing?.description.contains("no node named 'nix'") == true)
    }

    @Test("a fed placeholder keeps its type, and waiting for it is waiting for nothing else")
    func placeholders() throws {
        let shape = TFTensorShapeProto.with { $0.dim = [.with { $0.size = 2 }] }
        var fed = node("x", "PlaceholderWithDefault", ["unknown"], ["dtype": .dtFloat])
        fed.attr["shape"] = .with { $0.shape = shape }
        let source = try file([node("unknown", "Unheard", [], [:]), fed, node("y", "Neg", ["x", "^x"])])
        let graph = try GraphFile(source, needed: ["y"], feeds: ["x": .int32])
        #expect(try graph.graph.node(named: "x").spec == TensorSpec(.float32, [2]))
        #expect(try graph.run(["y"], feeds: ["x": Tensor([Float(1), 2])])[0].array(of: Float.self) == [-1, -2])
        #expect(try graph.run(["y"], feeds: ["x": Tensor([1, 2])])[0] == Tensor([-1.0, -2]))
        #expect(throws: GraphError.self) { try graph.run(["y"], feeds: ["x": Tensor(["a", "b"])]) }
    }

    @Test("what runs without feeds keeps what lies behind them")
    func unfed() throws {
        let value = TFAttrValue.with {
            $0.tensor.dtype = .dtFloat
            $0.tensor.tensorShape = TFTensorShapeProto()
            $0.tensor.floatVal = [7]
        }
        var start = node("start", "Const", [], ["dtype": .dtFloat])
        start.attr["value"] = value
        var memory = node("v", "VariableV2", [], ["dtype": .dtFloat])
        memory.attr["shape"] = .with { $0.shape = TFTensorShapeProto() }
        let source = try file([
            start, memory, node("v/Assign", "Assign", ["v", "start"]), node("read", "Identity", ["v"]),
            node("sum", "AddV2", ["read", "start"]),
        ])
        let graph = try GraphFile(source, needed: ["sum"], initial: ["v/Assign"], feeds: ["start:0": .float32])
        try graph.execute("v/Assign")
        #expect(try graph.run(["sum"], feeds: ["start:0": Tensor(Float(1))])[0].doubles == [8])
    }

    @Test("any graph is shown: unknown operations, missing inputs, names used twice, cycles")
    func listing() throws {
        let source = try file([
            node("x", "Placeholder", [], ["dtype": .dtFloat]), node("y", "Neg", ["x"]), node("u", "Unheard", ["y"]),
            node("v", "Neg", ["u"]), node("m", "Neg", ["nowhere"]), node("y", "Neg", ["x"]), node("p", "Neg", ["q"]),
            node("q", "Neg", ["p"]), node("r", "Neg", ["q"]), node("bad", "MatMul", ["x", "x"], ["T": .dtString]),
            node("", "NoOp", [], [:]), node("odd", "Neg", ["a:b:c"]), node("half", "Neg", ["x"], ["T": .dtHalf]),
        ])
        let listing = GraphListing(source)
        let entries = listing.nodes
        #expect(entries.count == 13 && listing.unknown == ["Unheard": 1])
        #expect(entries[1].outputs.count == 1 && entries[1].problem == nil && entries[1].unknown == nil)
        #expect(entries[2].unknown == true && entries[2].problem == nil)
        #expect(entries[3].problem == nil && entries[3].outputs == ["float32<unknown>"])
        #expect(entries[4].problem == "its input 'nowhere' is missing")
        #expect(entries[5].problem == "another node has this name")
        for i in 6...8 { #expect(entries[i].problem == "it is in a cycle, or behind one") }
        for i in 9...12 { #expect(entries[i].problem != nil, "\(entries[i])") }
        #expect(listing.text.contains("u = Unheard(y)  (unknown)"))
        #expect(listing.text.hasSuffix("1 unknown operations: Unheard (1)"))
    }

    @Test("an original takes the value that is saved of its copy, as Keras 3 has it")
    func originals() throws {
        let tensor = { (texts: [String]) in
            TFAttrValue.with {
                $0.tensor.dtype = .dtString
                $0.tensor.tensorShape.dim = [.with { $0.size = Int64(texts.count) }]
                $0.tensor.stringVal = texts.map { Data($0.utf8) }
            }
        }
        func constant(_ name: String, _ texts: [String]) -> TFNodeDef {
            var node = node(name, "Const", [], ["dtype": .dtString])
            node.attr["value"] = tensor(texts)
            return node
        }
        func handle(_ name: String) -> TFNodeDef {
            var node = node(name, "VarHandleOp", [], ["dtype": .dtFloat])
            node.attr["shape"] = .with { $0.shape.dim = [.with { $0.size = 3 }, .with { $0.size = 2 }] }
            return node
        }
        let value = ["dtype": TFDataType.dtFloat]
        let nodes = [
            handle("original"), handle("Variable"), node("read", "ReadVariableOp", ["original"], value),
            node("Variable/Assign", "AssignVariableOp", ["Variable", "read"], value),
            constant("prefix", [""]), constant("names", ["kernel_key"]), constant("slices", [""]),
            types(node("restore", "RestoreV2", ["prefix", "names", "slices"], [:]), "dtypes", [.dtFloat]),
            node("assign", "AssignVariableOp", ["Variable", "restore"], value),
        ]
        var meta = TFMetaGraphDef()
        meta.metaInfoDef.tags = ["serve"]
        meta.graphDef.node = nodes
        meta.saverDef.restoreOpName = "assign"
        let path = try temporary.write(try meta.serializedBytes() as [UInt8], "a.meta")
        let file = try GraphFile(path, needed: ["read"])
        // The checkpoint has neither "original" nor "kernel_key".
        let unmatched = try file.restore(TensorFlowCheckpoint(ModelTests.path("renamed")))
        #expect(unmatched.variables == ["original"])
        meta.graphDef.node[5] = constant("names", ["kernel"])
        _ = try temporary.write(try meta.serializedBytes() as [UInt8], "a.meta")
        let other = try GraphFile(path, needed: ["read"])
        #expect(try other.restore(TensorFlowCheckpoint(ModelTests.path("renamed"))).variables.isEmpty)
        #expect(try other.run(["read"])[0].shape == [3, 2])
    }
}
