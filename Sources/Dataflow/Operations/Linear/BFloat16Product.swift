internal import CKernels
internal import COneDNN

/// The product of two float32 matrices whose elements are rounded to bfloat16 first; see `MatrixPrecision.bfloat16`.
final class BFloat16Product {
    private let geometry: MatMul.Geometry
    private let factors: Workspace<UInt8>
    /// Bytes from the first factor to the second.
    private let second: Int
    /// oneDNN's, where this processor has one.
    private let library: Library?

    private final class Library {
        let primitive: OneDNNPrimitive
        let a: OneDNNMemory
        let b: OneDNNMemory
        let c: OneDNNMemory
        let arguments: [dnnl_exec_arg_t]

        init(_ g: MatMul.Geometry) throws {
            let engine = try OneDNNEngine()
            let left = try OneDNNLayout.plain([g.m, g.k], strides: g.transposeA ? [1, g.m] : [g.k, 1], dnnl_bf16)
            let right = try OneDNNLayout.plain([g.k, g.n], strides: g.transposeB ? [1, g.k] : [g.n, 1], dnnl_bf16)
            let product = try OneDNNLayout.plain([g.m, g.n], strides: [g.n, 1], dnnl_f32)
            let description = try OneDNNDescription(product: product, of: left, and: right, engine)
            primitive = try OneDNNPrimitive(description)
            a = try OneDNNMemory(left, engine, isOwn: false)
            b = try OneDNNMemory(right, engine, isOwn: false)
            c = try OneDNNMemory(product, engine, isOwn: false)
            arguments = [a.argument(DNNL_ARG_SRC), b.argument(DNNL_ARG_WEIGHTS), c.argument(DNNL_ARG_DST)]
        }
    }

    init(_ geometry: MatMul.Geometry, _ binding: KernelBinding) {
        self.geometry = geometry
        library = try? Library(geometry)
        let size = library == nil ? MemoryLayout<Float>.size : MemoryLayout<UInt16>.size
        second = (geometry.m * geometry.k * size + 63) & ~63
        var scratch = ScratchLayout(binding)
        factors = scratch.room(UInt8.self, count: second + geometry.k * geometry.n * size)
    }

    /// c = a · b.
    func run(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>) throws {
        let first = UnsafeMutableRawPointer(factors.pointer)
        let second = first + self.second
        let (m, n, k) = (geometry.m, geometry.n, geometry.k)
        guard let library else {
            let (x, y) = (first.assumingMemoryBound(to: Float.self), second.assumingMemoryBound(to: Float.self))
            tributary_round_to_bf16(a, x, m * k)
            tributary_round_to_bf16(b, y, k * n)
            return try MatMul.sgemm(geometry, x, y, c)
        }
        tributary_to_bf16(a, first.assumingMemoryBound(to: UInt16.self), m * k)
        tributary_to_bf16(b, second.assumingMemoryBound(to: UInt16.self), k * n)
        try library.a.set(first)
        try library.b.set(second)
        try library.c.set(c)
        try library.primitive.run(library.arguments)
    }
}
