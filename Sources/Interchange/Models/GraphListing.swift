internal import Dataflow
internal import Foundation
internal import Schemas

/// What is in a graph's file, whether it can be run here or not.
///
/// Nodes come in the file's order. Their outputs are listed as far as they are known: not behind operations that are unknown
/// here, except where the file itself tells them.
public struct GraphListing: Sendable, Encodable {
    public struct Entry: Sendable, Encodable {
        public let name: String
        public let op: String
        public let inputs: [String]
        /// Dtypes and shapes.
        public let outputs: [String]
        public let device: String
        /// true if the operation is not known here, else nil.
        public let unknown: Bool?
        /// What is wrong with the node, if anything is.
        public let problem: String?
    }

    /// A function of the graph's library.
    public struct FunctionEntry: Sendable, Encodable {
        public let name: String
        public let inputs: [String]
        public let outputs: [String]
        public let nodes: Int
        /// Operations in it that are not known here.
        public let unknown: [String]
    }

    public struct Signature: Sendable, Encodable {
        public let method: String
        /// The graph's tensors with dtypes and shapes, by key.
        public let inputs: [String: String]
        public let outputs: [String: String]
    }

    /// "GraphDef", "MetaGraphDef" or "SavedModel".
    public let kind: String
    public let nodes: [Entry]
    /// How many nodes there are of each operation.
    public let operations: [String: Int]
    /// As `operations`, of those that are not known here.
    public let unknown: [String: Int]
    public let variables: [String]
    public let functions: [FunctionEntry]
    public let tags: [String]?
    public let signatures: [String: Signature]?
    /// What the collections hold: names of nodes or Variables, numbers, or the types of messages.
    public let collections: [String: [String]]?
    /// The nodes by which checkpoints are written and read.
    public let saver: [String: String]?
    /// The operation that is run on loading.
    public let main: String?

    public init(_ source: GraphSource) {
        kind = source.kind.rawValue
        let definition = source.definition
        let functions = Set(definition.library.function.map(\.signature.name))
        func isKnown(_ op: String) -> Bool { OperationCatalog.operation(named: op) != nil || functions.contains(op) }
        let part = ReadablePart(definition, isKnown: isKnown)
        nodes = definition.node.indices.map { i in
            let node = definition.node[i]
            return Entry(
                name: node.name, op: node.op,
                inputs: node.input.map { $0.hasSuffix(":0") ? String($0.dropLast(2)) : $0 },
                outputs: part.vertices[i]?.outputs.map(\.description) ?? GraphListing.outputs(node),
                device: part.vertices[i]?.device.description ?? node.device, unknown: isKnown(node.op) ? nil : true,
                problem: part.problems[i])
        }
        operations = Dictionary(definition.node.map { ($0.op, 1) }, uniquingKeysWith: +)
        unknown = operations.filter { !isKnown($0.key) }
        variables = part.vertices.compactMap { vertex in
            vertex.flatMap { vertex in vertex.variableSpec.map { "\(vertex.name) \($0)" } }
        }
        self.functions = definition.library.function.map { function in
            FunctionEntry(
                name: function.signature.name, inputs: function.signature.inputArg.map(GraphListing.argument),
                outputs: function.signature.outputArg.map(GraphListing.argument), nodes: function.nodeDef.count,
                unknown: Set(function.nodeDef.map(\.op).filter { !isKnown($0) }).sorted())
        }
        let meta = source.meta
        guard source.kind != .graph else {
            (tags, signatures, collections, saver, main) = (nil, nil, nil, nil, nil)
            return
        }
        tags = Array(meta.metaInfoDef.tags)
        signatures = source.signatures.mapValues { signature in
            func told(_ arguments: [GraphSignature.Argument]) -> [String: String] {
                Dictionary(arguments.map { ($0.key, "\($0.node) \($0.spec)") }, uniquingKeysWith: { first, _ in first })
            }
            return Signature(
                method: signature.method, inputs: told(signature.inputs), outputs: told(signature.outputs))
        }
        collections = Dictionary(
            uniqueKeysWithValues: meta.collectionDef.map { ($0.key, GraphListing.values(source, $0.key, $0.value)) })
        saver =
            meta.hasSaverDef
            ? [
                "filename": meta.saverDef.filenameTensorName, "save": meta.saverDef.saveTensorName,
                "restore": meta.saverDef.restoreOpName, "version": "\(meta.saverDef.version)".uppercased(),
            ] : nil
        main = source.mainOperation
    }

