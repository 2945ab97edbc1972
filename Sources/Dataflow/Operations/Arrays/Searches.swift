/// `Bucketize`: for each element how many of the ascending `boundaries` are not above it.
public enum Bucketize: Operation, NumericKernel {
    public static let signature = Signature(
        ["input": "T"], to: ["output": "int32"], types: ["T": DType.signed], required: ["boundaries"])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let boundaries = try node.attributes.floats("boundaries")
        guard zip(boundaries, boundaries.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw GraphError("'boundaries' must ascend, got \(boundaries)")
        }
        return [node.shape(0)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let boundaries = try binding.attributes.floats("boundaries").map(Double.init)
        let (input, output, count) = (binding.input(0), binding.output(), binding.outputCount())
        return { memory in
            for i in 0..<count {
                let x = memory.pointer(input, Scalar.self)[i].asDouble
                memory.pointer(output, Int32.self)[i] = Int32(place(in: boundaries.count) { boundaries[$0] > x })
            }
        }
    }
}

/// The first of 0..<count for which `isBeyond` holds, which from there on holds for all; `count` if for none.
@inline(__always)
private func place(in count: Int, _ isBeyond: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
        let middle = (low + high) / 2
        if isBeyond(middle) { high = middle } else { low = middle + 1 }
    }
    return low
}

private let searchSignature = Signature(
    ["sorted_inputs": "T", "values": "T"], to: ["output": "out_type"],
    types: ["T": DType.numbers, "out_type": DType.indices], defaults: ["out_type": .type(.int32)])

/// `LowerBound`: for each value the first place in the ascending row of `sorted_inputs` at which it could stand.
public enum LowerBound: Operation, NumericKernel {
    public static let signature = searchSignature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try boundsShape(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        searchKernel(type, binding) { $0 >= $1 }
    }
}

/// `UpperBound`: for each value the last place in the ascending row of `sorted_inputs` at which it could stand.
public enum UpperBound: Operation, NumericKernel {
    public static let signature = searchSignature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try boundsShape(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.inputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        searchKernel(type, binding) { $0 > $1 }
    }
}

/// [rows, values in each].
private func boundsShape(_ node: ShapeContext) throws -> [Shape] {
    let sorted = try node.shape(0, rank: 2, "'sorted_inputs'")
    let values = try node.shape(1, rank: 2, "'values'")
    guard let rows = Shape([sorted[0]]).merged(with: [values[0]]) else {
        throw GraphError("'sorted_inputs' and 'values' must have as many rows, got \(sorted) and \(values)")
    }
    return [Shape([rows[0], values[1]])]
}

private func searchKernel<Scalar: NumericScalar>(
    _ type: Scalar.Type, _ binding: KernelBinding, _ isBeyond: @escaping (Scalar, Scalar) -> Bool
) -> Kernel {
    let (rows, width) = (binding.inputs[0].shape.knownExtents[0], binding.inputs[0].shape.knownExtents[1])
    let (sorted, values, output) = (binding.input(0), binding.input(1), binding.output())
    let (count, isWide) = (binding.inputs[1].shape.knownExtents[1], binding.outputs[0].dtype == .int64)
    return { memory in
        for i in 0..<rows * count {
            let row = memory.pointer(sorted, Scalar.self) + i / count * width
            let value = memory.pointer(values, Scalar.self)[i]
            let found = place(in: width) { isBeyond(row[$0], value) }
            if isWide {
                memory.pointer(output, Int64.self)[i] = Int64(found)
            } else {
                memory.pointer(output, Int32.self)[i] = Int32(found)
            }
        }
    }
}
