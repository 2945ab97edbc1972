/// What TensorFlow's `OpDef` says of an operation: inputs, outputs, the types they may have, attributes and defaults.
///
/// An argument's type is written as in TensorFlow: a dtype (`"int32"`), the name of a type attribute (`"T"`), `"ref T"`
/// for a Variable's memory, `"N * T"` for as many tensors as the int attribute `N` says, or `"list T"` for a tensor of each
/// of the dtypes that the attribute `T` lists.
public struct Signature: Sendable {
    public struct Argument: Sendable {
        public let name: String
        /// A Variable's memory rather than a value.
        public let isReference: Bool
        /// The attribute that counts the tensors of a list.
        public let count: String?
        /// A tensor of each of the dtypes that the attribute `type` lists. An operation takes one such list at most.
        public let isList: Bool
        /// A dtype's name, or a type attribute's.
        public let type: String

        // Never inlined, nor is what follows: every operation has a signature, which is made once.
        @inline(never)
        init(_ name: String, _ text: String) {
            self.name = name
            var text = Substring(text)
            isReference = text.hasPrefix("ref ")
            if isReference { text = text.dropFirst(4) }
            isList = text.hasPrefix("list ")
            if isList { text = text.dropFirst(5) }
            if let star = text.firstIndex(of: "*") {
                count = String(text[..<star].filter { $0 != " " })
                text = text[text.index(after: star)...]
            } else {
                count = nil
            }
            type = String(text.filter { $0 != " " })
        }
    }

    public let inputs: [Argument]
    public let outputs: [Argument]
    /// The dtypes that each type attribute may stand for.
    public let types: [String: [DType]]
    /// Attributes that may be left out, with TensorFlow's defaults.
    public let defaults: [String: AttributeValue]
    /// Attributes that must be given and cannot be inferred from the inputs.
    public let required: [String]

    @inline(never)
    public init(
        _ inputs: KeyValuePairs<String, String>, to outputs: KeyValuePairs<String, String>,
        types: [String: [DType]] = [:], defaults: [String: AttributeValue] = [:], required: [String] = []
    ) {
        self.inputs = inputs.map { Argument($0.key, $0.value) }
        self.outputs = outputs.map { Argument($0.key, $0.value) }
        self.types = types
        self.defaults = defaults
        self.required = required
    }

    init(
        arguments: [Argument], outputs: [Argument], types: [String: [DType]], defaults: [String: AttributeValue],
        required: [String]
    ) {
        inputs = arguments
        self.outputs = outputs
        self.types = types
        self.defaults = defaults
        self.required = required
    }

    /// `y = f(x)`, both of type `T`.
    @inline(never)
    public static func unary(_ types: [DType], input: String = "x", output: String = "y") -> Signature {
        Signature([input: "T"], to: [output: "T"], types: ["T": types])
    }

    /// `z = f(x, y)`, all of type `T`.
    @inline(never)
    public static func binary(_ types: [DType]) -> Signature {
        Signature(["x": "T", "y": "T"], to: ["z": "T"], types: ["T": types])
    }

    /// `z = x ? y`: a comparison.
    @inline(never)
    public static func comparison(_ types: [DType]) -> Signature {
        Signature(["x": "T", "y": "T"], to: ["z": "bool"], types: ["T": types])
    }

    /// The gradient of an activation: from `inputs`, all of type `T`, to `backprops`.
    @inline(never)
    public static func activationGradient(_ first: String, _ second: String, output: String) -> Signature {
        Signature([first: "T", second: "T"], to: [output: "T"], types: ["T": DType.floats])
    }

    /// Whether input `position` must be a Variable's memory; a list takes all that follows it.
    func takesReference(_ position: Int) -> Bool {
        guard let first = inputs.firstIndex(where: { $0.count != nil || $0.isList }), position >= first else {
            return inputs.indices.contains(position) && inputs[position].isReference
        }
        return inputs[first].isReference
    }

