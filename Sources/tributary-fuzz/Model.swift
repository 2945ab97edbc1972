import Dataflow
import Foundation
import Interchange
import Schemas
import SwiftProtobuf

/// Graphs with collections, signatures and a saver, in each form in which TensorFlow writes them.
enum Model {
    /// A file of each form, by name.
    static func files() throws -> [(String, [UInt8])] {
        let graph = Graph()
        let x = graph.placeholder(.float32, [nil, 2], name: "x")
        let w = graph.variable(Tensor([Float(1), 2, 3, 4], sized: [2, 2]), name: "w")
        let y = graph.scope("y") { x * w.value }
        var meta = TFMetaGraphDef()
        meta.graphDef = try TFGraphDef(serializedBytes: try GraphDefinition.encode(graph) as [UInt8])
        meta.graphDef.node += saver()
        meta.metaInfoDef.tags = ["serve"]
        meta.saverDef.restoreOpName = "save/restore_all"
        meta.signatureDef["serving_default"] = .with {
            $0.inputs["x"] = .with { $0.name = x.name }
            $0.inputs["sparse"] = .with { $0.cooSparse.valuesTensorName = "s:0" }
            $0.outputs["y"] = .with { $0.name = y.name }
        }
        meta.collectionDef["train_op"] = .with { $0.nodeList.value = [y.vertex.name] }
        let variable = TFVariableDef.with {
            $0.variableName = "w:0"
            $0.initializerName = "w/Assign"
        }
        meta.collectionDef["variables"] = try .with { $0.bytesList.value = [try variable.serializedData()] }
        var saved = TFSavedModel()
        saved.savedModelSchemaVersion = 1
        saved.metaGraphs = [meta]
        return [
            ("a.pbtxt", Array(meta.graphDef.textFormatString().utf8)), ("a.meta", try meta.serializedBytes()),
            ("b.meta", Array(meta.textFormatString().utf8)), ("saved_model.pb", try saved.serializedBytes()),
        ]
    }

    private static func saver() -> [TFNodeDef] {
        func node(_ name: String, _ op: String, _ inputs: [String], _ text: String? = nil) -> TFNodeDef {
            .with {
                $0.name = name
                $0.op = op
                $0.input = inputs
                guard let text else { return }
                $0.attr["dtype"] = .with { $0.type = .dtString }
                $0.attr["value"] = .with {
                    $0.tensor = .with {
                        $0.dtype = .dtString
                        $0.tensorShape.dim = [.with { $0.size = 1 }]
                        $0.stringVal = [Data(text.utf8)]
                    }
                }
            }
        }
        return [
            node("save/names", "Const", [], "w"), node("save/slices", "Const", [], "2 2 0,1:-"),
            node("save/restore", "RestoreV2", ["save/names", "save/names", "save/slices"]),
            node("save/assign", "Assign", ["w", "save/restore"]),
            node("save/restore_all", "NoOp", ["^save/assign"]),
        ]
    }

    /// Reads all that a file has.
    static func read(_ path: String) throws {
        let source = try GraphSource(path)
        _ = GraphListing(source).text
        _ = (source.initializers, source.trainable)
        let signature = try source.kind == .graph ? nil : source.signature(nil)
        let fetches = signature?.outputs.map(\.node) ?? ["y/Mul"]
        let inputs = signature?.inputs.map(\.node) ?? ["x"]
        _ = try source.placeholders(needed: fetches, fed: [])
        let feeds = Dictionary(inputs.map { ($0, DType?.some(.float32)) }, uniquingKeysWith: { first, _ in first })
        let file = try GraphFile(source, needed: fetches, feeds: feeds, writable: WritableFolders.none)
        try file.load()
    }
}
