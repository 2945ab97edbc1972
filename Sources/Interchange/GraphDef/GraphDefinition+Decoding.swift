public import Dataflow
package import Schemas
internal import SwiftProtobuf

extension GraphDefinition {
    /// The graph in the bytes of a `GraphDef`, in whatever order its nodes come.
    ///
    /// Its Variables are the `VariableV2` and `VarHandleOp` nodes that an `Assign…` initialises; if any `Apply…` operation is in the file,
    /// those that none updates are not trainable. Attributes that begin with "_" and ones that an operation does not
    /// know and cannot hold are left out.
    ///
    /// - Parameters:
    ///   - graph: where to add the nodes, under their own names whatever the scope; a new graph by default. If this throws,
    ///     the graph may hold some of the nodes and is of no more use.
    ///   - keepingInitializers: also reads the nodes "NAME/Assign" that give needed Variables their first values.
    ///   - needed: names of nodes ("a" or "a:1"); what none of them needs is left out, whatever it is. All by default.
    ///   - device: where all nodes are to run, whatever the file says.
    /// - Throws: `GraphError` naming the node: bytes that are no GraphDef, operations that are not in the catalogue (all
    ///   of them), a name used twice, an input that is missing, a cycle, an attribute of the wrong kind, a tensor that
    ///   takes more memory than the file accounts for, and whatever an operation's own rules refuse.
    @discardableResult
    public static func decode(
        _ bytes: [UInt8], into graph: Graph? = nil, needed: [String]? = nil, keepingInitializers: Bool = false,
        device: DeviceName? = nil
    ) throws -> Graph {
        let definition: TFGraphDef
        try GraphSize.check(bytes, .graph)
        do { definition = try TFGraphDef(serializedBytes: bytes) } catch {
            throw GraphError("these \(bytes.count) bytes are not a GraphDef, or not a whole one (\(error))")
        }
        return try decode(
            definition, into: graph, needed: needed, initializers: keepingInitializers ? [:] : nil, device: device
        ).graph
    }

    /// A graph, and the nodes of it that take what is fed.
    package typealias Decoded = (graph: Graph, fed: [String: Node])

    /// As `decode(_:into:needed:keepingInitializers:device:)`, of a file that has been read.
    ///
    /// - Parameters:
    ///   - needed: what is fetched or run; nil: all there is.
    ///   - unfed: what is run without the feeds, such as an initialiser.
    ///   - feeds: the tensors that are fed, with the dtype of what comes if that is known. What lies behind them is left out,
    ///     whatever it is.
    ///   - initializers: reads the nodes that give needed Variables their first values too: by the Variables' nodes, those of
    ///     another name than "NAME/Assign".
    ///   - trainable: the Variables that are trained; nil: those that the graph updates.
    package static func decode(
        _ definition: TFGraphDef, into graph: Graph? = nil, needed: [String]? = nil, unfed: [String] = [],
        feeds: [String: DType?] = [:], initializers: [String: String]? = nil, trainable: Set<String>? = nil,
        device: DeviceName? = nil
    ) throws -> Decoded {
        guard definition.versions.minConsumer <= version else {
            throw GraphError(
                "the GraphDef asks for a reader of version \(definition.versions.minConsumer), this is \(version)")
        }
        var definition = definition
        var fed: [String: String] = [:]
        if let needed {
            let part = try NeededNodes(
                definition.node, for: needed, unfed: unfed, feeds: feeds, initializers: initializers)
            definition.node = part.nodes
            fed = part.fed
        }
        if let device {
            for i in definition.node.indices { definition.node[i].device = device.description }
        }
        let graph = graph ?? Graph()
        let library = try FunctionLibrary(definition.library, for: graph)
        var decoder = try GraphDecoder(definition, into: graph, library: library)
        decoder.trainable = trainable
        do { _ = try decoder.decode() } catch let error as FunctionLimit { throw GraphError("\(error)") }
        return (graph, try fed.mapValues { try graph.node(named: $0) })
    }
}

/// One file on its way to a graph.
struct GraphDecoder {
    private let nodes: [TFNodeDef]
    private let operations: [any Operation.Type]
    private let graph: Graph
    private let library: FunctionLibrary
    private let tensors: TensorDecoder
    /// Outputs of calls that lack the handles of Variables: (node, output in the file) → what stands for it.
    private var outputs: [Int: [Node?]] = [:]
    private var vertices: [Vertex?] = []
    private var positions: [String: Int] = [:]
    /// The Variables that are trained; nil: those that the graph updates.
    var trainable: Set<String>?
    /// What is wrong with nodes, by position, if these are to be passed over; nil: the first mistake is thrown.
    private(set) var mistakes: [Int: String]?

