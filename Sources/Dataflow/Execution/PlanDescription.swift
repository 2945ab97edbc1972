/// What a session does to compute given fetches: its kernels in the order in which they run.
public struct PlanDescription: Sendable, CustomStringConvertible {
    /// A kernel.
    public struct Step: Sendable {
        /// Of the vertex; of several in one kernel, of the last.
        public let name: String
        /// TensorFlow's name of the op; of several fused into one kernel their names joined by "+".
        public let operation: String
        public let device: String
        /// Bytes of the inputs and outputs.
        public let bytes: Int
        /// Dtype, shape and place of each result: an offset in the arena, a Variable, a fetch, or found at run time.
        public let outputs: [String]
    }

    public let steps: [Step]
    /// Bytes of the arena that the values between kernels share; those never alive at the same time overlap.
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
