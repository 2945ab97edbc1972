private func access(
    _ handle: String, _ inputs: KeyValuePairs<String, String>, to outputs: KeyValuePairs<String, String> = [:],
    _ types: [String]
) -> Signature {
    let first = Signature.Argument("table_handle", handle)
    let signature = Signature(inputs, to: outputs)
    return Signature(
        arguments: [first] + signature.inputs, outputs: signature.outputs,
        types: Dictionary(uniqueKeysWithValues: types.map { ($0, DType.any) }), defaults: [:], required: [])
}

/// `LookupTableFindV2`: the values of keys in a table; `default_value` where there is none.
public enum LookupTableFindV2: TableFinding {
    public static let signature = access(
        "resource", ["keys": "Tin", "default_value": "Tout"], to: ["values": "Tout"], ["Tin", "Tout"])
}

/// `LookupTableFind`: as `LookupTableFindV2`, of TensorFlow's first versions.
public enum LookupTableFind: TableFinding {
    public static let signature = access(
        "ref string", ["keys": "Tin", "default_value": "Tout"], to: ["values": "Tout"], ["Tin", "Tout"])
}

/// `LookupTableInsertV2`: puts keys and their values into a table.
public enum LookupTableInsertV2: TableInsertion {
    public static let signature = access("resource", ["keys": "Tin", "values": "Tout"], ["Tin", "Tout"])
}

/// `LookupTableInsert`: as `LookupTableInsertV2`, of TensorFlow's first versions.
public enum LookupTableInsert: TableInsertion {
    public static let signature = access("ref string", ["keys": "Tin", "values": "Tout"], ["Tin", "Tout"])
}

/// `LookupTableRemoveV2`: takes keys and their values out of a table.
public enum LookupTableRemoveV2: TableAccess {
    public static let signature = access("resource", ["keys": "Tin"], ["Tin"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        try call.session.table(call.inputs[0]).remove(call.inputs[1])
        return []
    }
}

/// `LookupTableSizeV2`: how many keys a table has.
public enum LookupTableSizeV2: TableCounting {
    public static let signature = access("resource", [:], to: ["size": "int64"], [])
}

/// `LookupTableSize`: as `LookupTableSizeV2`, of TensorFlow's first versions.
public enum LookupTableSize: TableCounting {
    public static let signature = access("ref string", [:], to: ["size": "int64"], [])
}

/// `LookupTableExportV2`: all keys of a table and their values.
public enum LookupTableExportV2: TableExport {
    public static let signature = access(
        "resource", [:], to: ["keys": "Tkeys", "values": "Tvalues"], ["Tkeys", "Tvalues"])
}

/// `LookupTableExport`: as `LookupTableExportV2`, of TensorFlow's first versions.
public enum LookupTableExport: TableExport {
    public static let signature = access(
        "ref string", [:], to: ["keys": "Tkeys", "values": "Tvalues"], ["Tkeys", "Tvalues"])
}

/// `LookupTableImportV2`: replaces what is in a table by these keys and values.
public enum LookupTableImportV2: TableImport {
    public static let signature = access("resource", ["keys": "Tin", "values": "Tout"], ["Tin", "Tout"])
}

/// `LookupTableImport`: as `LookupTableImportV2`, of TensorFlow's first versions.
public enum LookupTableImport: TableImport {
    public static let signature = access("ref string", ["keys": "Tin", "values": "Tout"], ["Tin", "Tout"])
}

/// An operation on a table of the session.
protocol TableAccess: ValueOperation {}

extension TableAccess {
    public static func gradient(_ node: GradientContext) -> [Node?] { node.inputs.map { _ in nil } }
}

protocol TableFinding: TableAccess {}

extension TableFinding {
    /// The keys' shape, if a scalar stands for what is missing: then the values are scalars.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [node.shape(2).rank == 0 ? node.shape(1) : .unknown]
    }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let table = try call.session.table(call.inputs[0])
        let functions = call.functions
        return [
            try table.find(
                call.inputs[1], byDefault: call.inputs[2], texts: functions.texts,
                limit: functions.options.memoryLimit)
        ]
    }
}

protocol TableInsertion: TableAccess {}

extension TableInsertion {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        try call.session.table(call.inputs[0]).insert(call.inputs[1], call.inputs[2])
        return []
    }
}

protocol TableCounting: TableAccess {}

extension TableCounting {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[]] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        [Tensor(Int64(try call.session.table(call.inputs[0]).count))]
    }
}

protocol TableExport: TableAccess {}

extension TableExport {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [[nil], .unknown] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let table = try call.session.table(call.inputs[0])
        let (keys, values) = (try call.attributes.type("Tkeys"), try call.attributes.type("Tvalues"))
        guard keys == table.keyType, values == table.valueType else {
            throw GraphError("the table is from \(table.description), not from \(keys) to \(values)")
        }
        let all = table.all(call.functions.texts)
        return [all.keys, all.values]
    }
}

protocol TableImport: TableAccess {}

extension TableImport {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [] }
    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        try call.session.table(call.inputs[0]).replace(call.inputs[1], call.inputs[2])
        return []
    }
}