    /// What a node that cannot be made says of its outputs.
    private static func outputs(_ node: TFNodeDef) -> [String] {
        let isKnown = OperationCatalog.operation(named: node.op) != nil
        var result: [String] = []
        // More outputs than these tell nobody anything.
        while result.count < 64 {
            let shape = FedTensor.shape(node, result.count)
            let dtype =
                isKnown
                ? FedTensor.dtype(node, result.count)
                : shape == nil && !FedTensor.listsTypes(node) ? nil : FedTensor.guess(node, result.count)
            guard let dtype else { break }
            result.append("\(name(dtype))\(shape.flatMap { try? Shape($0) } ?? .unknown)")
        }
        return result
    }

    private static func name(_ dtype: TFDataType) -> String { (try? DType(dtype))?.description ?? "\(dtype)" }

    private static func argument(_ argument: TFOpDef.ArgDef) -> String {
        argument.type == .dtInvalid
            ? "\(argument.name) \(argument.typeAttr)\(argument.typeListAttr)"
            : "\(argument.name) \(name(argument.type))"
    }

    private static func values(_ source: GraphSource, _ name: String, _ collection: TFCollectionDef) -> [String] {
        switch collection.kind {
        case .nodeList(let list)?: return list.value
        case .bytesList(let list)?:
            let variables = source.collection(name)
            return variables.count == list.value.count ? variables : list.value.map { "\($0.count) bytes" }
        case .int64List(let list)?: return list.value.map(String.init)
        case .floatList(let list)?: return list.value.map { "\($0)" }
        case .anyList(let list)?: return list.value.map(\.typeURL)
        case nil: return []
        }
    }

    // MARK: As text

    /// For people: a line for each node, then what else there is.
    public var text: String {
        var lines = nodes.map { node in
            "\(node.name) = \(node.op)(\(node.inputs.joined(separator: ", ")))"
                + (node.outputs.isEmpty ? "" : " → \(node.outputs.joined(separator: ", "))")
                + (node.device.isEmpty ? "" : "  on \(node.device)")
                + (node.unknown == true ? "  (unknown)" : "") + (node.problem.map { "  (\($0))" } ?? "")
        }
        for function in functions {
            lines.append(
                "function \(function.name)(\(function.inputs.joined(separator: ", "))) → "
                    + "\(function.outputs.joined(separator: ", ")): \(function.nodes) nodes"
                    + (function.unknown.isEmpty ? "" : ", unknown: \(function.unknown.joined(separator: ", "))"))
        }
        for (name, signature) in (signatures ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines.append("signature \(name)" + (signature.method.isEmpty ? "" : " (\(signature.method))"))
            lines += signature.inputs.sorted { $0.key < $1.key }.map { "  input \($0.key): \($0.value)" }
            lines += signature.outputs.sorted { $0.key < $1.key }.map { "  output \($0.key): \($0.value)" }
        }
        for (name, values) in (collections ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines.append("collection \(name): \(values.joined(separator: ", "))")
        }
        if let saver {
            lines.append(
                "saver: "
                    + ["save", "restore", "filename", "version"].compactMap { key in
                        saver[key].flatMap { $0.isEmpty ? nil : "\(key) \($0)" }
                    }.joined(separator: ", "))
        }
        if let main { lines.append("run on loading: \(main)") }
        let tagged = (tags ?? []).isEmpty ? "" : " tagged \((tags ?? []).joined(separator: ", "))"
        lines.append(
            "\(kind == GraphSource.Kind.graph.rawValue ? "" : "\(kind)\(tagged): ")"
                + "\(nodes.count) nodes of \(operations.count) operations, \(variables.count) Variables")
        if !unknown.isEmpty {
            let list = unknown.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
            lines.append("\(unknown.count) unknown operations: \(list)")
        }
        return lines.map(TerminalText.line).joined(separator: "\n")
    }
}

