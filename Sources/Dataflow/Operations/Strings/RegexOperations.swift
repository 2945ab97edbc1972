/// `RegexFullMatch`: whether each string as a whole is a match of the pattern, in RE2's syntax.
public enum RegexFullMatch: StringOperation {
    public static let signature = Signature(["input": "string", "pattern": "string"], to: ["output": "bool"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    static func compute(_ call: DynamicCall) throws -> [Tensor] { try matches(call, call.text(1, "'pattern'")) }
}

/// `StaticRegexFullMatch`: `RegexFullMatch` with the pattern as an attribute.
public enum StaticRegexFullMatch: StringOperation {
    public static let signature = Signature(["input": "string"], to: ["output": "bool"], required: ["pattern"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        try matches(call, call.attributes.string("pattern"))
    }
}

private func matches(_ call: DynamicCall, _ pattern: String) throws -> [Tensor] {
    let expression = try RegularExpression(pattern)
    return [Tensor(call.inputs[0].knownStrings.map(expression.matchesAll), sized: call.inputs[0].shape)]
}

/// `RegexReplace`: each string with the first match of the pattern, or all (`replace_global`), replaced by `rewrite`, in which
/// \1 stands for the first group.
public enum RegexReplace: StringOperation {
    public static let signature = Signature(
        ["input": "string", "pattern": "string", "rewrite": "string"], to: ["output": "string"],
        defaults: ["replace_global": .bool(true)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        try replaced(call, call.text(1, "'pattern'"), call.bytes(2, "'rewrite'"))
    }
}

/// `StaticRegexReplace`: `RegexReplace` with pattern and rewrite as attributes.
public enum StaticRegexReplace: StringOperation {
    public static let signature = Signature(
        ["input": "string"], to: ["output": "string"], defaults: ["replace_global": .bool(true)],
        required: ["pattern", "rewrite"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    static func compute(_ call: DynamicCall) throws -> [Tensor] {
        try replaced(
            call, call.attributes.string("pattern"), Array(call.attributes.string("rewrite").utf8))
    }
}

private func replaced(_ call: DynamicCall, _ pattern: String, _ rewrite: [UInt8]) throws -> [Tensor] {
    let (expression, isGlobal) = (try RegularExpression(pattern), try call.attributes.bool("replace_global"))
    let strings = call.inputs[0].knownStrings.map { expression.replacing(in: $0, with: rewrite, isGlobal: isGlobal) }
    return [call.texts(strings, call.inputs[0].shape)]
}
