/// A value known when the graph is built: TensorFlow's `AttrValue`.
public enum AttributeValue: Sendable, Equatable {
    case int(Int)
    case float(Float)
    case bool(Bool)
    case string(String)
    case type(DType)
    case shape(Shape)
    case tensor(Tensor)
    case ints([Int])
    case floats([Float])
    case bools([Bool])
    case strings([String])
    case types([DType])
    case shapes([Shape])
    case function(Function)
    case functions([Function])
}

extension AttributeValue {
    /// The functions that this names.
    package var functions: [Function] {
        switch self {
        case .function(let function): [function]
        case .functions(let functions): functions
        default: []
        }
    }
}

/// The attributes of a vertex by name. Reading one that is absent or of another kind throws, naming it.
public struct Attributes: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package var values: [String: AttributeValue]

    public init(_ values: [String: AttributeValue] = [:]) { self.values = values }
    @inline(never)
    public init(dictionaryLiteral elements: (String, AttributeValue)...) {
        values = Dictionary(elements, uniquingKeysWith: { $1 })
    }

    public subscript(name: String) -> AttributeValue? { values[name] }

    @inline(never)
    public func int(_ name: String) throws -> Int {
        if case .int(let v)? = values[name] { v } else { throw missing(name, "an int") }
    }
    @inline(never)
    public func float(_ name: String) throws -> Float {
        if case .float(let v)? = values[name] { v } else { throw missing(name, "a float") }
    }
    @inline(never)
    public func bool(_ name: String) throws -> Bool {
        if case .bool(let v)? = values[name] { v } else { throw missing(name, "a bool") }
    }
    @inline(never)
    public func string(_ name: String) throws -> String {
        if case .string(let v)? = values[name] { v } else { throw missing(name, "a string") }
    }
    @inline(never)
    public func type(_ name: String) throws -> DType {
        if case .type(let v)? = values[name] { v } else { throw missing(name, "a type") }
    }
    @inline(never)
    public func shape(_ name: String) throws -> Shape {
        if case .shape(let v)? = values[name] { v } else { throw missing(name, "a shape") }
    }
    @inline(never)
    public func tensor(_ name: String) throws -> Tensor {
        if case .tensor(let v)? = values[name] { v } else { throw missing(name, "a tensor") }
    }
    @inline(never)
    public func ints(_ name: String) throws -> [Int] {
        if case .ints(let v)? = values[name] { v } else { throw missing(name, "a list of ints") }
    }
    @inline(never)
    public func floats(_ name: String) throws -> [Float] {
        if case .floats(let v)? = values[name] { v } else { throw missing(name, "a list of floats") }
    }
    @inline(never)
    public func types(_ name: String) throws -> [DType] {
        if case .types(let v)? = values[name] { v } else { throw missing(name, "a list of types") }
    }

    @inline(never)
    public func function(_ name: String) throws -> Function {
        if case .function(let v)? = values[name] { v } else { throw missing(name, "a function") }
    }

    @inline(never)
    public func functions(_ name: String) throws -> [Function] {
        if case .functions(let v)? = values[name] { v } else { throw missing(name, "a list of functions") }
    }

    @inline(never)
    private func missing(_ name: String, _ kind: String) -> GraphError {
        GraphError("the attribute '\(name)' must be \(kind), got \(values[name].map { "\($0)" } ?? "nothing")")
    }
}

extension AttributeValue: CustomStringConvertible {
    /// The value alone: "int32", "[1, 2]", "true".
    public var description: String {
        switch self {
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .bool(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .type(let value): "\(value)"
        case .shape(let value): "\(value)"
        case .tensor(let value): value.line
        case .ints(let values): "\(values)"
        case .floats(let values): "\(values)"
        case .bools(let values): "\(values)"
        case .strings(let values): "\(values)"
        case .types(let values): "\(values)"
        case .shapes(let values): "\(values)"
        case .function(let value): value.name
        case .functions(let values): "[\(values.map(\.name).joined(separator: ", "))]"
        }
    }
}

extension Attributes: CustomStringConvertible {
    /// By name: "[transpose_a: false, transpose_b: false]".
    public var description: String {
        let parts = values.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return "[\(parts.isEmpty ? ":" : parts.joined(separator: ", "))]"
    }
}
