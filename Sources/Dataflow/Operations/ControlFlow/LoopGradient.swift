/// The gradient of a loop: the loop also lists its variables' values in each iteration, and a second loop goes back through
/// these, computes each iteration again and differentiates it (Yu et al., "Dynamic control flow in large-scale machine
/// learning", 2018).
///
/// Lists of tensors among the variables are differentiated like tensors, so that the second loop has a gradient as well.
struct LoopGradient {
    private let node: GradientContext
    private let graph: Graph
    private let loop: Vertex
    private var history: LoopHistory
    private let body: Function
    private let condition: Function
    /// The variables that what arrived depends on: those that an iteration changes, and those that it leaves as they are.
    private let moving: [Int]
    private let resting: [Int]
    /// Of all variables whose values these need, those that an iteration changes, and those that it leaves as they are.
    private let listed: [Int]
    private let invariants: [Int]

    init(_ node: GradientContext) throws {
        self.node = node
        graph = node.graph
        loop = node.vertex
        if let error = loop.error { throw error }
        let history = try loop.loopHistory ?? LoopHistory(loop)
        self.history = history
        let arrived = loop.outputs.indices.filter { node.hasUpstream($0) }
        let level = history.level(yielding: arrived)
        let body = level.body
        self.body = body
        condition = level.condition
        let (wanted, needed) = Self.dependencies(of: arrived, in: body)
        moving = wanted.filter { !body.passes($0) }
        resting = wanted.filter { body.passes($0) }
        invariants = needed.filter { body.passes($0) }
        // How many iterations there were is the length of a list, if only of one.
        let changing = needed.filter { !body.passes($0) }
        listed = changing.isEmpty ? Array(moving.prefix(1)) : changing
    }

    /// The differentiable variables that the outputs `arrived` depend on after any number of iterations, and the variables
    /// whose values one iteration needs for them.
    private static func dependencies(of arrived: [Int], in body: Function) -> (wanted: [Int], needed: [Int]) {
        func isWanted(_ i: Int) -> Bool { body.parameters[i].dtype.isDifferentiable }
        var (wanted, needed): (Set<Int>, Set<Int>) = ([], [])
        var stack = arrived.filter(isWanted)
        while let result = stack.popLast() {
            guard wanted.insert(result).inserted else { continue }
            let behind = body.parameters(behind: result)
            needed.formUnion(behind)
            stack += behind.filter(isWanted)
        }
        return (wanted.sorted(), needed.sorted())
    }

    mutating func gradients() throws -> [Node?] {
        var result = [Node?](repeating: nil, count: body.parameters.count)
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
            goBack(graph, parameters, stable)
        }
        // A loop that counts its iterations down is gone back through from the first one on.
        let counts = try loop.attributes.int("_countdown") < 0
        let attributes: Attributes = [
            "cond": .function(goesOn), "body": .function(step), "_countdown": .int(counts ? 0 : -1),
            "output_shapes": .shapes(specs.map(\.shape)),
        ]
        let back = graph.add(
            loop.operation, inputs, attributes, name: "\(loop.operation.name)", location: loop.location)
        for (place, i) in (moving + resting).enumerated() { result[i] = back.output(1 + lists.count + place) }
        return result
    }

    /// Makes the loop list the values that its variables have at the start of each iteration. Yields the lists.
    private mutating func keepHistory() throws -> [Node] {
        try history.keep(listed, of: loop)
        loop.loopHistory = history
        return try listed.map { i in
            guard let output = history.lists[i] else { throw GraphError("the loop does not list its variable \(i)") }
            return loop.output(output)
        }
    }

    /// One iteration back. Parameters: how many remain; the lists; the gradients of what changes; the sums of those of what
    /// does not; what does not change.
    private func goBack(_ graph: Graph, _ parameters: [Node], _ stable: [Bool]) -> [Node] {
        var rest = parameters.dropFirst()
        func take(_ count: Int) -> [Node] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        let (lists, arrived, sums) = (take(listed.count), take(moving.count), take(resting.count))
        var state = body.parameters
        for (i, value) in zip(invariants, rest) { state[i] = value }
        var shorter: [Node] = []
        for (i, list) in zip(listed, lists) {
            let gradient = moving.firstIndex(of: i).map { arrived[$0] }
            let pop = graph.add(
                TensorListPopBack.self, [list, elementShape(i, gradient, isStable: stable[i], graph)],
                ["element_dtype": .type(body.parameters[i].dtype)])
            shorter.append(pop.output(0))
            state[i] = pop.output(1)
        }
        // What no wanted result depends on has no value here, nor a gradient.
        let targets = (moving + resting).filter { state[$0].graph === graph }
        let results = graph.inline(body, state, wanted: moving)
        let found = graph.gradients(of: results, by: targets.map { state[$0] }, arrived: arrived)
        let gradients = Dictionary(zip(targets, found), uniquingKeysWith: { $1 })
        let next = zip(moving, arrived).map { i, arrived in
            (gradients[i] ?? nil) ?? zerosLike(state[i].graph === graph ? state[i] : arrived)
        }
        let total = zip(resting, sums).map { i, sum in
            (gradients[i] ?? nil).map { Gradient.sum([.dense(sum), .dense($0)])?.dense ?? sum } ?? sum
        }
        let one = graph.constant(Int32(1))
        return [graph.add(Sub.self, [parameters[0], one]).node] + shorter + next + total + Array(rest)
    }

    /// What `TensorListPopBack` gets as an element's shape: that of its gradient, where iterations do not change it.
    private func elementShape(_ i: Int, _ gradient: Node?, isStable: Bool, _ graph: Graph) -> Node {
        let known = body.parameters[i].shape
        if isStable, let gradient, gradient.dtype != .variant { return shape(gradient, as: .int32) }
        guard isStable, known.isFullyDefined else { return graph.constant(Int32(-1)) }
        return graph.constant(Tensor(known.knownExtents.map { Int32($0) }))
    }

    /// Of each variable, whether an iteration keeps its shape, tried with an extent for every dimension that is not known.
    private func areShapesStable() -> [Bool] {
        let trial = loop.inputs.prefix(body.parameters.count).map { input in
            TensorSpec(input.dtype, Shape((input.shape.dimensions ?? []).map { $0 ?? 7 }))
        }
        let results = try? body.infer(trial, nil)
        return trial.indices.map { i in
            loop.inputs[i].shape.rank != nil && results.map { $0[i].shape == trial[i].shape } == true
        }
    }
}
