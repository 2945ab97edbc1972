import Dataflow
import Foundation
import Interchange
import Schemas
import SwiftProtobuf

/// Attributes and constants out of nowhere, for damaged graphs.
enum RandomAttributes {
    static let types: [DType] = DType.allCases

    static func proto(_ value: AttributeValue) -> TFAttrValue {
        var result = TFAttrValue()
        switch value {
        case .int(let value): result.i = Int64(value)
        case .float(let value): result.f = value
        case .bool(let value): result.b = value
        case .string(let value): result.s = Data(value.utf8)
        case .type(let value): result.type = value.proto
        case .ints(let values): result.list.i = values.map(Int64.init)
        case .floats(let values): result.list.f = values
        case .bools(let values): result.list.b = values
        case .strings(let values): result.list.s = values.map { Data($0.utf8) }
        case .types(let values): result.list.type = values.map(\.proto)
        case .function(let function): result.func.name = function.name
        case .functions(let functions):
            result.list.func = functions.map { function in .with { $0.name = function.name } }
        case .shape, .shapes, .tensor: result.shape.unknownRank = true
        }
        return result
    }

    /// Of any kind.
    static func any(_ chance: inout Chance) -> TFAttrValue {
        var result = TFAttrValue()
        switch chance.below(9) {
        case 0: result.i = Int64(chance.integer())
        case 1: result.f = chance.number()
        case 2: result.b = chance.once(in: 2)
        case 3: result.s = text(&chance)
        case 4: result.type = type(&chance)
        case 5: result.shape = shape(&chance)
        case 6: result.tensor = tensor(chance.pick(types), &chance)
        case 7: result.list.i = (0..<chance.below(6)).map { _ in Int64(chance.integer()) }
        default: result.func.name = "f"
        }
        return result
    }

    /// Of the same kind, but another.
    static func changed(_ old: TFAttrValue, _ chance: inout Chance) -> TFAttrValue {
        var result = old
        switch old.value {
        case .i: result.i = Int64(chance.integer())
        case .f: result.f = chance.number()
        case .b(let value): result.b = !value
        case .s: result.s = text(&chance)
        case .type: result.type = type(&chance)
        case .shape(let value):
            result.shape = value
            damage(&result.shape, &chance)
        case .tensor: damage(&result.tensor, &chance)
        case .list(var list):
            if !list.i.isEmpty, !chance.once(in: 4) {
                list.i[chance.below(list.i.count)] = Int64(chance.integer())
            } else {
                switch chance.below(5) {
                case 0: list.i.append(Int64(chance.integer()))
                case 1: list.i = []
                case 2: list.f.append(chance.number())
                case 3: list.type.append(type(&chance))
                default: list.shape.append(shape(&chance))
                }
            }
            result.list = list
        case .func, .placeholder, nil: return any(&chance)
        }
        return result
    }

    /// What an attribute of this name is likely to be.
    static func likely(_ name: String, _ chance: inout Chance) -> TFAttrValue {
        var result = TFAttrValue()
        switch name {
        case "strides", "ksize", "dilations":
            result.list.i = [1, Int64(chance.below(4)), Int64(chance.below(4)), 1]
        case "shape": result.shape = shape(&chance)
        case "value": result.tensor = tensor(chance.pick(types), &chance)
        case "boundaries": result.list.f = (0..<chance.below(4)).map { _ in chance.number() }
        case "padding", "mode", "equation", "set_operation", "message", "source", "frame_name": result.s = text(&chance)
        case "use_peephole": result.b = chance.once(in: 2)
        default: result.i = Int64(chance.integer())
        }
        return result
    }

    private static func text(_ chance: inout Chance) -> Data {
        let texts = [
            "", "SAME", "VALID", "EXPLICIT", "NHWC", "NCHW", "REFLECT", "SYMMETRIC", "LEFT_LEFT", "LEFT_RIGHT", "f",
            "g",
            "ij,jk->ik", "ii->i", "...i,...j->...", "i,,->", "a-b", "union", "\u{0}", "é", "while/while_context",
        ]
        return chance.once(in: 20) ? Data([0xFF, 0xFE]) : Data(chance.pick(texts).utf8)
    }

    private static func type(_ chance: inout Chance) -> TFDataType {
        chance.once(in: 10)
            ? .init(rawValue: chance.pick([0, -1, 8, 21, 77, 101, 1000, Int(Int32.min)])) ?? .dtInvalid
            : chance.pick(types).proto
    }

    private static func shape(_ chance: inout Chance) -> TFTensorShapeProto {
        var result = TFTensorShapeProto()
        result.dim = (0..<chance.below(5)).map { _ in .with { $0.size = Int64(chance.below(5)) } }
        if chance.once(in: 3) { damage(&result, &chance) }
        return result
    }

