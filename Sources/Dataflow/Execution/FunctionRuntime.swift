/// Runs the functions that vertices call. It keeps their plans, made when first needed, with those of the session.
final class FunctionRuntime {
    let plans: PlanStore
    let variables: VariableStore
    let random: RandomState
    let placement: Placement
    let options: SessionOptions
    /// When the current run times out.
    var end: ContinuousClock.Instant?
    /// The strings that the current run has computed.
    let texts = RunTexts()
    private var programs: [ObjectIdentifier: FunctionProgram] = [:]

    init(
        variables: VariableStore, random: RandomState, placement: Placement, options: SessionOptions
    ) {
        self.variables = variables
        self.random = random
        var placement = placement
        placement.isHostOnly = true
        self.placement = placement
        self.options = options
        plans = PlanStore(options: options, devices: placement.devices)
    }

    /// Drops all plans: the graph has changed, or the memory is needed.
    func forgetPlans() {
        programs.removeAll()
        plans.forget()
    }

    /// - Throws: `GraphError` if the run has passed the session's timeout.
    @inline(__always)
    func checkTime() throws {
        if let end, ContinuousClock.now > end {
            throw GraphError("the run takes longer than the session's timeout of \(options.timeout ?? .zero)")
        }
    }

    func program(_ function: Function) -> FunctionProgram {
        if let known = programs[ObjectIdentifier(function)] { return known }
        let program = FunctionProgram(function, self)
        programs[ObjectIdentifier(function)] = program
        return program
    }
}

/// A function, and its plan for each set of argument shapes, as long as the session keeps the plan.
final class FunctionProgram {
    private struct Prepared {
        let plan: Plan
        /// For each feed of the plan, the index of its argument.
        let order: [Int]
        let specs: [TensorSpec]
    }

    private let function: Function
    private unowned let runtime: FunctionRuntime
    private var last: Prepared?

    init(_ function: Function, _ runtime: FunctionRuntime) {
        self.function = function
        self.runtime = runtime
    }

    /// Calls the function. A result that is an argument shares its memory.
    func run(_ arguments: [Tensor]) throws -> [Tensor] {
        if runtime.options.plan == .reference { return try runReference(arguments) }
        let prepared = try last.flatMap { fits($0, arguments) ? $0 : nil } ?? prepare(arguments)
        last = prepared
        prepared.plan.take(arguments, order: prepared.order)
        return try runtime.plans.nested {
            try CallStack.extended { Array(try prepared.plan.run().prefix(function.results.count)) }
        }
    }

    private func runReference(_ arguments: [Tensor]) throws -> [Tensor] {
        try function.graph.validate()
        try function.check(arguments.map { $0.dtype })
        let executor = ReferenceExecutor(
            fetches: function.results + function.effects.map(\.node),
            feeds: Dictionary(zip(function.parameters, arguments), uniquingKeysWith: { $1 }), runtime)
        return try CallStack.extended { Array(try executor.run().prefix(function.results.count)) }
    }

    private func fits(_ prepared: Prepared, _ arguments: [Tensor]) -> Bool {
        guard prepared.specs.count == arguments.count else { return false }
        for (spec, argument) in zip(prepared.specs, arguments)
        where spec.dtype != argument.dtype || spec.shape != argument.shape {
            return false
        }
        return true
    }

    private func prepare(_ arguments: [Tensor]) throws -> Prepared {
        let specs = arguments.map { TensorSpec($0.dtype, $0.shape) }
        let key = PlanStore.Key.call(ObjectIdentifier(function), specs)
        if let known = runtime.plans.plan(for: key) { return prepared(known, specs) }
        try function.graph.validate()
        try function.check(arguments.map(\.dtype))
        var planner = Planner(
            fetches: function.results + function.effects.map(\.node),
            feeds: Dictionary(zip(function.parameters, specs), uniquingKeysWith: { $1 }),
            variables: runtime.variables, random: runtime.random, placement: runtime.placement,
            options: runtime.options)
        let plan = try planner.plan(runtime, isOutermost: false)
        runtime.plans.keep(plan, for: key)
        return prepared(plan, specs)
    }

    private func prepared(_ plan: Plan, _ specs: [TensorSpec]) -> Prepared {
        Prepared(plan: plan, order: plan.order(in: function.parameters), specs: specs)
    }
}
