extension Graph {
    /// The Variable of this name, with its scopes: "dense/kernel", or "dense/kernel:0".
    /// - Throws: `GraphError` if there is none, with the nearest name.
    public func variable(
        named name: String, file: StaticString = #fileID, line: UInt = #line
    ) throws -> Variable {
        let wanted = name.hasSuffix(":0") ? String(name.dropLast(2)) : name
        let all = root.variables
        if let variable = all.first(where: { $0.name == wanted }) { return variable }
        throw GraphError(
            "the graph has no Variable named '\(wanted)'" + hint(wanted, all.map(\.name)), node: nil,
            location: SourceLocation(file: file, line: line))
    }

    /// The Variables in a scope, in the order in which they were made; TensorFlow's
    /// `tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope)`, but "encoder" does not mean "encoder_1" too.
    /// - Parameter scope: with the scopes around it: "encoder", "model/encoder". None are in a scope that does not exist.
    public func variables(in scope: String) -> [Variable] { root.variables.filter { $0.isIn(scope) } }

    /// The Variables in a scope that `minimize` updates unless told otherwise; TensorFlow's
    /// `tf.trainable_variables(scope)`, but "encoder" does not mean "encoder_1" too.
    /// - Parameter scope: with the scopes around it: "encoder", "model/encoder". None are in a scope that does not exist.
    public func trainableVariables(in scope: String) -> [Variable] { variables(in: scope).filter(\.isTrainable) }

    private func hint(_ name: String, _ known: [String]) -> String {
        // "kernel" alone means one in a scope.
        let inScopes = known.filter { $0.hasSuffix("/" + name) }
        if let guess = nearest(to: name, in: known) ?? inScopes.first { return "; did you mean '\(guess)'?" }
        if known.isEmpty { return "; it has no Variables" }
        let some = known.prefix(8).joined(separator: ", ")
        return "; its Variables are \(some)" + (known.count > 8 ? " and \(known.count - 8) more" : "")
    }
}

extension Variable {
    fileprivate func isIn(_ scope: String) -> Bool {
        let prefix = scope.hasSuffix("/") || scope.isEmpty ? scope : scope + "/"
        return name.hasPrefix(prefix)
    }

    /// A Variable that stands for one that there is not: whatever is built over it, or asked of it, tells why.
    package static func missing(_ reason: String, name: String) -> Variable {
        let attributes: Attributes = ["dtype": .type(.float32), "shape": .shape([])]
        let vertex = Graph().insert(VariableV2.self, [], attributes, name: name, mistake: GraphError(reason))
        return Variable(reference: vertex.node, value: vertex.node, initializer: vertex.node, isTrainable: false)
    }
}

extension Node {
    /// A node that stands for one that cannot be built, of no graph: whatever is built over it, or runs it, tells why.
    package static func missing(
        _ reason: String, at name: String, file: StaticString, line: UInt
    ) -> Node {
        let mistake = GraphError(reason, node: name, location: SourceLocation(file: file, line: line))
        let attributes: Attributes = ["dtype": .type(.float32), "shape": .shape(.unknown)]
        return Graph().insert(Placeholder.self, [], attributes, name: name, mistake: mistake).node
    }
}
