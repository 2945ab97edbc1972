/// `ApplyAdagradDA` (Duchi et al., 2011, section 1.3): Adagrad by dual averaging, which keeps small weights at 0.
///
/// gradient_accumulator ← gradient_accumulator + grad; gradient_squared_accumulator ← gradient_squared_accumulator + grad²;
/// with G the first and t = global_step, var ← −lr · sign(G) max(|G| − l1 t, 0) / (l2 t lr + √gradient_squared_accumulator).
public enum ApplyAdagradDA: ElementwiseUpdate {
    public static let signature = Signature(
        [
            "var": "ref T", "gradient_accumulator": "ref T", "gradient_squared_accumulator": "ref T", "grad": "T",
            "lr": "T", "l1": "T", "l2": "T", "global_step": "int64",
        ], to: ["out": "ref T"], types: ["T": DType.floats], defaults: ["use_locking": .bool(false)])
    public static var writes: [Int] { [1, 2, 0] }
    public static func update(_ x: [Expression], _ attributes: Attributes) throws -> [Expression] {
        let (total, squares, gradient, rate, l1, l2, step) = (x[1], x[2], x[3], x[4], x[5], x[6], x[7])
        let excess: Expression = .apply(.max, .apply(.abs, total) - l1 * step, 0)
        return [
            total + gradient, squares + gradient * gradient,
            -(rate * .apply(.sign, total) * excess) / (l2 * step * rate + .apply(.sqrt, squares)),
        ]
    }

    /// The elementwise loop over the step count as a number of the Variable's type.
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let places = Array(signature.inputs.indices)
        let step = places.count - 1
        let dtype = binding.inputs[0].dtype
        let specs = places.map { $0 == step ? TensorSpec(dtype, []) : binding.inputs[$0] }
        let loop = try ElementwiseLoop(
            update(places.map { .input($0) }, binding.attributes), inputs: specs, inputSlots: places,
            outputs: writes.map { specs[$0] }, outputSlots: writes, threads: binding.threads)
        binding.scratch.noteOwn(loop.byteCount)
        let slots = places.map(binding.input)
        return { memory in
            var wide = Double(memory.pointer(slots[step], Int64.self).pointee)
            var narrow = Float(wide)
            withUnsafeMutableBytes(of: &wide) { wide in
                withUnsafeMutableBytes(of: &narrow) { narrow in
                    var pointers = slots.map { memory.raw($0) }
                    pointers[step] = (dtype == .float64 ? wide : narrow).baseAddress!
                    pointers.withUnsafeMutableBufferPointer { loop.run(RunMemory(pointers: $0.baseAddress!)) }
                }
            }
        }
    }
}

/// `ResourceApplyAdagradDA`: `ApplyAdagradDA` over handles.
public enum ResourceApplyAdagradDA: ResourceUpdate {
    public typealias Dense = ApplyAdagradDA
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try ApplyAdagradDA.kernel(binding) }
}

/// `SparseApplyAdagradDA`: `ApplyAdagradDA` for rows.
public enum SparseApplyAdagradDA: SparseUpdate { public typealias Dense = ApplyAdagradDA }

/// `ResourceSparseApplyAdagradDA`: `ApplyAdagradDA` for rows, over handles.
public enum ResourceSparseApplyAdagradDA: SparseUpdate {
    public typealias Dense = ApplyAdagradDA
    public static var isOverResources: Bool { true }
}
