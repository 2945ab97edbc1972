internal import Synchronization

/// A body that an operation runs: TensorFlow's `FunctionDef`. What `If` and `While` call.
///
/// It is closed: all that it uses comes in as parameters. Two are equal if they are one.
public final class Function: Sendable, Equatable {
    /// Unique among the functions of a graph.
    public let name: String
    public let graph: Graph
    /// `Placeholder`s of `graph` that stand for the arguments.
    public let parameters: [Node]
    public let results: [Node]
    /// What runs besides what the results need.
    package let effects: [Vertex]
    /// What `infer` found before: functions that call functions would ask again and again.
    private let inferred = Mutex<[[TensorSpec]: [TensorSpec]]>([:])
    /// Whether finding the shapes of the results took too much work: it would again.
    private let exceedsWork = Atomic(false)
    /// What was found before that follows from the body alone.
    let facts = Mutex(FunctionFacts())
    /// The gradients that were made of this function.
    let gradients = Mutex<[GradientKey: FunctionGradient]>([:])

    /// What a file says that this function's gradient is; nil where it follows from the body.
    package let customGradient: CustomGradient?
    private let derived = Mutex<Function?>(nil)

    /// The function's derivative, once it was made.
    var knownDerivative: Function? {
        get { derived.withLock { $0 } }
        set { derived.withLock { $0 = newValue } }
    }

    package init(
        name: String, graph: Graph, parameters: [Node], results: [Node], effects: [Vertex] = [],
        customGradient: CustomGradient? = nil
    ) {
        self.customGradient = customGradient
        self.name = name
        self.graph = graph
        self.parameters = parameters
        self.results = results
        self.effects = effects
    }

    public static func == (a: Function, b: Function) -> Bool { a === b }

    /// Whether result `i` is parameter `i`: what a loop leaves as it is.
    func passes(_ i: Int) -> Bool {
        guard parameters.indices.contains(i), results.indices.contains(i) else { return false }
        var result = results[i]
        while result.vertex.operation == Identity.self { result = result.vertex.inputs[0] }
        return result == parameters[i]
    }

    /// The parameters that a result depends on.
    func parameters(behind result: Int) -> Set<Int> {
        let numbers = Dictionary(zip(parameters.map(\.vertex.id), parameters.indices), uniquingKeysWith: { $1 })
        var (found, seen): (Set<Int>, Set<Int>) = ([], [])
        var stack = [results[result].vertex]
        while let vertex = stack.popLast() {
            guard seen.insert(vertex.id).inserted else { continue }
            if let number = numbers[vertex.id] { found.insert(number) }
            stack += vertex.inputs.map(\.vertex)
            if let carried = vertex.loopInput { stack.append(carried.vertex) }
        }
        return found
    }

    /// The dtypes and shapes of the results, as far as these facts about the arguments say.
    ///
    /// - Parameter work: what the vertex at hand has cost so far; nil: nothing.
    /// - Throws: `GraphError` for arguments that the body cannot take, and for functions that take too much work.
    func infer(_ arguments: [TensorSpec], _ work: ShapeWork?) throws -> [TensorSpec] {
        if let known = inferred.withLock({ $0[arguments] }) { return known }
        try check(arguments.map(\.dtype))
        let isOutermost = work == nil
        let work = work ?? ShapeWork()
        let found: [TensorSpec]
        do {
            if exceedsWork.load(ordering: .relaxed) { throw ShapeWork.Exceeded() }
            try work.add()
            found = try CallStack.extended {
                try graph.specs(
                    of: results, feeds: Dictionary(zip(parameters, arguments), uniquingKeysWith: { $1 }), work)
            }
        } catch is ShapeWork.Exceeded {
            if isOutermost { exceedsWork.store(true, ordering: .relaxed) }
            throw ShapeWork.Exceeded()
        }
        inferred.withLock { known in
            if known.count >= 64 { known.removeAll() }
            known[arguments] = found
        }
        return found
    }

    func check(_ arguments: [DType]) throws {
        guard arguments == parameters.map(\.dtype) else {
            throw GraphError(
                "the function '\(name)' takes \(parameters.count) arguments \(parameters.map(\.dtype)), got \(arguments)"
            )
        }
    }

    /// A function whose body `build` makes from the parameters, in a graph of its own.
    /// - Throws: the first mistake made in it.
    static func make(
        _ name: String, around graph: Graph, _ parameters: [TensorSpec], _ build: (Graph, [Node]) throws -> [Node]
    ) throws -> Function {
        let name = graph.uniqueFunctionName(name)
        let body = Graph(function: name, seed: graph.seed, parent: graph)
        let nodes = parameters.enumerated().map { body.parameter($1, name: "x\($0)") }
        let results = try build(body, nodes)
        if let error = body.firstError { throw error }
        return Function(name: name, graph: body, parameters: nodes, results: results)
    }
}

extension Graph {
    /// Copies what the results of `function` need into this graph, with `arguments` for its parameters.
    ///
    /// - Parameter wanted: which results; all by default.
    func inline(_ function: Function, _ arguments: [Node], wanted: [Int]? = nil) -> [Node] {
        var twins = Dictionary(zip(function.parameters, arguments), uniquingKeysWith: { $1 })
        var needed: Set<Int> = []
        let results = wanted.map { $0.map { function.results[$0] } } ?? function.results
        var stack = results.map(\.vertex)
        while let vertex = stack.popLast() {
            guard needed.insert(vertex.id).inserted else { continue }
            stack += vertex.inputs.map(\.vertex) + vertex.controls
            if let carried = vertex.loopInput { stack.append(carried.vertex) }
        }
        var vertices: [Int: Vertex] = [:]
        let members = function.graph.vertices.filter { needed.contains($0.id) && twins[$0.node] == nil }
        for vertex in members {
            let inputs = vertex.inputs.map { twins[$0] ?? $0 }
            let controls = vertex.controls.compactMap { vertices[$0.id] }
            let twin = located(at: vertex.location) {
                add(
                    vertex.operation, inputs, vertex.attributes, name: vertex.name, isLoopHead: vertex.loopInput != nil,
                    controls: controls, device: vertex.device)
            }
            vertices[vertex.id] = twin
            for i in vertex.outputs.indices { twins[vertex.output(i)] = twin.output(i) }
        }
        for vertex in members {
            if let carried = vertex.loopInput.flatMap({ twins[$0] }) { vertices[vertex.id]?.loopInput = carried }
        }
        return results.map { twins[$0] ?? $0 }
    }
}

extension Function: CustomStringConvertible {
    /// The name, the parameters and the results: "cond_true(float32[], int32[]) -> (float32[])".
    public var description: String {
        let (taken, given) = (parameters.map(\.spec.description), results.map(\.spec.description))
        return "\(name)(\(taken.joined(separator: ", "))) -> (\(given.joined(separator: ", ")))"
    }
}
