/// `ListDiff`: the elements of the vector x that are not in the vector y, in order, and where they are.
public enum ListDiff: Operation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = Signature(
        ["x": "T", "y": "T"], to: ["out": "T", "idx": "out_idx"],
        types: ["T": DType.moved, "out_idx": DType.indices], defaults: ["out_idx": .type(.int32)])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        for i in 0...1 { _ = try node.shape(i, rank: 1, "'\(signature.inputs[i].name)'") }
        return try fold(node).map { $0.map(\.shape) } ?? [[nil], [nil]]
    }

    public static func fold(_ node: ShapeContext) throws -> [Tensor]? {
        guard let x = node.constant(0), let y = node.constant(1) else { return nil }
        let places =
            switch x.dtype {
            case .float32: difference(x, y, Float.self)
            case .float64: difference(x, y, Double.self)
            case .int32: difference(x, y, Int32.self)
            case .int64: difference(x, y, Int64.self)
            case .uint8, .bool: difference(x, y, UInt8.self)
            case .bfloat16: difference(x, y, UInt16.self)
            case .string, .resource, .variant: difference(x, y, UInt64.self)
            }
        let size = x.dtype.size
        let out = Tensor(dtype: x.dtype, sized: [places.count]) { target in
            x.withUnsafeBytes { source in
                for (i, place) in places.enumerated() {
                    (target.baseAddress! + i * size)
                        .copyMemory(from: source.baseAddress! + place * size, byteCount: size)
                }
            }
        }
        return [out, indexTensor(places, try node.attributes.type("out_idx"))]
    }

    private static func difference<Element: Hashable>(_ x: Tensor, _ y: Tensor, _ type: Element.Type) -> [Int] {
        let excluded = y.withUnsafeBytes { Set($0.assumingMemoryBound(to: Element.self)) }
        return x.withUnsafeBytes { bytes in
            let elements = bytes.assumingMemoryBound(to: Element.self)
            return elements.indices.filter { !excluded.contains(elements[$0]) }
        }
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try foldedKernel(Self.self, binding) }
}

/// The elements of the vector `x` that are not in the vector `y`, and where they are (int32); TensorFlow's `tf.setdiff1d`.
public func listDiff(
    _ x: any Operand, _ y: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> (values: Node, indices: Node) {
    let vertex = apply(ListDiff.self, [x, y], [:], name, file, line).vertex
    return (vertex.output(0), vertex.output(1))
}
