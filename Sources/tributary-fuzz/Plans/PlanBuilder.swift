import Dataflow

/// A graph while it grows by random statements, and the Swift text that builds it.
///
/// Graphs have no races: whatever order data and control edges allow gives the same values. So the builder knows of each
/// Variable who wrote it last and who has used it since, and orders accesses by control edges, as TensorFlow programs do.
final class PlanBuilder {
    enum Kind: CaseIterable {
        case scalar, vector, matrix

        var shape: Shape {
            switch self {
            case .scalar: []
            case .vector: [4]
            case .matrix: [2, 4]
            }
        }
    }

    /// Up to which version a Variable's writes have happened before something: surely, and if branches were taken.
    struct Seen {
        var sure: Int
        var maybe: Int

        init(_ version: Int) { (sure, maybe) = (version, version) }

        static func merged(_ a: Seen, _ b: Seen) -> Seen {
            var both = a
            (both.sure, both.maybe) = (max(a.sure, b.sure), max(a.maybe, b.maybe))
            return both
        }
    }

    /// A float32 value to compute with.
    struct Value {
        let node: Node
        let kind: Kind
        /// Identifies the value whatever other statements there are.
        let key: UInt64
        /// Variables that the value is a view of, and the version that was read.
        var views: [Int: Int] = [:]
        /// Whether it is the Variable's memory itself, as an update yields it: its consumers see what is there when they run.
        var isMemory = false
    }

    struct State {
        let memory: Node
        let kind: Kind
        let isReference: Bool
        let key: UInt64
        var version = 0
        /// Who waits for all of these runs after all writes so far. A `Merge` goes on with the first value that comes, so
        /// that a write in a branch needs those before it, too.
        var lastWrites: [Vertex] = []
        /// Vertices that have used a value of it since.
        var accesses: [Vertex] = []
    }

    /// An array or a stack, and what must go before its next use.
    struct Storage {
        let handle: Node
        var flow: Node
        var count: Int
        let key: UInt64
    }

    let graph = Graph(seed: 1)
    /// Whether some vertices ask for the CPU, so that values go to a GPU and back.
    let isSpread: Bool
    private(set) var lines: [(vertex: Vertex, text: String)] = []
    var values: [Value] = []
    var states: [State] = []
    var arrays: [Storage] = []
    var stacks: [Storage] = []
    var lists: [Storage] = []
    var placeholders: [Node] = []
    /// Of each vertex and Variable, what had been written before.
    private var seen: [Int: [Int: Seen]] = [:]
    /// Writes that stand outside of branches and loops, with their Variables and keys.
    var writes: [(node: Node, variable: Int, key: UInt64)] = []
    /// Run before all else.
    var initializers: [Node] = []

    init(isSpread: Bool = false) { self.isSpread = isSpread }

    // MARK: Text

    static func text(_ node: Node) -> String { "n\(node.vertex.id).output(\(node.output))" }

