private let aligned: [String: AttributeValue] = ["align": .string("RIGHT_LEFT")]

private func diagSignature(_ defaults: [String: AttributeValue]) -> Signature {
    Signature(
        ["diagonal": "T", "k": "int32", "num_rows": "int32", "num_cols": "int32", "padding_value": "T"],
        to: ["output": "T"], types: ["T": DType.all], defaults: defaults)
}

private func partSignature(_ defaults: [String: AttributeValue]) -> Signature {
    Signature(
        ["input": "T", "k": "int32", "padding_value": "T"], to: ["diagonal": "T"], types: ["T": DType.all],
        defaults: defaults)
}

private func setSignature(_ defaults: [String: AttributeValue]) -> Signature {
    Signature(
        ["input": "T", "diagonal": "T", "k": "int32"], to: ["output": "T"], types: ["T": DType.all],
        defaults: defaults)
}

/// `MatrixDiagV3`: matrices with the given diagonals `k` (one, or the lowest and the highest of a range), `padding_value`
/// elsewhere. `num_rows` and `num_cols` are −1 where the smallest that has room is meant.
public enum MatrixDiagV3: Operation {
    public static let signature = diagSignature(aligned)
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try diagonalMatrixShape(node)] }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (k, zero) = (node.input(1), scalar(0, like: node.upstream()))
        return [apply(MatrixDiagPartV3.self, [node.upstream(), k, zero], try alignment(node)), nil, nil, nil, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { binding in
            try band(binding, matrix: binding.outputs[0].shape)
                .placing(binding, diagonal: 0, under: binding.filling(with: 4))
        }
    }
}

/// `MatrixDiagV2`: as `MatrixDiagV3`, shorter diagonals standing at the left.
public enum MatrixDiagV2: Operation {
    public static let signature = diagSignature([:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try MatrixDiagV3.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try MatrixDiagV3.gradient(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try MatrixDiagV3.kernel(binding) }
}

/// `MatrixDiagPartV3`: the diagonals `k` (one, or the lowest and the highest of a range) of each matrix; shorter ones are
/// padded with `padding_value`.
public enum MatrixDiagPartV3: Operation {
    public static let signature = partSignature(aligned)
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let range = try DiagonalBand.range(node.integers(1)) else { return [.unknown] }
        return [try DiagonalBand.partShape(node.shape(0), lower: range.lower, upper: range.upper)]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let zeros = zerosLike(node.input(0))
        return [apply(MatrixSetDiagV3.self, [zeros, node.upstream(), node.input(1)], try alignment(node)), nil, nil]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([1]) { binding in
            try band(binding, matrix: binding.inputs[0].shape).taking(binding, padding: 2)
        }
    }
}

/// `MatrixDiagPartV2`: as `MatrixDiagPartV3`, shorter diagonals standing at the left.
public enum MatrixDiagPartV2: Operation {
    public static let signature = partSignature([:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try MatrixDiagPartV3.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try MatrixDiagPartV3.gradient(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try MatrixDiagPartV3.kernel(binding) }
}

/// `MatrixSetDiagV3`: each matrix with other diagonals `k` (one, or the lowest and the highest of a range).
public enum MatrixSetDiagV3: Operation {
    public static let signature = setSignature(aligned)
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let range = try DiagonalBand.range(node.integers(2)) else { return [node.shape(0)] }
        return try DiagonalBand.setShape(node, lower: range.lower, upper: range.upper)
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (dy, k, attributes) = (node.upstream(), node.input(2), try alignment(node))
        return [
            apply(MatrixSetDiagV3.self, [dy, zerosLike(node.input(1)), k], attributes),
            apply(MatrixDiagPartV3.self, [dy, k, scalar(0, like: dy)], attributes), nil,
        ]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.late([2]) { binding in
            // With `k` fed the shapes could not be checked before.
            let context = ShapeContext(
                attributes: binding.attributes, inputs: binding.inputs,
                constants: binding.inputs.indices.map(binding.constant))
            _ = try infer(context)
            return try band(binding, matrix: binding.inputs[0].shape, k: 2)
                .placing(binding, diagonal: 1, under: Copy.kernel(binding))
        }
    }
}

/// `MatrixSetDiagV2`: as `MatrixSetDiagV3`, shorter diagonals standing at the left.
public enum MatrixSetDiagV2: Operation {
    public static let signature = setSignature([:])
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try MatrixSetDiagV3.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try MatrixSetDiagV3.gradient(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try MatrixSetDiagV3.kernel(binding) }
}

/// The V2 operations have no attribute: theirs is "LEFT_LEFT".
private func alignmentName(_ attributes: Attributes) throws -> String {
    attributes["align"] == nil ? "LEFT_LEFT" : try attributes.string("align")
}

private func alignment(_ node: GradientContext) throws -> Attributes {
    ["align": .string(try alignmentName(node.attributes))]
}

private func band(_ binding: KernelBinding, matrix: Shape, k: Int = 1) throws -> DiagonalBand {
    guard let range = try DiagonalBand.range(binding.integers(k)) else {
        throw GraphError("'k' must be known when the kernel is bound")
    }
    return try DiagonalBand(
        matrix: matrix, lower: range.lower, upper: range.upper, alignment: alignmentName(binding.attributes))
}

/// Of the matrices that `MatrixDiagV3` makes.
private func diagonalMatrixShape(_ node: ShapeContext) throws -> Shape {
    guard let range = try DiagonalBand.range(node.integers(1)), let extents = node.shape(0).dimensions else {
        return .unknown
    }
    let isBand = range.lower != range.upper
    guard let last = extents.last, extents.count >= (isBand ? 2 : 1) else {
        throw GraphError("the diagonal must have at least rank \(isBand ? 2 : 1), got the shape \(node.shape(0))")
    }
    let count = range.upper - range.lower + 1
    if isBand, let own = extents[extents.count - 2], own != count {
        throw GraphError(
            "\(count) diagonals from \(range.lower) to \(range.upper) are wanted, got the shape \(node.shape(0))")
    }
    let batch = extents.dropLast(isBand ? 2 : 1)
    guard let last, let rows = try node.integer(2), let columns = try node.integer(3) else {
        return Shape(batch + [nil, nil])
    }
    let least = (rows: last - Swift.min(range.upper, 0), columns: last + Swift.max(range.lower, 0))
    let square = Swift.max(least.rows, least.columns)
    let result =
        rows == -1 && columns == -1
        ? (square, square) : (rows == -1 ? least.rows : rows, columns == -1 ? least.columns : columns)
    guard result.0 >= least.rows, result.1 >= least.columns,
        DiagonalBand.longest(result.0, result.1, range.lower, range.upper) == last
    else {
        throw GraphError(
            "matrices of \(result.0) rows and \(result.1) columns have no diagonals from \(range.lower) to \(range.upper)"
                + " of length \(last)")
    }
    return Shape(batch + [result.0, result.1])
}
