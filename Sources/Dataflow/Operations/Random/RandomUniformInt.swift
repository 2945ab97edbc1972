/// `RandomUniformInt`: whole numbers from [minval, maxval), bit for bit TensorFlow's for the same `seed` and `seed2`: each is
/// a random word of its size modulo the width of the range.
public enum RandomUniformInt: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["shape": "T", "minval": "Tout", "maxval": "Tout"], to: ["output": "Tout"],
        types: ["T": DType.indices, "Tout": DType.indices], defaults: ["seed": .int(0), "seed2": .int(0)])
    public static var isStateful: Bool { true }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = try randomShape(node)
        _ = try node.shape(1, rank: 0, "'minval'")
        _ = try node.shape(2, rank: 0, "'maxval'")
        if let low = try node.integer(1), let high = try node.integer(2), shape.elementCount != 0 {
            try check(low, high)
        }
        return [shape]
    }

    private static func check<Number: FixedWidthInteger>(_ low: Number, _ high: Number) throws {
        guard low < high else { throw GraphError("minval must be less than maxval, got \(low) and \(high)") }
    }

    public static func gradient(_ node: GradientContext) -> [Node?] { [nil, nil, nil] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        switch binding.outputs[0].dtype {
        case .int32: try make(Int32.self, binding) { $0.next() }
        default: try make(Int64.self, binding) { UInt64($0.next()) | UInt64($0.next()) << 32 }
        }
    }

    private static func make<Number: FixedWidthInteger & TensorScalar>(
        _ type: Number.Type, _ binding: KernelBinding, _ word: @escaping (inout PhiloxWords) -> Number.Magnitude
    ) throws -> Kernel {
        let (minimum, maximum, output) = (binding.input(1), binding.input(2), binding.output())
        let count = binding.outputCount()
        let next = try binding.generator(groups: UInt64(count) &* 256)
        return { memory in
            let (low, high) = (memory.pointer(minimum, type).pointee, memory.pointer(maximum, type).pointee)
            let target = memory.pointer(output, type)
            var words = PhiloxWords(next())
            guard count > 0 else { return }
            do { try check(low, high) } catch { throw GraphError("\(error)") }
            let width = Number.Magnitude(truncatingIfNeeded: high &- low)
            for i in 0..<count { target[i] = low &+ Number(truncatingIfNeeded: word(&words) % width) }
        }
    }
}

extension Graph {
    /// Whole numbers from [min, max), new ones in each run; TensorFlow's `tf.random.uniform` of an integer type.
    ///
    /// - Parameters:
    ///   - shape: fully defined; or an int vector that holds the extents.
    ///   - dtype: int32 or int64.
    ///   - seed: TensorFlow's operation seed. Left out, it follows from the operation's name.
    public func randomUniformInt(
        shape: any Operand, min: Int = 0, max: Int, dtype: DType = .int32, seed: Int? = nil,
        name: String = "random_uniform_int", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        scope(name) {
            let limits = [min, max].map { limit in
                if dtype == .int32, Int32(exactly: limit) == nil {
                    record(
                        GraphError("\(limit) is no int32; ask for numbers of the dtype int64")
                            .at(name, SourceLocation(file: file, line: line)))
                }
                return dtype == .int64 ? Tensor(Int64(limit)) : Tensor(Int32(clamping: limit))
            }
            return apply(
                RandomUniformInt.self, [shape] + limits, seedAttributes(RandomUniformInt.self, seed), nil, file, line)
        }
    }

    /// Whole numbers from [min, max) of a fully defined shape.
    public func randomUniformInt(
        shape: Shape, min: Int = 0, max: Int, dtype: DType = .int32, seed: Int? = nil,
        name: String = "random_uniform_int", file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        if !shape.isFullyDefined {
            record(
                GraphError("random numbers need a fully defined shape, got \(shape); give shape(x) of a node instead")
                    .at(name, SourceLocation(file: file, line: line)))
        }
        let extents = constant(Tensor.small((shape.dimensions ?? []).map { $0 ?? 0 }), file: file, line: line)
        return randomUniformInt(
            shape: extents, min: min, max: max, dtype: dtype, seed: seed, name: name, file: file, line: line)
    }
}
