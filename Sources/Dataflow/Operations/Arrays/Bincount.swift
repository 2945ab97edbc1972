/// The types that may be counted in.
private let counted: [DType] = [.int32, .int64, .float32, .float64]

/// `Bincount`: bin i holds how often i occurs, or the sum of the weights where it does; numbers from `size` on are left out.
/// Weights have the shape of `arr`, or are empty.
public enum Bincount: Operation, NumericKernel {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["arr": "int32", "size": "int32", "weights": "T"], to: ["bins": "T"], types: ["T": counted])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [Shape([try binCount(node)])]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        countingKernel(Self.self, type, binding, rows: 1, isBinary: false)
    }
}

/// `DenseBincount`: as `Bincount`, of a vector or of each row of a matrix; binary output tells only whether a number occurs.
public enum DenseBincount: Operation, NumericKernel {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["input": "Tidx", "size": "Tidx", "weights": "T"], to: ["output": "T"],
        types: ["Tidx": DType.indices, "T": counted], defaults: ["binary_output": .bool(false)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let bins = try binCount(node)
        guard let input = node.shape(0).dimensions else { return [.unknown] }
        guard input.count == 1 || input.count == 2 else {
            throw GraphError("'input' must be a vector or a matrix, got the shape \(node.shape(0))")
        }
        return [Shape(input.dropLast() + [bins])]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let rows = binding.inputs[0].shape.knownExtents.dropLast().reduce(1, *)
        return countingKernel(
            Self.self, type, binding, rows: rows, isBinary: try binding.attributes.bool("binary_output"))
    }
}

/// The number of bins, once the inputs fit each other.
private func binCount(_ node: ShapeContext) throws -> Int? {
    _ = try node.shape(1, rank: 0, "'size'")
    if let count = try node.integer(1), count < 0 { throw GraphError("'size' must be at least 0, got \(count)") }
    let (input, weights) = (node.shape(0), node.shape(2))
    if let count = weights.elementCount, count != 0, !weights.isCompatible(with: input) {
        throw GraphError("'weights' must have the shape \(input) or be empty, got \(weights)")
    }
    return try node.integer(1)
}

private func countingKernel<Scalar: NumericScalar>(
    _ operation: any Operation.Type, _ type: Scalar.Type, _ binding: KernelBinding, rows: Int, isBinary: Bool
) -> Kernel {
    let (numbers, weights, output) = (IndexInput(binding, 0), binding.input(2), binding.output())
    let (count, clear) = (binding.count(0), binding.clearing())
    let (hasWeights, bins) = (binding.count(2) > 0, binding.outputs[0].shape.knownExtents.last ?? 0)
    return { memory in
        try clear(memory)
        let (result, weight) = (memory.pointer(output, Scalar.self), memory.pointer(weights, Scalar.self))
        for i in 0..<count {
            let number = numbers.read(memory, i)
            guard number >= 0 else {
                throw GraphError("element \(i) is \(number); only numbers from 0 on can be counted")
            }
            guard number < bins else { continue }
            let place = i / (count / rows) * bins + number
            let next = Scalar.wrappingAdd(result[place], hasWeights ? weight[i] : Scalar(1.0))
            result[place] = isBinary ? Scalar(1.0) : next
        }
    }
}

/// `HistogramFixedWidth`: how many values fall into each of `nbins` bins of one width between the two numbers of
/// `value_range`; those outside go to the first and the last.
public enum HistogramFixedWidth: Operation, NumericKernel {
    public static let signature = Signature(
        ["values": "T", "value_range": "T", "nbins": "int32"], to: ["out": "dtype"],
        types: ["T": counted, "dtype": DType.indices], defaults: ["dtype": .type(.int32)])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard node.shape(1).isCompatible(with: [2]) else {
            throw GraphError("'value_range' must hold two numbers, got the shape \(node.shape(1))")
        }
        _ = try node.shape(2, rank: 0, "'nbins'")
        let count = try node.integer(2)
        if let count, count < 1 { throw GraphError("'nbins' must be at least 1, got \(count)") }
        return [[count]]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (values, range, output) = (binding.input(0), binding.input(1), binding.output())
        let (count, bins, clear) = (binding.count(0), binding.outputCount(), binding.clearing())
        let isWide = binding.outputs[0].dtype == .int64
        return { memory in
            try clear(memory)
            let limits = memory.pointer(range, Scalar.self)
            let (low, high) = (limits[0].asDouble, limits[1].asDouble)
            guard low < high else {
                throw GraphError("'value_range' must ascend, got \(low) and \(high)")
            }
            let width = (high - low) / Double(bins)
            for i in 0..<count {
                let place = ((memory.pointer(values, Scalar.self)[i].asDouble - low) / width).rounded(.down)
                // Whatever is not a number counts as the lowest.
                let bin = place > 0 ? Int(Swift.min(place, Double(bins - 1))) : 0
                if isWide {
                    memory.pointer(output, Int64.self)[bin] += 1
                } else {
                    memory.pointer(output, Int32.self)[bin] += 1
                }
            }
        }
    }
}

/// How often each of 0..<count occurs in the int32 `x`, as int32; TensorFlow's `tf.math.bincount`.
public func bincount(
    _ x: any Operand, count: Int, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(Bincount.self, [x, Tensor.small(count), Tensor([Int32]())], [:], name, file, line)
}
