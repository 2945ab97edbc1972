/// An operation that calls functions of its attributes.
protocol CallingOperation: ValueOperation {
    /// The attributes that hold functions.
    static var functions: [String] { get }
}

extension DynamicCall {
    func program(_ attribute: String) throws -> FunctionProgram {
        functions.program(try attributes.function(attribute))
    }
}

extension Tensor {
    /// Truth as `If` and `While` see it: a scalar other than 0, or a tensor with elements.
    var isTrue: Bool {
        guard shape.rank == 0 else { return elementCount > 0 }
        return switch dtype {
        case .bool: scalar(Bool.self)
        case .string: !texts[0].isEmpty
        case .resource, .variant: true
        default: doubles[0] != 0
        }
    }
}

/// What `If` and `StatelessIf` have in common: one of two functions runs on the inputs, by the first one's truth.
protocol BranchingOperation: CallingOperation {}

extension BranchingOperation {
    public static var signature: Signature {
        Signature(
            ["cond": "Tcond", "input": "list Tin"], to: ["output": "list Tout"], types: ["Tcond": DType.any],
            defaults: ["output_shapes": .shapes([])], required: ["then_branch", "else_branch"])
    }
    static var functions: [String] { ["then_branch", "else_branch"] }

    /// What both branches yield.
    public static func infer(_ node: Inference) throws -> [Shape] {
        let types = try node.attributes.types("Tout")
        let sides = try functions.map { try node.attributes.function($0).infer(Array(node.inputs.dropFirst())) }
        for side in sides where side.map(\.dtype) != types {
            throw GraphError("both branches must yield \(types), got \(side.map(\.dtype))")
        }
        return zip(sides[0], sides[1]).map { $0.shape.relaxed(with: $1.shape) }
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let program = try call.program(functions[call.inputs[0].isTrue ? 0 : 1])
        return try call.functions.call { try program.run(Array(call.inputs.dropFirst())) }
    }

    /// The branch again, differentiated: by the same condition, over the same inputs and what arrived at the outputs.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let branches = BranchGradient(node, inputs: Array(node.inputs.dropFirst()))
        guard !branches.targets.isEmpty else { return node.inputs.map { _ in nil } }
        var attributes = Attributes(["Tout": .types(branches.types)])
        for key in functions {
            attributes.values[key] = .function(try branches.function(of: node.attributes.function(key)))
        }
        return [nil] + branches.spread(node.graph.add(Self.self, node.inputs + branches.upstream, attributes))
    }
}

extension FunctionRuntime {
    /// Runs a function's body: random numbers there depend on the run alone, or the iteration of the loop around it.
    func call<Result>(_ body: () throws -> Result) rethrows -> Result {
        let outer = random.iteration
        defer { random.iteration = outer }
        random.iteration = outer ?? 0
        return try body()
    }
}

extension Shape {
    /// What is known of a value that has one shape or the other.
    func relaxed(with other: Shape) -> Shape {
        guard let a = dimensions, let b = other.dimensions, a.count == b.count else { return .unknown }
        return Shape(zip(a, b).map { $0 == $1 ? $0 : nil })
    }
}

/// `If`: the results of one of two functions that may have effects.
public enum If: BranchingOperation {}

/// `StatelessIf`: the results of one of two functions without effects.
public enum StatelessIf: BranchingOperation {}
