internal import CKernels

/// Whether numbers are finite: a scan at the speed of memory, by the widest vectors that the processor has.
package enum Finiteness {
    /// Whether all numbers of these bytes are finite; those of dtypes without infinities always are.
    ///
    /// - Parameter bytes: aligned for `dtype`.
    package static func holds(_ bytes: UnsafeRawBufferPointer, _ dtype: DType) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        let count = bytes.count / dtype.size
        switch dtype {
        case .float32: return tributary_finite_f32(start, count) != 0
        case .float64: return tributary_finite_f64(start, count) != 0
        case .bfloat16: return tributary_finite_bf16(start, count) != 0
        default: return true
        }
    }

    /// "NaN", "inf" or "-inf": the first number of these bytes that is not finite; nil if all are.
    package static func first(in bytes: UnsafeRawBufferPointer, _ dtype: DType) -> String? {
        guard !holds(bytes, dtype) else { return nil }
        for i in 0..<bytes.count / dtype.size {
            let value: Double
            switch dtype {
            case .float32: value = Double(bytes.loadUnaligned(fromByteOffset: i * 4, as: Float.self))
            case .float64: value = bytes.loadUnaligned(fromByteOffset: i * 8, as: Double.self)
            default:
                value = Double(BFloat16(bits: bytes.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)).float)
            }
            if let name = name(value) { return name }
        }
        return nil
    }

    /// "NaN", "inf" or "-inf"; nil for a finite number.
    package static func name(_ value: Double) -> String? {
        if value.isFinite { return nil }
        return value.isNaN ? "NaN" : value < 0 ? "-inf" : "inf"
    }
}