/// The nodes of a file that can be made, whatever is wrong with the others.
private struct ReadablePart {
    /// By position; nil for what cannot be made.
    private(set) var vertices: [Vertex?]
    /// What is wrong with nodes, by position.
    private(set) var problems: [Int: String] = [:]

    init(_ definition: TFGraphDef, isKnown: (String) -> Bool) {
        let nodes = definition.node
        vertices = [Vertex?](repeating: nil, count: nodes.count)
        var positions: [String: Int] = [:]
        for (i, node) in nodes.enumerated() {
            if node.name.isEmpty || node.name.hasPrefix("^") || node.name.contains(":") {
                problems[i] = "'\(node.name)' is not a name of a node"
            } else if positions.updateValue(positions[node.name] ?? i, forKey: node.name) != nil {
                problems[i] = "another node has this name"
            }
        }
        let needs = nodes.indices.map { i in
            nodes[i].input.compactMap { text -> Int? in
                guard let input = try? NodeInput(text) else {
                    problems[i] = problems[i] ?? "the input '\(text)' is none of 'name', 'name:1', '^name'"
                    return nil
                }
                let position = positions[String(input.name)]
                if position == nil { problems[i] = problems[i] ?? "its input '\(input.name)' is missing" }
                return position
            }
        }
        let kept = readable(nodes, needs, isKnown)
        var part = definition
        part.node = kept.map { nodes[$0] }
        let graph = Graph()
        guard
            let library = (try? FunctionLibrary(definition.library, for: graph))
                ?? (try? FunctionLibrary(.init(), for: graph)),
            var decoder = try? GraphDecoder(part, into: graph, library: library)
        else { return }
        do {
            let result = try decoder.decodePart()
            for (place, i) in kept.enumerated() { vertices[i] = result.vertices[place] }
            for (place, mistake) in result.mistakes { problems[kept[place]] = mistake }
        } catch { if let first = kept.first { problems[first] = problems[first] ?? "\(error)" } }
    }

    /// The nodes that are known and whole and stand only on such; in the file's order.
    private mutating func readable(_ nodes: [TFNodeDef], _ needs: [[Int]], _ isKnown: (String) -> Bool) -> [Int] {
        // What comes round a loop is no cycle.
        func isRound(_ i: Int, _ source: Int) -> Bool {
            nodes[i].op.hasSuffix("Merge") && nodes[source].op.hasSuffix("NextIteration")
        }
        var users = [[Int]](repeating: [], count: nodes.count)
        var heads = users
        var missing = needs.map(\.count)
        for i in nodes.indices {
            for source in needs[i] {
                if isRound(i, source) {
                    missing[i] -= 1
                    heads[source].append(i)
                } else {
                    users[source].append(i)
                }
            }
        }
        var isOrdered = [Bool](repeating: false, count: nodes.count)
        var isWhole = nodes.indices.map { problems[$0] == nil && isKnown(nodes[$0].op) }
        var ready = nodes.indices.filter { missing[$0] == 0 }
        while let i = ready.popLast() {
            isOrdered[i] = true
            for user in users[i] {
                if !isWhole[i] { isWhole[user] = false }
                missing[user] -= 1
                if missing[user] == 0 { ready.append(user) }
            }
        }
        for i in nodes.indices where !isOrdered[i] {
            isWhole[i] = false
            problems[i] = problems[i] ?? "it is in a cycle, or behind one"
        }
        // If a part of a loop cannot be made, it has no head, and nothing behind that.
        var stack = nodes.indices.filter { i in isWhole[i] && needs[i].contains { !isWhole[$0] } }
        for i in stack { isWhole[i] = false }
        while let i = stack.popLast() {
            for user in users[i] + heads[i] where isWhole[user] {
                isWhole[user] = false
                stack.append(user)
            }
        }
        return nodes.indices.filter { isWhole[$0] }
    }
}

extension FedTensor {
    /// Whether the node says the dtypes of all its outputs.
    fileprivate static func listsTypes(_ node: TFNodeDef) -> Bool {
        ["output_types", "component_types", "Tout", "out_types"].contains {
            !(node.attr[$0]?.list.type ?? []).isEmpty
        }
    }
}

extension GraphListing: CustomStringConvertible {
    public var description: String {
        let kinds = operations.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
        return "\(kind) of \(nodes.count) nodes: \(ShortList.text(kinds))"
    }
}
