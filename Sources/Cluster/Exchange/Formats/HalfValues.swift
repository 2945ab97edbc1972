internal import Dataflow

/// Values on the wire with float32 as bfloat16; those of other dtypes as they are.
enum HalfValues {
    /// The bytes that values of `bytes` take.
    static func size(_ bytes: Int, _ dtype: DType?) -> Int { dtype == .float32 ? bytes / 2 : bytes }

    static func write(_ values: UnsafeRawBufferPointer, _ dtype: DType?, to target: UnsafeMutableRawPointer) {
        guard let source = values.baseAddress else { return }
        guard dtype == .float32 else { return target.copyMemory(from: source, byteCount: values.count) }
        let numbers = source.assumingMemoryBound(to: Float.self)
        for i in 0..<values.count / 4 {
            target.storeBytes(of: BFloat16(numbers[i]).bits.littleEndian, toByteOffset: i * 2, as: UInt16.self)
        }
    }

    /// Reads values that take `bytes` as they are.
    static func read(_ source: UnsafeRawPointer, _ dtype: DType, bytes: Int, to target: UnsafeMutableRawPointer) {
        guard dtype == .float32 else { return target.copyMemory(from: source, byteCount: bytes) }
        GradientCoding.bfloat16.decode(
            UnsafeRawBufferPointer(start: source, count: bytes / 2),
            to: UnsafeMutableBufferPointer(start: target.assumingMemoryBound(to: Float.self), count: bytes / 4))
    }
}