    init(_ definition: TFGraphDef, into graph: Graph, library: FunctionLibrary) throws {
        nodes = definition.node.map(\.withTextsJoined)
        self.graph = graph
        self.library = library
        tensors = library.tensors
        var unknown: Set<String> = []
        operations = nodes.compactMap { node in
            // Functions may be called as if they were operations.
            let operation =
                OperationCatalog.operation(named: node.op)
                ?? (library.contains(node.op) ? StatefulPartitionedCall.self as any Operation.Type : nil)
            if operation == nil { unknown.insert(node.op) }
            return operation
        }
        guard unknown.isEmpty else {
            throw GraphError(
                "the graph has operations that are not known: \(unknown.sorted().map { "'\($0)'" }.joined(separator: ", "))"
            )
        }
    }

    /// The vertices of the nodes, where they can be made, and what is wrong with others. Those on which a node stands that
    /// could not be made have neither.
    /// - Throws: `GraphError` for names used twice, inputs that are missing, and cycles.
    mutating func decodePart() throws -> (vertices: [Vertex?], mistakes: [Int: String]) {
        mistakes = [:]
        _ = try decode()
        return (vertices, mistakes ?? [:])
    }

    mutating func decode() throws -> Graph {
        for (i, node) in nodes.enumerated() {
            guard let first = node.name.utf8.first, first != UInt8(ascii: "^"),
                !node.name.utf8.contains(UInt8(ascii: ":"))
            else { throw GraphError("'\(node.name)' (\(node.op)) is not a name of a node") }
            guard positions.updateValue(i, forKey: node.name) == nil, graph.vertex(named: node.name) == nil else {
                throw GraphError("two nodes have the name '\(node.name)'")
            }
        }
        let inputs = try nodes.map { node in try naming(node) { try node.input.map { try NodeInput($0) } } }
        let needs = try zip(nodes, inputs).map { node, inputs in
            try inputs.map { input in
                guard let position = positions[String(input.name)] else {
                    throw GraphError("the input '\(input.name)' of '\(node.name)' (\(node.op)) is not in the graph")
                }
                return position
            }
        }
        // A loop's last input of its `Merge` comes round from the iteration before.
        let isHead = nodes.indices.map { i in
            ["Merge", "RefMerge"].contains(nodes[i].op) && nodes[i].input.count == 2 && !inputs[i][1].isControl
                && ["NextIteration", "RefNextIteration"].contains(nodes[needs[i][1]].op)
        }
        let forward = nodes.indices.map { isHead[$0] ? Array(needs[$0].prefix(1)) : needs[$0] }
        vertices = [Vertex?](repeating: nil, count: nodes.count)
        for i in try NodeOrder(names: nodes.map(\.name), needs: forward).sorted() {
            if mistakes != nil, forward[i].contains(where: { vertices[$0] == nil }) { continue }
            do {
                vertices[i] = try add(
                    i, isHead[i] ? Array(inputs[i].prefix(1)) : inputs[i], forward[i], isLoopHead: isHead[i])
            } catch { try note(error, at: i) }
        }
        for i in nodes.indices where isHead[i] {
            guard let head = vertices[i], let last = vertices[needs[i][1]] else { continue }
            do {
                guard last.outputs.indices.contains(inputs[i][1].output) else {
                    throw GraphError("the input '\(nodes[i].input[1])' of '\(nodes[i].name)' does not exist")
                }
                try graph.closeLoop(head, from: last.output(inputs[i][1].output))
            } catch { try note(error, at: i) }
        }
        ImportedVariables(vertices.compactMap { $0 }).adopt(by: graph, trainable: trainable)
        return graph
    }

    private mutating func note(_ error: any Error, at i: Int) throws {
        guard mistakes != nil else { throw error }
        mistakes?[i] = "\(error)"
    }

