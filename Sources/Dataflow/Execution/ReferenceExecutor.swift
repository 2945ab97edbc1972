/// Runs what the fetches need in the plainest way. It defines the meaning of a graph: every plan must give the same
/// values.
///
/// Each vertex runs alone, in fresh memory, after the vertices whose values or control edges it needs. Nothing is
/// folded or fused, and no memory is used twice. All values of a Variable are kept. Devices are ignored.
final class ReferenceExecutor {
    /// A value on its way from one vertex to others.
    private struct Token {
        /// nil: dead, because a `Switch` before it went the other way.
        var tensor: Tensor?
        /// The Variable whose memory `tensor` is. Its consumers see the value at the time they run.
        var memory: VariableBuffer?
        /// For a read of a reference: the Variable, and how often it had been written by then.
        var view: (buffer: VariableBuffer, version: Int)?

        static var dead: Token { Token(tensor: nil) }
    }

    /// The result of a vertex.
    private struct Outcome {
        var tokens: [Token]
        var isDead = false
        /// The numbers of the writes that have happened before it.
        var seen: Set<Int> = []
    }

    /// The outcomes outside of all loops, or in one iteration of a loop.
    private final class Scope {
        let parent: Scope?
        let depth: Int
        let iteration: Int
        /// The iteration before.
        var previous: Scope?
        var outcomes: [Int: Outcome] = [:]
        /// The last iterations of the loops that ran in this scope, by frame name.
        var loops: [String: Scope] = [:]

        init(in parent: Scope?, after previous: Scope? = nil) {
            self.parent = parent
            self.previous = previous
            depth = parent.map { $0.depth + 1 } ?? 0
            iteration = previous.map { $0.iteration + 1 } ?? 0
        }
    }

    private let fetches: [Node]
    private let feeds: [Node: Tensor]
    private let functions: FunctionRuntime
    private let evaluator: VertexEvaluator
    private let resources = RunResources()
    private let unawaited: Set<Int>
    /// The vertices that the fetches need, in the graph's order.
    private var vertices: [Vertex] = []
    /// The frame names of the loops around each vertex, the outermost first.
    private var frames: [Int: [String]] = [:]
    /// All values that each Variable was given, with the number of the write.
    private var versions: [String: [(write: Int, tensor: Tensor)]] = [:]
    private var writes = 0

    init(fetches: [Node], feeds: [Node: Tensor], _ functions: FunctionRuntime) {
        self.fetches = fetches
        self.feeds = feeds
        self.functions = functions
        unawaited = functions.options.unawaited
        evaluator = VertexEvaluator(options: functions.options, random: functions.random, functions: functions)
        vertices = needed()
        for vertex in vertices { frames[vertex.id] = loops(around: vertex) }
    }

    /// The fetches' values. A vertex without outputs has the value false, a scalar.
    func run() throws -> [Tensor] {
        let outside = Scope(in: nil)
        for vertex in vertices where frames[vertex.id] == [] { _ = try outcome(of: vertex, in: outside) }
        return try fetches.map { fetch in
            if let fed = feeds[fetch] { return fed }
            let outcome = try outcome(of: fetch.vertex, in: outside)
            guard !outcome.isDead, let token = fetch.vertex.outputs.isEmpty ? nil : outcome.tokens[fetch.output] else {
                if !outcome.isDead { return Tensor.nothing }
                throw deadFetch(fetch)
            }
            guard let value = token.tensor else { throw deadFetch(fetch) }
            return token.memory == nil || fetch.dtype == .resource ? value : copy(value)
        }
    }

    private func deadFetch(_ fetch: Node) -> GraphError {
        GraphError("it has no value: it is on the side of a Switch that was not taken").at(fetch.vertex)
    }

    // MARK: What runs

    private func needed() -> [Vertex] {
        var found: [Int: Vertex] = [:]
        var stack = fetches.filter { feeds[$0] == nil }.map(\.vertex)
        while let vertex = stack.popLast() {
            guard found.updateValue(vertex, forKey: vertex.id) == nil else { continue }
            let sources = vertex.inputs + (vertex.loopInput.map { [$0] } ?? [])
            stack += sources.filter { feeds[$0] == nil }.map(\.vertex)
            stack += vertex.controls.filter { !unawaited.contains($0.id) }
        }
        return found.values.sorted { $0.id < $1.id }
    }

