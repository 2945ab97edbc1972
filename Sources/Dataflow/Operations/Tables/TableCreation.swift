private let naming: [String: AttributeValue] = [
    "container": .string(""), "shared_name": .string(""), "use_node_name_sharing": .bool(false),
]
private let keyTypes: [DType] = [.int32, .int64, .string]
private let numberTypes: [DType] = DType.signed + [.bool]
private let tableTypes: [String: [DType]] = ["key_dtype": keyTypes, "value_dtype": numberTypes + [.string]]
private let tensorDefaults = naming.merging(["value_shape": .shape([])]) { $1 }
private let denseDefaults = tensorDefaults.merging([
    "initial_num_buckets": .int(131_072), "max_load_factor": .float(0.8),
]) { $1 }

private func creation(_ handle: String, _ defaults: [String: AttributeValue]) -> Signature {
    Signature([:], to: ["table_handle": handle], types: tableTypes, defaults: defaults)
}

private func denseCreation(_ handle: String, _ keys: KeyValuePairs<String, String>) -> Signature {
    Signature(
        keys, to: ["table_handle": handle], types: ["key_dtype": keyTypes, "value_dtype": numberTypes],
        defaults: denseDefaults)
}

/// `HashTableV2`: a table that an initialiser fills once.
public enum HashTableV2: TableCreation {
    public static let signature = creation("resource", naming)
    static func make(_ call: DynamicCall) throws -> LookupTable { try table(.fixed, call) }
}

/// `HashTable`: as `HashTableV2`, of TensorFlow's first versions, whose handle is a reference to strings.
public enum HashTable: TableCreation {
    public static let signature = creation("ref string", naming)
    static func make(_ call: DynamicCall) throws -> LookupTable { try table(.fixed, call) }
}

/// `MutableHashTableV2`: a table whose entries come and go.
public enum MutableHashTableV2: TableCreation {
    public static let signature = creation("resource", naming)
    static func make(_ call: DynamicCall) throws -> LookupTable { try table(.mutable, call) }
}

/// `MutableHashTable`: as `MutableHashTableV2`, of TensorFlow's first versions.
public enum MutableHashTable: TableCreation {
    public static let signature = creation("ref string", naming)
    static func make(_ call: DynamicCall) throws -> LookupTable { try table(.mutable, call) }
}

/// `MutableHashTableOfTensorsV2`: as `MutableHashTableV2`, each value a tensor of the shape `value_shape`.
public enum MutableHashTableOfTensorsV2: TableCreation {
    public static let signature = creation("resource", tensorDefaults)
    static func make(_ call: DynamicCall) throws -> LookupTable { try table(.mutable, call) }
}

/// `MutableHashTableOfTensors`: as `MutableHashTableOfTensorsV2`, of TensorFlow's first versions.
public enum MutableHashTableOfTensors: TableCreation {
    public static let signature = creation("ref string", tensorDefaults)
    static func make(_ call: DynamicCall) throws -> LookupTable { try table(.mutable, call) }
}

/// `MutableDenseHashTableV2`: as `MutableHashTableOfTensorsV2`; two keys mark its free places and cannot be used.
public enum MutableDenseHashTableV2: TableCreation {
    public static let signature = denseCreation("resource", ["empty_key": "key_dtype", "deleted_key": "key_dtype"])
    static func make(_ call: DynamicCall) throws -> LookupTable { try denseTable(call) }
}

/// `MutableDenseHashTable`: as `MutableDenseHashTableV2`, of TensorFlow's first versions, from which nothing was removed.
public enum MutableDenseHashTable: TableCreation {
    public static let signature = denseCreation("ref string", ["empty_key": "key_dtype"])
    static func make(_ call: DynamicCall) throws -> LookupTable { try denseTable(call) }
}

/// An operation that yields the handle of a table of the session, which it makes if it is not there. Tables are known by
/// `container` and `shared_name`, or by the operation's own name.
protocol TableCreation: ValueOperation {
    static func make(_ call: DynamicCall) throws -> LookupTable
}

extension TableCreation {
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [signature.outputs[0].isReference ? [2] : []]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] { node.inputs.map { _ in nil } }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (container, shared) = (try call.attributes.string("container"), try call.attributes.string("shared_name"))
        let name = [container, shared.isEmpty ? call.name : shared]
        let key = name.joined(separator: "/")
        _ = try call.session.table(key) { try make(call) }
        guard signature.outputs[0].isReference else { return [call.session.handle(key)] }
        return [call.functions.texts.tensor(name.map { Array($0.utf8) }, shape: [2])]
    }

    static func table(_ kind: LookupTable.Kind, _ call: DynamicCall) throws -> LookupTable {
        let shape = call.attributes["value_shape"] == nil ? [] : try call.attributes.shape("value_shape")
        let type = try call.attributes.type("value_dtype")
        guard shape.isFullyDefined else { throw GraphError("'value_shape' must be known, got \(shape)") }
        _ = try Shape.told(shape.knownExtents, type, limit: call.functions.options.memoryLimit)
        return LookupTable(
            kind, keys: try call.attributes.type("key_dtype"), values: type, valueShape: shape.knownExtents)
    }

    static func denseTable(_ call: DynamicCall) throws -> LookupTable {
        if let odd = call.inputs.first(where: { $0.elementCount != 1 }) {
            throw GraphError(
                "'empty_key' and 'deleted_key' must be scalars, got the shape \(odd.shape); keys of several elements are not "
                    + "supported")
        }
        let keys = call.inputs.map { TableColumn.elements($0)[0] }
        guard Set(keys).count == keys.count, let empty = keys.first else {
            throw GraphError("'empty_key' and 'deleted_key' must differ")
        }
        return try table(.dense(empty: empty, deleted: keys.count > 1 ? keys[1] : empty), call)
    }
}
