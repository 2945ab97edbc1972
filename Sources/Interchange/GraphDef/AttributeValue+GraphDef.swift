internal import Dataflow
internal import Foundation
internal import Schemas
internal import SwiftProtobuf

extension AttributeValue {
    var proto: TFAttrValue {
        var result = TFAttrValue()
        var list = TFAttrValue.ListValue()
        switch self {
        case .int(let value): result.i = Int64(value)
        case .float(let value): result.f = value
        case .bool(let value): result.b = value
        case .string(let value): result.s = Data(value.utf8)
        case .type(let value): result.type = value.proto
        case .shape(let value): result.shape = value.proto
        case .tensor(let value): result.tensor = value.proto
        case .ints(let values): list.i = values.map(Int64.init)
        case .floats(let values): list.f = values
        case .bools(let values): list.b = values
        case .strings(let values): list.s = values.map { Data($0.utf8) }
        case .types(let values): list.type = values.map(\.proto)
        case .shapes(let values): list.shape = values.map(\.proto)
        case .function(let value): result.func = .with { $0.name = value.name }
        case .functions(let values): list.func = values.map { value in .with { $0.name = value.name } }
        }
        if result.value == nil { result.list = list }
        return result
    }

    /// The kind in words, for messages.
    var kind: String {
        switch self {
        case .int: "an int"
        case .float: "a float"
        case .bool: "a bool"
        case .string: "a string"
        case .type: "a type"
        case .shape: "a shape"
        case .tensor: "a tensor"
        case .ints: "a list of ints"
        case .floats: "a list of floats"
        case .bools: "a list of bools"
        case .strings: "a list of strings"
        case .types: "a list of types"
        case .shapes: "a list of shapes"
        case .function: "a function"
        case .functions: "a list of functions"
        }
    }

    /// An empty list of the same kind, nil if this is no list: the file does not say of what a list is empty.
    var emptied: AttributeValue? {
        switch self {
        case .ints: .ints([])
        case .floats: .floats([])
        case .bools: .bools([])
        case .strings: .strings([])
        case .types: .types([])
        case .shapes: .shapes([])
        case .functions: .functions([])
        case .int, .float, .bool, .string, .type, .shape, .tensor, .function: nil
        }
    }

    /// - Parameter example: a value of the kind that is wanted, where known.
    /// - Throws: `GraphError` for kinds and types that no operation here takes.
    init(_ proto: TFAttrValue, like example: AttributeValue?, tensors: TensorDecoder) throws {
        switch proto.value {
        case .i(let value): self = .int(Int(value))
        case .f(let value): self = .float(value)
        case .b(let value): self = .bool(value)
        case .s(let value): self = .string(try AttributeValue.text(value))
        case .type(let value): self = .type(try DType(value))
        case .shape(let value): self = .shape(try Shape(value))
        case .tensor(let value): self = .tensor(try tensors.decode(value))
        case .list(let list): self = try AttributeValue(list, like: example)
        case .func: throw GraphError("a function is not expected here")
        case .placeholder: throw GraphError("a placeholder stands outside of a function")
        case nil: throw GraphError("it has no value")
        }
    }

    private init(_ list: TFAttrValue.ListValue, like example: AttributeValue?) throws {
        guard list.tensor.isEmpty, list.func.isEmpty else {
            throw GraphError("lists of tensors or functions are not supported")
        }
        var found: [AttributeValue] = []
        if !list.i.isEmpty { found.append(.ints(list.i.map(Int.init))) }
        if !list.f.isEmpty { found.append(.floats(list.f)) }
        if !list.b.isEmpty { found.append(.bools(list.b)) }
        if !list.s.isEmpty { found.append(.strings(try list.s.map(AttributeValue.text))) }
        if !list.type.isEmpty { found.append(.types(try list.type.map { try DType($0) })) }
        if !list.shape.isEmpty { found.append(.shapes(try list.shape.map { try Shape($0) })) }
        guard found.count <= 1 else {
            throw GraphError("it is at once \(found.map(\.kind).joined(separator: " and "))")
        }
        self = found.first ?? example?.emptied ?? .ints([])
    }

    private static func text(_ bytes: Data) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw GraphError("a string of \(bytes.count) bytes is not UTF-8")
        }
        return text
    }
}
