public import Dataflow
internal import Schemas

/// What to feed and what to fetch for one use of a graph; TensorFlow's `SignatureDef`.
///
/// The parts of a sparse tensor "x" are "x/indices", "x/values" and "x/dense_shape", those of another composite one
/// "x/0", "x/1", ….
public struct GraphSignature: Sendable {
    /// One tensor of a signature.
    public struct Argument: Sendable {
        /// What the signature calls it.
        public let key: String
        /// The graph's tensor, "Placeholder:0".
        public let node: String
        /// Its dtype and shape, as far as the signature tells.
        public let spec: String
    }

    public let method: String
    /// By key.
    public let inputs: [Argument]
    /// By key.
    public let outputs: [Argument]
    /// Values of inputs that need not be fed, by key.
    let defaults: [String: TFTensorProto]

    init(_ proto: TFSignatureDef) {
        method = proto.methodName
        inputs = GraphSignature.arguments(proto.inputs)
        outputs = GraphSignature.arguments(proto.outputs)
        defaults = proto.defaults
    }

    private static func arguments(_ infos: [String: TFTensorInfo]) -> [Argument] {
        infos.sorted { $0.key < $1.key }.flatMap { arguments($0.key, $0.value) }
    }

    private static func arguments(_ key: String, _ info: TFTensorInfo) -> [Argument] {
        let dtype = (try? DType(info.dtype))?.description ?? "\(info.dtype)"
        switch info.encoding {
        case .name(let name)?:
            let shape = info.hasTensorShape ? (try? Shape(info.tensorShape)) ?? .unknown : .unknown
            return [Argument(key: key, node: name, spec: "\(dtype)\(shape)")]
        case .cooSparse(let sparse)?:
            return [
                Argument(key: "\(key)/dense_shape", node: sparse.denseShapeTensorName, spec: "int64[?]"),
                Argument(key: "\(key)/indices", node: sparse.indicesTensorName, spec: "int64[?, ?]"),
                Argument(key: "\(key)/values", node: sparse.valuesTensorName, spec: "\(dtype)[?]"),
            ]
        case .compositeTensor(let composite)?:
            return composite.components.enumerated().flatMap { arguments("\(key)/\($0.offset)", $0.element) }
        case nil: return []
        }
    }

    /// The tensor that an input's key stands for; any other name stays.
    public func fed(_ name: String) -> String { inputs.first { $0.key == name }?.node ?? name }

    /// The tensor that an output's key stands for; any other name stays.
    public func fetched(_ name: String) -> String { outputs.first { $0.key == name }?.node ?? name }

    /// Whether an input has a value if it is not fed.
    public func hasDefault(_ key: String) -> Bool { defaults[key] != nil }

    /// The values of inputs that need not be fed, by the graph's tensors.
    /// - Throws: `GraphError` for a value that cannot be read.
    public func defaultValues() throws -> [String: Tensor] {
        let decoder = TensorDecoder()
        var values: [String: Tensor] = [:]
        for input in inputs {
            if let value = defaults[input.key] { values[input.node] = try decoder.decode(value) }
        }
        return values
    }
}

extension GraphSignature: CustomStringConvertible {
    public var description: String {
        func text(_ arguments: [Argument]) -> String { ShortList.text(arguments.map { "\($0.key) \($0.spec)" }) }
        return "\(text(inputs)) → \(text(outputs))"
    }
}
