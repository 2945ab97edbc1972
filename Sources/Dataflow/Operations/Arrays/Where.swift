/// `Where`: where the elements are true, or not 0: a row of indices for each, in row-major order.
public enum Where: Operation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = Signature(["input": "T"], to: ["index": "int64"], types: ["T": DType.all])

    /// [how many there are, rank of the input].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        [[node.constant(0).map { input in input.withUnsafeBytes { count($0, input.dtype) } }, node.shape(0).rank]]
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil] }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let (input, output, dtype) = (binding.input(0), binding.output(), binding.inputs[0].dtype)
        let (extents, bytes) = (binding.inputs[0].shape.knownExtents, binding.count(0) * binding.inputs[0].dtype.size)
        return { memory in
            var target = memory.pointer(output, Int64.self)
            visit(UnsafeRawBufferPointer(start: memory.raw(input), count: bytes), dtype) { place in
                var rest = place
                for d in extents.indices.reversed() {
                    target[d] = Int64(rest % extents[d])
                    rest /= extents[d]
                }
                target += extents.count
            }
        }
    }

    private static func count(_ bytes: UnsafeRawBufferPointer, _ dtype: DType) -> Int {
        var count = 0
        visit(bytes, dtype) { _ in count += 1 }
        return count
    }

    /// Calls `body` with the place of each element that is not 0.
    private static func visit(_ bytes: UnsafeRawBufferPointer, _ dtype: DType, _ body: (Int) -> Void) {
        switch dtype {
        case .float32: visit(bytes, Float.self, body) { $0 != 0 }
        case .float64: visit(bytes, Double.self, body) { $0 != 0 }
        case .int32: visit(bytes, Int32.self, body) { $0 != 0 }
        case .int64: visit(bytes, Int64.self, body) { $0 != 0 }
        case .uint8, .bool: visit(bytes, UInt8.self, body) { $0 != 0 }
        case .bfloat16: visit(bytes, BFloat16.self, body) { $0.float != 0 }
        case .string, .resource, .variant: visit(bytes, UInt64.self, body) { $0 != 0 }
        }
    }

    @inline(__always)
    private static func visit<Element>(
        _ bytes: UnsafeRawBufferPointer, _ type: Element.Type, _ body: (Int) -> Void, _ holds: (Element) -> Bool
    ) {
        let elements = bytes.assumingMemoryBound(to: Element.self)
        for i in elements.indices where holds(elements[i]) { body(i) }
    }
}

/// The indices of the elements of `x` that are true, or not 0, int64 [how many, rank]; TensorFlow's `tf.where(x)`.
public func indices(
    whereTrue x: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(Where.self, [x], [:], name, file, line) }

/// The slices of `x` along its first dimension where `mask`, a bool vector, holds; TensorFlow's `tf.boolean_mask`.
public func booleanMask(
    _ x: any Operand, _ mask: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node {
    x.node.graph.located(file, line) { gather(x, squeeze(indices(whereTrue: mask), axes: [1]), name: name) }
}
