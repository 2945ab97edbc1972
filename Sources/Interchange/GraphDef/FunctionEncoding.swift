internal import Dataflow
internal import Schemas
internal import SwiftProtobuf

extension GraphDefinition {
    /// The functions that `vertices` call, and those that these call, each once.
    static func library(_ vertices: [Vertex], includingDevices: Bool) throws -> TFFunctionDefLibrary {
        var functions: [Function] = []
        var waiting = called(by: vertices)
        while !waiting.isEmpty {
            let next = waiting.removeFirst()
            guard !functions.contains(next) else { continue }
            if let other = functions.first(where: { $0.name == next.name }) {
                throw GraphError("two functions have the name '\(other.name)'")
            }
            functions.append(next)
            waiting += called(by: next.graph.vertices)
        }
        var library = TFFunctionDefLibrary()
        library.function = try functions.map { try FunctionEncoder($0).encode(includingDevices: includingDevices) }
        library.gradient = gradientDefinitions(functions)
        return library
    }

    private static func called(by vertices: [Vertex]) -> [Function] {
        vertices.flatMap { vertex in
            vertex.attributes.sorted.flatMap(\.functions).flatMap {
                [$0] + ($0.customGradient?.known.map { [$0] } ?? [])
            }
        }
    }

    /// What the library says of the gradients of the functions that it holds.
    static func gradientDefinitions(_ functions: [Function]) -> [TFGradientDef] {
        functions.compactMap { function in
            function.customGradient?.known.map { gradient in
                .with {
                    $0.functionName = function.name
                    $0.gradientFunc = gradient.name
                }
            }
        }
    }
}

extension Attributes {
    /// The values in the order of their names.
    fileprivate var sorted: [AttributeValue] { values.sorted { $0.key < $1.key }.map(\.value) }
}

/// A function on its way to a file.
private struct FunctionEncoder {
    private let function: Function
    private let parameters: [Node: String]

    init(_ function: Function) {
        self.function = function
        // Arguments' names are of letters, digits and underscores, and no node's.
        var taken = Set(function.graph.vertices.map(\.name))
        var names: [Node: String] = [:]
        for (i, parameter) in function.parameters.enumerated() {
            let own = parameter.vertex.name
            taken.remove(own)
            var name = FunctionEncoder.isArgument(own) ? own : "arg_\(i)"
            while taken.contains(name) { name += "_" }
            taken.insert(name)
            names[parameter] = name
        }
        parameters = names
    }

    private static func isArgument(_ name: String) -> Bool {
        name.first.map { ("a"..."z").contains($0) } == true
            && name.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "_" }
    }

    func encode(includingDevices: Bool) throws -> TFFunctionDef {
        try function.graph.validate()
        var result = TFFunctionDef()
        result.signature.name = function.name
        result.signature.isStateful = function.isStateful
        result.signature.inputArg = function.parameters.map { node in
            .with {
                $0.name = parameters[node] ?? ""
                $0.type = node.dtype.proto
            }
        }
        for (i, node) in function.results.enumerated() {
            let name = "result_\(i)"
            result.signature.outputArg.append(
                .with {
                    $0.name = name
                    $0.type = node.dtype.proto
                })
            result.ret[name] = try reference(node)
        }
        for vertex in function.effects {
            result.signature.controlOutput.append(vertex.name)
            result.controlRet[vertex.name] = vertex.name
        }
        for (i, node) in function.parameters.enumerated() where node.shape.rank != nil {
            result.argAttr.append(
                .with {
                    $0.key = UInt32(i)
                    $0.value.attr["_output_shapes"] = AttributeValue.shapes([node.shape]).proto
                })
        }
        for vertex in function.graph.vertices where parameters[vertex.node] == nil {
            var node = GraphDefinition.node(vertex, includingDevices: includingDevices)
            let carried = vertex.loopInput.map { [$0] } ?? []
            node.input = try (vertex.inputs + carried).map(reference) + vertex.controls.map { "^\($0.name)" }
            result.nodeDef.append(node)
        }
        return result
    }

    /// "argument", or "node:output_name:0".
    private func reference(_ node: Node) throws -> String {
        if let name = parameters[node] { return name }
        let outputs = try FunctionOutputs(node.vertex.operation.signature, node.vertex.attributes)
        return "\(node.vertex.name):\(try outputs.name(node.output))"
    }
}

/// How a function's body names the outputs of an operation: "output_name:0".
struct FunctionOutputs {
    private let lengths: [(name: String, count: Int)]

    init(_ signature: Signature, _ attributes: Attributes) throws {
        lengths = try signature.outputs.map { argument in
            if argument.isList { return (argument.name, try attributes.types(argument.type).count) }
            return (argument.name, try argument.count.map { try attributes.int($0) } ?? 1)
        }
    }

    init(_ lengths: [(name: String, count: Int)]) { self.lengths = lengths }

    /// The numbers of all tensors that the output `name` stands for, nil if there is none of that name.
    func positions(_ name: Substring) -> Range<Int>? {
        var first = 0
        for (own, count) in lengths {
            if own == name { return first..<first + count }
            first += count
        }
        return nil
    }

    func name(_ output: Int) throws -> String {
        var first = 0
        for (name, count) in lengths {
            if output < first + count { return "\(name):\(output - first)" }
            first += count
        }
        throw GraphError("there is no output \(output)")
    }

    /// The number of the output `name`:`index`, nil if there is none.
    func position(_ name: Substring, _ index: Int) -> Int? {
        var first = 0
        for (own, count) in lengths {
            if own == name { return index >= 0 && index < count ? first + index : nil }
            first += count
        }
        return nil
    }
}
