internal import Dataflow
internal import Schemas

extension GraphFile {
    /// Names that only one of a graph and a checkpoint has.
    public struct Unmatched: Sendable, Equatable {
        /// Variables of the graph that keep the values they have, if any.
        public let variables: [String]
        /// Tensors of the checkpoint that no Variable takes.
        public let tensors: [String]
    }

    /// Gives the graph's Variables the values that a checkpoint has for them. Which tensor is a Variable's, `VariableSources`
    /// says: what the graph's own saver reads, or what TensorFlow names it.
    ///
    /// - Throws: `FormatError` listing all Variables whose dtype or shape is not that of the checkpoint's tensor, and then none
    ///   has changed; also if the checkpoint cannot be read.
    @discardableResult
    public func restore(_ checkpoint: TensorFlowCheckpoint) throws -> Unmatched {
        let sources = VariableSources(
            source.definition, restoring: source.meta.saverDef.restoreOpName, names: Set(checkpoint.names))
        let variables = graph.vertices.filter { $0.operation.isVariable }
        let plan = try RestorePlan(
            variables.map { ($0.name, $0.variableSpec ?? TensorSpec(.resource, .unknown)) }, checkpoint, sources)
        guard plan.mistakes.isEmpty else {
            throw FormatError(
                path: checkpoint.prefix, "does not fit the graph: \(plan.mistakes.joined(separator: "; "))")
        }
        for (variable, value) in try plan.read(checkpoint) { try assign(value, to: variables[variable]) }
        return Unmatched(variables: plan.missing.map { variables[$0].name }.sorted(), tensors: plan.unused)
    }
}