    private static func damage(_ shape: inout TFTensorShapeProto, _ chance: inout Chance) {
        switch chance.below(6) {
        case 0: shape.unknownRank.toggle()
        case 1: shape.dim.append(.with { $0.size = Int64(chance.integer()) })
        case 2: if !shape.dim.isEmpty { shape.dim.removeLast() }
        case 3: shape.dim = (0..<chance.pick([6, 9, 40, 254, 255])).map { _ in .with { $0.size = 1 } }
        default:
            if !shape.dim.isEmpty { shape.dim[chance.below(shape.dim.count)].size = Int64(chance.integer()) }
        }
    }

    /// A small tensor.
    static func tensor(_ dtype: DType, _ chance: inout Chance) -> TFTensorProto {
        var result = TFTensorProto()
        result.dtype = dtype.proto
        let rank = chance.pick([0, 0, 1, 1, 1, 2, 2, 3, 4, 5])
        result.tensorShape.dim = (0..<rank).map { _ in .with { $0.size = Int64(chance.pick([0, 1, 1, 2, 2, 3, 4])) } }
        fill(&result, &chance)
        return result
    }

    /// Elements for the shape, in the fields of the dtype.
    private static func fill(_ tensor: inout TFTensorProto, _ chance: inout Chance) {
        let shape = tensor.tensorShape
        let dtype = tensor.dtype
        tensor = TFTensorProto()
        (tensor.dtype, tensor.tensorShape) = (dtype, shape)
        let sizes = shape.dim.map { max(Int($0.size), 0) }
        let count = sizes.contains { $0 > 4096 } ? 1 : min(sizes.reduce(1) { min($0 * $1, 4096) }, 4096)
        let isTame = chance.once(in: 2)
        func whole(_ chance: inout Chance) -> Int { isTame ? chance.below(4) : chance.integer() }
        for _ in 0..<count {
            switch dtype {
            case .dtFloat: tensor.floatVal.append(chance.number())
            case .dtDouble: tensor.doubleVal.append(Double(chance.number()))
            case .dtInt32, .dtUint8: tensor.intVal.append(Int32(truncatingIfNeeded: whole(&chance)))
            case .dtInt64: tensor.int64Val.append(Int64(whole(&chance)))
            case .dtBool: tensor.boolVal.append(chance.once(in: 2))
            case .dtBfloat16: tensor.halfVal.append(Int32(chance.below(65536)))
            case .dtString: tensor.stringVal.append(Data("text".utf8))
            default: return
            }
        }
    }

    static func damage(_ tensor: inout TFTensorProto, _ chance: inout Chance) {
        switch chance.below(8) {
        case 0: tensor.dtype = type(&chance)
        case 1: damage(&tensor.tensorShape, &chance)
        case 2: tensor = Self.tensor(chance.pick(types), &chance)
        case 3:
            tensor.dtype = chance.pick(types).proto
            fill(&tensor, &chance)
        case 4:
            if !tensor.tensorContent.isEmpty { tensor.tensorContent.removeLast() }
        case 5 where !tensor.tensorContent.isEmpty:
            tensor.tensorContent[tensor.tensorContent.startIndex + chance.below(tensor.tensorContent.count)] =
                chance.pick([0, 1, 2, 0x7F, 0x80, 0xFF])
        case 6:
            tensor.tensorShape = shape(&chance)
            fill(&tensor, &chance)
        default: fill(&tensor, &chance)
        }
    }

    /// Nodes; the first yields a value of this dtype, or is a Variable's memory. An `Assign…` is among them.
    static func source(_ dtype: DType, isReference: Bool, name: String, _ chance: inout Chance) -> [TFNodeDef] {
        let held: DType = dtype == .resource ? chance.pick(DType.floats) : dtype
        let constant = TFNodeDef.with {
            $0.name = isReference || dtype == .resource ? name + "/initial" : name
            $0.op = "Const"
            $0.attr["value"] = .with { $0.tensor = tensor(held, &chance) }
            $0.attr["dtype"] = .with { $0.type = held.proto }
        }
        guard isReference || dtype == .resource else { return [constant] }
        let variable = TFNodeDef.with {
            $0.name = name
            $0.op =
                dtype == .resource
                ? chance.pick(["VarHandleOp", "VarHandleOp", "VarHandleOp", "StackV2"]) : "VariableV2"
            if $0.op == "StackV2" {
                $0.attr["elem_type"] = .with { $0.type = held.proto }
                $0.input = [constant.name]
            } else {
                $0.attr["dtype"] = .with { $0.type = held.proto }
                $0.attr["shape"] = .with { $0.shape = constant.attr["value"]!.tensor.tensorShape }
            }
        }
        guard variable.op != "StackV2" else { return [variable, constant] }
        let assign = TFNodeDef.with {
            $0.name = name + "/Assign"
            $0.op = dtype == .resource ? "AssignVariableOp" : "Assign"
            $0.input = [name, constant.name]
        }
        return [variable, constant, assign]
    }
}
