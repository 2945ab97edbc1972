/// `Einsum`: sums of products over named dimensions: "ij,jk->ik" multiplies matrices, "bii->b" sums diagonals, "..." stands
/// for whatever further dimensions there are, which broadcast. One or two inputs.
public enum Einsum: Operation, NumericKernel {
    public static let signature = Signature(
        ["inputs": "N * T"], to: ["output": "T"], types: ["T": DType.signed], required: ["equation"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let equation = try EinsumEquation(node.attributes.string("equation"), inputs: node.inputs.count)
        guard let extents = try equation.extents(node.inputs.map(\.shape)) else { return [.unknown] }
        return [Shape(equation.spread(equation.output, extents.ellipsis).map { extents.of[$0] ?? nil })]
    }

    /// For each operand the upstream gradient times the other operand, summed over what the operand does not have.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let equation = try EinsumEquation(node.attributes.string("equation"), inputs: node.inputs.count)
        let dy = node.upstream()
        return node.inputs.indices.map { i in
            let (x, other) = (node.input(i), node.inputs.count == 2 ? 1 - i : nil)
            let own = equation.inputs[i]
            // Dimensions in an order that lets it broadcast, each label once.
            let target = own.distinct
            let canonical = own == target ? x : einsum("\(own)->\(target)", [x])
            let present = Set(equation.output.labels).union(other.map { equation.inputs[$0].labels } ?? [])
            let hasEllipsis =
                target.hasEllipsis
                && (equation.output.hasEllipsis || other.map { equation.inputs[$0].hasEllipsis } ?? false)
            let known = EinsumLabels(
                labels: target.labels.filter(present.contains), ellipsis: hasEllipsis ? 0 : nil)
            var slope =
                other.map { einsum("\(equation.output),\(equation.inputs[$0])->\(known)", [dy, node.input($0)]) }
                ?? einsum("\(equation.output)->\(known)", [dy])
            // A label that only this operand has was summed over: all its elements get the same.
            for (place, label) in target.labels.enumerated().reversed() where !present.contains(label) {
                slope = expandDims(slope, axis: place - target.labels.count)
            }
            if target.labels.contains(where: { !present.contains($0) }) || target.hasEllipsis != hasEllipsis {
                slope = slope * onesLike(canonical)
            }
            if target.hasEllipsis { slope = unbroadcast(slope, to: canonical, from: slope) }
            return own == target ? slope : einsum("\(target)->\(own)", [slope])
        }
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }

    /// Copies the operands to [batch, free, contracted] and [batch, contracted, free], multiplies the matrices and copies the
    /// products to where they belong.
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let equation = try EinsumEquation(binding.attributes.string("equation"), inputs: binding.inputs.count)
        guard let extents = try equation.extents(binding.inputs.map(\.shape)) else {
            throw GraphError("the shapes must be known when the kernel is bound")
        }
        let operands = zip(equation.inputs, binding.inputs).map { side, spec in
            equation.spread(side, spec.shape.knownExtents.count - side.labels.count)
        }
        let result = equation.spread(equation.output, extents.ellipsis)
        let left = Set(operands[0])
        let right = operands.count == 2 ? Set(operands[1]) : []
        let labels = operands.joined().reduce(into: [EinsumLabel]()) { if !$0.contains($1) { $0.append($1) } }
        let size = { (group: [EinsumLabel]) in group.reduce(1) { $0 * (extents.of[$1].flatMap { $0 } ?? 1) } }
        let batch = labels.filter { left.contains($0) && right.contains($0) && result.contains($0) }
        let rows = labels.filter { left.contains($0) && !right.contains($0) && result.contains($0) }
        let columns = labels.filter { right.contains($0) && !left.contains($0) && result.contains($0) }
        let summed = labels.filter { !result.contains($0) }
        let (b, m, n, k) = (size(batch), size(rows), size(columns), size(summed))
        let concrete = extents.of.mapValues { $0 ?? 1 }
        let copies = operands.enumerated().map { i, operand in
            LabelledCopy(
                i == 0 ? batch + rows + summed : batch + summed + columns, concrete,
                from: strides(operand, binding.inputs[i].shape))
        }
        let unpack = LabelledCopy(
            batch + rows + columns, concrete, to: strides(result, binding.outputs[0].shape))
        let clear = binding.clearing()
        let (inputs, output) = (binding.inputs.indices.map { binding.input($0) }, binding.output())
        let geometry = MatMul.Geometry(m: m, n: n, k: k, transposeA: false, transposeB: false)
        let usesLibrary = type == Float.self && m * n * k > 4096
        let scalar = MemoryLayout<Scalar>.size
        var scratch = ScratchLayout(binding)
        let buffers = [b * m * k, b * k * n, b * m * n].map { scratch.room(UInt8.self, count: $0 * scalar) }
        return { memory in
            let (x, y, z) = (
                UnsafeMutableRawPointer(buffers[0].pointer), UnsafeMutableRawPointer(buffers[1].pointer),
                UnsafeMutableRawPointer(buffers[2].pointer)
            )
            copies[0].copy.run(memory.raw(inputs[0]), x, as: Scalar.self, threads: 1)
            if inputs.count == 2 {
                copies[1].copy.run(memory.raw(inputs[1]), y, as: Scalar.self, threads: 1)
            } else {
                y.assumingMemoryBound(to: Scalar.self).update(repeating: Scalar(1.0), count: k)
            }
            for i in 0..<b where m * n > 0 {
                if usesLibrary {
                    try MatMul.sgemm(
                        geometry, x.assumingMemoryBound(to: Float.self) + i * m * k,
                        y.assumingMemoryBound(to: Float.self) + i * k * n,
                        z.assumingMemoryBound(to: Float.self) + i * m * n)
                } else {
                    MatMul.product(
                        geometry, x.assumingMemoryBound(to: Scalar.self) + i * m * k,
                        y.assumingMemoryBound(to: Scalar.self) + i * k * n,
                        z.assumingMemoryBound(to: Scalar.self) + i * m * n)
                }
            }
            // A label that the output has twice leaves elements that nothing is written to.
            try clear(memory)
            unpack.copy.run(z, memory.raw(output), as: Scalar.self, threads: 1)
        }
    }

    /// How far one step along each label goes in a tensor: along a diagonal by the sum of its dimensions' steps, and nowhere
    /// along one of 1 that broadcasts.
    private static func strides(_ labels: [EinsumLabel], _ shape: Shape) -> [EinsumLabel: Int] {
        var result: [EinsumLabel: Int] = [:]
        for (i, label) in labels.enumerated() {
            result[label, default: 0] += shape.knownExtents[i] == 1 ? 0 : shape.strides[i]
        }
        return result
    }
}

/// A copy that walks through dimensions named by labels; a side without strides is contiguous.
private struct LabelledCopy {
    let copy: StridedCopy

    init(
        _ order: [EinsumLabel], _ extents: [EinsumLabel: Int], from: [EinsumLabel: Int]? = nil,
        to: [EinsumLabel: Int]? = nil
    ) {
        let sizes = order.map { extents[$0] ?? 1 }
        let packed = Shape(sizes).strides
        copy = StridedCopy(
            sizes, from: from.map { steps in order.map { steps[$0] ?? 0 } } ?? packed,
            to: to.map { steps in order.map { steps[$0] ?? 0 } } ?? packed)
    }
}

/// Sums of products over named dimensions, such as einsum("bij,bjk->bik", [x, y]) for one or two operands; TensorFlow's
/// `tf.einsum`.
public func einsum(
    _ equation: String, _ operands: [any Operand], name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node { apply(Einsum.self, operands, ["equation": .string(equation)], name, file, line) }
