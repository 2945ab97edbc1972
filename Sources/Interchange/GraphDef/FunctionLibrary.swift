internal import Dataflow
internal import Schemas
internal import SwiftProtobuf

/// The functions of a file, each made when a node first calls it.
///
/// A Variable that goes in by its handle does not stay an argument: the body gets a handle of the same Variable. A function
/// with attributes (types, numbers) is made anew for each set of values that callers give them.
final class FunctionLibrary {
    private var definitions: [String: TFFunctionDef] = [:]
    /// The function that is a function's gradient.
    private var gradients: [String: String] = [:]
    private var made: [String: Function] = [:]
    /// Of functions that yield handles of Variables, these by result, under the names of the Variables.
    private var passed: [ObjectIdentifier: [Int: String]] = [:]
    private var open: [String] = []
    /// Where functions' names are unique.
    private let root: Graph
    private let limits = FunctionLimits()
    /// The tensors of the whole file, its functions' too.
    let tensors = TensorDecoder()

    /// - Throws: `GraphError` for two functions of one name, or two gradients of one function.
    init(_ library: TFFunctionDefLibrary, for root: Graph) throws {
        self.root = root
        for function in library.function {
            guard definitions.updateValue(function, forKey: function.signature.name) == nil else {
                throw GraphError("two functions have the name '\(function.signature.name)'")
            }
        }
        for gradient in library.gradient {
            guard gradients.updateValue(gradient.gradientFunc, forKey: gradient.functionName) == nil else {
                throw GraphError("the function '\(gradient.functionName)' has two gradients")
            }
        }
    }

    func contains(_ name: String) -> Bool { definitions[name] != nil }

    /// The nodes of a function's body with the values of its attributes.
    /// - Throws: `GraphError` for placeholders without a value, and for values that take too much memory.
    func nodes(_ definition: TFFunctionDef, _ attributes: FunctionAttributes) throws -> [TFNodeDef] {
        try definition.nodeDef.map { try attributes.filled($0) { try limits.add(bytes: $0) } }
    }

    /// The dtypes of a function's results, for a node that calls it as an operation.
    func resultTypes(_ call: TFNameAttrList) throws -> [DType] {
        try outputs(call).flatMap { try $0.types.map { try DType($0) } }
    }

    /// The results of a function by name, each with the dtypes of the tensors that it stands for.
    func outputs(_ call: TFNameAttrList) throws -> [(name: String, types: [TFDataType])] {
        let definition = try definition(call.name)
        let attributes = try FunctionAttributes(definition, call.attr)
        return try definition.signature.outputArg.map { ($0.name, try attributes.types(of: $0)) }
    }

    private func definition(_ name: String) throws -> TFFunctionDef {
        guard let definition = definitions[name] else {
            throw GraphError("the function '\(name)' is not in the graph's library")
        }
        return definition
    }

    /// The function that a node names.
    ///
    /// - Parameter handles: the Variables among the arguments, by place.
    /// - Throws: `GraphError` for a function that is not there, calls itself, or is wrong in itself.
    func function(_ call: TFNameAttrList, handles: [Int: Vertex]) throws -> Function {
        let definition = try definition(call.name)
        let attributes = try FunctionAttributes(definition, call.attr)
        let names = handles.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.name)" }
        let key = ([call.name] + names + [try attributes.key()]).joined(separator: "\n")
        if let known = made[key] { return known }
        guard !open.contains(call.name) else {
            throw GraphError(
                "the functions \((open + [call.name]).map { "'\($0)'" }.joined(separator: " → ")) call themselves")
        }
        guard open.count < FunctionLimits.depth else {
            throw FunctionLimit("functions call each other more than \(FunctionLimits.depth) deep; call them less deep")
        }
        try limits.add(definition)
        try limits.add(bytes: attributes.bytes)
        open.append(call.name)
        defer { open.removeLast() }
        let function: Function
        do {
            var decoder = FunctionDecoder(definition, attributes, self, handles)
            function = try CallStack.extended { try decoder.decode(root, gradient: customGradient(call, handles)) }
            passed[ObjectIdentifier(function)] = decoder.passed
        } catch let error as FunctionLimit { throw error } catch {
            throw GraphError("in the function '\(call.name)': \(error)")
        }
        made[key] = function
        return function
    }

    /// The Variables whose handles are among a function's results, by name and place. They are not among the results of the
    /// function that is made.
    func handles(passedBy function: Function) -> [Int: String] { passed[ObjectIdentifier(function)] ?? [:] }

    /// What the file says that a function's gradient is. A mistake in it counts when the gradient is asked for.
    private func customGradient(_ call: TFNameAttrList, _ handles: [Int: Vertex]) -> CustomGradient? {
        guard let name = gradients[call.name] else { return nil }
        return CustomGradient(
            Result {
                var gradient = call
                gradient.name = name
                return try function(gradient, handles: handles)
            })
    }
}

