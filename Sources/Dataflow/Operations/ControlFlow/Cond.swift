/// What one of two closures builds, by the truth of a scalar when it runs; TensorFlow's `tf.cond`.
///
/// Only what is built inside of the closure taken is computed. What a closure uses of the graph around it is computed before,
/// whichever is taken; a Variable goes in as its value and cannot be changed inside.
///
/// - Parameters:
///   - predicate: a bool scalar.
///   - then: builds the results where it is true.
///   - otherwise: builds as many results of the same dtypes where it is false. Where shapes differ, the result's is unknown.
/// - Returns: a node for each result. Gradients flow through them.
public func cond(
    _ predicate: any Operand, then: () -> [any Operand], else otherwise: () -> [any Operand], name: String = "cond",
    file: StaticString = #fileID, line: UInt = #line
) -> [Node] {
    let location = SourceLocation(file: file, line: line)
    let graph = predicate.node.graph.openBody ?? predicate.node.graph
    let choice = graph.local(predicate.node)
    var mistakes: [GraphError] = []
    if choice.vertex.error == nil, choice.dtype != .bool || !choice.shape.isCompatible(with: []) {
        mistakes.append(GraphError("the predicate must be a bool scalar, got \(choice.spec)"))
    }
    var sides = [
        FunctionBuilder("\(name)_true", around: graph, [], location, then),
        FunctionBuilder("\(name)_false", around: graph, [], location, otherwise),
    ]
    mistakes += sides.compactMap(\.mistake)
    let types = sides.map { $0.results.map(\.dtype) }
    if types[0] != types[1] {
        mistakes.append(GraphError("both branches must yield the same dtypes, got \(types[0]) and \(types[1])"))
    }
    let captured = FunctionBuilder.share(&sides)
    let functions = sides.map { $0.function(results: $0.results) }
    let isStateful = functions.contains(where: \.isStateful)
    let vertex = graph.insert(
        isStateful ? If.self : StatelessIf.self, [choice] + captured,
        [
            "then_branch": .function(functions[0]), "else_branch": .function(functions[1]), "Tout": .types(types[0]),
            "output_shapes": .shapes(
                zip(sides[0].results, sides[1].results).map { $0.shape.relaxed(with: $1.shape) }),
        ], name: name, location: location, mistake: mistakes.first?.at(name, location))
    return types[0].indices.map { Node(vertex: vertex, output: $0) }
}

/// A function while it is built by a closure.
struct FunctionBuilder {
    let name: String
    let graph: Graph
    private let parameters: [Node]
    private(set) var captured: [Node] = []
    let results: [Node]

    /// - Parameter location: the place of the parameters.
    init(
        _ name: String, around outer: Graph, _ specs: [TensorSpec], _ location: SourceLocation,
        _ build: ([Node]) -> [any Operand]
    ) {
        self.name = outer.uniqueFunctionName(name)
        let body = Graph(function: self.name, seed: outer.seed, parent: outer)
        graph = body
        let parameters = specs.enumerated().map { body.parameter($1, name: "x\($0)", location: location) }
        self.parameters = parameters
        results = outer.building(body) { build(parameters).map { body.local($0.node) } }
    }

    init(
        _ name: String, around outer: Graph, _ specs: [TensorSpec], _ location: SourceLocation,
        _ build: () -> [any Operand]
    ) {
        self.init(name, around: outer, specs, location) { (_: [Node]) in build() }
    }

    /// The first mistake in the body or its results.
    var mistake: GraphError? { graph.firstError ?? results.lazy.compactMap(\.vertex.error).first }

    /// Makes functions take all that any of them captures, in one order, after their own parameters. Yields the arguments.
    static func share(_ builders: inout [FunctionBuilder]) -> [Node] {
        var outer: [Node] = []
        for builder in builders { outer += builder.graph.captures.map(\.outer).filter { !outer.contains($0) } }
        for i in builders.indices { builders[i].captured = outer.map(builders[i].graph.local) }
        return outer
    }

    func function(results: [Node], passingCaptured: Bool = false) -> Function {
        Function(
            name: name, graph: graph, parameters: parameters + captured,
            results: results + (passingCaptured ? captured : []))
    }
}
