internal import Dataflow

/// Which Variable takes which of the tensors that were saved.
struct RestorePlan {
    /// A Variable by its place in the list, and what it takes.
    struct Match: Equatable {
        let variable: Int
        let source: VariableSource
    }

    private(set) var matches: [Match] = []
    /// Places in the list of Variables for which there is nothing.
    private(set) var missing: [Int] = []
    /// Names of tensors that no Variable takes, sorted.
    private(set) var unused: [String] = []
    /// What does not fit, a sentence each, sorted.
    private(set) var mistakes: [String] = []

    /// - Parameters:
    ///   - variables: names, with dtypes and shapes.
    ///   - sources: says which tensor is whose.
    /// - Throws: what `saved` throws of a tensor that a Variable takes.
    init(_ variables: [(name: String, spec: TensorSpec)], _ saved: some SavedTensors, _ sources: VariableSources) throws
    {
        var taken: Set<String> = []
        for (i, variable) in variables.enumerated() {
            guard let candidate = sources.source(of: variable.name) else {
                missing.append(i)
                continue
            }
            taken.insert(candidate.name)
            let spec = try saved.spec(named: candidate.name)
            let isAlike =
                saved.isFlat(candidate.name) && spec.shape.elementCount == variable.spec.shape.elementCount
            let whole = isAlike ? variable.spec.shape : spec.shape
            if variable.spec.dtype == spec.dtype,
                let source = sources.placed(candidate, variable.spec.shape, in: whole)
            {
                matches.append(Match(variable: i, source: source))
            } else {
                mistakes.append(
                    "'\(variable.name)' is \(variable.spec) in the graph, '\(candidate.name)' \(spec) in the file")
            }
        }
        mistakes.sort()
        unused = saved.names.filter { !taken.contains($0) }
    }

    /// Reads what the Variables take.
    func read(_ saved: some SavedTensors) throws -> [(variable: Int, value: Tensor)] {
        // The parts of one tensor lie beside each other in the list: it is read once.
        var last: (name: String, tensor: Tensor)?
        return try matches.sorted { ($0.source.name, $0.variable) < ($1.source.name, $1.variable) }.map { match in
            let source = match.source
            if let slice = source.slice, saved.isInParts(source.name) {
                return (match.variable, try saved.tensor(named: source.name, part: slice))
            }
            let tensor = last?.name == source.name ? last!.tensor : try saved.tensor(named: source.name)
            last = source.slice == nil ? nil : (source.name, tensor)
            return (match.variable, source.slice?.part(of: tensor) ?? tensor)
        }
    }
}
