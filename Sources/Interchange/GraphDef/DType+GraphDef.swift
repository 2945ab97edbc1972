package import Dataflow
package import Schemas

extension DType {
    /// The number in GraphDef.
    package var proto: TFDataType {
        switch self {
        case .float32: .dtFloat
        case .float64: .dtDouble
        case .int32: .dtInt32
        case .int64: .dtInt64
        case .uint8: .dtUint8
        case .bool: .dtBool
        case .bfloat16: .dtBfloat16
        case .string: .dtString
        case .resource: .dtResource
        case .variant: .dtVariant
        }
    }

    /// The dtype of a number, that of a reference (`DT_FLOAT_REF`, …) being that of its value.
    /// - Throws: `GraphError` for a type that is not computed with here, or a number that is no type.
    init(_ proto: TFDataType) throws {
        let value = proto.rawValue > 100 ? proto.rawValue - 100 : proto.rawValue
        guard let match = DType.allCases.first(where: { $0.proto.rawValue == value }) else {
            let wanted = DType.allCases.map(\.description).joined(separator: ", ")
            throw GraphError("the data type \(DType.name(of: proto)) is not supported; supported are \(wanted)")
        }
        self = match
    }

    private static func name(of proto: TFDataType) -> String {
        if case .UNRECOGNIZED(let number) = proto { return "number \(number)" }
        return "\(proto) (number \(proto.rawValue))"
    }
}
