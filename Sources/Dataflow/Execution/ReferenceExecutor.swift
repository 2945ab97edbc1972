/// Runs what fetches need as plainly as it can be run: the meaning of a graph, with which every plan must agree.
///
/// Each vertex runs by itself, on fresh memory, after all whose values or control edges it needs. Nothing is known before the
/// run, nothing is fused, and no memory is used twice; a Variable's values are kept one by one. Devices are ignored.
final class ReferenceExecutor {
    /// A value on its way from one vertex to others.
    private struct Token {
        /// nil: dead, the side of a `Switch` that was not taken.
        var tensor: Tensor?
        /// The Variable whose memory `tensor` is; its consumers see what is there when they run.
        var memory: VariableBuffer?
        /// Of a read of a reference: the Variable, and how often it had been written then.
        var view: (buffer: VariableBuffer, version: Int)?

        static var dead: Token { Token(tensor: nil) }
    }

    /// What came of a vertex.
    private struct Outcome {
        var tokens: [Token]
        var isDead = false
        /// The writes that have happened before, by number.
        var seen: Set<Int> = []
    }

    /// Where vertices run: outside of all loops, or in one iteration of one.
    private final class Place {
        let parent: Place?
        let depth: Int
        let iteration: Int
        /// The iteration before.
        var previous: Place?
        var outcomes: [Int: Outcome] = [:]
        /// The last iterations of the loops that ran here, by frame.
        var loops: [String: Place] = [:]

        init(in parent: Place?, after previous: Place? = nil) {
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
    /// What the fetches need, in the graph's order.
    private var vertices: [Vertex] = []
    /// The loops around each vertex, the outermost first.
    private var frames: [Int: [String]] = [:]
    /// What each Variable was written with, and by which write.
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

    /// The fetches' values; of a vertex without outputs a scalar false.
    func run() throws -> [Tensor] {
        let outside = Place(in: nil)
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
        GraphError("it has no value: the side of a Switch that it is on was not taken").at(fetch.vertex)
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

    /// Runs a loop until nothing goes on to a next iteration.
    private func runLoop(_ path: [String], in parent: Place) throws -> Place {
        if let known = parent.loops[path.last ?? ""] { return known }
        let members = vertices.filter { frames[$0.id] == path }
        var place = Place(in: parent)
        while true {
            var goesOn = false
            for vertex in members {
                let outcome = try outcome(of: vertex, in: place)
                if vertex.operation.name.hasSuffix("NextIteration"), !outcome.isDead { goesOn = true }
            }
            place.previous = nil
            guard goesOn else { break }
            place = Place(in: parent, after: place)
        }
        parent.loops[path.last ?? ""] = place
        return place
    }

    // MARK: One vertex

    private func outcome(of vertex: Vertex, in inner: Place) throws -> Outcome {
        var place = inner
        while place.depth > frames[vertex.id]?.count ?? 0, let parent = place.parent { place = parent }
        if let known = place.outcomes[vertex.id] { return known }
        try functions.checkTime()
        let outcome: Outcome
        do { outcome = try compute(vertex, in: place) } catch let error as GraphError {
            throw error.at(vertex)
        }
        place.outcomes[vertex.id] = outcome
        return outcome
    }

    private func token(_ node: Node, in place: Place, _ seen: inout Set<Int>) throws -> Token {
        if let fed = feeds[node] { return Token(tensor: fed) }
        let outcome = try outcome(of: node.vertex, in: place)
        seen.formUnion(outcome.seen)
        return outcome.isDead ? .dead : outcome.tokens[node.output]
    }

    private func compute(_ vertex: Vertex, in place: Place) throws -> Outcome {
        var result = Outcome(tokens: [])
        for control in vertex.controls where !unawaited.contains(control.id) {
            let before = try outcome(of: control, in: place)
            result.seen.formUnion(before.seen)
            if before.isDead { result.isDead = true }
        }
        let outputs = vertex.outputs.indices.map(vertex.output)
        if !outputs.isEmpty, outputs.allSatisfy({ feeds[$0] != nil }) {
            result.tokens = outputs.map { Token(tensor: feeds[$0]) }
            return result
        }
        if vertex.operation is any ControlFlowOperation.Type { return try pass(vertex, result, in: place) }
        var inputs: [Token] = []
        for input in vertex.inputs { inputs.append(try token(input, in: place, &result.seen)) }
        if inputs.contains(where: { $0.tensor == nil }) { result.isDead = true }
        if !result.isDead { try evaluate(vertex, inputs, &result) }
        return result
    }

    /// Control flow: values go on as they are.
    private func pass(_ vertex: Vertex, _ before: Outcome, in place: Place) throws -> Outcome {
        var result = before
        func input(_ i: Int, in place: Place) throws -> Token { try token(vertex.inputs[i], in: place, &result.seen) }
        func deliver(_ token: Token) {
            (result.tokens, result.isDead) = ([token], result.isDead || token.tensor == nil)
        }
        switch vertex.operation.name {
        case "Switch", "RefSwitch":
            let (data, choice) = (try input(0, in: place), try input(1, in: place))
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
                if let previous = place.previous {
                    (tokens, first) = ([try token(carried, in: previous, &result.seen)], vertex.inputs.count)
                } else {
                    tokens = [try input(0, in: place)]
                }
            } else {
                for i in vertex.inputs.indices { tokens.append(try input(i, in: place)) }
            }
            result.isDead = !tokens.contains { $0.tensor != nil }
            if let taken = tokens.firstIndex(where: { $0.tensor != nil }) {
                result.tokens = [tokens[taken], Token(tensor: Tensor(Int32(first + taken)))]
            }
        case "Enter", "RefEnter":
            guard let parent = place.parent else { throw GraphError("it is outside of a loop") }
            deliver(try input(0, in: parent))
        case "Exit", "RefExit":
            guard let path = frames[vertex.inputs[0].vertex.id], !path.isEmpty else {
                throw GraphError("it is outside of a loop")
            }
            deliver(try input(0, in: try runLoop(path, in: place)))
        case "ControlTrigger": (result.isDead, result.tokens) = (false, [])
        default: deliver(try input(0, in: place))
        }
        return result
    }

    /// Computes a vertex, and writes what it writes.
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
            guard let buffer = inputs[input].memory else { throw GraphError("input \(input) is no Variable's memory") }
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

    /// The value of a read for one who has seen these writes: what the last of them wrote since, if the read is a view. And
    /// how often the Variable had been written by then.
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
