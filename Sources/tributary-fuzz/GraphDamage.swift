import Dataflow
import Interchange
import Schemas
import SwiftProtobuf

/// Damage to a graph as a message: what is left is mostly well formed, so that deep code is reached.
struct GraphDamage {
    let samples: [GraphSample]

    /// Bytes beyond which a graph is not made larger.
    private static let nodeLimit = 2000

    func apply(to graph: inout TFGraphDef, _ chance: inout Chance) {
        for _ in 0...chance.pick([0, 0, 0, 0, 1, 1, 3]) { applyOnce(to: &graph, &chance) }
    }

    private func applyOnce(to graph: inout TFGraphDef, _ chance: inout Chance) {
        guard !graph.node.isEmpty else { return grow(&graph, &chance) }
        let at = chance.below(graph.node.count)
        switch chance.below(14) {
        case 0: damageNodes(&graph, at, &chance)
        case 1, 2: damageInputs(&graph, at, &chance)
        case 3: graph.node[at].op = chance.once(in: 20) ? "Frobnicate" : chance.pick(OperationCatalog.operations).name
        case 4...7: damageAttribute(&graph.node[at], &chance)
        case 8...10: damageConstant(&graph, &chance)
        case 11: splice(&graph, &chance)
        case 12:
            graph.node[at].device = chance.pick(
                ["", "/cpu:0", "/gpu:7", "/job:ps/task:0", "/device:CPU:-1", "/job", "/cpu:99999999999999999999", "…"])
        default: grow(&graph, &chance)
        }
    }

    private func damageNodes(_ graph: inout TFGraphDef, _ at: Int, _ chance: inout Chance) {
        switch chance.below(6) {
        case 0: graph.node.remove(at: at)
        case 1: graph.node.append(graph.node[at])
        case 2:
            var copy = graph.node[at]
            copy.name += "_copy\(chance.below(1000))"
            graph.node.append(copy)
        case 3: graph.node.swapAt(at, chance.below(graph.node.count))
        case 4: graph.node[at].name = chance.pick(["", "^a", "a:0", "é", graph.node[0].name, "x/y"])
        default: graph.node.shuffle(using: &chance)
        }
    }

    private func damageInputs(_ graph: inout TFGraphDef, _ at: Int, _ chance: inout Chance) {
        let other = chance.pick(graph.node).name
        let count = graph.node[at].input.count
        switch chance.below(7) {
        case 0 where count > 0: graph.node[at].input.remove(at: chance.below(count))
        case 1: graph.node[at].input.append("^\(other)")
        case 2: graph.node[at].input.insert(other, at: 0)
        case 3 where count > 0: graph.node[at].input[chance.below(count)] = "\(other):\(chance.integer())"
        case 4 where count > 1: graph.node[at].input.swapAt(0, chance.below(count))
        case 5 where count > 0: graph.node[at].input[chance.below(count)] = graph.node[at].name
        default: if count > 0 { graph.node[at].input[chance.below(count)] = other }
        }
    }

    private func damageAttribute(_ node: inout TFNodeDef, _ chance: inout Chance) {
        let signature = OperationCatalog.operation(named: node.op)?.signature
        let names = Set(node.attr.keys).union(signature?.defaults.keys.map { $0 } ?? []).sorted()
        guard !names.isEmpty else { return }
        let name = chance.pick(names)
        switch (chance.below(8), node.attr[name]) {
        case (0, _): node.attr[name] = nil
        case (1, _): node.attr[name] = RandomAttributes.any(&chance)
        case (_, let old?): node.attr[name] = RandomAttributes.changed(old, &chance)
        case (_, nil): node.attr[name] = RandomAttributes.any(&chance)
        }
    }

    private func damageConstant(_ graph: inout TFGraphDef, _ chance: inout Chance) {
        let constants = graph.node.indices.filter { graph.node[$0].op == "Const" }
        guard !constants.isEmpty else { return }
        let at = chance.pick(constants)
        guard var value = graph.node[at].attr["value"] else { return }
        RandomAttributes.damage(&value.tensor, &chance)
        graph.node[at].attr["value"] = value
        if chance.once(in: 2) { graph.node[at].attr["dtype"] = .with { $0.type = value.tensor.dtype } }
        // Values that are known only in the run take another way.
        if chance.once(in: 6) {
            graph.node[at].op = "Placeholder"
            graph.node[at].attr["value"] = nil
        }
    }

    /// Adds the nodes of another graph and ties one of them to this graph.
    private func splice(_ graph: inout TFGraphDef, _ chance: inout Chance) {
        let other = chance.pick(samples).definition
        guard !other.node.isEmpty, graph.node.count + other.node.count < Self.nodeLimit else { return }
        let prefix = "splice\(chance.below(1000))/"
        for var node in other.node {
            node.name = prefix + node.name
            node.input = node.input.map { $0.hasPrefix("^") ? "^\(prefix)\($0.dropFirst())" : prefix + $0 }
            if !node.input.isEmpty, chance.once(in: 4) {
                node.input[chance.below(node.input.count)] = chance.pick(graph.node).name
            }
            graph.node.append(node)
        }
    }

    /// Adds an operation on constants, Variables and what is there.
    private func grow(_ graph: inout TFGraphDef, _ chance: inout Chance) {
        let operation = chance.pick(OperationCatalog.operations)
        let signature = operation.signature
        var node = TFNodeDef()
        node.name = "grown\(graph.node.count)_\(chance.below(1000))"
        node.op = operation.name
        for (name, value) in signature.defaults.sorted(by: { $0.key < $1.key }) where chance.once(in: 3) {
            let proto = RandomAttributes.proto(value)
            node.attr[name] = chance.once(in: 2) ? proto : RandomAttributes.changed(proto, &chance)
        }
        for name in signature.required { node.attr[name] = RandomAttributes.likely(name, &chance) }
        var types: [String: DType] = [:]
        for (name, allowed) in signature.types.sorted(by: { $0.key < $1.key }) where !allowed.isEmpty {
            types[name] = chance.pick(allowed)
            node.attr[name] = .with { $0.type = types[name]!.proto }
        }
        for argument in signature.inputs {
            let count = argument.count != nil || argument.isList ? chance.below(4) : 1
            if let name = argument.count { node.attr[name] = .with { $0.i = Int64(count) } }
            for _ in 0..<count {
                let dtype = DType(rawValue: argument.type) ?? types[argument.type] ?? .float32
                let source =
                    graph.node.isEmpty || !chance.once(in: 8)
                    ? RandomAttributes.source(
                        dtype, isReference: argument.isReference, name: "\(node.name)/\(node.input.count)", &chance)
                    : nil
                graph.node += source ?? []
                node.input.append(source?.first?.name ?? chance.pick(graph.node).name)
                node.input += (source?.dropFirst() ?? []).filter { $0.op.hasPrefix("Assign") }.map { "^\($0.name)" }
            }
        }
        node.input = node.input.filter { !$0.hasPrefix("^") } + node.input.filter { $0.hasPrefix("^") }
        graph.node.append(node)
    }
}
