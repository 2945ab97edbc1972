internal import Dataflow
internal import Foundation
package import Schemas
internal import SwiftProtobuf

/// A graph in TensorFlow's files, with what the files say beside it.
///
/// Read are, binary or as a text proto: a GraphDef (`tf.io.write_graph`, a frozen graph), a MetaGraphDef (`.meta`, beside
/// a checkpoint of `tf.train.Saver`), and a SavedModel, by its folder or its `saved_model.pb`. The content tells which it
/// is, not the name; gzip is unpacked.
public struct GraphSource: Sendable {
    /// What the graph stands in.
    public enum Kind: String, Sendable {
        case graph = "GraphDef"
        case metaGraph = "MetaGraphDef"
        case savedModel = "SavedModel"
    }

    /// The file that was read.
    public let path: String
    public let kind: Kind
    /// Whether the file is a text proto.
    public let isText: Bool
    /// The graph, not looked at yet.
    package private(set) var definition: TFGraphDef
    /// What stands beside the graph; empty for a GraphDef. Its own graph is left out.
    package let meta: TFMetaGraphDef

    /// The most bytes of a file that is read: more than TensorFlow writes into one message.
    private static let sizeLimit = 1 << 32

    /// - Parameters:
    ///   - path: a file, or the folder of a SavedModel.
    ///   - tags: of a SavedModel, those of the graph that is wanted. By default "serve", or the only graph.
    /// - Throws: `FormatError` if the file cannot be read, is damaged, or is something else; it then says what it is and
    ///   what to do.
    public init(_ path: String, tags: [String]? = nil) throws {
        let file = try GraphSource.file(path)
        let bytes = try Gzip.read(file, limit: GraphSource.sizeLimit)
        if let other = ForeignFile.description(bytes, path: file) { throw FormatError(path: file, other) }
        guard let format = GraphFormat(bytes) else {
            throw FormatError(
                path: file,
                "is no graph of TensorFlow (GraphDef, MetaGraphDef or SavedModel, binary or text), or is damaged")
        }
        func message<Message: SwiftProtobuf.Message>(_: Message.Type) throws -> Message {
            try GraphSource.decode(bytes, format, file)
        }
        self.path = file
        kind = format.kind
        isText = format.isText
        var meta = TFMetaGraphDef()
        switch format.kind {
        case .graph: definition = try message(TFGraphDef.self)
        case .metaGraph:
            meta = try message(TFMetaGraphDef.self)
            definition = meta.graphDef
        case .savedModel:
            meta = try GraphSource.graph(of: try message(TFSavedModel.self), tags, file)
            definition = meta.graphDef
        }
        if format.kind != .savedModel, let tags, !tags.isEmpty {
            throw FormatError(path: file, "is a \(format.kind.rawValue); tags are those of a SavedModel")
        }
        meta.clearGraphDef()
        self.meta = meta
        if format.kind == .savedModel { try setAssets() }
    }

