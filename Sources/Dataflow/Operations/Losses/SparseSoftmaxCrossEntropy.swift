internal import CKernels

/// `SparseSoftmaxCrossEntropyWithLogits`: for each row the cross-entropy of the softmax of `features` with the class
/// `labels`; and its gradient by the features.
public enum SparseSoftmaxCrossEntropyWithLogits: Operation {
    public static let signature = Signature(
        ["features": "T", "labels": "Tlabels"], to: ["loss": "T", "backprop": "T"],
        types: ["T": DType.floats, "Tlabels": DType.indices])

    /// [rows, classes] and [rows].
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let features = try node.shape(0, rank: 2, "'features'")
        let labels = try node.shape(1, rank: 1, "'labels'")
        guard let rows = Shape([features[0]]).merged(with: labels) else {
            throw GraphError("features of shape \(features) need as many labels as rows, got \(labels)")
        }
        return [rows, Shape([rows[0], features[1]])]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        [secondOrder(expandDims(node.upstream(0), axis: -1) * node.output(1), node), nil]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        switch (binding.inputs[0].dtype, binding.inputs[1].dtype) {
        case (.float32, .int32): make(binding, Int32.self, tributary_sparse_cross_entropy_f32)
        case (.float32, _): make(binding, Int64.self, tributary_sparse_cross_entropy_f32)
        case (_, .int32): make(binding, Int32.self, tributary_sparse_cross_entropy_f64)
        default: make(binding, Int64.self, tributary_sparse_cross_entropy_f64)
        }
    }

    private typealias Function<Scalar> = (
        UnsafePointer<Scalar>?, UnsafePointer<Int>?, UnsafeMutablePointer<Scalar>?, UnsafeMutablePointer<Scalar>?, Int,
        Int
    ) -> Void

    private static func make<Scalar: TensorScalar, Index: TensorScalar & FixedWidthInteger>(
        _ binding: KernelBinding, _ index: Index.Type, _ function: @escaping Function<Scalar>
    ) -> Kernel {
        let (rows, classes) = (binding.outputCount(), binding.inputs[0].shape.knownExtents[1])
        let threads = min(usefulThreads(binding.threads, work: rows * classes * 4), max(rows, 1))
        let (features, labels, loss, backprop) = (
            binding.input(0), binding.input(1), binding.output(0), binding.output(1)
        )
        return { memory in
            let x = memory.pointer(features, Scalar.self)
            let label = memory.pointer(labels, Index.self)
            let losses = memory.pointer(loss, Scalar.self)
            let gradient = memory.pointer(backprop, Scalar.self)
            try withUnsafeTemporaryAllocation(of: Int.self, capacity: max(rows, 1)) { targets in
                for r in 0..<rows {
                    targets[r] = Int(label[r])
                    guard targets[r] >= 0, targets[r] < classes else {
                        throw GraphError("the label \(label[r]) of row \(r) is not in 0..<\(classes)")
                    }
                }
                let first = targets.baseAddress!
                parallel(threads) { part in
                    let (start, end) = (rows * part / threads, rows * (part + 1) / threads)
                    let (from, to) = (x + start * classes, gradient + start * classes)
                    function(from, first + start, losses + start, to, end - start, classes)
                }
            }
        }
    }
}

/// For each row the cross-entropy of the softmax of `logits` [rows, classes] with the class `labels` (int32 or int64,
/// [rows]); TensorFlow's `tf.nn.sparse_softmax_cross_entropy_with_logits`.
public func sparseSoftmaxCrossEntropy(
    labels: any Operand, logits: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(SparseSoftmaxCrossEntropyWithLogits.self, [logits, labels], [:], name, file, line) }
