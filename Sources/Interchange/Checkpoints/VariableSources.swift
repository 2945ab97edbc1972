internal import Dataflow
internal import Schemas

/// Where a Variable's value lies in a checkpoint.
struct VariableSource: Equatable {
    /// The tensor's name.
    let name: String
    /// nil: the whole tensor.
    let slice: CheckpointSlice?
}

/// Which tensor of a checkpoint is whose, by what a graph says of itself.
///
/// 1. The names by which the graph's saver reads: the one that the file names, the only one, or the one that has just the
///    checkpoint's names.
/// 2. The Variable's own name, also with ":0" behind it.
/// 3. For the parts of partitioned Variables and for their slots, the name that TensorFlow gives to the whole.
/// 4. The names by which any other saver of the graph reads.
struct VariableSources {
    /// A tensor that a Variable may lie in.
    struct Candidate: Equatable {
        let name: String
        fileprivate let place: Place
    }

    fileprivate enum Place: Equatable {
        case whole
        case slice(CheckpointSlice)
        /// Where this part of a partitioned Variable lies.
        case part(String)
    }

    private let names: Set<String>
    private let partitions: PartitionedVariables
    private let chosen: SavedNames.Saver?
    private let others: [SavedNames.Saver]

    /// - Parameters:
    ///   - operation: the node by which the graph is restored, as its file says; "" if it does not.
    ///   - names: what the checkpoint holds.
    init(_ definition: TFGraphDef, restoring operation: String, names: Set<String>) {
        self.names = names
        partitions = PartitionedVariables(
            definition.node.filter { ["VariableV2", "Variable", "VarHandleOp"].contains($0.op) }.map { node in
                (node.name, (try? node.attr["shape"].map { try Shape($0.shape) }) ?? .unknown)
            })
        let savers = SavedNames(definition, restoring: operation.isEmpty ? nil : operation).savers
        chosen = savers.count == 1 ? savers[0] : savers.first { $0.names == names }
        others = savers
    }

    /// For Variables with only their names and shapes known.
    init(_ variables: [(name: String, shape: Shape)], names: Set<String>) {
        self.names = names
        partitions = PartitionedVariables(variables)
        (chosen, others) = (nil, [])
    }

    /// The tensor that has a Variable's value, nil if the checkpoint has none.
    func source(of variable: String) -> Candidate? {
        if let source = read(by: chosen, variable) { return source }
        if names.contains(variable) { return Candidate(name: variable, place: .whole) }
        // As programs in Python name values that they take of TensorFlow's Variables.
        if names.contains("\(variable):0") { return Candidate(name: "\(variable):0", place: .whole) }
        for (tensor, part) in partitions.candidates(for: variable) where names.contains(tensor) {
            return Candidate(name: tensor, place: .part(part))
        }
        return others.lazy.compactMap { read(by: $0, variable) }.first
    }

    private func read(by saver: SavedNames.Saver?, _ variable: String) -> Candidate? {
        guard let source = saver?.sources[variable], names.contains(source.name) else { return nil }
        return Candidate(name: source.name, place: source.slice.map { .slice($0) } ?? .whole)
    }

    /// What a Variable of the shape `own` takes of a tensor of the shape `whole`; nil if it does not fit.
    func placed(_ candidate: Candidate, _ own: Shape, in whole: Shape) -> VariableSource? {
        switch candidate.place {
        case .whole: return own == whole ? VariableSource(name: candidate.name, slice: nil) : nil
        case .slice(let slice):
            guard Shape(slice.shape) == whole, slice.partShape == own else { return nil }
            return VariableSource(name: candidate.name, slice: slice)
        case .part(let part):
            guard let slice = partitions.place(of: part, in: whole), slice.partShape == own else { return nil }
            return VariableSource(name: candidate.name, slice: slice)
        }
    }
}