/// The values of a function's attributes, by which its placeholders are replaced.
struct FunctionAttributes {
    private var values: [String: TFAttrValue] = [:]
    /// Of each value.
    private var sizes: [String: Int] = [:]
    /// Of all values.
    var bytes: Int { sizes.values.reduce(0, +) }

    /// - Throws: `GraphError` for an attribute that is neither given nor has a default, or is too large.
    init(_ definition: TFFunctionDef, _ given: [String: TFAttrValue]) throws {
        for attribute in definition.signature.attr {
            if let value = given[attribute.name] {
                values[attribute.name] = value
            } else if attribute.hasDefaultValue {
                values[attribute.name] = attribute.defaultValue
            } else {
                throw GraphError(
                    "the function '\(definition.signature.name)' is called without its attribute '\(attribute.name)'")
            }
            sizes[attribute.name] = try values[attribute.name].map {
                try FunctionLimits.bytes(of: $0, named: attribute.name)
            }
        }
    }

    /// The same for the same values.
    func key() throws -> String {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        return try values.sorted { $0.key < $1.key }.map { name, value in
            let bytes: [UInt8] = try value.serializedBytes(options: options)
            return "\(name)=\(bytes.map { String($0, radix: 16) }.joined(separator: "."))"
        }.joined(separator: ";")
    }

    /// The dtypes of the tensors that an argument or a result stands for.
    func types(of argument: TFOpDef.ArgDef) throws -> [TFDataType] {
        if !argument.typeListAttr.isEmpty { return try value(argument.typeListAttr).list.type }
        let type = argument.typeAttr.isEmpty ? argument.type : try value(argument.typeAttr).type
        guard !argument.numberAttr.isEmpty else { return [type] }
        let count = try value(argument.numberAttr).i
        // More than this no operation may have.
        guard (0...65536).contains(count) else {
            throw GraphError("'\(argument.name)' would be \(count) tensors; it must be between 0 and 65536")
        }
        return [TFDataType](repeating: type, count: Int(count))
    }

    private func value(_ name: String) throws -> TFAttrValue {
        guard let value = values[name] else { throw GraphError("there is no value for the attribute '\(name)'") }
        return value
    }

    /// A node of the body with the values for its placeholders.
    ///
    /// - Parameter count: receives the bytes of each value that is put in; may refuse.
    func filled(_ node: TFNodeDef, _ count: (Int) throws -> Void) throws -> TFNodeDef {
        var result = node
        do { result.attr = try filled(node.attr, count) } catch let error as FunctionLimit { throw error } catch {
            throw GraphError("'\(node.name)' (\(node.op)): \(error)")
        }
        return result
    }

    private func filled(
        _ attributes: [String: TFAttrValue], _ count: (Int) throws -> Void
    ) throws -> [String: TFAttrValue] {
        try attributes.mapValues { attribute in
            switch attribute.value {
            case .placeholder(let name)?:
                try count(sizes[name] ?? 0)
                return try value(name)
            case .func(var call)?:
                call.attr = try filled(call.attr, count)
                return .with { $0.func = call }
            case .list(var list)? where !list.func.isEmpty:
                for i in list.func.indices { list.func[i].attr = try filled(list.func[i].attr, count) }
                return .with { $0.list = list }
            default: return attribute
            }
        }
    }
}
