package import Dataflow
internal import Schemas

extension GraphSource {
    /// A placeholder that a run wants to be fed, or what a pipeline of input would yield in its place.
    package struct OpenInput: Sendable {
        package let name: String
        package let dtype: DType
        package let shape: Shape
        /// Whether it has a value if it is not fed.
        package let hasDefault: Bool
    }

    /// The placeholders that nodes need, in the file's order, and the outputs of iterators and queues.
    ///
    /// - Parameters:
    ///   - names: the nodes.
    ///   - fed: tensors that are fed already; what lies behind them is not needed.
    /// - Throws: `GraphError` for names that the file has not.
    package func placeholders(needed names: [String], fed: [String]) throws -> [OpenInput] {
        let feeds = Dictionary(fed.map { ($0, DType?.none) }, uniquingKeysWith: { first, _ in first })
        let part = try NeededNodes(definition.node, for: names, feeds: feeds, initializers: nil)
        let given = Set(part.fed.values.map { String($0.prefix { $0 != ":" }) })
        let used = Set(
            part.nodes.flatMap { node in node.input.map { $0.hasSuffix(":0") ? String($0.dropLast(2)) : $0 } })
        func yielded(_ node: TFNodeDef) -> [OpenInput] {
            (node.attr["output_types"] ?? node.attr["component_types"])?.list.type.enumerated().compactMap { i, type in
                let name = i == 0 ? node.name : "\(node.name):\(i)"
                guard used.contains(name), !part.fed.keys.contains(name), let dtype = try? DType(type) else {
                    return nil
                }
                let shape = FedTensor.shape(node, i).flatMap { try? Shape($0) } ?? .unknown
                return OpenInput(name: name, dtype: dtype, shape: shape, hasDefault: false)
            } ?? []
        }
        return part.nodes.flatMap { node -> [OpenInput] in
            if node.op == "IteratorGetNext" || node.op.hasPrefix("QueueDequeue") { return yielded(node) }
            guard node.op.hasPrefix("Placeholder"), !given.contains(node.name),
                let dtype = (FedTensor.dtype(node, 0) ?? FedTensor.guess(node, 0)).flatMap({ try? DType($0) })
            else { return [] }
            let shape = FedTensor.shape(node, 0).flatMap { try? Shape($0) } ?? .unknown
            return [
                OpenInput(
                    name: node.name, dtype: dtype, shape: shape, hasDefault: node.op == "PlaceholderWithDefault")
            ]
        }
    }

    /// The Variables that nodes need and that have no initialiser which the file names, nor one of the usual name.
    ///
    /// - Parameter fed: tensors that are fed; what lies behind them is not needed.
    package func uninitialized(neededFor names: [String], fed: [String]) throws -> [String] {
        let feeds = Dictionary(fed.map { ($0, DType?.none) }, uniquingKeysWith: { first, _ in first })
        let part = try NeededNodes(definition.node, for: names, feeds: feeds, initializers: nil)
        let all = Set(definition.node.map(\.name))
        let own = initializers
        return part.nodes.filter { node in
            ["VariableV2", "VarHandleOp", "Variable"].contains(node.op) && own[node.name] == nil
                && !all.contains("\(node.name)/Assign")
        }.map(\.name)
    }

    /// The operations in the collection `table_initializer` that fill tables which nodes need.
    ///
    /// - Parameter fed: tensors that are fed; what lies behind them is not needed.
    package func tableInitializers(neededFor names: [String], fed: [String]) throws -> [String] {
        let all = Set(collection("table_initializer"))
        guard !all.isEmpty else { return [] }
        let feeds = Dictionary(fed.map { ($0, DType?.none) }, uniquingKeysWith: { first, _ in first })
        let part = try NeededNodes(definition.node, for: names, feeds: feeds, initializers: nil)
        let needed = Set(part.nodes.map(\.name))
        return definition.node.filter { node in
            guard all.contains(node.name), let table = node.input.first.flatMap({ try? NodeInput($0) }) else {
                return false
            }
            return needed.contains(String(table.name))
        }.map(\.name)
    }

    /// Those of the nodes that need no operation which is unknown here.
    package func readable(_ names: [String]) -> [String] {
        let functions = Set(definition.library.function.map(\.signature.name))
        return names.filter { name in
            let part = try? NeededNodes(definition.node, for: [name], feeds: [:], initializers: nil)
            return part?.nodes.allSatisfy {
                OperationCatalog.operation(named: $0.op) != nil || functions.contains($0.op)
            } ?? false
        }
    }
}
