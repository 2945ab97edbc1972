internal import Dataflow
internal import SwiftProtobuf

/// The functions of a file, each made when a node first calls it.
///
/// A Variable that goes in by its handle does not stay an argument: the body gets a handle of the same Variable.
final class FunctionLibrary {
    private var definitions: [String: TFFunctionDef] = [:]
    private var made: [String: Function] = [:]
    private var open: [String] = []
    /// Where functions' names are unique.
    private let root: Graph

    /// Functions that call each other more deeply than this are refused.
    private static let depthLimit = 64

    /// - Throws: `GraphError` for two functions of one name.
    init(_ library: TFFunctionDefLibrary, for root: Graph) throws {
        self.root = root
        for function in library.function {
            guard definitions.updateValue(function, forKey: function.signature.name) == nil else {
                throw GraphError("two functions have the name '\(function.signature.name)'")
            }
        }
    }

    func contains(_ name: String) -> Bool { definitions[name] != nil }

    /// The dtypes of a function's results, for a node that calls it as an operation.
    func resultTypes(_ name: String) throws -> [DType] {
        try (definitions[name]?.signature.outputArg ?? []).map { try DType($0.type) }
    }

    /// The function that a node names.
    ///
    /// - Parameter handles: the Variables among the arguments, by place.
    /// - Throws: `GraphError` for a function that is not there, calls itself, or is wrong in itself.
    func function(_ call: TFNameAttrList, handles: [Int: Vertex]) throws -> Function {
        guard let definition = definitions[call.name] else {
            throw GraphError("the function '\(call.name)' is not in the graph's library")
        }
        let names = handles.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.name)" }
        let key = ([call.name] + names).joined(separator: "\n")
        if let known = made[key] { return known }
        guard !open.contains(call.name) else {
            throw GraphError(
                "the functions \((open + [call.name]).map { "'\($0)'" }.joined(separator: " → ")) call themselves")
        }
        guard open.count < Self.depthLimit else {
            throw GraphError("functions call each other more than \(Self.depthLimit) deep")
        }
        open.append(call.name)
        defer { open.removeLast() }
        let function: Function
        do { function = try FunctionDecoder(definition, self, handles).decode(root) } catch {
            throw GraphError("in the function '\(call.name)': \(error)")
        }
        made[key] = function
        return function
    }
}

/// A function of a file on its way to a body.
private struct FunctionDecoder {
    private let definition: TFFunctionDef
    private let library: FunctionLibrary
    private let handles: [Int: Vertex]
    private let shapes: [UInt32: TFFunctionDef.ArgAttrs]

    init(_ definition: TFFunctionDef, _ library: FunctionLibrary, _ handles: [Int: Vertex]) {
        self.definition = definition
        self.library = library
        self.handles = handles
        shapes = Dictionary(definition.argAttr.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
    }

    func decode(_ root: Graph) throws -> Function {
        let name = root.uniqueFunctionName(definition.signature.name)
        // Arguments are nodes of the body; inputs are named as in a graph.
        var arguments: [String: String] = [:]
        var body = TFGraphDef()
        var parameters: [String] = []
        for (i, argument) in definition.signature.inputArg.enumerated() {
            guard argument.typeAttr.isEmpty, argument.numberAttr.isEmpty, argument.typeListAttr.isEmpty else {
                throw GraphError("the argument '\(argument.name)' is of no fixed type, which is not supported")
            }
            var node = TFNodeDef()
            node.name = handles[i]?.name ?? argument.name
            guard arguments.updateValue(node.name, forKey: argument.name) == nil else {
                throw GraphError("two arguments have the name '\(argument.name)'")
            }
            if let variable = handles[i] {
                guard !body.node.contains(where: { $0.name == variable.name }) else { continue }
                node.op = variable.operation.name
                node.attr = GraphDefinition.node(variable, includingDevices: false).attr
            } else {
                node.op = "Placeholder"
                node.attr["dtype"] = .with { $0.type = argument.type }
                node.attr["shape"] = shape(UInt32(i))
                parameters.append(node.name)
            }
            body.node.append(node)
        }
        let operations = Dictionary(definition.nodeDef.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        func translated(_ input: String) throws -> String {
            let parts = input.split(separator: ":", omittingEmptySubsequences: false)
            if input.hasPrefix("^") {
                return arguments[String(input.dropFirst())].map { "^\($0)" } ?? input
            }
            if let argument = arguments[String(parts[0])], operations[String(parts[0])] == nil { return argument }
            guard parts.count == 3, let node = operations[String(parts[0])], let index = Int(parts[2]),
                let position = try outputs(node).position(parts[1], index)
            else { throw GraphError("the input '\(input)' is neither an argument nor 'node:output:index' of the body") }
            return "\(parts[0]):\(position)"
        }
        for node in definition.nodeDef {
            var copy = node
            copy.input = try node.input.map(translated)
            body.node.append(copy)
        }
        let graph = Graph(function: name, seed: root.seed)
        var decoder = try GraphDecoder(body, into: graph, library: library)
        _ = try decoder.decode()
        let results = try definition.signature.outputArg.enumerated().compactMap { i, output -> Node? in
            guard let source = definition.ret[output.name] else {
                throw GraphError("the result '\(output.name)' is not told")
            }
            let node = try decoder.node(translated(source))
            return node.dtype == .resource && node.variable != nil ? nil : node
        }
        let effects = try definition.controlRet.sorted { $0.key < $1.key }.map { entry in
            guard let vertex = graph.vertex(named: entry.value) else {
                throw GraphError("the control output '\(entry.value)' is not in the body")
            }
            return vertex
        }
        return Function(
            name: name, graph: graph, parameters: try parameters.map { try graph.node(named: $0) }, results: results,
            effects: effects)
    }

    private func shape(_ argument: UInt32) -> TFAttrValue {
        if let shape = shapes[argument]?.attr["_output_shapes"]?.list.shape.first {
            return .with { $0.shape = shape }
        }
        return .with { $0.shape.unknownRank = true }
    }

    private func outputs(_ node: TFNodeDef) throws -> FunctionOutputs {
        if let operation = OperationCatalog.operation(named: node.op) {
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
        guard library.contains(node.op) else { throw GraphError("the operation '\(node.op)' is not known") }
        return try FunctionOutputs(
            StatefulPartitionedCall.signature, ["Tout": .types(try library.resultTypes(node.op))])
    }
}
