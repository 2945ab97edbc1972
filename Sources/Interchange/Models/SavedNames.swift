internal import Dataflow
internal import Schemas

/// Which tensor of a checkpoint each Variable takes, as the nodes say by which the graph itself saves and restores them: a
/// `RestoreV2` with the tensors' names, and an `Assign…` for each Variable, in the graph or in functions that it calls; a
/// `SaveV2` with the same names.
struct SavedNames {
    /// What one `tf.train.Saver` reads.
    struct Saver {
        /// By the Variables' nodes.
        fileprivate(set) var sources: [String: VariableSource] = [:]
        /// All that it reads, tables too.
        fileprivate(set) var names: Set<String> = []
        /// What it writes; used where nothing restores the Variable.
        fileprivate var written: [String: VariableSource] = [:]
    }

    /// The savers of the graph, the first made first. Where `restoring` names one, all is its.
    private(set) var savers: [Saver] = []
    /// The savers' places, by the node that yields the checkpoint's prefix: each saver has its own.
    private var places: [String: Int] = [:]
    private let isOne: Bool

    private let functions: [String: TFFunctionDef]
    /// Nodes of functions that may still be looked at: functions that call each other twice would be without end.
    private var budget = 5_000_000

    private static let depthLimit = 64

    /// - Parameter operation: the node that restores; nil: all nodes of the graph.
    init(_ definition: TFGraphDef, restoring operation: String?) {
        isOne = operation != nil
        functions = Dictionary(
            definition.library.function.map { ($0.signature.name, $0) }, uniquingKeysWith: { first, _ in first })
        let body = Body(definition.node, in: nil)
        visit(body, operation.map { body.ancestors(of: $0) } ?? definition.node, depth: 0)
        for saver in savers.indices {
            var sources = savers[saver].sources.merging(savers[saver].written) { read, _ in read }
            addOriginals(definition.node, body, to: &sources)
            savers[saver].sources = sources
        }
        savers.removeAll { $0.sources.isEmpty }
    }

    /// Keras 3 saves copies of the Variables that a signature uses: "Variable_7", which begins with the value of
    /// "dense/kernel" and is restored in its place. Such an original takes what its copy takes.
    private mutating func addOriginals(_ nodes: [TFNodeDef], _ body: Body, to sources: inout [String: VariableSource]) {
        for node in nodes where node.op == "AssignVariableOp" && node.input.count >= 2 {
            guard case .variable(let copy)? = value(node.input[0], body), let source = sources[copy],
                let read = body.nodes[Body.split(node.input[1]).name], read.op == "ReadVariableOp",
                let handle = read.input.first, case .variable(let original)? = value(handle, body),
                sources[original] == nil
            else { continue }
            sources[original] = source
        }
    }

    /// Nodes of a graph or of one call of a function.
    private final class Body {
        let nodes: [String: TFNodeDef]
        /// What the arguments of a function are, where it is called.
        var arguments: [String: String] = [:]
        let caller: Body?

        init(_ nodes: [TFNodeDef], in caller: Body?) {
            self.nodes = Dictionary(nodes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            self.caller = caller
        }

        /// The node and all that it needs.
        func ancestors(of name: String) -> [TFNodeDef] {
            var found: Set<String> = []
            var stack = [Body.split(name).name]
            while let next = stack.popLast() {
                guard let node = nodes[next], found.insert(next).inserted else { continue }
                stack += node.input.map { Body.split($0).name }
            }
            return found.sorted().compactMap { nodes[$0] }
        }

        /// "node", "^node", "node:1" and "node:output:1" taken apart.
        static func split(_ input: String) -> (name: String, output: Int) {
            let text = input.hasPrefix("^") ? input.dropFirst() : Substring(input)
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let output = parts.count > 1 ? Int(parts[parts.count - 1]) ?? 0 : 0
            return (String(parts.first ?? ""), output)
        }
    }

