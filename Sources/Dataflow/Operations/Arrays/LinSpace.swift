/// `LinSpace`: `num` numbers in even steps from `start` to `stop`, both included.
public enum LinSpace: Operation, FloatKernel {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["start": "T", "stop": "T", "num": "Tidx"], to: ["output": "T"],
        types: ["T": DType.floats, "Tidx": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        for i in 0...2 { _ = try node.shape(i, rank: 0, "'\(signature.inputs[i].name)'") }
        guard let count = try node.integer(2) else { return [[nil]] }
        guard count > 0 else { throw GraphError("'num' must be at least 1, got \(count)") }
        return [[count]]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.floating(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar & BinaryFloatingPoint>(
        _ type: Scalar.Type, _ binding: KernelBinding
    ) throws -> Kernel {
        let (start, stop, out, count) = (binding.input(0), binding.input(1), binding.output(), binding.outputCount())
        return { memory in
            let (first, last) = (memory.pointer(start, Scalar.self).pointee, memory.pointer(stop, Scalar.self).pointee)
            let result = memory.pointer(out, Scalar.self)
            result[0] = first
            guard count > 1 else { return }
            let step = (last - first) / Scalar(Double(count - 1))
            for i in 1..<count { result[i] = first + step * Scalar(Double(i)) }
            result[count - 1] = last
        }
    }
}

extension Graph {
    /// `count` numbers in even steps from `start` to `stop`, both included; TensorFlow's `tf.linspace`.
    public func linSpace(
        _ start: Double, _ stop: Double, count: Int, dtype: DType = .float32, name: String? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        located(file, line) {
            let ends = [start, stop].map { number($0, dtype) }
            return apply(LinSpace.self, ends + [constant(Tensor.small(count))], [:], name, file, line)
        }
    }

    /// Zeros of a fully defined shape; TensorFlow's `tf.zeros`.
    public func zeros(
        shape: Shape, dtype: DType = .float32, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { filled(0, shape, dtype, name, file, line) }

    /// Ones of a fully defined shape; TensorFlow's `tf.ones`.
    public func ones(
        shape: Shape, dtype: DType = .float32, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> Node { filled(1, shape, dtype, name, file, line) }

    private func filled(
        _ value: Double, _ shape: Shape, _ dtype: DType, _ name: String?, _ file: StaticString, _ line: UInt
    ) -> Node {
        guard let extents = shape.dimensions, shape.isFullyDefined else {
            record(
                GraphError("the shape must be fully known, got \(shape); use fill()").at(
                    name ?? "Fill", SourceLocation(file: file, line: line)))
            return placeholder(dtype, shape, file: file, line: line)
        }
        return located(file, line) {
            let dims = constant(Tensor.small(extents.map { $0 ?? 0 }))
            return fill(dims, number(value, dtype), name: name)
        }
    }
}