    private mutating func add(
        _ i: Int, _ inputs: [NodeInput], _ sources: [Int], isLoopHead: Bool
    ) throws -> Vertex {
        let node = nodes[i]
        var data: [Node] = []
        var controls: [Vertex] = []
        for (input, position) in zip(inputs, sources) {
            let source = vertices[position]!
            guard !input.isControl else {
                controls.append(source)
                continue
            }
            if let known = outputs[position], known.indices.contains(input.output), let output = known[input.output] {
                data.append(output)
                continue
            }
            guard outputs[position] == nil, input.output < max(source.outputs.count, 1) else {
                throw GraphError(
                    "the input '\(input.name):\(input.output)' of '\(node.name)' (\(node.op)) does not exist: "
                        + "'\(input.name)' has \(source.outputs.count) outputs")
            }
            data.append(source.output(input.output))
        }
        let handles = try call(i, &data)
        var attributes = try attributes(node, operations[i].signature)
        try addFunctions(i, handles, &attributes)
        let device = try naming(node) { try DeviceName(node.device) }
        let vertex = graph.add(
            operations[i], data, attributes, exactName: node.name, isLoopHead: isLoopHead, controls: controls,
            device: device)
        if let error = vertex.error { throw error }
        try noteOutputs(i, vertex, handles)
        return vertex
    }

    // MARK: Calls of functions

    /// An output of the file's nodes, "node:1".
    func node(_ text: String) throws -> Node {
        let input = try NodeInput(text)
        guard let position = positions[String(input.name)], let vertex = vertices[position] else {
            throw GraphError("'\(text)' is not in the graph")
        }
        if let known = outputs[position] {
            guard known.indices.contains(input.output), let node = known[input.output] else {
                throw GraphError("'\(text)' does not exist")
            }
            return node
        }
        guard vertex.outputs.indices.contains(input.output) else { throw GraphError("'\(text)' does not exist") }
        return vertex.output(input.output)
    }

    private func isCall(_ i: Int) -> Bool {
        nodes[i].attr.values.contains(where: \.namesFunctions) || library.contains(nodes[i].op)
    }

    /// Inputs before the functions' arguments.
    private func leading(_ i: Int) -> Int {
        switch nodes[i].op {
        case "If", "StatelessIf", "Case", "StatelessCase": 1
        // Of the three the body takes one.
        case "For": 2
        default: 0
        }
    }

    /// Takes the handles of Variables from the inputs of a call. Yields them by the place of the argument.
    private func call(_ i: Int, _ data: inout [Node]) throws -> [Int: Vertex] {
        guard isCall(i) else { return [:] }
        let first = leading(i)
        var handles: [Int: Vertex] = [:]
        for (place, input) in data.enumerated().dropFirst(first) where input.dtype == .resource {
            if let variable = input.variable { handles[place - first] = variable }
        }
        data = data.enumerated().filter { handles[$0.offset - first] == nil }.map(\.element)
        return handles
    }

    /// The functions of a call, and the types without the handles of Variables.
    private func addFunctions(_ i: Int, _ handles: [Int: Vertex], _ attributes: inout Attributes) throws {
        guard isCall(i) else { return }
        let node = nodes[i]
        var values = attributes.values
        try naming(node) {
            if library.contains(node.op), OperationCatalog.operation(named: node.op) == nil {
                // The node's attributes are the function's own.
                let call = TFNameAttrList.with {
                    $0.name = node.op
                    $0.attr = node.attr
                }
                let function = try library.function(call, handles: handles)
                let passed = library.handles(passedBy: function)
                let types = try library.resultTypes(call).enumerated().filter { passed[$0.offset] == nil }.map(
                    \.element)
                values = ["f": .function(function), "Tout": .types(types)]
                return
            }
            for (name, proto) in node.attr.sorted(by: { $0.key < $1.key }) where !name.hasPrefix("_") {
                switch proto.value {
                case .func(let call)?: values[name] = .function(try library.function(call, handles: handles))
                case .list(let list)? where !list.func.isEmpty:
                    values[name] = .functions(try list.func.map { try library.function($0, handles: handles) })
                default: break
                }
            }
            let passed = try passedHandles(i, values, handles)
            let listed = node.op == "For" ? Dictionary(uniqueKeysWithValues: handles.map { ($0 - 1, $1) }) : handles
            for (name, missing) in [("T", listed), ("Tin", listed), ("Tout", passed)] {
                guard case .types(let types)? = values[name] else { continue }
                values[name] = .types(types.enumerated().filter { missing[$0.offset] == nil }.map(\.element))
            }
            if case .shapes(let shapes)? = values["output_shapes"] {
                values["output_shapes"] = .shapes(
                    shapes.enumerated().filter { passed[$0.offset] == nil }.map(\.element))
            }
        }
        attributes = Attributes(values)
    }

