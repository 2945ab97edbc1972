/// `SymbolicGradient`: the gradients of a function that TensorFlow 1's `Defun` made.
///
/// Takes the function's arguments and the gradients of its results, yields the gradients of the arguments. If the graph's
/// library tells the function's gradient (`GradientDef`), that one runs. An argument that no gradient flows to gets zeros.
public enum SymbolicGradient: CallingOperation {
    public static let signature = Signature(["input": "list Tin"], to: ["output": "list Tout"], required: ["f"])

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let function = try derivative(node.attributes)
        let (types, results) = (try node.attributes.types("Tout"), try function.infer(node.inputs, node.work))
        guard results.map(\.dtype) == types else {
            throw GraphError("the function's arguments are \(results.map(\.dtype)), not \(types)")
        }
        return results.map(\.shape)
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let program = call.functions.program(try derivative(call.attributes))
        return try call.functions.call { try program.run(call.inputs) }
    }

    /// The gradient's function, differentiated.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let branch = try BranchGradient(node, inputs: node.inputs, of: [derivative(node.attributes)])
        guard !branch.targets.isEmpty else { return node.inputs.map { _ in nil } }
        let attributes: Attributes = ["f": .function(branch.functions[0]), "Tout": .types(branch.types)]
        return branch.spread(node.graph.add(PartitionedCall.self, node.inputs + branch.upstream, attributes))
    }

    private static func derivative(_ attributes: Attributes) throws -> Function {
        try attributes.function("f").derivative()
    }
}

/// What a graph's library says the gradient of a function is: TensorFlow's `GradientDef`.
package struct CustomGradient: Sendable {
    /// Takes a function's arguments and the gradients of its results, yields the gradients of the arguments.
    private let function: Result<Function, any Error>

    package init(_ function: Result<Function, any Error>) { self.function = function }

    /// The function, if it could be read.
    package var known: Function? { try? function.get() }

    /// The gradients of the arguments as nodes of `body`.
    ///
    /// - Parameter arrived: which results' gradients `upstream` holds; those of the others are zeros.
    func gradients(
        of original: Function, _ arguments: [Node], _ upstream: [Node], _ arrived: [Int], in body: Graph
    ) throws -> [Node?] {
        var all = Dictionary(zip(arrived, upstream), uniquingKeysWith: { $1 })
        if all.count < original.results.count {
            let results = body.inline(original, arguments)
            for (i, result) in results.enumerated() where all[i] == nil { all[i] = zerosLike(result) }
        }
        let inputs = arguments + original.results.indices.compactMap { all[$0] }
        let function = try function.get()
        try function.check(inputs.map(\.dtype))
        guard function.results.map(\.dtype) == arguments.map(\.dtype) else {
            throw GraphError(
                "the gradient '\(function.name)' of '\(original.name)' must yield \(arguments.map(\.dtype)), got "
                    + "\(function.results.map(\.dtype))")
        }
        let results = body.inline(function, inputs)
        return zip(arguments, results).map { $0.dtype.isDifferentiable ? $1 : nil }
    }
}

extension Function {
    /// The function that takes this one's arguments and the gradients of its results, and yields the gradients of the
    /// arguments. Made when first asked for.
    func derivative() throws -> Function {
        if let known = knownDerivative { return known }
        let count = parameters.count
        let specs = (parameters + results).map(\.spec)
        let made = try CallStack.extended { try makeDerivative(specs, count) }
        knownDerivative = made
        return made
    }

    private func makeDerivative(_ specs: [TensorSpec], _ count: Int) throws -> Function {
        try Function.make("\(name)_symbolic_grad", around: graph, specs) { body, values in
            let (arguments, upstream) = (Array(values.prefix(count)), Array(values.dropFirst(count)))
            var gradients = [Node?](repeating: nil, count: count)
            if let customGradient {
                gradients = try customGradient.gradients(
                    of: self, arguments, upstream, Array(results.indices), in: body)
            } else {
                let places = arguments.indices.filter { arguments[$0].dtype.isDifferentiable }
                let own = body.inline(self, arguments)
                let outputs = own.indices.filter { own[$0].dtype.isDifferentiable }
                let found = body.gradients(
                    of: outputs.map { own[$0] }, by: places.map { arguments[$0] },
                    arrived: outputs.map { upstream[$0] })
                for (place, gradient) in zip(places, found) { gradients[place] = gradient }
            }
            return zip(arguments, gradients).map { $1 ?? zerosLike($0) }
        }
    }
}
