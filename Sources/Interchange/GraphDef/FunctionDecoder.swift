internal import Dataflow
internal import Schemas
internal import SwiftProtobuf

/// A function of a file on its way to a body.
struct FunctionDecoder {
    private let definition: TFFunctionDef
    private let attributes: FunctionAttributes
    private let library: FunctionLibrary
    private let handles: [Int: Vertex]
    /// Nodes of the body that stand for each argument.
    private var arguments: [String: [String]] = [:]
    /// The body's nodes with the values of the attributes.
    private var operations: [String: TFNodeDef] = [:]
    /// The Variables whose handles are among the results, by place.
    private(set) var passed: [Int: String] = [:]

    init(
        _ definition: TFFunctionDef, _ attributes: FunctionAttributes, _ library: FunctionLibrary,
        _ handles: [Int: Vertex]
    ) {
        self.definition = definition
        self.attributes = attributes
        self.library = library
        self.handles = handles
    }

    mutating func decode(_ root: Graph, gradient: CustomGradient?) throws -> Function {
        let name = root.uniqueFunctionName(definition.signature.name)
        // Arguments are nodes of the body; inputs are named as in a graph.
        var body = TFGraphDef()
        let nodes = try library.nodes(definition, attributes)
        operations = Dictionary(nodes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let parameters = try addArguments(to: &body)
        for node in nodes {
            var copy = node
            copy.input = try node.input.flatMap(translated)
            body.node.append(copy)
        }
        let graph = Graph(function: name, seed: root.seed)
        var decoder = try GraphDecoder(body, into: graph, library: library)
        _ = try decoder.decode()
        var results: [Node] = []
        var place = 0
        for output in definition.signature.outputArg {
            guard let source = definition.ret[output.name] else {
                throw GraphError("the result '\(output.name)' is not told")
            }
            let (sources, types) = (try translated(source), try attributes.types(of: output))
            guard sources.count == types.count else {
                throw GraphError("the result '\(output.name)' is \(sources.count) tensors, not \(types.count)")
            }
            for source in sources {
                let node = try decoder.node(source)
                if node.dtype == .resource, let variable = node.variable {
                    passed[place] = variable.name
                } else {
                    results.append(node)
                }
                place += 1
            }
        }
        let effects = try definition.controlRet.sorted { $0.key < $1.key }.map { entry in
            guard let vertex = graph.vertex(named: entry.value) else {
                throw GraphError("the control output '\(entry.value)' is not in the body")
            }
            return vertex
        }
        return Function(
            name: name, graph: graph, parameters: try parameters.map { try graph.node(named: $0) }, results: results,
            effects: effects, customGradient: gradient)
    }

    /// Adds a node for each tensor that is an argument. Yields the names of those that stay parameters.
    private mutating func addArguments(to body: inout TFGraphDef) throws -> [String] {
        var taken = Set(definition.nodeDef.map(\.name)).union(definition.signature.inputArg.map(\.name))
        var parameters: [String] = []
        var place = 0
        for (i, argument) in definition.signature.inputArg.enumerated() {
            let types = try attributes.types(of: argument)
            let isList = !argument.numberAttr.isEmpty || !argument.typeListAttr.isEmpty
            var names: [String] = []
            for (j, type) in types.enumerated() {
                defer { place += 1 }
                if let variable = handles[place] {
                    names.append(variable.name)
                    guard !body.node.contains(where: { $0.name == variable.name }) else { continue }
                    body.node.append(
                        .with {
                            $0.name = variable.name
                            $0.op = variable.operation.name
                            $0.attr = GraphDefinition.node(variable, includingDevices: false).attr
                        })
                    continue
                }
                var name = isList ? "\(argument.name)_\(j)" : argument.name
                while isList, !taken.insert(name).inserted { name += "_" }
                names.append(name)
                parameters.append(name)
                body.node.append(
                    .with {
                        $0.name = name
                        $0.op = "Placeholder"
                        $0.attr["dtype"] = .with { $0.type = type }
                        $0.attr["shape"] = isList ? .with { $0.shape.unknownRank = true } : shape(UInt32(i))
                    })
            }
            guard arguments.updateValue(names, forKey: argument.name) == nil else {
                throw GraphError("two arguments have the name '\(argument.name)'")
            }
        }
        return parameters
    }

    /// An input as the body names it, as a graph does: "argument", "argument:0", "node:output:0", or all of "node:output".
    private func translated(_ input: String) throws -> [String] {
        if input.hasPrefix("^") {
            // Nothing runs before an argument is there.
            guard let nodes = arguments[String(input.dropFirst())] else { return [input] }
            return nodes.prefix(1).map { "^\($0)" }
        }
        let parts = input.split(separator: ":", omittingEmptySubsequences: false)
        let first = String(parts[0])
        if let nodes = arguments[first], operations[first] == nil {
            if parts.count == 1 { return nodes }
            if parts.count == 2, let index = Int(parts[1]), nodes.indices.contains(index) { return [nodes[index]] }
        } else if let node = operations[first] {
            let outputs = try outputs(node)
            if parts.count == 2, let range = outputs.positions(parts[1]) { return range.map { "\(first):\($0)" } }
            if parts.count == 3, let index = Int(parts[2]), let position = outputs.position(parts[1], index) {
                return ["\(first):\(position)"]
            }
        }
        throw GraphError("the input '\(input)' is neither an argument nor 'node:output:index' of the body")
    }

    private func shape(_ argument: UInt32) -> TFAttrValue {
        let told = definition.argAttr.last { $0.key == argument }
        if let shape = told?.value.attr["_output_shapes"]?.list.shape.first {
            return .with { $0.shape = shape }
        }
        return .with { $0.shape.unknownRank = true }
    }

    private func outputs(_ node: TFNodeDef) throws -> FunctionOutputs {
        guard let operation = OperationCatalog.operation(named: node.op) else {
            guard library.contains(node.op) else { throw GraphError("the operation '\(node.op)' is not known") }
            let call = TFNameAttrList.with {
                $0.name = node.op
                $0.attr = node.attr
            }
            return FunctionOutputs(try library.outputs(call).map { ($0.name, $0.types.count) })
        }
        var attributes: [String: AttributeValue] = [:]
        for argument in operation.signature.outputs {
            if let count = argument.count, let value = node.attr[count] {
                // More than this no operation may have.
                attributes[count] = .int(Int(min(max(value.i, 0), 65536)))
            }
            if argument.isList, let types = node.attr[argument.type] {
                attributes[argument.type] = .types(try types.list.type.map { try DType($0) })
            }
        }
        return try FunctionOutputs(operation.signature, Attributes(attributes))
    }
}
