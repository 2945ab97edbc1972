/// `Sum`: the sum over some dimensions.
public enum Sum: ReductionOperation, NumericKernel {
    public static let signature = reductionSignature(DType.numbers)
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [try broadcastBack(node.upstream(), node), nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, $0.inputs[0].dtype) }
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let layout = try reductionLayout(binding)
        let (input, output) = (binding.input(0), binding.output())
        return { memory in
            layout.reduce(memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self), initial: Scalar(0.0))
            {
                Scalar.wrappingAdd($0, $1)
            }
        }
    }
}

/// `Mean`: the mean over some dimensions; of integers rounded toward zero, of none NaN or 0.
public enum Mean: ReductionOperation, NumericKernel {
    public static let signature = reductionSignature(DType.numbers)
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let x = node.input(0)
        // How many elements went into each mean.
        let factor = cast(size(x), to: x.dtype) / cast(size(node.output()), to: x.dtype)
        return [try broadcastBack(node.upstream(), node) / factor, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, $0.inputs[0].dtype) }
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let layout = try reductionLayout(binding)
        let (input, output, count) = (binding.input(0), binding.output(), binding.outputCount())
        let divisor = layout.reducedCount
        if Scalar.dtype == .int32 || Scalar.dtype == .uint8 { return wide(type, binding, layout) }
        return { memory in
            let result = memory.pointer(output, Scalar.self)
            layout.reduce(memory.pointer(input, Scalar.self), result, initial: Scalar(0.0)) {
                Scalar.wrappingAdd($0, $1)
            }
            for i in 0..<count { result[i] = Scalar.divide(result[i], by: divisor) }
        }
    }

    /// Narrow integers are added up as int64, so that the sum does not wrap around.
    private static func wide<Scalar: NumericScalar>(
        _ type: Scalar.Type, _ binding: KernelBinding, _ layout: ReductionLayout
    ) -> Kernel {
        let (input, output) = (binding.input(0), binding.output())
        let (elements, count) = (binding.count(0), binding.outputCount())
        return { memory in
            let (x, y) = (memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self))
            withUnsafeTemporaryAllocation(of: Int64.self, capacity: Swift.max(elements + count, 1)) { scratch in
                let values = scratch.baseAddress!
                for i in 0..<elements { values[i] = Int64(x[i].asDouble) }
                layout.reduce(values, values + elements, initial: 0) { $0 &+ $1 }
                for i in 0..<count {
                    y[i] = Scalar(Int64.divide(values[elements + i], by: layout.reducedCount).asDouble)
                }
            }
        }
    }
}

func reductionSignature(_ types: [DType]) -> Signature {
    Signature(
        ["input": "T", "reduction_indices": "Tidx"], to: ["output": "T"], types: ["T": types, "Tidx": DType.indices],
        defaults: ["keep_dims": .bool(false)])
}

func reductionLayout(_ binding: KernelBinding) throws -> ReductionLayout {
    let shape = binding.inputs[0].shape
    return ReductionLayout(shape, axes: Set(try normalize(binding.integers(1), rank: shape.knownExtents.count)))
}

/// A reduction's gradient (or result) spread over the shape of its input.
func broadcastBack(_ gradient: Node, _ node: GradientContext) throws -> Node {
    var spread = gradient
    if try !node.attributes.bool("keep_dims") {
        let rank = node.input(0).shape.rank
        if let axes = node.input(1).constant?.knownIntegers, let axes = try distinctAxes(axes, rank: rank) {
            if axes.count != rank {  // a scalar broadcasts as it is
                for axis in axes { spread = expandDims(spread, axis: axis) }
            }
        } else {
            spread = reshape(spread, keptShape(node))
        }
    }
    return broadcast(spread, to: shape(node.input(0)))
}

/// The input's shape with 1 for each reduced dimension, for axes that only the run tells.
private func keptShape(_ node: GradientContext) -> Node {
    let (x, axes) = (node.input(0), cast(node.input(1), to: .int32))
    let dimensions = rank(x)
    let places = reshape(apply(FloorMod.self, [axes + dimensions, dimensions]), [-1])
    return apply(DynamicStitch.self, [range(0, dimensions), places, shape(x), onesLike(places)], ["N": .int(2)])
}

/// Each axis once, in the order in which `expandDims` puts them back one after the other; nil if that takes the rank.
func distinctAxes(_ axes: [Int], rank: Int?) throws -> [Int]? {
    if let rank { return try Set(normalize(axes, rank: rank)).sorted() }
    if axes.allSatisfy({ $0 >= 0 }) { return Set(axes).sorted() }
    // Counted from the end, the last comes back first.
    if axes.allSatisfy({ $0 < 0 }) { return Set(axes).sorted(by: >) }
    return nil
}

/// A reduction over `axis` and `axes`, counted from the end where below 0: over all where neither is given.
func reduce(
    _ operation: any Operation.Type, _ x: any Operand, _ axis: Int?, _ axes: [Int]?, _ keepDims: Bool,
    _ name: String? = nil, _ file: StaticString, _ line: UInt
) -> Node {
    x.node.graph.located(file, line) {
        let all = x.node.shape.rank.map { Array(0..<$0) }
        let named = axis.map { (axes ?? []) + [$0] } ?? axes ?? all
        let places: any TensorOperand = named.map { Tensor.small($0) } ?? range(0, rank(x))
        return apply(operation, [x, places], ["keep_dims": .bool(keepDims)], name, file, line)
    }
}

/// The sum over `axis` or `axes` (all by default); TensorFlow's `tf.reduce_sum`.
public func sum(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { reduce(Sum.self, x, axis, axes, keepDims, name, file, line) }

/// The mean over `axis` or `axes` (all by default); TensorFlow's `tf.reduce_mean`.
public func mean(
    _ x: any Operand, axis: Int? = nil, axes: [Int]? = nil, keepDims: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node { reduce(Mean.self, x, axis, axes, keepDims, name, file, line) }
