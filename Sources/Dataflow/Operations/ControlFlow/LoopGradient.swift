/// The gradient of a loop: the loop also lists its variables' values in each iteration, and a second loop goes back through
/// these, computes each iteration again and differentiates it (Yu et al., "Dynamic control flow in large-scale machine
/// learning", 2018).
struct LoopGradient {
    private let node: GradientContext
    private let graph: Graph
    /// The loop that keeps its history.
    private let loop: Vertex
    private let condition: Function
    private let body: Function
    /// What an iteration changes, and what it leaves as it is.
    private let variables: [Int]
    private let invariants: [Int]

    init(_ node: GradientContext) throws {
        self.node = node
        graph = node.graph
        var loop = node.vertex
        if let error = loop.error { throw error }
        if loop.loopHistory == nil {
            guard !loop.inputs.contains(where: { $0.dtype == .variant }) else {
                throw GraphError("a loop over lists of tensors, such as a loop's gradient, has no gradient")
            }
            // A loop that another program wrote is run again: what it would start with comes after it.
            let name = loop.name.split(separator: "/").last.map(String.init) ?? "while"
            loop = graph.addLoop(
                loop.operation, loop.inputs, loop.attributes, name: name, device: loop.device, location: loop.location)
        }
        guard let history = loop.loopHistory else { throw GraphError("it has no floating variables") }
        self.loop = loop
        condition = history.condition
        body = history.body
        let count = body.parameters.count
        invariants = (0..<count).filter { history.body.passes($0) }
        variables = (0..<count).filter { !history.body.passes($0) }
    }

    private func isFloating(_ i: Int) -> Bool { body.parameters[i].dtype.isFloating }

    func gradients() throws -> [Node?] {
        let count = body.parameters.count
        var result = [Node?](repeating: nil, count: count)
        let (moving, resting) = (variables.filter(isFloating), invariants.filter(isFloating))
        guard !moving.isEmpty else {
            // Nothing that is differentiable changes: what arrives goes on to the first values.
            for i in resting where node.hasUpstream(i) { result[i] = node.upstream(i) }
            return result
        }
        let lists = try keepHistory()
        let remaining = graph.add(TensorListLength.self, [lists[0]]).node
        let arrived = moving.map { node.upstream($0) }
        let sums = resting.map { node.hasUpstream($0) ? node.upstream($0) : zerosLike(loop.inputs[$0]) }
        let inputs: [Node] = [remaining] + lists + arrived + sums + invariants.map { loop.inputs[$0] }
        let stable = areShapesStable()
        let specs = inputs.enumerated().map { i, input in
            let place = i - 1 - lists.count
            return moving.indices.contains(place) && !stable[moving[place]]
                ? TensorSpec(input.dtype, .unknown) : input.spec
        }
        let goesOn = try Function.make("\(condition.name)_grad", around: graph, specs) { graph, parameters in
            [graph.add(Greater.self, [parameters[0], graph.constant(Int32(0))]).node]
        }
        let step = try Function.make("\(body.name)_grad", around: graph, specs) { graph, parameters in
            goBack(graph, parameters, moving, resting, stable)
        }
        let attributes: Attributes = [
            "cond": .function(goesOn), "body": .function(step), "_countdown": .int(0),
            "output_shapes": .shapes(specs.map(\.shape)),
        ]
        let back = graph.addLoop(
            loop.operation, inputs, attributes, name: "\(loop.operation.name)", location: loop.location)
        for (place, i) in (moving + resting).enumerated() { result[i] = back.output(1 + lists.count + place) }
        return result
    }

