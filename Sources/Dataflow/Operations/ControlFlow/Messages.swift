#if canImport(Glibc)
    import Glibc
#endif

/// `Assert`: throws the data if the condition is false.
public enum Assert: DynamicOperation {
    public static let signature = Signature(
        ["condition": "bool", "data": "list T"], to: [:], defaults: ["summarize": .int(3)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { node.inputs.map { _ in nil } }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        guard call.inputs[0].elementCount == 1, try call.inputs[0].scalar(Bool.self) else {
            let summarize = try call.attributes.int("summarize")
            let data = call.inputs.dropFirst().map { text(of: $0, first: summarize) }.joined(separator: " ")
            throw GraphError("an assertion failed: \(data)")
        }
        return []
    }
}

/// `Print`: passes its input on, and writes the data to standard error.
public enum Print: DynamicOperation {
    public static let signature = Signature(
        ["input": "T", "data": "list U"], to: ["output": "T"], types: ["T": DType.any],
        defaults: ["message": .string(""), "first_n": .int(-1), "summarize": .int(3)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [node.shape(0)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [node.upstream()] + node.inputs.dropFirst().map { _ in nil }
    }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let summarize = try call.attributes.int("summarize")
        let data = call.inputs.dropFirst().map { text(of: $0, first: summarize) }.joined()
        let line = Array(TerminalText.escaped("\(try call.attributes.string("message"))\(data)\n").utf8)
        _ = write(STDERR_FILENO, line, line.count)
        return [call.inputs[0]]
    }
}

/// As TensorFlow prints tensors: "[1 2 3...]".
private func text(of tensor: Tensor, first count: Int) -> String {
    "[\(String(decoding: TensorText.start(of: tensor, count), as: UTF8.self))]"
}