    private static func decode<Message: SwiftProtobuf.Message>(
        _ bytes: [UInt8], _ format: GraphFormat, _ path: String
    ) throws -> Message {
        let (kind, article) = (format.kind.rawValue, format.isText ? "text of a" : "whole")
        do {
            guard format.isText else {
                try GraphSize.check(bytes, format.kind)
                return try Message(serializedBytes: bytes)
            }
            try GraphSize.check(text: bytes)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw FormatError(path: path, "is a text proto with bytes that are not UTF-8")
            }
            var options = TextFormatDecodingOptions()
            // Those of newer versions of TensorFlow.
            options.ignoreUnknownFields = true
            options.ignoreUnknownExtensionFields = true
            return try Message(textFormatString: text, options: options)
        } catch let error as FormatError { throw error } catch let error as GraphError {
            throw FormatError(path: path, "\(error)")
        } catch {
            throw FormatError(path: path, "is no \(article) \(kind): \(words(error))")
        }
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case BinaryDecodingError.truncated, TextFormatDecodingError.truncated: "it is truncated"
        case BinaryDecodingError.messageDepthLimit, TextFormatDecodingError.messageDepthLimit: "it is nested too deeply"
        case TextFormatDecodingError.unrecognizedEnumValue: "it has a name of a type that is not known"
        case is TextFormatDecodingError: "it is truncated or malformed (\(error))"
        default: "\(error)"
        }
    }

    // MARK: Which file, which graph

    /// The file that a path means.
    private static func file(_ path: String) throws -> String {
        let manager = FileManager.default
        var isFolder: ObjCBool = false
        if manager.fileExists(atPath: path, isDirectory: &isFolder) {
            guard isFolder.boolValue else { return path }
            let files = ["saved_model.pb", "saved_model.pbtxt"].map { "\(path)/\($0)" }
            if let file = files.first(where: manager.fileExists) { return file }
            let names = ((try? manager.contentsOfDirectory(atPath: path)) ?? []).sorted()
            var hint = "give a file"
            if let name = names.last(where: { $0.hasSuffix(".meta") }) {
                hint = "it has checkpoints: give \(path)/\(name)"
            } else if let name = names.last(where: { $0.hasSuffix(".index") }) {
                hint =
                    "it has checkpoints without graphs (.meta), such as \(name.dropLast(6)): give the graph's file and "
                    + "--checkpoint \(path)"
            }
            throw FormatError(path: path, "is a folder and no SavedModel: it has no saved_model.pb; \(hint)")
        }
        guard manager.fileExists(atPath: path + ".index") || manager.fileExists(atPath: path + ".meta") else {
            return path
        }
        throw FormatError(
            path: path,
            manager.fileExists(atPath: path + ".meta")
                ? "is the prefix of a checkpoint: its graph is in \(path).meta, its values are read by --checkpoint \(path)"
                : "is the prefix of a checkpoint, which has no graph; give the graph's file and --checkpoint \(path)")
    }

    private static func graph(of model: TFSavedModel, _ tags: [String]?, _ path: String) throws -> TFMetaGraphDef {
        let graphs = model.metaGraphs
        let all = graphs.map { "[\($0.metaInfoDef.tags.joined(separator: ", "))]" }.joined(separator: ", ")
        guard !graphs.isEmpty else { throw FormatError(path: path, "is a SavedModel without a graph") }
        if let tags {
            if let graph = graphs.first(where: { Set($0.metaInfoDef.tags) == Set(tags) }) { return graph }
            throw FormatError(
                path: path, "has no graph with just the tags [\(tags.joined(separator: ", "))]; it has \(all)")
        }
        if let graph = graphs.first(where: { $0.metaInfoDef.tags == ["serve"] }) { return graph }
        if graphs.count == 1 { return graphs[0] }
        let serving = graphs.filter { $0.metaInfoDef.tags.contains("serve") }
        guard serving.count == 1 else {
            throw FormatError(path: path, "has graphs with the tags \(all); choose one with --tags")
        }
        return serving[0]
    }

    /// Whether a file is a MetaGraphDef or a SavedModel, which say more than the graph.
    package static func tellsMore(_ path: String) -> Bool {
        guard let file = try? file(path), let bytes = try? Gzip.read(file, limit: sizeLimit) else {
            // Those who read it will tell what is wrong.
            return path.hasSuffix(".meta")
        }
        return GraphFormat(bytes).map { $0.kind != .graph } ?? false
    }

    // MARK: SavedModel

    /// The folder of a SavedModel.
    var folder: String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

    /// The checkpoint of a SavedModel; nil if the file is none, or the model has no Variables.
    package var checkpoint: String? {
        guard kind == .savedModel else { return nil }
        let prefix = "\(folder)/variables/variables"
        return FileManager.default.fileExists(atPath: prefix + ".index") ? prefix : nil
    }

    /// Gives the constants that stand for the paths of assets the paths where these lie now.
    private mutating func setAssets() throws {
        var assets = meta.assetFileDef
        if case .anyList(let list)? = meta.collectionDef["saved_model_assets"]?.kind {
            assets += list.value.compactMap { try? TFAssetFileDef(serializedBytes: $0.value) }
        }
        for name in assets.map(\.filename) {
            guard !name.hasPrefix("/"), !name.contains("\0"), !name.split(separator: "/").contains("..") else {
                throw FormatError(path: path, "names an asset outside of its folder, '\(name)'")
            }
        }
        let paths = Dictionary(
            assets.map { (String($0.tensorInfo.name.prefix { $0 != ":" }), "\(folder)/assets/\($0.filename)") },
            uniquingKeysWith: { first, _ in first })
        guard !paths.isEmpty else { return }
        for i in definition.node.indices {
            guard let path = paths[definition.node[i].name] else { continue }
            var node = TFNodeDef()
            node.name = definition.node[i].name
            node.op = "Const"
            node.attr["dtype"] = .with { $0.type = .dtString }
            node.attr["value"] = .with {
                $0.tensor = .with {
                    $0.dtype = .dtString
                    $0.tensorShape = TFTensorShapeProto()
                    $0.stringVal = [Data(path.utf8)]
                }
            }
            definition.node[i] = node
        }
    }

    /// The operation that a SavedModel runs when it is loaded, such as one that fills its tables; nil if there is none.
    package var mainOperation: String? {
        guard kind == .savedModel else { return nil }
        if let name = meta.signatureDef["__saved_model_init_op"]?.outputs["__saved_model_init_op"]?.name { return name }
        return ["saved_model_main_op", "legacy_init_op"].lazy.compactMap { collection($0).first }.first
    }

    // MARK: What a program knew of the graph

    /// The nodes in a collection, or the Variables' ones; none if the file has no such collection.
    public func collection(_ name: String) -> [String] {
        switch meta.collectionDef[name]?.kind {
        // TensorFlow's optimizers add their operation, and programs add it once more.
        case .nodeList(let list)?: GraphSource.unique(list.value)
        case .bytesList(let list)?: variables(list).map(\.variableName)
        default: []
        }
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private func variables(_ list: TFCollectionDef.BytesList) -> [TFVariableDef] {
        list.value.compactMap { try? TFVariableDef(serializedBytes: $0) }.filter { !$0.variableName.isEmpty }
    }

    /// The initialisers of Variables in the collections, by the Variables' nodes.
    package var initializers: [String: String] {
        var result: [String: String] = [:]
        for name in ["variables", "local_variables", "trainable_variables", "model_variables"] {
            guard case .bytesList(let list)? = meta.collectionDef[name]?.kind else { continue }
            for variable in variables(list) where !variable.initializerName.isEmpty {
                let key = variable.variableName.prefix { $0 != ":" }
                result[String(key)] = String(variable.initializerName.prefix { $0 != ":" })
            }
        }
        return result
    }

    /// The nodes of the Variables that the program trains; nil if the file does not say.
    package var trainable: Set<String>? {
        guard case .bytesList(let list)? = meta.collectionDef["trainable_variables"]?.kind else { return nil }
        return Set(variables(list).map { String($0.variableName.prefix { $0 != ":" }) })
    }

    /// The signatures by name, without the one that stands for the operation that is run on loading.
    public var signatures: [String: GraphSignature] {
        meta.signatureDef.filter { $0.key != "__saved_model_init_op" }.mapValues(GraphSignature.init)
    }

    /// A signature by name, or the one that is meant where none is named.
    /// - Throws: `FormatError` listing those that there are.
    public func signature(_ name: String?) throws -> GraphSignature {
        let all = signatures
        if let signature = name.map({ all[$0] }) ?? all["serving_default"] ?? (all.count == 1 ? all.first?.value : nil)
        {
            return signature
        }
        let names = all.keys.sorted().joined(separator: ", ")
        guard !all.isEmpty else {
            throw FormatError(
                path: path, "is a \(kind.rawValue) without signatures; name the nodes with --feed and --fetch")
        }
        throw FormatError(
            path: path, name.map { "has no signature '\($0)'; it has \(names)" } ?? "has several signatures: \(names)")
    }
}

extension GraphSource: CustomStringConvertible {
    public var description: String { "\(path): \(kind.rawValue) of \(definition.node.count) nodes" }
}