    /// Fills in defaults and the type attributes that follow from the inputs; checks all dtypes and the number of inputs.
    func resolve(_ attributes: Attributes, inputs actual: [DType]) throws -> Attributes {
        var result = attributes
        for (name, value) in defaults where result[name] == nil { result.values[name] = value }
        let counted = inputs.filter { $0.count != nil }
        if let list = counted.first?.count, result[list] == nil, counted.allSatisfy({ $0.count == list }) {
            result.values[list] = .int((actual.count - (inputs.count - counted.count)) / counted.count)
        }
        for argument in inputs where argument.isList && result[argument.type] == nil {
            let start = inputs.prefix { $0.name != argument.name }.count
            let end = actual.count - (inputs.count - start - 1)
            result.values[argument.type] = .types(start <= end ? Array(actual[start..<end]) : [])
        }
        var position = 0
        for argument in inputs {
            if argument.isList {
                for type in try result.types(argument.type) {
                    guard position < actual.count, actual[position] == type else {
                        let got = position < actual.count ? "\(actual[position])" : "\(actual.count) inputs (\(names))"
                        throw GraphError("input \(position) '\(argument.name)' must be \(type), got \(got)")
                    }
                    position += 1
                }
                continue
            }
            let count = try argument.count.map { try result.int($0) } ?? 1
            for _ in 0..<max(count, 0) {
                guard position < actual.count else {
                    throw GraphError("takes \(inputs.count) inputs (\(names)), got \(actual.count)")
                }
                try check(argument, position, actual[position], &result)
                position += 1
            }
        }
        guard position == actual.count else {
            throw GraphError("takes \(position) inputs (\(names)), got \(actual.count)")
        }
        for (name, allowed) in types {
            if case .types? = result[name] { continue }
            let type = try result.type(name)
            guard allowed.contains(type) else {
                throw GraphError("the type \(name) must be \(list(allowed)), got \(type)")
            }
        }
        for name in required where result[name] == nil { throw GraphError("the attribute '\(name)' is missing") }
        return result
    }

    private var names: String { inputs.map(\.name).joined(separator: ", ") }

    private func list(_ types: [DType]) -> String { types.map(\.description).joined(separator: ", ") }

    private func check(_ argument: Argument, _ position: Int, _ actual: DType, _ attributes: inout Attributes) throws {
        if let fixed = DType(rawValue: argument.type) {
            guard actual == fixed else {
                throw GraphError("input \(position) '\(argument.name)' must be \(fixed), got \(actual); use cast()")
            }
            return
        }
        guard let allowed = types[argument.type] else { return }
        guard allowed.contains(actual) else {
            throw GraphError("input \(position) '\(argument.name)' must be \(list(allowed)), got \(actual); use cast()")
        }
        if case .type(let bound)? = attributes[argument.type] {
            guard bound == actual else {
                throw GraphError(
                    "input \(position) '\(argument.name)' must be \(bound) like the inputs before it, got \(actual); use cast()"
                )
            }
        } else {
            attributes.values[argument.type] = .type(actual)
        }
    }

    /// The dtypes of the outputs once the attributes are resolved.
    func outputTypes(_ attributes: Attributes) throws -> [DType] {
        try outputs.flatMap { argument in
            if argument.isList { return try attributes.types(argument.type) }
            let type = try DType(rawValue: argument.type) ?? attributes.type(argument.type)
            return [DType](repeating: type, count: try argument.count.map { max(try attributes.int($0), 0) } ?? 1)
        }
    }
}

extension Signature: CustomStringConvertible {
    /// The arguments, the results and the attributes: "(a: T, b: T) -> (product: T), transpose_a: false".
    public var description: String {
        let (taken, given) = (inputs.map(\.description), outputs.map(\.description))
        let others = defaults.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" } + required
        return (["(\(taken.joined(separator: ", "))) -> (\(given.joined(separator: ", ")))"] + others)
            .joined(separator: ", ")
    }
}

extension Signature.Argument: CustomStringConvertible {
    /// "name: type", the type as TensorFlow writes it.
    public var description: String {
        "\(name): \(isReference ? "ref " : isList ? "list " : "")\(count.map { "\($0) * " } ?? "")\(type)"
    }
}
