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
        switch chance.below(15) {
        case 0: damageNodes(&graph, at, &chance)
        case 1, 2: damageInputs(&graph, at, &chance)
        case 3: graph.node[at].op = chance.once(in: 20) ? "Frobnicate" : chance.pick(OperationCatalog.operations).name
        case 4...7: damageAttribute(&graph.node[at], &chance)
        case 8...10: damageConstant(&graph, &chance)
        case 11: splice(&graph, &chance)
        case 12:
            graph.node[at].device = chance.pick(
                ["", "/cpu:0", "/gpu:7", "/job:ps/task:0", "/device:CPU:-1", "/job", "/cpu:99999999999999999999", "…"])
        case 13 where !graph.library.function.isEmpty: damageFunctions(&graph, &chance)
        default: grow(&graph, &chance)
        }
    }

    /// Functions that call others, more often, more deeply, or with their arguments in another order.
    private func damageFunctions(_ graph: inout TFGraphDef, _ chance: inout Chance) {
        let count = graph.library.function.count
        let names = graph.library.function.map(\.signature.name)
        let at = chance.below(count)
        let calls = graph.library.function[at].nodeDef.indices.filter { i in
            graph.library.function[at].nodeDef[i].attr.values.contains { !$0.func.name.isEmpty }
        }
        switch chance.below(5) {
        case 0 where !calls.isEmpty:
            // Twice.
            var call = graph.library.function[at].nodeDef[chance.pick(calls)]
            call.name += "_again\(chance.below(1000))"
            graph.library.function[at].nodeDef.append(call)
        case 1 where !calls.isEmpty:
            // In another order.
            graph.library.function[at].nodeDef[chance.pick(calls)].input.shuffle(using: &chance)
        case 2 where !calls.isEmpty:
            let call = chance.pick(calls)
            for name in graph.library.function[at].nodeDef[call].attr.keys.sorted()
            where !graph.library.function[at].nodeDef[call].attr[name]!.func.name.isEmpty {
                graph.library.function[at].nodeDef[call].attr[name]!.func.name = chance.pick(names)
            }
        case 3:
            // A chain of functions. Each passes its arguments on to the next one twice.
            let original = graph.library.function[at]
            var next = original
            for depth in 0..<chance.pick([1, 3, 70]) {
                next.signature.name = "\(original.signature.name)_deep\(depth)"
                graph.library.function.append(next)
                next = Self.caller(of: next, original, &chance)
            }
            next.signature.name = original.signature.name
            graph.library.function[at] = next
        default:
            guard let name = graph.library.function[at].signature.inputArg.first?.name else { return }
            graph.library.function[at].signature.inputArg[0].name = name + "_"
        }
    }

    /// A function like `original` whose body calls `function`, twice.
    private static func caller(
        of function: TFFunctionDef, _ original: TFFunctionDef, _ chance: inout Chance
    ) -> TFFunctionDef {
        var result = original
        result.nodeDef = (0..<2).map { i in
            .with {
                $0.name = "call\(i)"
                $0.op = function.signature.name
                $0.input = original.signature.inputArg.map(\.name)
                if i == 1 { $0.input.shuffle(using: &chance) }
                for attribute in original.signature.attr {
                    $0.attr[attribute.name] = .with { $0.placeholder = attribute.name }
                }
            }
        }
        result.controlRet = [:]
        result.signature.controlOutput = []
        for output in original.signature.outputArg { result.ret[output.name] = "call0:\(output.name):0" }
        return result
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
