/// An operation that calls functions of its attributes.
protocol CallingOperation: ValueOperation {}

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
        case .bool: elements(of: Bool.self)[0]
        case .string: !knownTexts[0].isEmpty
        case .resource, .variant: true
        default: knownDoubles[0] != 0
        }
    }
}

/// What `If`, `Case` and their stateless twins have in common: one of several functions runs on the inputs, chosen by the
/// first one.
protocol BranchingOperation: CallingOperation {
    static func branches(_ attributes: Attributes) throws -> [Function]
    /// The attributes that hold these functions.
    static func attributes(branches: [Function]) -> [String: AttributeValue]
    /// Which of so many branches is taken.
    static func choice(_ selector: Tensor, of count: Int) throws -> Int
}

extension BranchingOperation {
    public static func infer(_ node: ShapeContext) throws -> [Shape] { try merge(try branches(node.attributes), node) }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let branches = try branches(call.attributes)
        let program = call.functions.program(branches[try choice(call.inputs[0], of: branches.count)])
        return try call.functions.call { try program.run(Array(call.inputs.dropFirst())) }
    }

    /// The branches again, differentiated: chosen as before, over the same inputs and what arrived at the outputs.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let branches = try BranchGradient(
            node, inputs: Array(node.inputs.dropFirst()), of: branches(node.attributes))
        guard !branches.targets.isEmpty else { return node.inputs.map { _ in nil } }
        var attributes = Attributes(["Tout": .types(branches.types)])
        attributes.values.merge(self.attributes(branches: branches.functions)) { $1 }
        return [nil] + branches.spread(node.graph.add(Self.self, node.inputs + branches.upstream, attributes))
    }
}

/// What all branches yield.
private func merge(_ branches: [Function], _ node: ShapeContext) throws -> [Shape] {
    let types = try node.attributes.types("Tout")
    guard !branches.isEmpty else { throw GraphError("there must be at least one branch") }
    let sides = try branches.map { try $0.infer(Array(node.inputs.dropFirst()), node.work) }
    for side in sides where side.map(\.dtype) != types {
        throw GraphError("all branches must yield \(types), got \(side.map(\.dtype))")
    }
    return types.indices.map { i in
        sides.dropFirst().reduce(sides[0][i].shape) { $0.relaxed(with: $1[i].shape) }
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

/// What `If` and `StatelessIf` have in common: one of two functions, by the first input's truth.
protocol TwoWayBranch: BranchingOperation {}

extension TwoWayBranch {
    public static var signature: Signature {
        Signature(
            ["cond": "Tcond", "input": "list Tin"], to: ["output": "list Tout"], types: ["Tcond": DType.any],
            defaults: ["output_shapes": .shapes([])], required: ["then_branch", "else_branch"])
    }
    static func branches(_ attributes: Attributes) throws -> [Function] {
        [try attributes.function("then_branch"), try attributes.function("else_branch")]
    }
    static func attributes(branches: [Function]) -> [String: AttributeValue] {
        ["then_branch": .function(branches[0]), "else_branch": .function(branches[1])]
    }
    static func choice(_ selector: Tensor, of count: Int) throws -> Int { selector.isTrue ? 0 : 1 }
}

/// `If`: the results of one of two functions that may have effects.
public enum If: TwoWayBranch {}

/// `StatelessIf`: the results of one of two functions without effects.
public enum StatelessIf: TwoWayBranch {}