    private func loops(around vertex: Vertex) -> [String] {
        let sources = vertex.inputs.filter { feeds[$0] == nil }.map(\.vertex) + vertex.controls
        let around = sources.compactMap { frames[$0.id] }.max { $0.count < $1.count } ?? []
        switch vertex.operation.name {
        case "Enter", "RefEnter": return around + [(try? vertex.attributes.string("frame_name")) ?? ""]
        case "Exit", "RefExit": return around.dropLast()
        default: return around
        }
    }

    /// Runs a loop until no value goes on to a next iteration. Returns its last iteration.
    private func runLoop(_ path: [String], in parent: Scope) throws -> Scope {
        if let known = parent.loops[path.last ?? ""] { return known }
        let members = vertices.filter { frames[$0.id] == path }
        var scope = Scope(in: parent)
        while true {
            var goesOn = false
            for vertex in members {
                let outcome = try outcome(of: vertex, in: scope)
                if vertex.operation.name.hasSuffix("NextIteration"), !outcome.isDead { goesOn = true }
            }
            scope.previous = nil
            guard goesOn else { break }
            scope = Scope(in: parent, after: scope)
        }
        parent.loops[path.last ?? ""] = scope
        return scope
    }

    // MARK: One vertex

    private func outcome(of vertex: Vertex, in inner: Scope) throws -> Outcome {
        var scope = inner
        while scope.depth > frames[vertex.id]?.count ?? 0, let parent = scope.parent { scope = parent }
        if let known = scope.outcomes[vertex.id] { return known }
        try functions.checkTime()
        let outcome: Outcome
        do { outcome = try compute(vertex, in: scope) } catch let error as GraphError {
            throw error.at(vertex)
        }
        scope.outcomes[vertex.id] = outcome
        return outcome
    }

    private func token(_ node: Node, in scope: Scope, _ seen: inout Set<Int>) throws -> Token {
        if let fed = feeds[node] { return Token(tensor: fed) }
        let outcome = try outcome(of: node.vertex, in: scope)
        seen.formUnion(outcome.seen)
        return outcome.isDead ? .dead : outcome.tokens[node.output]
    }

    private func compute(_ vertex: Vertex, in scope: Scope) throws -> Outcome {
        var result = Outcome(tokens: [])
        for control in vertex.controls where !unawaited.contains(control.id) {
            let before = try outcome(of: control, in: scope)
            result.seen.formUnion(before.seen)
            if before.isDead { result.isDead = true }
        }
        let outputs = vertex.outputs.indices.map(vertex.output)
        if !outputs.isEmpty, outputs.allSatisfy({ feeds[$0] != nil }) {
            result.tokens = outputs.map { Token(tensor: feeds[$0]) }
            return result
        }
        if vertex.operation is any ControlFlowOperation.Type { return try pass(vertex, result, in: scope) }
        var inputs: [Token] = []
        for input in vertex.inputs { inputs.append(try token(input, in: scope, &result.seen)) }
        if inputs.contains(where: { $0.tensor == nil }) { result.isDead = true }
        if !result.isDead { try evaluate(vertex, inputs, &result) }
        return result
    }

    /// Runs a control flow operation, which passes values on unchanged.
    private func pass(_ vertex: Vertex, _ before: Outcome, in scope: Scope) throws -> Outcome {
        var result = before
        func input(_ i: Int, in scope: Scope) throws -> Token { try token(vertex.inputs[i], in: scope, &result.seen) }
        func deliver(_ token: Token) {
            (result.tokens, result.isDead) = ([token], result.isDead || token.tensor == nil)
        }
        switch vertex.operation.name {
        case "Switch", "RefSwitch":
            let (data, choice) = (try input(0, in: scope), try input(1, in: scope))
            guard data.tensor != nil, let choice = choice.tensor, !result.isDead else {
                result.isDead = true
                return result
            }
            guard choice.elementCount == 1 else {
                throw GraphError("the predicate must be a scalar, got the shape \(choice.shape)")
            }
            result.tokens = try choice.scalar(Bool.self) ? [.dead, data] : [data, .dead]
        case "Merge", "RefMerge":
            var (tokens, first) = ([Token](), 0)
            if let carried = vertex.loopInput {
                if let previous = scope.previous {
                    (tokens, first) = ([try token(carried, in: previous, &result.seen)], vertex.inputs.count)
                } else {
                    tokens = [try input(0, in: scope)]
                }
            } else {
                for i in vertex.inputs.indices { tokens.append(try input(i, in: scope)) }
            }
            result.isDead = !tokens.contains { $0.tensor != nil }
            if let taken = tokens.firstIndex(where: { $0.tensor != nil }) {
                result.tokens = [tokens[taken], Token(tensor: Tensor(Int32(first + taken)))]
            }
        case "Enter", "RefEnter":
            guard let parent = scope.parent else { throw GraphError("it is outside of a loop") }
            deliver(try input(0, in: parent))
        case "Exit", "RefExit":
            guard let path = frames[vertex.inputs[0].vertex.id], !path.isEmpty else {
                throw GraphError("it is outside of a loop")
            }
            deliver(try input(0, in: try runLoop(path, in: scope)))
        case "ControlTrigger": (result.isDead, result.tokens) = (false, [])
        default: deliver(try input(0, in: scope))
        }
        return result
    }

