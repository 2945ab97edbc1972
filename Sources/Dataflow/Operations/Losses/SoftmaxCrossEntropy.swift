internal import CKernels

/// `SoftmaxCrossEntropyWithLogits`: for each row the cross-entropy of the softmax of `features` with the distribution
/// `labels`; and its gradient by the features.
public enum SoftmaxCrossEntropyWithLogits: Operation {
    public static let signature = Signature(
        ["features": "T", "labels": "T"], to: ["loss": "T", "backprop": "T"], types: ["T": DType.floats])

    /// Both [rows, classes]; either may have one row for all.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let features = try node.shape(0, rank: 2, "'features'")
        let labels = try node.shape(1, rank: 2, "'labels'")
        guard let both = features.broadcast(with: labels),
            features[1] == nil || labels[1] == nil || features[1] == labels[1]
        else { throw GraphError("features of shape \(features) need labels of that shape, got \(labels)") }
        return [Shape([both[0]]), both]
    }

    public static func gradient(_ node: GradientContext) -> [Node?] {
        let (logits, labels) = (node.input(0), node.input(1))
        let loss = expandDims(node.upstream(0), axis: -1)
        let byLogits = secondOrder(loss * node.output(1), node)
        return [
            unbroadcast(byLogits, to: logits, from: node.output(1)),
            unbroadcast(loss * -logSoftmax(logits), to: labels, from: node.output(1)),
        ]
    }

    public static func kernel(_ binding: KernelBinding) throws -> Kernel {
        switch binding.inputs[0].dtype {
        case .float32: make(binding, tributary_cross_entropy_f32)
        default: make(binding, tributary_cross_entropy_f64)
        }
    }

    private typealias Function<Scalar> = (
        UnsafePointer<Scalar>?, Int, UnsafePointer<Scalar>?, Int, UnsafeMutablePointer<Scalar>?,
        UnsafeMutablePointer<Scalar>?, Int, Int
    ) -> Void

    private static func make<Scalar: TensorScalar>(
        _ binding: KernelBinding, _ function: @escaping Function<Scalar>
    ) -> Kernel {
        let (rows, classes) = (binding.outputCount(), binding.inputs[0].shape.knownExtents[1])
        let steps = binding.inputs.map { $0.shape.knownExtents[0] == 1 ? 0 : classes }
        let (step, labelStep) = (steps[0], steps[1])
        let threads = min(usefulThreads(binding.threads, work: rows * classes * 4), max(rows, 1))
        let (features, labels, loss, backprop) = (
            binding.input(0), binding.input(1), binding.output(0), binding.output(1)
        )
        return { memory in
            let x = memory.pointer(features, Scalar.self)
            let label = memory.pointer(labels, Scalar.self)
            let losses = memory.pointer(loss, Scalar.self)
            let gradient = memory.pointer(backprop, Scalar.self)
            parallel(threads) { part in
                let (start, end) = (rows * part / threads, rows * (part + 1) / threads)
                let (from, labelFrom, to) = (x + start * step, label + start * labelStep, gradient + start * classes)
                function(from, step, labelFrom, labelStep, losses + start, to, end - start, classes)
            }
        }
    }
}

/// Adds what arrives at `backprop`, which is itself a function of the logits: gradients of gradients.
func secondOrder(_ first: Node, _ node: GradientContext) -> Node {
    guard node.hasUpstream(1) else { return first }
    let probabilities = softmax(node.input(0))
    let upstream = node.upstream(1)
    return first + (upstream - sum(upstream * probabilities, axes: [-1], keepDims: true)) * probabilities
}

/// For each row the cross-entropy of the softmax of `logits` with the distribution `labels`, both [rows, classes];
/// TensorFlow's `tf.nn.softmax_cross_entropy_with_logits`.
public func softmaxCrossEntropy(
    labels: any Operand, logits: any Operand, name: String? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Node { apply(SoftmaxCrossEntropyWithLogits.self, [logits, labels], [:], name, file, line) }
