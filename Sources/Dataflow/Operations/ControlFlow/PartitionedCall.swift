/// What `PartitionedCall` and `StatefulPartitionedCall` have in common: a function runs on the inputs.
protocol PlainCallOperation: CallingOperation {}

extension PlainCallOperation {
    public static var signature: Signature {
        Signature(
            ["args": "list Tin"], to: ["output": "list Tout"],
            defaults: [
                "config": .string(""), "executor_type": .string(""),
            ], required: ["f"])
    }
    static var functions: [String] { ["f"] }

    public static func infer(_ node: Inference) throws -> [Shape] {
        let (types, results) = (
            try node.attributes.types("Tout"), try node.attributes.function("f").infer(node.inputs)
        )
        guard results.map(\.dtype) == types else {
            throw GraphError("the function must yield \(types), got \(results.map(\.dtype))")
        }
        return results.map(\.shape)
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let program = try call.program("f")
        return try call.functions.call { try program.run(call.inputs) }
    }

    /// A call of the function, differentiated.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let branch = BranchGradient(node, inputs: node.inputs)
        guard !branch.targets.isEmpty else { return node.inputs.map { _ in nil } }
        let attributes: Attributes = [
            "f": .function(try branch.function(of: node.attributes.function("f"))), "Tout": .types(branch.types),
        ]
        return branch.spread(node.graph.add(Self.self, node.inputs + branch.upstream, attributes))
    }
}

/// `PartitionedCall`: the results of a function without effects.
public enum PartitionedCall: PlainCallOperation {}

/// `StatefulPartitionedCall`: the results of a function that may have effects.
public enum StatefulPartitionedCall: PlainCallOperation {}

/// What the gradient of a call of functions is made of: the functions again, differentiated, over the inputs and what arrived
/// at the outputs.
struct BranchGradient {
    let inputs: [Node]
    /// The inputs that gradients flow to.
    let targets: [Int]
    let upstream: [Node]
    private let arrived: [Int]
    private let graph: Graph
    private let mistake: GraphError?

    init(_ node: GradientContext, inputs: [Node]) {
        self.inputs = inputs
        graph = node.graph
        mistake = node.vertex.error
        targets = inputs.indices.filter { inputs[$0].dtype.isFloating }
        arrived = node.vertex.outputs.indices.filter { node.hasUpstream($0) }
        upstream = arrived.map { node.upstream($0) }
    }

    var types: [DType] { targets.map { inputs[$0].dtype } }

    /// Computes `branch` again and yields the gradients of its targets.
    func function(of branch: Function) throws -> Function {
        if let mistake { throw mistake }
        return try Function.make("\(branch.name)_grad", around: graph, inputs.map(\.spec) + upstream.map(\.spec)) {
            graph, parameters in
            let results = graph.inline(branch, Array(parameters.prefix(inputs.count)))
            let by = targets.map { parameters[$0] }
            let gradients = graph.gradients(
                of: arrived.map { results[$0] }, by: by, upstream: Array(parameters.dropFirst(inputs.count)))
            return zip(by, gradients).map { $1 ?? zerosLike($0) }
        }
    }

    /// The outputs of the call of such functions at the places of their inputs.
    func spread(_ vertex: Vertex) -> [Node?] {
        var result = [Node?](repeating: nil, count: inputs.count)
        for (i, target) in targets.enumerated() { result[target] = vertex.output(i) }
        return result
    }
}