    /// Computes a vertex, and updates the Variables that it writes.
    private func evaluate(_ vertex: Vertex, _ inputs: [Token], _ result: inout Outcome) throws {
        let operation = vertex.operation
        if operation.isVariable {
            let buffer = try functions.variables.buffer(for: vertex)
            let memory = Tensor(
                dtype: buffer.spec.dtype, shape: buffer.spec.shape, storage: try buffer.onHost(writing: false))
            result.tokens = [Token(tensor: memory, memory: buffer)]
            return
        }
        if operation == Placeholder.self { throw Planner.notFed(vertex) }
        for (input, token) in zip(vertex.inputs, inputs) where vertex.readsValue(of: input) {
            if let buffer = token.memory, !buffer.isInitialized { throw buffer.uninitialized }
        }
        let values = inputs.enumerated().map { i, token -> Tensor in
            guard let tensor = token.tensor else { fatalError("\(vertex.name) runs without its input \(i)") }
            return token.memory == nil ? current(token, tensor, result.seen).value : copy(tensor)
        }
        let outputs = try evaluator.outputs(of: vertex, values, resources: resources, variable: inputs.first?.memory)
        for input in operation.writes {
            guard let buffer = inputs[input].memory else { throw GraphError("input \(input) must be a Variable") }
            try write(values[input], to: buffer, &result.seen)
            if vertex.isInitializing { buffer.isInitialized = true }
        }
        result.tokens = outputs.enumerated().map { i, value in
            guard let input = operation.aliases[i] else { return Token(tensor: value) }
            let isHandle = vertex.outputs[i].dtype == .resource
            if inputs[input].memory != nil, isHandle || !operation.writes.isEmpty { return inputs[input] }
            // A read of a reference, or a view of such a read, stays a view of the Variable.
            let (token, isReference) = (inputs[input], vertex.inputs[input].dtype != .resource)
            guard let buffer = token.memory ?? token.view?.buffer, isReference else { return Token(tensor: value) }
            return Token(tensor: value, view: (buffer, current(token, value, result.seen).version))
        }
    }

    private func write(_ value: Tensor, to buffer: VariableBuffer, _ seen: inout Set<Int>) throws {
        let storage = try buffer.onHost(writing: true)
        value.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { storage.pointer.copyMemory(from: base, byteCount: bytes.count) }
        }
        versions[buffer.name, default: []].append((writes, value))
        seen.insert(writes)
        writes += 1
    }

    /// The value of a read for a vertex that runs after the writes `seen`: if the read is a view, the last value that
    /// one of them wrote since. And how often the Variable had been written by then.
    private func current(_ token: Token, _ value: Tensor, _ seen: Set<Int>) -> (value: Tensor, version: Int) {
        guard let view = token.view else { return (value, versions[token.memory?.name ?? ""]?.count ?? 0) }
        let all = versions[view.buffer.name, default: []]
        guard let last = all.indices.dropFirst(view.version).last(where: { seen.contains(all[$0].write) }) else {
            return (value, view.version)
        }
        return (all[last].tensor.viewed(as: value.shape), last + 1)
    }

    private func copy(_ tensor: Tensor) -> Tensor {
        Tensor(dtype: tensor.dtype, sized: tensor.shape) { target in
            tensor.withUnsafeBytes { target.copyMemory(from: $0) }
        }
    }
}