    /// One iteration back. Parameters: how many remain; the lists; the gradients of what changes; the sums of those of what
    /// does not; what does not change.
    private func goBack(
        _ graph: Graph, _ parameters: [Node], _ moving: [Int], _ resting: [Int], _ stable: [Bool]
    ) -> [Node] {
        var rest = parameters.dropFirst()
        func take(_ count: Int) -> [Node] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        let (lists, arrived, sums) = (take(variables.count), take(moving.count), take(resting.count))
        var state = body.parameters
        for (i, value) in zip(invariants, rest) { state[i] = value }
        var shorter: [Node] = []
        for (i, list) in zip(variables, lists) {
            let gradient = moving.firstIndex(of: i).map { arrived[$0] }
            let pop = graph.add(
                TensorListPopBack.self, [list, elementShape(i, gradient, isStable: stable[i], graph)],
                ["element_dtype": .type(body.parameters[i].dtype)])
            shorter.append(pop.output(0))
            state[i] = pop.output(1)
        }
        let results = graph.inline(body, state)
        let gradients = graph.gradients(
            of: moving.map { results[$0] }, by: (moving + resting).map { state[$0] }, upstream: arrived)
        let next = zip(moving, gradients).map { $1 ?? zerosLike(state[$0]) }
        let total = zip(sums, gradients.dropFirst(moving.count)).map { sum, term in
            term.map { graph.add(AddV2.self, [sum, $0]).node } ?? sum
        }
        let one = graph.constant(Int32(1))
        return [graph.add(Sub.self, [parameters[0], one]).node] + shorter + next + total + Array(rest)
    }

    /// What `TensorListPopBack` is told of an element's shape: that of its gradient, where iterations do not change it.
    private func elementShape(_ i: Int, _ gradient: Node?, isStable: Bool, _ graph: Graph) -> Node {
        if isStable, let gradient { return shape(gradient, as: .int32) }
        let known = body.parameters[i].shape
        guard isStable, known.isFullyDefined else { return graph.constant(Int32(-1)) }
        return graph.constant(Tensor(known.concrete.map { Int32($0) }))
    }

    /// Of each variable, whether an iteration keeps its shape, tried with an extent for every dimension that is not known.
    private func areShapesStable() -> [Bool] {
        let trial = loop.inputs.prefix(body.parameters.count).map { input in
            TensorSpec(input.dtype, Shape((input.shape.dimensions ?? []).map { $0 ?? 7 }))
        }
        let results = try? body.infer(trial)
        return trial.indices.map { i in
            loop.inputs[i].shape.rank != nil && results.map { $0[i].shape == trial[i].shape } == true
        }
    }

    /// Makes the loop list the values that its variables have at the start of each iteration. Yields the lists.
    private func keepHistory() throws -> [Node] {
        guard var history = loop.loopHistory else { preconditionFailure("the loop knows its history") }
        if let lists = history.lists { return variables.map { loop.output(lists[$0]!) } }
        let own = loop.inputs.map(\.spec)
        let lists = variables.map { _ in TensorSpec(.variant, []) }
        let specs = zip(own, body.parameters).map { TensorSpec($0.dtype, $1.shape) } + lists
        let wider = try Function.make(condition.name, around: graph, specs) { graph, parameters in
            graph.inline(condition, Array(parameters.prefix(own.count)))
        }
        let keeping = try Function.make(body.name, around: graph, specs) { graph, parameters in
            let results = graph.inline(body, Array(parameters.prefix(own.count)))
            return results
                + zip(variables, parameters.dropFirst(own.count)).map { i, list in
                    graph.add(TensorListPushBack.self, [list, parameters[i]]).node
                }
        }
        var attributes = loop.attributes
        attributes.values["cond"] = .function(wider)
        attributes.values["body"] = .function(keeping)
        attributes.values["T"] = .types(specs.map(\.dtype))
        if case .shapes(let shapes)? = attributes["output_shapes"], !shapes.isEmpty {
            attributes.values["output_shapes"] = .shapes(shapes + lists.map(\.shape))
        }
        let inputs = try variables.map { i in
            guard let list = history.emptyLists[body.parameters[i].dtype] else {
                throw GraphError("has no list to start with")
            }
            return list
        }
        loop.extend(inputs: inputs, outputs: lists, attributes: attributes)
        history.lists = Dictionary(
            zip(variables, variables.indices.map { own.count + $0 }), uniquingKeysWith: { $1 })
        loop.loopHistory = history
        return variables.indices.map { loop.output(own.count + $0) }
    }
}
