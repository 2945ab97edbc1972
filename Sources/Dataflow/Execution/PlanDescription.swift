/// The kernels that a session runs to compute given fetches, in order.
public struct PlanDescription: Sendable, CustomStringConvertible {
    /// A kernel.
    public struct Step: Sendable {
        /// The name of the vertex; if several run as one kernel, of the last.
        public let name: String
        /// TensorFlow's name of the op; if several run as one kernel, their names joined by "+".
        public let operation: String
        public let device: String
        /// Bytes of the inputs and outputs.
        public let bytes: Int
        /// Dtype, shape and memory of each result: an offset in the arena, a Variable, a fetch, or allocated at run
        /// time.
        public let outputs: [String]
    }

    public let steps: [Step]
    /// Bytes of the arena that holds the values between kernels. Values that are never alive at the same time overlap.
    public let arenaBytes: Int

    public var description: String {
        let lines = steps.enumerated().map { i, step in
            let results = step.outputs.isEmpty ? "" : " → \(step.outputs.joined(separator: ", "))"
            return "\(i + 1). \(step.operation) '\(step.name)' on \(step.device)\(results)"
        }
        let fused = steps.count { $0.operation.contains("+") }
        return (lines + ["\(steps.count) kernels, \(fused) of them fused; an arena of \(arenaBytes) bytes"])
            .joined(separator: "\n")
    }
}
