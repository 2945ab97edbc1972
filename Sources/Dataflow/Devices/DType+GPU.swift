extension DType {
    /// The type's name in kernels' sources; nil for types that kernels of GPUs do not compute with.
    var gpuName: String? {
        switch self {
        case .float32: "float"
        case .int32: "int"
        case .int64: "long"
        case .uint8, .bool: "uchar"
        case .float64, .bfloat16, .string, .resource, .variant: nil
        }
    }

    /// A number as it stands in a kernel's source.
    func gpuLiteral(_ value: Double) -> String? {
        switch self {
        case .float32:
            let number = Float(value)
            if number.isNaN { return "NAN" }
            if number.isInfinite { return number < 0 ? "(-INFINITY)" : "INFINITY" }
            // Bits, so that nothing is rounded twice.
            return "BITS_TO_FLOAT(0x\(String(number.bitPattern, radix: 16))u)"
        case .int32, .int64, .uint8:
            return Int64(exactly: value.rounded(.towardZero)).map {
                "(\(gpuName ?? "long"))\($0 < 0 ? "(\($0))" : "\($0)")"
            }
        case .bool: return value != 0 ? "1" : "0"
        default: return nil
        }
    }
}
