/// What the gradients of a loop have made of it: a loop that also lists the values that its variables have at the start of
/// each iteration.
///
/// The loop itself is changed, so that it runs once for all uses of its outputs. The lists that it starts with must come before
/// it; a graph leaves some numbers free before each loop for them, and nothing is put there until a gradient is asked for.
struct LoopHistory: Sendable {
    /// The loop with so many variables, as it was before it kept what a gradient of it needed; the first is as it was made.
    struct Level: Sendable {
        let condition: Function
        let body: Function
        var count: Int { body.parameters.count }
    }

    /// How many numbers are left free before a loop: for one constant, and an empty list for each dtype.
    static let room = DType.allCases.count + 1

    private(set) var levels: [Level]
    /// The output that lists the values of a variable.
    private(set) var lists: [Int: Int] = [:]
    private var emptyLists: [DType: Node] = [:]
    private var constant: Node?
    private var used = 0

    init(_ loop: Vertex) throws {
        levels = [Level(condition: try loop.attributes.function("cond"), body: try loop.attributes.function("body"))]
    }

    /// The loop with as few variables as yield these outputs.
    func level(yielding outputs: [Int]) -> Level {
        let most = outputs.max() ?? 0
        return levels.first { most < $0.count } ?? levels[levels.count - 1]
    }

    /// Makes `loop` list the values of `variables`. Some may be listed already.
    mutating func keep(_ variables: [Int], of loop: Vertex) throws {
        let missing = variables.filter { lists[$0] == nil }
        guard !missing.isEmpty else { return }
        let (graph, last) = (loop.graph, levels[levels.count - 1])
        let inputs = missing.map { emptyList(last.body.parameters[$0].dtype, before: loop) }
        for input in inputs { if let error = input.vertex.error { throw error } }
        let own = loop.inputs.map(\.spec)
        let specs = zip(own, last.body.parameters).map { TensorSpec($0.dtype, $1.shape) } + inputs.map(\.spec)
        let condition = try Function.make(last.condition.name, around: graph, specs) { graph, parameters in
            graph.inline(last.condition, Array(parameters.prefix(own.count)))
        }
        let body = try Function.make(last.body.name, around: graph, specs) { graph, parameters in
            graph.inline(last.body, Array(parameters.prefix(own.count)))
                + zip(missing, parameters.dropFirst(own.count)).map { i, list in
                    graph.add(TensorListPushBack.self, [list, parameters[i]]).node
                }
        }
        var attributes = loop.attributes
        attributes.values["cond"] = .function(condition)
        attributes.values["body"] = .function(body)
        attributes.values["T"] = .types(specs.map(\.dtype))
        if case .shapes(let shapes)? = attributes["output_shapes"], !shapes.isEmpty {
            attributes.values["output_shapes"] = .shapes(shapes + inputs.map(\.shape))
        }
        loop.extend(inputs: inputs, outputs: inputs.map(\.spec), attributes: attributes)
        for (place, i) in missing.enumerated() { lists[i] = own.count + place }
        levels.append(Level(condition: condition, body: body))
    }

    /// A list without elements, before the loop.
    private mutating func emptyList(_ dtype: DType, before loop: Vertex) -> Node {
        if let known = emptyLists[dtype] { return known }
        let unknown =
            constant
            ?? add(
                Const.self, [], ["dtype": .type(.int32), "value": .tensor(Tensor(Int32(-1)))], "any", before: loop)
        constant = unknown
        let list = add(
            EmptyTensorList.self, [unknown, unknown], ["element_dtype": .type(dtype)], "\(dtype)", before: loop)
        emptyLists[dtype] = list
        return list
    }

    private mutating func add(
        _ operation: any Operation.Type, _ inputs: [Node], _ attributes: Attributes, _ name: String, before loop: Vertex
    ) -> Node {
        require(used < Self.room, "there is room for one list of each dtype before a loop")
        defer { used += 1 }
        return loop.graph.insert(
            operation, inputs, attributes, exactName: loop.graph.unusedFullName("\(loop.name)_history/\(name)"),
            device: loop.device, location: loop.location, id: loop.id - Self.room + used
        ).node
    }
}