    /// The Variables whose handles a call yields, by output: they are not outputs here.
    private func passedHandles(
        _ i: Int, _ values: [String: AttributeValue], _ handles: [Int: Vertex]
    ) throws -> [Int: Vertex] {
        // A loop yields what it takes.
        if nodes[i].op.hasSuffix("While") { return handles }
        let passed = values.values.flatMap(\.functions).map { library.handles(passedBy: $0) }
        guard let first = passed.first else { return [:] }
        guard passed.allSatisfy({ $0 == first }) else {
            throw GraphError("its branches yield the handles of different Variables")
        }
        return try first.mapValues { name in
            guard let variable = handles.values.first(where: { $0.name == name }) else {
                throw GraphError("it yields the handle of the Variable '\(name)', which it does not take")
            }
            return variable
        }
    }

    /// A call's outputs are at other places if handles of Variables were among them.
    private mutating func noteOutputs(_ i: Int, _ vertex: Vertex, _ handles: [Int: Vertex]) throws {
        guard isCall(i) else { return }
        let passed = try naming(nodes[i]) { try passedHandles(i, vertex.attributes.values, handles) }
        guard !passed.isEmpty else { return }
        var next = 0
        outputs[i] = (0..<vertex.outputs.count + passed.count).map { place in
            if let variable = passed[place] { return variable.output(0) }
            defer { next += 1 }
            return next < vertex.outputs.count ? vertex.output(next) : nil
        }
    }

    private mutating func attributes(_ node: TFNodeDef, _ signature: Signature) throws -> Attributes {
        let known = signature.attributeNames
        let counts = Set((signature.inputs + signature.outputs).compactMap(\.count))
        var result: [String: AttributeValue] = [:]
        // In a fixed order, so that of several mistakes always the same one is reported.
        for (name, proto) in node.attr.sorted(by: { $0.key < $1.key }) {
            let isKnown = known.contains(name)
            if !isKnown, name.hasPrefix("_") { continue }
            if proto.namesFunctions { continue }
            let example = signature.example(name)
            do {
                let value = try AttributeValue(proto, like: example, tensors: tensors)
                if let example, example.kind != value.kind {
                    throw GraphError("it must be \(example.kind), got \(value.kind)")
                }
                // Beyond this a list of outputs would only take memory.
                if counts.contains(name), case .int(let count) = value, !(0...65536).contains(count) {
                    throw GraphError("it counts tensors and must be between 0 and 65536, got \(count)")
                }
                result[name] = value
            } catch {
                guard isKnown else { continue }
                throw GraphError("the attribute '\(name)' of '\(node.name)' (\(node.op)): \(error)")
            }
        }
        return Attributes(result)
    }

    private func naming<Result>(_ node: TFNodeDef, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as FunctionLimit { throw error } catch {
            throw GraphError("'\(node.name)' (\(node.op)): \(error)")
        }
    }
}

extension TFAttrValue {
    fileprivate var namesFunctions: Bool {
        switch value {
        case .func?: true
        case .list(let list)?: !list.func.isEmpty
        default: false
        }
    }
}

extension Signature {
    fileprivate var attributeNames: Set<String> {
        var names = Set(types.keys).union(defaults.keys).union(required)
        for argument in inputs + outputs {
            if let count = argument.count { names.insert(count) }
            names.insert(argument.type)
        }
        return names
    }

    /// A value of the attribute's kind, nil where the signature does not tell.
    fileprivate func example(_ name: String) -> AttributeValue? {
        if let value = defaults[name] { return value }
        if (inputs + outputs).contains(where: { $0.isList && $0.type == name }) { return .types([]) }
        if types[name] != nil { return .type(.float32) }
        if (inputs + outputs).contains(where: { $0.count == name }) { return .int(0) }
        return nil
    }
}

extension TFNodeDef {
    /// TensorFlow's `Add` joins texts, too: here `StringJoin` does.
    fileprivate var withTextsJoined: TFNodeDef {
        guard op == "Add", attr["T"]?.type == .dtString else { return self }
        var node = self
        node.op = "StringJoin"
        node.attr["T"] = nil
        node.attr["N"] = .with { $0.i = 2 }
        return node
    }
}
