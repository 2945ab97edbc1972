public import Dataflow

extension Session {
    /// Saves the values of Variables, all of one time; TensorFlow's `tf.train.Saver.save`.
    ///
    /// The path's extension says how: `.safetensors`; `.npz`, which `numpy.load` reads; a prefix such as `model.ckpt` or
    /// `run/model`: TensorFlow's format V2, `model.ckpt.index` and `model.ckpt.data-00000-of-00001`. Each value has its
    /// Variable's name. A file is written whole or not at all, and then replaces what was there.
    ///
    /// - Parameter variables: which; all of the graph by default, the slots of optimizers too.
    /// - Throws: `GraphError` for a Variable without a value; `FormatError` if the extension names no format, the format has
    ///   not the dtype of a Variable (.npz has no bfloat16, safetensors no string), or the file cannot be written.
    public func save(to path: String, variables: [Variable]? = nil) throws {
        try save(to: path, chosen(variables).map { ($0.name, $0) })
    }

    /// As the other, under names of one's own; TensorFlow's `tf.train.Saver` of a dictionary.
    public func save(to path: String, variables: [String: Variable]) throws {
        try save(to: path, chosen(variables))
    }

    private func save(to path: String, _ chosen: [(name: String, variable: Variable)]) throws {
        let format = try SavedFormat(writing: path)
        try format.check(chosen.map { ($0.name, $0.variable.spec) }, path: path)
        let values = try self.values(of: chosen.map(\.variable))
        try format.write(zip(chosen, values).map { ($0.name, $1) }, to: path)
    }

    /// Gives Variables the values that a file has for their names; TensorFlow's `tf.train.Saver.restore`. No initialiser needs
    /// to run before.
    ///
    /// - Parameters:
    ///   - path: what `save` wrote, or other programs: a `.safetensors` or `.npz` file; a prefix of TensorFlow's format V2, one
    ///     of its files, or a folder in which `tf.train.Saver` keeps checkpoints (the newest one).
    ///   - variables: which; all of the graph by default, the slots of optimizers too.
    ///   - allowingMissing: whether Variables without values in the file keep theirs; else they are an error.
    /// - Returns: which Variables have new values, which the file lacks, and what of the file nobody takes.
    /// - Throws: `FormatError` if the file cannot be read, is damaged, lacks a Variable, or has one of another dtype or shape,
    ///   naming all of these with both shapes. Then no Variable has changed.
    @discardableResult
    public func restore(
        from path: String, variables: [Variable]? = nil, allowingMissing: Bool = false
    ) throws -> RestoreReport {
        try restore(saved: SavedFormat.open(path), variables: variables, allowingMissing: allowingMissing)
    }

    /// As the other, by the names that the file has for the Variables; TensorFlow's `tf.train.Saver` of a dictionary.
    @discardableResult
    public func restore(
        from path: String, variables: [String: Variable], allowingMissing: Bool = false
    ) throws -> RestoreReport {
        try restore(SavedFormat.open(path), chosen(variables), allowingMissing)
    }

    /// As the first, from what is open already.
    package func restore(
        saved: some SavedTensors, variables: [Variable]?, allowingMissing: Bool
    ) throws -> RestoreReport {
        try restore(saved, chosen(variables).map { ($0.name, $0) }, allowingMissing)
    }

    private func restore(
        _ saved: some SavedTensors, _ chosen: [(name: String, variable: Variable)], _ allowingMissing: Bool
    ) throws -> RestoreReport {
        let own = chosen.map { (name: $0.name, spec: $0.variable.spec) }
        let sources = VariableSources(own.map { ($0.name, $0.spec.shape) }, names: Set(saved.names))
        let plan = try RestorePlan(own, saved, sources)
        let missing = plan.missing.map { RestoreReport.Entry(name: own[$0].name, spec: own[$0].spec) }
        let unused = plan.unused.map { RestoreReport.Entry(name: $0, spec: try? saved.spec(named: $0)) }
        var mistakes = plan.mistakes
        if !missing.isEmpty, !allowingMissing {
            mistakes.append(
                "it lacks \(RestoreReport.list(missing)) (allowingMissing: true keeps what they are)"
                    + (unused.isEmpty ? "" : "; it has also \(RestoreReport.list(unused))"))
        }
        guard mistakes.isEmpty else {
            throw FormatError(path: saved.path, "does not fit the graph: \(mistakes.joined(separator: "; "))")
        }
        let values = try plan.read(saved)
        try assign(
            values.map { item in
                let shape = own[item.variable].spec.shape
                let isFlat = item.value.shape != shape && item.value.elementCount == shape.elementCount
                return (chosen[item.variable].variable, isFlat ? item.value.viewed(as: shape) : item.value)
            })
        let left = Set(plan.missing)
        return RestoreReport(
            restored: own.indices.filter { !left.contains($0) }.map { .init(name: own[$0].name, spec: own[$0].spec) },
            missing: missing, unused: unused)
    }

    /// The Variables that are meant, each once.
    private func chosen(_ variables: [Variable]?) throws -> [Variable] {
        if let variables { try checkOwn(variables) }
        var names: Set<String> = []
        let chosen = (variables ?? graph.variables).filter { names.insert($0.name).inserted }
        guard !chosen.isEmpty else {
            throw GraphError(
                variables == nil
                    ? "the graph has no Variables"
                    : "variables: names none; leave it out for all Variables of the graph")
        }
        return chosen
    }

    /// The Variables that are meant, in the order of their names in the file.
    private func chosen(_ variables: [String: Variable]) throws -> [(name: String, variable: Variable)] {
        guard !variables.isEmpty else { throw GraphError("variables: names none") }
        try checkOwn(variables.values)
        return variables.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension Variable {
    /// dtype and shape of the value.
    fileprivate var spec: TensorSpec { reference.vertex.variableSpec ?? TensorSpec(dtype, shape) }
}
