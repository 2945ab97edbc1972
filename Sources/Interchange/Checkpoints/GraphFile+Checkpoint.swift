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
        var (matched, missing, taken): ([(Vertex, VariableSource)], [String], Set<String>) = ([], [], [])
        var mistakes: [String] = []
        for variable in graph.vertices where variable.operation.isVariable {
            let own = variable.variableSpec ?? TensorSpec(.resource, .unknown)
            guard let candidate = sources.source(of: variable.name) else {
                missing.append(variable.name)
                continue
            }
            taken.insert(candidate.name)
            let spec = try checkpoint.spec(named: candidate.name)
            if own.dtype == spec.dtype, let source = sources.placed(candidate, own.shape, in: spec.shape) {
                matched.append((variable, source))
            } else {
                mistakes.append(
                    "'\(variable.name)' is \(own) in the graph, '\(candidate.name)' \(spec) in the checkpoint")
            }
        }
        guard mistakes.isEmpty else {
            throw FormatError(
                path: checkpoint.prefix, "does not fit the graph: \(mistakes.sorted().joined(separator: "; "))")
        }
        // The parts of one tensor lie beside each other in the list: it is read once.
        var last: (name: String, tensor: Tensor)?
        for (variable, source) in matched.sorted(by: { ($0.1.name, $0.0.id) < ($1.1.name, $1.0.id) }) {
            if let slice = source.slice, checkpoint.isInParts(source.name) {
                try assign(try checkpoint.tensor(named: source.name, part: slice), to: variable)
                continue
            }
            let tensor = last?.name == source.name ? last!.tensor : try checkpoint.tensor(named: source.name)
            last = (source.name, tensor)
            try assign(source.slice?.part(of: tensor) ?? tensor, to: variable)
        }
        let known = Set(checkpoint.names)
        return Unmatched(variables: missing.sorted(), tensors: known.subtracting(taken).sorted())
    }
}
