internal import CKernels

/// `Softmax`: e^x over its sum along the last dimension.
public enum Softmax: Operation {
    public static let signature = Signature.unary(DType.floats, input: "logits", output: "softmax")
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try rowsShape(node)] }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (y, dy) = (node.output(), node.upstream())
        return [(dy - sum(dy * y, axes: [-1], keepDims: true)) * y]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        switch binding.inputs[0].dtype {
        case .float32: rowsKernel(binding, tributary_softmax_f32)
        default: rowsKernel(binding, tributary_softmax_f64)
        }
    }
}

/// `LogSoftmax`: the logarithm of the softmax along the last dimension.
public enum LogSoftmax: Operation {
    public static let signature = Signature.unary(DType.floats, input: "logits", output: "logsoftmax")
    public static func infer(_ node: ShapeContext) throws -> [Shape] { [try rowsShape(node)] }
    public static func gradient(_ node: GradientContext) -> [Node?] {
        let dy = node.upstream()
        return [dy - sum(dy, axes: [-1], keepDims: true) * exp(node.output())]
    }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        switch binding.inputs[0].dtype {
        case .float32: rowsKernel(binding, tributary_log_softmax_f32)
        default: rowsKernel(binding, tributary_log_softmax_f64)
        }
    }
}

private func rowsShape(_ node: ShapeContext) throws -> Shape {
    if node.shape(0).rank == 0 { throw GraphError("the logits must have at least one dimension, got a scalar") }
    return node.shape(0)
}

private func rowsKernel<Scalar: TensorScalar>(
    _ binding: KernelBinding,
    _ function: @escaping (UnsafePointer<Scalar>?, UnsafeMutablePointer<Scalar>?, Int, Int) -> Void
) -> Kernel {
    let columns = binding.inputs[0].shape.knownExtents.last ?? 1
    let rows = columns == 0 ? 0 : binding.count(0) / columns
    let threads = min(usefulThreads(binding.threads, work: rows * columns * 4), max(rows, 1))
    let (input, output) = (binding.input(0), binding.output())
    return { memory in
        let x = memory.pointer(input, Scalar.self)
        let y = memory.pointer(output, Scalar.self)
        parallel(threads) { part in
            let (start, end) = (rows * part / threads, rows * (part + 1) / threads)
            function(x + start * columns, y + start * columns, end - start, columns)
        }
    }
}

/// e^x over its sum along `axis`; TensorFlow's `tf.nn.softmax`.
/// - Parameter axis: below 0 counted from the end. Any but the last needs a known rank.
public func softmax(
    _ logits: any Operand, axis: Int = -1, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { along(axis, Softmax.self, logits.node, name, file, line) }

/// The logarithm of the softmax along `axis`, exact for small ones; TensorFlow's `tf.nn.log_softmax`.
/// - Parameter axis: as of `softmax`.
public func logSoftmax(
    _ logits: any Operand, axis: Int = -1, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { along(axis, LogSoftmax.self, logits.node, name, file, line) }

/// An operation over the last dimension, over another one, which is brought there and back.
private func along(
    _ axis: Int, _ operation: any Operation.Type, _ x: Node, _ name: String?, _ file: StaticString, _ line: UInt
) -> Node {
    if axis == -1 || x.vertex.error != nil { return apply(operation, [x], [:], name, file, line) }
    let location = SourceLocation(file: file, line: line)
    guard let rank = x.shape.rank, let axis = try? normalize([axis], rank: rank)[0] else {
        let mistake = GraphError("the axis \(axis) is not known to be one of \(x)")
        return mistaken(mistake.at(operation.name, location), in: x.graph)
    }
    if axis == rank - 1 { return apply(operation, [x], [:], name, file, line) }
    return x.graph.located(file, line) {
        var order = Array(0..<rank)
        order.swapAt(axis, rank - 1)
        return transpose(apply(operation, [transpose(x, permutation: order)]), permutation: order, name: name)
    }
}
