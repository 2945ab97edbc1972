/// `UnsortedSegmentSum`: row s of the output is the sum of those rows of `data` whose segment is s; negative ones are dropped.
public enum UnsortedSegmentSum: Operation, NumericKernel {
    public static let signature = Signature(
        ["data": "T", "segment_ids": "Tindices", "num_segments": "Tnumsegments"], to: ["output": "T"],
        types: ["T": DType.numbers, "Tindices": DType.indices, "Tnumsegments": DType.indices])
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        guard let data = node.shape(0).dimensions, let ids = node.shape(1).dimensions else { return [.unknown] }
        guard ids.count <= data.count, Shape(Array(data[..<ids.count])).isCompatible(with: node.shape(1)) else {
            throw GraphError(
                "the shape of 'segment_ids' \(node.shape(1)) must begin that of 'data', \(node.shape(0))")
        }
        let count = try node.integer(2)
        if let count, count < 0 { throw GraphError("'num_segments' must be at least 0, got \(count)") }
        return [Shape([count] + data[ids.count...])]
    }
    /// The row of each segment, and zeros for those dropped.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        [gatherKept(node.upstream(), node.input(1)), nil, nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        try binding.numeric(Self.self, binding.outputs[0].dtype)
    }
    public static func make<Scalar: NumericScalar>(_ type: Scalar.Type, _ binding: KernelBinding) throws -> Kernel {
        let (data, ids, out) = (binding.input(0), IndexInput(binding, 1), binding.output())
        let (rows, count) = (binding.count(1), binding.outputCount())
        let segments = binding.outputs[0].shape.knownExtents[0]
        let inner = binding.outputs[0].shape.knownExtents.dropFirst().reduce(1, *)
        // Threads divide the columns, in whole cache lines, so that each sum is added up in the order of the rows.
        let line = max(64 / MemoryLayout<Scalar>.stride, 1)
        let lines = (inner + line - 1) / line
        let threads = min(usefulThreads(binding.threads, work: rows * inner + count), max(lines, 1))
        return { memory in
            for row in 0..<rows {
                let segment = ids.read(memory, row)
                guard segment < segments else {
                    throw GraphError("segment_ids[\(row)] = \(segment) is not in [0, \(segments))")
                }
            }
            let (source, result) = (memory.pointer(data, Scalar.self), memory.pointer(out, Scalar.self))
            parallel(threads) { part in
                let first = lines * part / threads * line
                let width = min(lines * (part + 1) / threads * line, inner) - first
                for segment in 0..<segments {
                    (result + segment * inner + first).update(repeating: Scalar(0.0), count: width)
                }
                for row in 0..<rows {
                    let segment = ids.read(memory, row)
                    if segment < 0 { continue }
                    let (to, from) = (result + segment * inner + first, source + row * inner + first)
                    for i in 0..<width { to[i] = Scalar.wrappingAdd(to[i], from[i]) }
                }
            }
        }
    }
}

/// Row s is the sum of those rows of `data` whose segment is s; TensorFlow's `tf.math.unsorted_segment_sum`.
public func unsortedSegmentSum(
    _ data: any Operand, _ segmentIDs: any TensorOperand, count: Int, name: String? = nil, file: StaticString = #fileID,
    line: UInt = #line
) -> Node {
    apply(
        UnsortedSegmentSum.self, [data, segmentIDs, Tensor.small(count)], [:], name, file, line)
}

extension UnsortedSegmentSum: GPUOperation {
    /// A work item adds up a column, row by row, so that the sums are the same in every run. Segments out of range, which
    /// the CPU refuses, are dropped.
    static func gpu(_ binding: KernelBinding) throws -> GPUProgram? {
        guard binding.inputs[0].dtype == .float32, let index = binding.inputs[1].dtype.gpuName else { return nil }
        let segments = binding.outputs[0].shape.knownExtents[0]
        let inner = binding.outputs[0].shape.knownExtents.dropFirst().reduce(1, *)
        let source = """
            KERNEL void add_rows(int inner, GLOBAL const float *x, GLOBAL const \(index) *ids, GLOBAL float *y, int rows,
                int segments) {
                int c = INDEX;
                if (c >= inner) return;
                for (int r = 0; r < rows; r++) {
                    \(index) s = ids[r];
                    if (s >= 0 && s < segments) y[(int)s * inner + c] += x[r * inner + c];
                }
            }

            """
        var program = GPUProgram(binding.gpuClearing())
        program.add(
            .launch(
                GPULaunch(
                    "add_rows", source, items: inner, memory: [.input(0), .input(1), .output(0)],
                    integers: [binding.count(1), segments])))
        return program
    }
}
