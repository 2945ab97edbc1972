/// What the functions that a plan's vertices call run with: their own plans, made when first needed, and the lists of
/// tensors of the run that is on its way.
final class FunctionRuntime {
    let variables: VariableStore
    let random: RandomState
    let placement: Placement
    let options: SessionOptions
    /// When the run at hand must be over.
    var end: ContinuousClock.Instant?
    var lists = TensorLists()
    /// The strings that the run has computed.
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
    }

    /// - Throws: `GraphError` if the run takes longer than the session allows.
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

/// A function with a plan for each set of shapes that it was called with.
final class FunctionProgram {
    private struct Prepared {
        let plan: Plan
        /// The arguments in the order in which the plan takes them.
        let order: [Int]
        let specs: [TensorSpec]
    }

    /// Plans kept; a loop whose shapes change makes one an iteration.
    private static let planLimit = 32

    private let function: Function
    private unowned let runtime: FunctionRuntime
    private var plans: [[TensorSpec]: Prepared] = [:]
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
        return Array(try prepared.plan.run().prefix(function.results.count))
    }

    private func runReference(_ arguments: [Tensor]) throws -> [Tensor] {
        try function.graph.validate()
        try function.check(arguments.map { $0.dtype })
        let executor = ReferenceExecutor(
            fetches: function.results + function.effects.map(\.node),
            feeds: Dictionary(zip(function.parameters, arguments), uniquingKeysWith: { $1 }), runtime)
        return Array(try executor.run().prefix(function.results.count))
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
        if let known = plans[specs] { return known }
        try function.graph.validate()
        try function.check(arguments.map(\.dtype))
        var planner = Planner(
            fetches: function.results + function.effects.map(\.node),
            feeds: Dictionary(zip(function.parameters, specs), uniquingKeysWith: { $1 }),
            variables: runtime.variables, random: runtime.random, placement: runtime.placement,
            options: runtime.options)
        planner.functions = runtime
        let plan = try planner.plan()
        if plans.count >= Self.planLimit { plans.removeAll() }
        let prepared = Prepared(plan: plan, order: plan.order(in: function.parameters), specs: specs)
        plans[specs] = prepared
        return prepared
    }
}

/// Lists of tensors that live for one run. A list never changes: adding to it or taking from it yields another, and lists
/// share what they have in common. A handle is the number of the last element, counting from 1; 0 is the empty list.
struct TensorLists {
    private var elements: [(tensor: Tensor, rest: Int, length: Int)] = []

    mutating func removeAll() { elements.removeAll(keepingCapacity: true) }

    func length(_ handle: Tensor) throws -> Int {
        let last = try index(handle)
        return last == 0 ? 0 : elements[last - 1].length
    }

    mutating func push(_ tensor: Tensor, on handle: Tensor) throws -> Tensor {
        let length = try length(handle)
        if let first = length > 0 ? elements[try index(handle) - 1].tensor : nil, first.dtype != tensor.dtype {
            throw GraphError("a list of \(first.dtype) cannot hold \(tensor.dtype)")
        }
        elements.append((tensor.kept(), try index(handle), length + 1))
        return TensorLists.handle(elements.count)
    }

    /// A list of tensors of any dtypes.
    mutating func make(_ tensors: [Tensor]) -> Tensor {
        for (i, tensor) in tensors.enumerated() {
            elements.append((tensor.kept(), i == 0 ? 0 : elements.count, i + 1))
        }
        return TensorLists.handle(tensors.isEmpty ? 0 : elements.count)
    }

    func pop(_ handle: Tensor) throws -> (rest: Tensor, last: Tensor) {
        let last = try index(handle)
        guard last > 0 else { throw GraphError("the list of tensors is empty") }
        return (TensorLists.handle(elements[last - 1].rest), elements[last - 1].tensor)
    }

    /// The elements, the first one first.
    func all(_ handle: Tensor) throws -> [Tensor] {
        var (result, at): ([Tensor], Int) = ([], try index(handle))
        while at > 0 {
            result.append(elements[at - 1].tensor)
            at = elements[at - 1].rest
        }
        return result.reversed()
    }

    static let empty = handle(0)

    private static func handle(_ index: Int) -> Tensor {
        Tensor(dtype: .variant, shape: []) { $0.storeBytes(of: UInt64(index), as: UInt64.self) }
    }

    private func index(_ handle: Tensor) throws -> Int {
        let value = handle.byteCount == 8 ? handle.withUnsafeBytes { $0.load(as: UInt64.self) } : .max
        guard handle.dtype == .variant, value <= UInt64(elements.count) else {
            throw GraphError("its handle is that of no list of tensors of this run")
        }
        return Int(value)
    }
}
