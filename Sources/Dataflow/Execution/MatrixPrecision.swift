/// How exactly a session computes the products of float32 matrices; PyTorch's `set_float32_matmul_precision`.
public enum MatrixPrecision: String, Sendable, CaseIterable {
    /// In float32.
    case float32
    /// The factors rounded to bfloat16 (8 bits of precision, to nearest, ties to even), their products added up in float32.
    /// Variables, and all that is not a product of matrices, stay float32: Micikevicius et al., "Mixed precision training"
    /// (2018), Kalamkar et al., "A study of bfloat16 for deep learning training" (2019).
    ///
    /// The numbers are the same on every processor, but for the order of the sums. It is faster on those that multiply
    /// bfloat16 themselves (AVX512-BF16, AMX); on others the rounding comes on top.
    case bfloat16
}