    @discardableResult
    func emit(
        _ operation: any Dataflow.Operation.Type, _ inputs: [Node], _ attributes: [String: AttributeValue] = [:],
        controls: [Vertex] = [], isLoopHead: Bool = false
    ) -> Vertex {
        let controls = unique(controls)
        func add() -> Vertex {
            graph.add(
                operation, inputs, Attributes(attributes), name: "n\(graph.vertices.count)", isLoopHead: isLoopHead,
                controls: controls)
        }
        let staysOnCPU = isSpread && mixed(UInt64(graph.vertices.count)) % 3 == 0
        let vertex = staysOnCPU ? graph.device("/cpu:0", add) : add()
        seen[vertex.id] = seenBefore(vertex)
        var parts = ["\(operation).self", "[\(inputs.map(Self.text).joined(separator: ", "))]"]
        if !attributes.isEmpty {
            let pairs = attributes.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \(PlanText.of($0.value))" }
            parts.append("[\(pairs.joined(separator: ", "))]")
        }
        if isLoopHead { parts.append("isLoopHead: true") }
        if !controls.isEmpty { parts.append("controls: [\(controls.map { "n\($0.id)" }.joined(separator: ", "))]") }
        let text = "g.add(\(parts.joined(separator: ", ")))"
        lines.append((vertex, "let n\(vertex.id) = \(staysOnCPU ? "g.device(\"/cpu:0\") { \(text) }" : text)"))
        return vertex
    }

    /// Notes what a library function built, as it is written.
    func note(_ vertex: Vertex, _ text: String) {
        lines.append((vertex, "let n\(vertex.id) = \(text)"))
        seen[vertex.id] = seenBefore(vertex)
    }

    /// Puts what a vertex needs, as it is written, before it.
    func explain(_ vertex: Vertex, _ text: String) {
        if let last = lines.popLast() { lines += [(vertex, text), last] }
    }

    private func seenBefore(_ vertex: Vertex) -> [Int: Seen] { seen(by: vertex.inputs.map(\.vertex) + vertex.controls) }

    /// What had been written before those that wait for all of `vertices`.
    func seen(by vertices: [Vertex]) -> [Int: Seen] {
        vertices.reduce(into: [:]) { $0.merge(seen[$1.id] ?? [:], uniquingKeysWith: Seen.merged) }
    }

    /// Whether a value may be fed: no order of accesses hangs on it.
    func isFree(_ value: Value) -> Bool { value.views.isEmpty && (seen[value.node.vertex.id] ?? [:]).isEmpty }

    func close(_ merge: Vertex, from node: Node) {
        // Both are of one dtype.
        try? graph.closeLoop(merge, from: node)
        lines.append((merge, "try g.closeLoop(n\(merge.id), from: \(Self.text(node)))"))
    }

    func constant(_ tensor: Tensor, controls: [Vertex] = []) -> Node {
        emit(Const.self, [], ["dtype": .type(tensor.dtype), "value": .tensor(tensor)], controls: controls).output(0)
    }

    private func unique(_ vertices: [Vertex]) -> [Vertex] {
        var ids: Set<Int> = []
        return vertices.filter { ids.insert($0.id).inserted }
    }

    // MARK: Choice

    /// One of `items` by a random number: removing others changes nothing (rendezvous hashing).
    func choose<Item>(_ items: [Item], _ number: UInt64, _ key: (Item) -> UInt64) -> Item? {
        items.min { mixed(key($0) ^ number) < mixed(key($1) ^ number) }
    }

    private func mixed(_ value: UInt64) -> UInt64 {
        var z = (value ^ value >> 33) &* 0xFF51_AFD7_ED55_8CCD
        z = (z ^ z >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return z ^ z >> 33
    }

    func value(_ kind: Kind?, _ chance: inout Chance, where fits: (Value) -> Bool = { _ in true }) -> Value? {
        choose(values.filter { (kind == nil || $0.kind == kind) && fits($0) }, chance.next(), \.key)
    }

    // MARK: Order

    /// What the consumer of `inputs` must wait for, so that no write is neither before nor after it.
    ///
    /// - Parameters:
    ///   - sees: whether it is to run after all writes so far.
    ///   - controls: what it waits for anyway.
    /// - Returns: all that it waits for, and the Variables whose newest values it then sees.
    func waits(
        _ inputs: [Value], sees: Bool, controls: [Vertex] = []
    ) -> (controls: [Vertex], settled: Set<Int>) {
        var (controls, settled) = (controls, Set<Int>())
        var isDone = false
        while !isDone {
            isDone = true
            let seen = seen(by: inputs.map(\.node.vertex) + controls)
            for input in inputs {
                for (variable, read) in input.views where !settled.contains(variable) {
                    let (newest, known) = (states[variable].version, seen[variable] ?? Seen(0))
                    guard newest > known.sure, sees || known.maybe > read || input.isMemory else { continue }
                    controls += states[variable].lastWrites
                    settled.insert(variable)
                    isDone = false
                }
            }
        }
        return (controls, settled)
    }

    /// Notes that a vertex runs after all writes of these Variables so far.
    func settle(_ vertex: Vertex, _ variables: some Sequence<Int>) {
        for variable in variables { seen[vertex.id, default: [:]][variable] = Seen(states[variable].version) }
    }

    /// Notes that a vertex has used what its inputs are views of.
    func used(_ vertex: Vertex, _ inputs: [Value]) {
        for variable in Set(inputs.flatMap { Array($0.views.keys) }) { states[variable].accesses.append(vertex) }
    }

    /// What a write of a Variable, or a read that is to see the last one, must wait for.
    func before(_ variable: Int, isWrite: Bool) -> [Vertex] {
        states[variable].lastWrites + (isWrite ? states[variable].accesses : [])
    }

    /// Notes a write; `by` runs after it, and all that waits for `by` sees it.
    /// - Parameter isCertain: whether `by` also runs after all that the write waits for.
    func wrote(_ variable: Int, by vertex: Vertex, isCertain: Bool = true) {
        states[variable].version += 1
        let before = isCertain ? [] : before(variable, isWrite: true)
        states[variable].lastWrites = before + [vertex]
        states[variable].accesses = before + [vertex]
        if isCertain { settle(vertex, [variable]) } else { maySee(vertex, variable) }
    }

    /// Notes that a vertex runs after the last write of a Variable, if that happens.
    func maySee(_ vertex: Vertex, _ variable: Int) {
        seen[vertex.id, default: [:]][variable, default: Seen(0)].maybe = states[variable].version
    }

    /// Notes that a vertex may run after others: a loop carries round what they have seen, if it goes round at all.
    func maySee(_ vertex: Vertex, what others: [Vertex]) {
        for (variable, other) in seen(by: others) {
            let known = seen[vertex.id]?[variable]?.maybe ?? 0
            seen[vertex.id, default: [:]][variable, default: Seen(0)].maybe = max(known, other.maybe)
        }
    }

    /// Control edges the way programs have them: on the vertex itself, on a `NoOp`, on a constant, on an `Identity`.
    /// Yields what is left to wait for, and the operand through which the rest is waited for.
    func carry(_ controls: [Vertex], _ operand: Value, _ chance: inout Chance) -> (controls: [Vertex], operand: Node) {
        guard !controls.isEmpty else { return ([], operand.node) }
        switch chance.below(operand.views.isEmpty ? 4 : 2) {
        case 0: return (controls, operand.node)
        case 1: return ([emit(NoOp.self, [], controls: controls)], operand.node)
        case 2:
            let one = constant(Tensor(Float(1)), controls: controls)
            return ([], emit(Mul.self, [operand.node, one]).output(0))
        default: return ([], emit(Identity.self, [operand.node], controls: controls).output(0))
        }
    }

    @discardableResult
    func add(
        _ node: Node, _ kind: Kind, _ key: UInt64, views: [Int: Int] = [:], isMemory: Bool = false
    ) -> Value {
        let value = Value(node: node, kind: kind, key: key, views: views, isMemory: isMemory)
        values.append(value)
        return value
    }
}

/// Attributes as Swift writes them.
enum PlanText {
    static func of(_ value: AttributeValue) -> String {
        switch value {
        case .int(let v): ".int(\(v))"
        case .bool(let v): ".bool(\(v))"
        case .string(let v): ".string(\"\(v)\")"
        case .type(let v): ".type(.\(v.rawValue))"
        case .shape(let v): ".shape(\(v.isFullyDefined ? "\(v.knownExtents)" : ".unknown"))"
        case .tensor(let v): ".tensor(\(tensor(v)))"
        case .types(let v): ".types([\(v.map { ".\($0.rawValue)" }.joined(separator: ", "))])"
        case .function(let v): ".function(\(v.name))"
        default: "\(value)"
        }
    }

    static func tensor(_ tensor: Tensor) -> String {
        let elements =
            switch tensor.dtype {
            case .float32: "\(tensor.elements(of: Float.self)) as [Float]"
            case .int32: "\(tensor.elements(of: Int32.self)) as [Int32]"
            default: "\(tensor)"
            }
        return "Tensor(\(elements), sized: \(tensor.shape.knownExtents))"
    }
}
