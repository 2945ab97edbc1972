internal import Synchronization

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
        let key = GradientKey(
            specs: specs, arrived: arrived, device: node.graph.currentDevice)
        let drafts = try branches.map { try $0.gradient(key, inputs.count, around: node.graph) }
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

}

/// What a function's gradient is made for.
struct GradientKey: Hashable, Sendable {
    /// Of the arguments, and of what arrived at the results.
    let specs: [TensorSpec]
    /// The results that something arrived at.
    let arrived: [Int]
    /// Where it was called: its gradient belongs there too.
    let device: DeviceName?
}

extension Function {
    /// As many gradients as there may be of one function.
    private static let gradientLimit = 256

    /// The gradient, made when first asked for: a function that calls the next one twice, and that one the next, would have
    /// 2ⁿ gradients.
    ///
    /// - Throws: `GraphError` for what cannot be differentiated, and for too many gradients.
    fileprivate func gradient(_ key: GradientKey, _ count: Int, around graph: Graph) throws -> FunctionGradient {
        let (known, made) = gradients.withLock { ($0[key], $0.count) }
        if let known { return known }
        guard made < Self.gradientLimit else {
            throw GraphError(
                "the function '\(name)' is differentiated for more than \(Self.gradientLimit) shapes of arguments; "
                    + "call it with fewer")
        }
        let gradient = try CallStack.extended { try FunctionGradient(self, around: graph, key, count) }
        gradients.withLock { $0[key] = gradient }
        return gradient
    }
}

/// A function's gradient while it is not told yet which of them others need.
final class FunctionGradient: Sendable {
    private let body: Graph
    private let parameters: [Node]
    /// For each input.
    let gradients: [Node?]
    /// By the inputs whose gradients they yield.
    private let functions = Mutex<[[Int]: Function]>([:])

    fileprivate init(_ branch: Function, around graph: Graph, _ key: GradientKey, _ count: Int) throws {
        let body = Graph(function: graph.uniqueFunctionName("\(branch.name)_grad"), seed: graph.seed, parent: graph)
        self.body = body
        parameters = key.specs.enumerated().map { body.parameter($1, name: "x\($0)") }
        let own = Array(parameters.prefix(count))
        if let custom = branch.customGradient {
            gradients = try custom.gradients(of: branch, own, Array(parameters.dropFirst(count)), key.arrived, in: body)
        } else {
            let results = body.inline(branch, own)
            let places = own.indices.filter { own[$0].dtype.isDifferentiable }
            let found = body.gradients(
                of: key.arrived.map { results[$0] }, by: places.map { own[$0] },
                arrived: Array(parameters.dropFirst(count)))
            var all = [Node?](repeating: nil, count: count)
            for (place, gradient) in zip(places, found) { all[place] = gradient }
            gradients = all
        }
        if let error = body.firstError { throw error }
    }

    fileprivate func function(of targets: [Int]) throws -> Function {
        let (known, count) = functions.withLock { ($0[targets], $0.count) }
        if let known { return known }
        let results = targets.map { gradients[$0] ?? zerosLike(parameters[$0]) }
        if let error = body.firstError { throw error }
        let function = Function(
            name: count == 0 ? body.functionName ?? "grad" : body.uniqueFunctionName(body.functionName ?? "grad"),
            graph: body, parameters: parameters, results: results)
        functions.withLock { $0[targets] = function }
        return function
    }
}
