internal import Dataflow
internal import Foundation
internal import Schemas

extension Tensor {
    /// The dtype, the shape and all elements as `tensor_content`.
    var proto: TFTensorProto {
        var result = TFTensorProto()
        result.dtype = dtype.proto
        result.tensorShape = shape.proto
        if dtype == .string {
            result.stringVal = knownStrings.map { Data($0) }
        } else {
            result.tensorContent = withUnsafeBytes { Data($0) }
        }
        return result
    }
}

/// Makes tensors of one file, in every encoding that TensorFlow writes; checks each size before it takes the memory.
final class TensorDecoder {
    /// Bytes that elements which are not in the file may still take.
    private var splatBudget = GraphDefinition.splatTotalLimit

    /// - Throws: `GraphError` if dtype, shape and elements do not fit each other or take too much memory.
    func decode(_ proto: TFTensorProto) throws -> Tensor {
        let dtype = try DType(proto.dtype)
        let shape = try Shape(proto.tensorShape)
        guard let count = shape.elementCount else { throw GraphError("a tensor has the shape \(shape)") }
        if dtype == .string { return try texts(proto, shape, count) }
        guard dtype != .resource, dtype != .variant else { throw GraphError("a handle of a resource is no constant") }
        let content = proto.tensorContent
        if !content.isEmpty {
            guard content.count == count * dtype.size else {
                throw GraphError(
                    "a tensor \(dtype)\(shape) takes \(count * dtype.size) bytes, the file has \(content.count)")
            }
            return Tensor(dtype: dtype, sized: shape) { bytes in
                content.copyBytes(to: bytes)
                // Any other byte is not a Bool in Swift.
                if dtype == .bool { for i in bytes.indices { bytes[i] = bytes[i] == 0 ? 0 : 1 } }
            }
        }
        switch dtype {
        case .float32: return try tensor(proto.floatVal, 0, shape, count) { $0 }
        case .float64: return try tensor(proto.doubleVal, 0, shape, count) { $0 }
        case .int32: return try tensor(proto.intVal, 0, shape, count) { $0 }
        case .int64: return try tensor(proto.int64Val, 0, shape, count) { $0 }
        case .uint8: return try tensor(proto.intVal, 0, shape, count) { UInt8(truncatingIfNeeded: $0) }
        case .bool: return try tensor(proto.boolVal, false, shape, count) { $0 }
        case .bfloat16:
            return try tensor(proto.halfVal, 0, shape, count) { BFloat16(bits: UInt16(truncatingIfNeeded: $0)) }
        case .string, .resource, .variant: fatalError("handled above")
        }
    }

    /// Texts; the last one repeats.
    private func texts(_ proto: TFTensorProto, _ shape: Shape, _ count: Int) throws -> Tensor {
        guard proto.stringVal.count <= count, count <= max(proto.stringVal.count, 1 << 16) else {
            throw GraphError("a tensor string\(shape) has \(count) elements, the file has \(proto.stringVal.count)")
        }
        let strings = proto.stringVal.map { [UInt8]($0) }
        return Tensor(
            strings: strings + repeatElement(strings.last ?? [], count: count - strings.count), sized: shape)
    }

    /// Elements; the last one repeats. Without any, all are `zero`, as in TensorFlow.
    private func tensor<Stored, Scalar: TensorScalar>(
        _ values: [Stored], _ zero: Stored, _ shape: Shape, _ count: Int, _ convert: (Stored) -> Scalar
    ) throws -> Tensor {
        guard values.count <= count else {
            throw GraphError("a tensor \(Scalar.dtype)\(shape) has \(count) elements, the file has \(values.count)")
        }
        if values.count < count {
            let bytes = count * Scalar.dtype.size
            guard bytes <= GraphDefinition.splatLimit, bytes <= splatBudget else {
                throw GraphError(
                    "a tensor \(Scalar.dtype)\(shape) would take \(bytes) bytes, the file has \(values.count) of its "
                        + "\(count) elements; a repeated element may fill at most \(GraphDefinition.splatLimit) bytes "
                        + "a tensor and \(GraphDefinition.splatTotalLimit) a file: use Fill")
            }
            splatBudget -= bytes
        }
        // Straight into the tensor's memory: a list of them would take as much again.
        return Tensor(dtype: Scalar.dtype, sized: shape) { bytes in
            let elements = bytes.bindMemory(to: Scalar.self)
            for (i, value) in values.enumerated() { elements[i] = convert(value) }
            elements[values.count...].update(repeating: convert(values.last ?? zero))
        }
    }
}
