/// `UnravelIndex`: for each flat index into a tensor of the shape `dims` its indices, a column each (a vector for a scalar).
public enum UnravelIndex: Operation {
    public static var hostReason: String? { HostReason.indices }
    public static let signature = Signature(
        ["indices": "Tidx", "dims": "Tidx"], to: ["output": "Tidx"], types: ["Tidx": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (indices, dims) = (node.shape(0), try node.shape(1, rank: 1, "'dims'"))
        guard let rank = indices.rank else { return [.unknown] }
        guard rank <= 1 else { throw GraphError("'indices' must be a scalar or a vector, got the shape \(indices)") }
        return [Shape([dims[0]] + (indices.dimensions ?? []))]
    }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { [nil, nil] }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let (indices, dims, output) = (IndexInput(binding, 0), IndexInput(binding, 1), binding.output())
        let (count, rank, isWide) = (binding.count(0), binding.count(1), binding.outputs[0].dtype == .int64)
        return { memory in
            let extents = (0..<rank).map { dims.read(memory, $0) }
            let total = extents.allSatisfy { $0 > 0 } ? Shape(extents).elementCount ?? .max : 0
            for i in 0..<count {
                var rest = indices.read(memory, i)
                guard rest >= 0, rest < total else {
                    throw GraphError("indices[\(i)] = \(rest) is beyond the shape \(extents)")
                }
                for d in extents.indices.reversed() {
                    let place = d * count + i
                    if isWide {
                        memory.pointer(output, Int64.self)[place] = Int64(rest % extents[d])
                    } else {
                        memory.pointer(output, Int32.self)[place] = Int32(rest % extents[d])
                    }
                    rest /= extents[d]
                }
            }
        }
    }
}
