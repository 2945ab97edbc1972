/// What `While` and `StatelessWhile` have in common: `body` runs on its own results for as long as `cond` of them is true.
protocol LoopOperation: CallingOperation {}

extension LoopOperation {
    public static var signature: Signature {
        Signature(
            ["input": "list T"], to: ["output": "list T"], types: [:],
            defaults: ["output_shapes": .shapes([]), "parallel_iterations": .int(10), "_countdown": .int(-1)],
            required: ["cond", "body"])
    }

    /// The inputs' shapes, but for what an iteration changes.
    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (condition, body) = (try node.attributes.function("cond"), try node.attributes.function("body"))
        var specs = node.inputs
        try condition.check(specs.map(\.dtype))
        guard condition.results.count == 1 else {
            throw GraphError(
                "the condition '\(condition.name)' must have one result, it has \(condition.results.count)")
        }
        guard body.results.map(\.dtype) == specs.map(\.dtype) else {
            throw GraphError(
                "the body '\(body.name)' must yield what it takes, \(specs.map(\.dtype)), got \(body.results.map(\.dtype))"
            )
        }
        // Each round makes some dimension unknown, so that this ends.
        while true {
            let next = zip(specs, try body.infer(specs, node.work)).map {
                TensorSpec($0.dtype, $0.shape.relaxed(with: $1.shape))
            }
            if next == specs { return specs.map(\.shape) }
            specs = next
        }
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let (condition, body) = (try call.program("cond"), try call.program("body"))
        let random = call.functions.random
        let outer = random.iteration
        defer { random.iteration = outer }
        // A gradient counts down, and draws the numbers of the iteration that it goes back through.
        let place = try call.attributes.int("_countdown")
        var values = call.inputs
        let isCountdown =
            values.indices.contains(place) && values[place].dtype == .int32 && values[place].elementCount == 1
        var iteration = 0
        while true {
            let number = isCountdown ? values[place].knownIntegers.first.map { $0 - 1 } ?? 0 : iteration
            random.iteration = RandomState.iteration(number, in: outer)
            guard let goesOn = try condition.run(values).first, goesOn.isTrue else { return values }
            values = try body.run(values)
            iteration += 1
        }
    }

    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        var gradient = try LoopGradient(node)
        return try gradient.gradients()
    }
}

/// `While`: a loop over a function that may have effects.
public enum While: LoopOperation {}

/// `StatelessWhile`: a loop over a function without effects.
public enum StatelessWhile: LoopOperation {}
