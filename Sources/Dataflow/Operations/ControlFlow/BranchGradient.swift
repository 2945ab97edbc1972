/// What the gradient of a call of functions is made of: the functions again, differentiated, over the inputs and what arrived
/// at the outputs.
struct BranchGradient {
    let inputs: [Node]
    /// What arrived, in the order in which the functions take it.
    let upstream: [Node]
    /// The inputs that a gradient flows to from any of the functions.
    let targets: [Int]
    /// Each takes the inputs and `upstream`, and yields the gradients of `targets`.
    let functions: [Function]

    var types: [DType] { targets.map { inputs[$0].dtype } }

    init(_ node: GradientContext, inputs: [Node], of branches: [Function]) throws {
        if let mistake = node.vertex.error { throw mistake }
        self.inputs = inputs
        let arrived = node.vertex.outputs.indices.filter { node.hasUpstream($0) }
        upstream = arrived.map { node.upstream($0) }
        let specs = inputs.map(\.spec) + upstream.map(\.spec)
        let drafts = try branches.map { try Draft($0, around: node.graph, specs, inputs.count, arrived) }
        let targets = inputs.indices.filter { i in drafts.contains { $0.gradients[i] != nil } }
        self.targets = targets
        functions = try drafts.map { try $0.function(of: targets) }
    }

    /// The outputs of the call of such functions at the places of their inputs.
    func spread(_ vertex: Vertex) -> [Node?] {
        var result = [Node?](repeating: nil, count: inputs.count)
        for (i, target) in targets.enumerated() { result[target] = vertex.output(i) }
        return result
    }

    /// A function's gradient while it is not told yet which of them others need.
    private struct Draft {
        private let body: Graph
        private let parameters: [Node]
        /// For each input.
        let gradients: [Node?]

        init(_ branch: Function, around graph: Graph, _ specs: [TensorSpec], _ count: Int, _ arrived: [Int]) throws {
            body = Graph(function: graph.uniqueFunctionName("\(branch.name)_grad"), seed: graph.seed, parent: graph)
            parameters = specs.enumerated().map { [body] in body.parameter($1, name: "x\($0)") }
            let own = Array(parameters.prefix(count))
            if let custom = branch.customGradient {
                gradients = try custom.gradients(of: branch, own, Array(parameters.dropFirst(count)), arrived, in: body)
            } else {
                let results = body.inline(branch, own)
                let places = own.indices.filter { own[$0].dtype.isDifferentiable }
                let found = body.gradients(
                    of: arrived.map { results[$0] }, by: places.map { own[$0] },
                    upstream: Array(parameters.dropFirst(count)))
                var all = [Node?](repeating: nil, count: count)
                for (place, gradient) in zip(places, found) { all[place] = gradient }
                gradients = all
            }
            if let error = body.firstError { throw error }
        }

        func function(of targets: [Int]) throws -> Function {
            let results = targets.map { gradients[$0] ?? zerosLike(parameters[$0]) }
            if let error = body.firstError { throw error }
            return Function(
                name: body.functionName ?? "grad", graph: body, parameters: parameters, results: results)
        }
    }
}
