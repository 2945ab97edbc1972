/// `DynamicPartition`: the slices of `data` sorted into `num_partitions` tensors, each in order: slice i goes to partitions[i].
public enum DynamicPartition: Operation {
    public static var hostReason: String? { HostReason.resultShape }
    public static let signature = Signature(
        ["data": "T", "partitions": "int32"], to: ["outputs": "num_partitions * T"], types: ["T": DType.moved],
        required: ["num_partitions"])

    /// [how many slices it gets] + the dimensions of `data` beyond those of `partitions`.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let count = try node.attributes.int("num_partitions")
        guard count > 0 else { throw GraphError("'num_partitions' must be at least 1, got \(count)") }
        guard let data = node.shape(0).dimensions, let partitions = node.shape(1).dimensions else {
            return [Shape](repeating: .unknown, count: count)
        }
        guard partitions.count <= data.count,
            Shape(Array(data[..<partitions.count])).isCompatible(with: node.shape(1))
        else {
            throw GraphError(
                "the shape of 'data', \(node.shape(0)), must begin with that of 'partitions', \(node.shape(1))")
        }
        var sizes = [Int?](repeating: nil, count: count)
        if let known = node.integers(1) {
            var counts = [Int](repeating: 0, count: count)
            for (i, partition) in known.enumerated() {
                guard counts.indices.contains(partition) else {
                    throw GraphError("partitions[\(i)] = \(partition) is not in [0, \(count))")
                }
                counts[partition] += 1
            }
            sizes = counts
        }
        return sizes.map { Shape([$0] + data[partitions.count...]) }
    }

    /// The gradients put back where their slices came from.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let (data, partitions) = (node.input(0), node.input(1))
        let places = reshape(range(0, size(partitions)), shape(partitions))
        let attributes = node.attributes.only(["num_partitions"])
        let sorted = node.graph.add(DynamicPartition.self, [places, partitions], attributes)
        let outputs = node.vertex.outputs.indices
        let rows = node.graph.add(
            ParallelDynamicStitch.self, outputs.map(sorted.output) + outputs.map { node.upstream($0) },
            ["N": .int(outputs.count)])
        return [reshape(rows.node, shape(data)), nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        let (partitions, data, rows) = (IndexInput(binding, 1), binding.input(0), binding.count(1))
        let bytes = rows == 0 ? 0 : binding.count(0) / rows * binding.inputs[0].dtype.size
        let targets = binding.outputs.indices.map { binding.output($0) }
        let sizes = binding.outputs.map { $0.shape.knownExtents[0] }
        return { memory in
            var filled = [Int](repeating: 0, count: targets.count)
            for row in 0..<rows {
                let partition = partitions.read(memory, row)
                // The shapes were counted from these very numbers; nothing is written beyond them all the same.
                guard filled.indices.contains(partition), filled[partition] < sizes[partition] else {
                    throw GraphError("partitions[\(row)] = \(partition) is not in [0, \(targets.count))")
                }
                (memory.raw(targets[partition]) + filled[partition] * bytes)
                    .copyMemory(from: memory.raw(data) + row * bytes, byteCount: bytes)
                filled[partition] += 1
            }
        }
    }
}

/// `ParallelDynamicStitch`: as `DynamicStitch`, for indices that differ from each other.
public enum ParallelDynamicStitch: Operation {
    public static let signature = DynamicStitch.signature
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try DynamicStitch.infer(node) }
    public static func gradient(_ node: GradientContext) throws -> [Node?] { try DynamicStitch.gradient(node) }
    public static func kernel(_ binding: KernelBinding) throws -> Kernel { try DynamicStitch.kernel(binding) }
}

/// The slices of `data` sorted into `count` tensors by the int32 `partitions`; TensorFlow's `tf.dynamic_partition`.
public func dynamicPartition(
    _ data: any Operand, _ partitions: any Operand, count: Int, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> [Node] {
    applyAll(DynamicPartition.self, [data, partitions], ["num_partitions": .int(count)], name, file, line)
}
