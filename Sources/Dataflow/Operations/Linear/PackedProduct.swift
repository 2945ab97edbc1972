internal import CKernels

/// Products of few rows with a matrix that stays the same for many of them, as a recurrent layer's weights do over time.
///
/// A library packs that matrix anew for each product, which takes as long as the product. Here it is packed once, and every
/// thread may multiply rows of its own, without waiting for others between the steps of a sequence.
final class PackedProduct<Scalar: NumericScalar> {
    private let k: Int
    private let n: Int
    private let panels: Int
    private let packed: Workspace<Float>

    /// For matrices of k × n numbers; nil where they are not float32 or small, or this processor has no code for it.
    init?(k: Int, n: Int, _ scratch: inout ScratchLayout) {
        let columns = tributary_panel_columns()
        guard Scalar.self == Float.self, columns > 0, k * n >= 4096 else { return nil }
        (self.k, self.n) = (k, n)
        panels = (n + columns - 1) / columns
        packed = scratch.room(Float.self, count: k * panels * columns)
    }

    private var pointer: UnsafeMutablePointer<Float> { packed.pointer }

    /// Takes the matrix, whose rows and columns are as many elements apart as told.
    func pack(_ matrix: UnsafePointer<Scalar>, rowStep: Int, columnStep: Int, threads: Int) {
        let parts = min(threads, panels)
        let matrix = UnsafeRawPointer(matrix).assumingMemoryBound(to: Float.self)
        parallel(parts) { part in
            tributary_pack_f32(
                matrix, rowStep, columnStep, pointer, n, k, panels * part / parts, panels * (part + 1) / parts)
        }
    }

    /// c = a · matrix, or c += a · matrix, for some rows of k and n numbers of `a` and `c`. Several threads may call it.
    func multiply(
        rows: Range<Int>, _ a: UnsafePointer<Scalar>, _ c: UnsafeMutablePointer<Scalar>, adding: Bool = false
    ) {
        tributary_packed_product_f32(
            UnsafeRawPointer(a + rows.lowerBound * k).assumingMemoryBound(to: Float.self), k, pointer,
            UnsafeMutableRawPointer(c + rows.lowerBound * n).assumingMemoryBound(to: Float.self), n, rows.count, n, k,
            adding ? 1 : 0)
    }
}
