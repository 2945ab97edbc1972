/// `MirrorPad`: the input in a border of what lies inside it, mirrored: at its edge elements (mode "REFLECT", which does not
/// repeat them) or at its edges ("SYMMETRIC").
public enum MirrorPad: Operation, MovingKernel {
    public static let signature = Signature(
        ["input": "T", "paddings": "Tpaddings"], to: ["output": "T"],
        types: ["T": DType.all, "Tpaddings": DType.indices], required: ["mode"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = node.shape(0)
        let offset = try mirrorOffset(node.attributes)
        guard let paddings = try paddings(node) else {
            return [shape.rank.map(Shape.unknown(rank:)) ?? .unknown]
        }
        return [
            Shape(
                try paddings.enumerated().map { i, padding in
                    guard let extent = shape[i] else { return nil }
                    guard Swift.max(padding.before, padding.after) + offset <= extent else {
                        throw GraphError(
                            "paddings of \(padding.before) and \(padding.after) are too long to be mirrored from"
                                + " dimension \(i) of the shape \(shape)")
                    }
                    return extent + padding.before + padding.after
                })
        ]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(MirrorPadGrad.self, [node.upstream(), node.input(1)], node.attributes.only(["mode"])), nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.moving(Self.self, $0.outputs[0].dtype) }
    }

    public static func make<Element: BitwiseCopyable>(_ type: Element.Type, _ binding: KernelBinding) throws -> Kernel {
        let mirror = try Mirror(binding, inner: 0, outer: binding.outputs[0].shape.knownExtents)
        let (input, output, count) = (binding.input(0), binding.output(), binding.outputCount())
        return { memory in
            let (x, y) = (
                memory.raw(input).assumingMemoryBound(to: Element.self),
                memory.raw(output).assumingMemoryBound(to: Element.self)
            )
            for i in 0..<count { y[i] = x[mirror.source(i)] }
        }
    }
}

/// `MirrorPadGrad`: what `MirrorPad` made of a tensor folded back: every element added to the one it was copied from.
public enum MirrorPadGrad: Operation, NumericKernel {
    public static let signature = Signature(
        ["input": "T", "paddings": "Tpaddings"], to: ["output": "T"],
        types: ["T": DType.numbers, "Tpaddings": DType.indices], required: ["mode"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let shape = node.shape(0)
        let offset = try mirrorOffset(node.attributes)
        guard let paddings = try paddings(node) else {
            return [shape.rank.map(Shape.unknown(rank:)) ?? .unknown]
        }
        return [
            Shape(
                try paddings.enumerated().map { i, padding in
                    guard let extent = shape[i] else { return nil }
                    let inner = extent - padding.before - padding.after
                    guard Swift.max(padding.before, padding.after) + offset <= inner else {
                        throw GraphError(
                            "paddings of \(padding.before) and \(padding.after) are too long to have been mirrored to"
                                + " dimension \(i) of the shape \(shape)")
                    }
                    return inner
                })
        ]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [apply(MirrorPad.self, [node.upstream(), node.input(1)], node.attributes.only(["mode"])), nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { try $0.numeric(Self.self, $0.outputs[0].dtype) }
    }

    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let mirror = try Mirror(
            binding, inner: binding.outputs[0].shape.knownExtents, outer: binding.inputs[0].shape.knownExtents)
        let (input, output, count) = (binding.input(0), binding.output(), binding.count(0))
        let clear = binding.clearing()
        return { memory in
            try clear(memory)
            let (x, y) = (memory.pointer(input, Scalar.self), memory.pointer(output, Scalar.self))
            for i in 0..<count {
                let place = mirror.source(i)
                y[place] = Scalar.wrappingAdd(y[place], x[i])
            }
        }
    }
}

/// Where each element of a mirrored border comes from.
private struct Mirror {
    private let outer: [Int]
    /// For each dimension, the place within the inner tensor (times its stride) for each place of the outer one.
    private let offsets: [[Int]]

    init(_ binding: KernelBinding, inner: [Int], outer: [Int]) throws {
        let offset = try mirrorOffset(binding.attributes)
        let paddings = try binding.integers(1)
        let strides = Shape(inner).strides
        self.outer = outer
        offsets = outer.indices.map { d in
            let (before, extent) = (paddings[2 * d], inner[d])
            return (0..<outer[d]).map { i in
                let place = i - before
                let inside =
                    place < 0 ? -place - 1 + offset : place >= extent ? 2 * extent - 1 - offset - place : place
                return inside * strides[d]
            }
        }
    }

    init(_ binding: KernelBinding, inner: Int, outer: [Int]) throws {
        try self.init(binding, inner: binding.inputs[inner].shape.knownExtents, outer: outer)
    }

    @inline(__always) func source(_ index: Int) -> Int {
        var (rest, place) = (index, 0)
        for d in outer.indices.reversed() {
            place += offsets[d][rest % outer[d]]
            rest /= outer[d]
        }
        return place
    }
}

/// How many elements at the edge are not repeated.
private func mirrorOffset(_ attributes: Attributes) throws -> Int {
    switch try attributes.string("mode") {
    case "REFLECT": return 1
    case "SYMMETRIC": return 0
    case let other: throw GraphError("'mode' must be REFLECT or SYMMETRIC, got \(other)")
    }
}

/// Input 1 as pairs, nil where it is not known yet.
private func paddings(_ node: ShapeContext) throws -> [(before: Int, after: Int)]? {
    guard let numbers = node.integers(1) else { return nil }
    let rank = numbers.count / 2
    guard node.shape(1).isCompatible(with: [rank, 2]), node.shape(0).rank ?? rank == rank,
        numbers.allSatisfy({ $0 >= 0 })
    else {
        throw GraphError(
            "'paddings' must be a matrix of two numbers of at least 0 for each dimension of the shape \(node.shape(0)),"
                + " got \(numbers) of shape \(node.shape(1))")
    }
    return (0..<rank).map { (numbers[2 * $0], numbers[2 * $0 + 1]) }
}

/// `x` in a border of what lies inside it, mirrored; TensorFlow's `tf.pad` with the mode REFLECT or SYMMETRIC.
/// - Parameter repeatsEdges: whether the elements at the edge are mirrored too (SYMMETRIC).
public func mirrorPad(
    _ x: any Operand, paddings: [(before: Int, after: Int)], repeatsEdges: Bool = false, name: String? = nil,
    file: StaticString = #fileID, line: UInt = #line
) -> Node {
    apply(
        MirrorPad.self, [x, paddingMatrix(paddings)], ["mode": .string(repeatsEdges ? "SYMMETRIC" : "REFLECT")], name,
        file, line)
}
