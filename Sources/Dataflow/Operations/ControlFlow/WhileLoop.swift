/// Runs what `body` builds on its own results for as long as what `condition` builds of them is true; TensorFlow's
/// `tf.while_loop`.
///
/// What the closures use of the graph around them is computed once, before the loop; a Variable goes in as its value and
/// cannot be changed inside. Random operations in the body draw new numbers in each iteration.
///
///     let power = whileLoop([i, x], while: { less($0[0], n) }, do: { [$0[0] + 1, $0[1] * x] })[1]
///
/// - Parameters:
///   - variables: the first values. At least one, which tells the graph.
///   - condition: builds a bool scalar of the variables.
///   - body: builds the variables' next values, as many and of the same dtypes and shapes.
///   - maximumIterations: ends the loop whatever the condition says.
///   - shapeInvariants: what is known of each variable's shape in all iterations; by default that of its first value. A
///     variable whose shape changes needs one, such as `[nil, 3]`.
/// - Returns: the variables' last values. Gradients flow through them.
public func whileLoop(
    _ variables: [any Operand], while condition: ([Node]) -> any Operand, do body: ([Node]) -> [any Operand],
    maximumIterations: Int? = nil, shapeInvariants: [Shape]? = nil, name: String = "while",
    file: StaticString = #fileID, line: UInt = #line
) -> [Node] {
    guard let first = variables.first else {
        fatalError("whileLoop needs at least one variable to carry, which tells its graph (\(file):\(line))")
    }
    let location = SourceLocation(file: file, line: line)
    let graph = first.node.graph.openBody ?? first.node.graph
    var initial = variables.map { graph.local($0.node) }
    let count = initial.count
    var mistakes = LoopMistakes()
    var specs = mistakes.specs(initial, shapeInvariants)
    let limit = maximumIterations.map { Int32(clamping: $0) }
    if limit != nil {
        initial.append(graph.constant(Int32(0), name: "\(name)_iterations", file: file, line: line))
        specs.append(TensorSpec(.int32, []))
    }
    var sides = [
        FunctionBuilder("\(name)_cond", around: graph, specs, location) { (values: [Node]) in
            let goesOn = condition(Array(values.prefix(count)))
            guard let limit else { return [goesOn] }
            return [goesOn, less(values[count], Int(limit), file: file, line: line)]
        },
        FunctionBuilder("\(name)_body", around: graph, specs, location) { (values: [Node]) in
            let next = body(Array(values.prefix(count)))
            return limit == nil ? next : next + [values[count] + 1]
        },
    ]
    mistakes.check(sides[0].results, next: Array(sides[1].results), specs, own: count)
    let captured = FunctionBuilder.share(&sides)
    let goesOn = sides[0].results.dropFirst().reduce(sides[0].results[0]) { all, also in
        mistakes.first == nil ? sides[0].graph.add(LogicalAnd.self, [all, also], location: location).node : all
    }
    let functions = [
        sides[0].function(results: [goesOn]), sides[1].function(results: sides[1].results, passingCaptured: true),
    ]
    let isStateful = functions.contains(where: \.isStateful)
    let mistake = sides.lazy.compactMap(\.mistake).first ?? mistakes.first
    let vertex = graph.insert(
        isStateful ? While.self : StatelessWhile.self, initial + captured,
        [
            "cond": .function(functions[0]), "body": .function(functions[1]),
            "output_shapes": .shapes(specs.map(\.shape) + captured.map(\.shape)),
        ], name: name, location: location, mistake: mistake?.at(name, location))
    return (0..<count).map { Node(vertex: vertex, output: $0) }
}

/// What may be wrong with a loop.
private struct LoopMistakes {
    private(set) var first: GraphError?

    private mutating func add(_ message: String) { first = first ?? GraphError(message) }

    /// The variables' dtypes and what is known of their shapes in all iterations.
    mutating func specs(_ initial: [Node], _ invariants: [Shape]?) -> [TensorSpec] {
        guard let invariants else { return initial.map(\.spec) }
        guard invariants.count == initial.count else {
            add("\(initial.count) variables have \(invariants.count) shape invariants")
            return initial.map(\.spec)
        }
        return zip(initial, invariants).enumerated().map { i, pair in
            if pair.0.vertex.error == nil, !pair.1.covers(pair.0.shape) {
                add("the shape invariant \(pair.1) of variable \(i) does not hold for its first value \(pair.0.spec)")
            }
            return TensorSpec(pair.0.dtype, pair.1)
        }
    }

    mutating func check(_ condition: [Node], next: [Node], _ specs: [TensorSpec], own: Int) {
        let extra = specs.count - own
        if let choice = condition.first, choice.vertex.error == nil,
            choice.dtype != .bool || !choice.shape.isCompatible(with: [])
        {
            add("the condition must be a bool scalar, got \(choice.spec)")
        }
        guard next.count == specs.count else {
            add("the body must yield \(own) values, as many as the loop carries, got \(next.count - extra)")
            return
        }
        for (i, (value, spec)) in zip(next, specs).enumerated() where value.vertex.error == nil {
            guard value.dtype == spec.dtype else {
                add("variable \(i) is \(spec.dtype), the body makes it \(value.dtype); use cast()")
                continue
            }
            guard spec.shape.covers(value.shape) else {
                add(
                    "variable \(i) has the shape \(spec.shape), the body makes it \(value.shape); if its shape changes, "
                        + "give shapeInvariants: with nil for what changes")
                continue
            }
        }
    }
}

extension Shape {
    /// Whether all that this says of a shape holds for `other`.
    fileprivate func covers(_ other: Shape) -> Bool {
        guard let mine = dimensions else { return true }
        guard let theirs = other.dimensions, mine.count == theirs.count else { return false }
        return zip(mine, theirs).allSatisfy { $0 == nil || $0 == $1 }
    }
}