    private mutating func visit(_ body: Body, _ nodes: [TFNodeDef], depth: Int) {
        guard depth < Self.depthLimit else { return }
        for node in nodes {
            if ["Assign", "AssignVariableOp"].contains(node.op), node.input.count >= 2 {
                guard case .variable(let variable)? = value(node.input[0], body),
                    case .restored(let source, let saver)? = value(node.input[1], body)
                else { continue }
                savers[saver].sources[variable] = source
            } else if ["RestoreV2", "SaveV2"].contains(node.op), node.input.count >= 3 {
                collect(node, body)
            } else if let (called, function) = call(node, in: body) {
                visit(called, function.nodeDef, depth: depth + 1)
            }
        }
    }

    /// Adds the names that a node reads or writes to those of its saver.
    private mutating func collect(_ node: TFNodeDef, _ body: Body) {
        guard case .texts(let names)? = value(node.input[1], body) else { return }
        let saver = saver(node, body)
        savers[saver].names.formUnion(names)
        guard node.op == "SaveV2", case .texts(let slices)? = value(node.input[2], body) else { return }
        for (input, (name, slice)) in zip(node.input.dropFirst(3), zip(names, slices)) {
            guard case .variable(let variable)? = value(input, body), let source = source(name, slice) else { continue }
            savers[saver].written[variable] = source
        }
    }

    /// The saver that a node is one of.
    private mutating func saver(_ node: TFNodeDef, _ body: Body) -> Int {
        var (input, inner) = (isOne ? "" : node.input[0], body)
        while let argument = inner.arguments[Body.split(input).name], let caller = inner.caller {
            (input, inner) = (argument, caller)
        }
        let prefix = Body.split(input).name
        if let place = places[prefix] { return place }
        places[prefix] = savers.count
        savers.append(Saver())
        return savers.count - 1
    }

    /// The body of the function that a node calls.
    private mutating func call(_ node: TFNodeDef, in body: Body) -> (Body, TFFunctionDef)? {
        let name = functions[node.op] != nil ? node.op : node.attr["f"]?.func.name ?? ""
        guard let function = functions[name], budget > 0 else { return nil }
        budget -= function.nodeDef.count + 1
        let called = Body(function.nodeDef, in: body)
        for (argument, input) in zip(function.signature.inputArg, node.input) {
            called.arguments[argument.name] = input
        }
        return (called, function)
    }

    private enum Value {
        case variable(String)
        /// By a saver.
        case restored(VariableSource, Int)
        case texts([String])
    }

    /// What an input of a node of `body` stands for; nil for anything else.
    private mutating func value(_ input: String, _ body: Body) -> Value? {
        var (input, body) = (input, body)
        for _ in 0..<Self.depthLimit {
            let (name, output) = Body.split(input)
            if let argument = body.arguments[name], let caller = body.caller {
                (input, body) = (argument, caller)
                continue
            }
            guard let node = body.nodes[name] else { return nil }
            switch node.op {
            case "VariableV2", "Variable", "VarHandleOp":
                return body.caller == nil ? .variable(node.name) : nil
            case "Identity", "RefIdentity", "Cast", "Reshape", "StopGradient", "EnsureShape",
                "ReadVariableOp":
                guard let first = node.input.first else { return nil }
                input = first
            case "Const":
                return .texts((node.attr["value"]?.tensor.stringVal ?? []).map { String(decoding: $0, as: UTF8.self) })
            case "RestoreV2", "Restore", "RestoreSlice":
                guard let source = restored(node, output, body) else { return nil }
                return .restored(source, saver(node, body))
            default:
                guard let (called, function) = call(node, in: body), output < function.signature.outputArg.count,
                    let result = function.ret[function.signature.outputArg[output].name]
                else { return nil }
                (input, body) = (result, called)
            }
        }
        return nil
    }

    private mutating func restored(_ node: TFNodeDef, _ output: Int, _ body: Body) -> VariableSource? {
        func text(_ place: Int) -> String? {
            guard place < node.input.count, case .texts(let texts)? = value(node.input[place], body) else { return nil }
            // The last one repeats.
            return output < texts.count ? texts[output] : texts.last
        }
        guard output >= 0, let name = text(1) else { return nil }
        return source(name, node.op == "Restore" ? "" : text(2) ?? "")
    }

    /// nil: the slice is none.
    private func source(_ name: String, _ slice: String) -> VariableSource? {
        if slice.isEmpty { return VariableSource(name: name, slice: nil) }
        return (try? CheckpointSlice(slice)).map { VariableSource(name: name, slice: $0) }
    }
}
