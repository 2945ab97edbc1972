import Dataflow

/// A random graph and the runs of it: a number for each statement, and one for each run.
struct PlanProgram {
    var statements: [UInt64]
    var runs: [UInt64]

    init(_ chance: inout Chance) {
        statements = (0..<4 + chance.below(36)).map { _ in chance.next() }
        runs = (0..<1 + chance.below(4)).map { _ in chance.next() }
    }
}

/// One program, run by plans and by the reference.
struct PlanTrial {
    struct Run {
        let fetches: [Node]
        let feeds: [(node: Node, value: Tensor)]
    }

    let builder: PlanBuilder
    /// Whether the plans are those of a GPU, or of what OpenCL emulates of one.
    let isOnGPU: Bool
    let runs: [Run]

    init(_ program: PlanProgram, isOnGPU: Bool = false) {
        self.isOnGPU = isOnGPU
        builder = PlanBuilder(isSpread: isOnGPU)
        for seed in program.statements { builder.state(seed) }
        runs = program.runs.map { [builder] seed in PlanTrial.run(of: builder, seed) }
    }

    private static func run(of builder: PlanBuilder, _ seed: UInt64) -> Run {
        var chance = Chance(seed: seed, input: 1)
        // An update stands for the memory: it is fetched where no later write may come before or after.
        var targets = builder.values.filter { !$0.isMemory }.map { ($0.node, $0.key) }
        targets += builder.writes.filter { [$0.node.vertex.id] == builder.states[$0.variable].lastWrites.map(\.id) }.map
        {
            ($0.node, $0.key)
        }
        targets += builder.states.filter(\.isReference).map { ($0.memory, $0.key) }
        let fetches = (0..<1 + chance.below(4)).compactMap { _ in
            builder.choose(targets, chance.next(), \.1)?.0
        }
        var feeds = builder.placeholders.map { ($0, tensor($0.shape, &chance)) }
        if chance.once(in: 3), let cut = builder.value(nil, &chance, where: builder.isFree),
            !feeds.contains(where: { $0.0 == cut.node })
        {
            feeds.append((cut.node, tensor(cut.kind.shape, &chance)))
        }
        return Run(fetches: fetches, feeds: feeds)
    }

    private static func tensor(_ shape: Shape, _ chance: inout Chance) -> Tensor {
        Tensor((0..<(shape.elementCount ?? 1)).map { _ in Float(chance.below(33) - 16) / 8 }, sized: shape)
    }

    /// What plan and reference disagree about; nil if they agree.
    func disagreement() throws -> String? {
        if let error = builder.graph.vertices.lazy.compactMap({ $0.error }).first { throw error }
        let planned = try Session(builder.graph, options: options(.optimized))
        let reference = try Session(builder.graph, options: options(.reference))
        for session in [planned, reference] { _ = try session.run(builder.initializers) }
        var results: [(name: String, got: Tensor, expected: Tensor)] = []
        for (number, run) in runs.enumerated() {
            let feeds = Feeds(
                Dictionary(run.feeds.map { ($0.node, $0.value) }, uniquingKeysWith: { first, _ in first }))
            let got = attempt { try planned.run(run.fetches, feeds: feeds) }
            let expected = attempt { try reference.run(run.fetches, feeds: feeds) }
            switch (got, expected) {
            case (.success(let got), .success(let expected)):
                for (i, fetch) in run.fetches.enumerated() {
                    results.append(("run \(number), \(PlanBuilder.text(fetch))", got[i], expected[i]))
                }
            case (.failure(let one), .success): return "run \(number): the plan says: \(one)"
            case (.success, .failure(let other)): return "run \(number): the reference says: \(other)"
            case (.failure, .failure): return nil
            }
        }
        // All are compared at the end: what was fetched must not change while later runs go on.
        for (name, got, expected) in results where !agree(got, expected) {
            return "\(name): the plan gives \(got), the reference \(expected)"
        }
        for state in builder.states where state.isReference {
            let (got, expected) = (try planned.run(state.memory), try reference.run(state.memory))
            if !agree(got, expected) {
                return "\(PlanBuilder.text(state.memory)) ends as \(got), by the reference \(expected)"
            }
        }
        return nil
    }

    /// Bit for bit, but on a GPU, whose functions round in another way.
    private func agree(_ got: Tensor, _ expected: Tensor) -> Bool {
        guard isOnGPU, got.dtype == .float32, got.shape == expected.shape else { return got == expected }
        return zip(got.elements(of: Float.self), expected.elements(of: Float.self)).allSatisfy { got, expected in
            got == expected || got.isNaN && expected.isNaN
                || Swift.abs(got - expected) <= 1e-3 * max(1, Swift.abs(expected))
        }
    }

    private func options(_ plan: PlanKind) -> SessionOptions {
        let devices =
            isOnGPU && plan == .optimized
            ? DeviceOptions(standard: DeviceName(kind: .gpu), allowsEmulation: true) : DeviceOptions()
        var options = SessionOptions(threads: 1, devices: devices, plan: plan)
        options.checksMemory = true
        return options
    }

    private func attempt(_ body: () throws -> [Tensor]) -> Result<[Tensor], any Error> {
        do { return .success(try body()) } catch { return .failure(error) }
    }

    /// The vertices that the runs need.
    private var needed: Set<Int> {
        var found: Set<Int> = []
        var stack = (builder.initializers + runs.flatMap(\.fetches)).map(\.vertex)
        while let vertex = stack.popLast() {
            guard found.insert(vertex.id).inserted else { continue }
            stack += vertex.inputs.map(\.vertex) + vertex.controls
            if let carried = vertex.loopInput { stack.append(carried.vertex) }
        }
        return found
    }

    /// How many vertices take part.
    var size: Int { needed.count + runs.reduce(0) { $0 + $1.fetches.count + $1.feeds.count } }

    /// The program as Swift.
    var text: String {
        let needed = needed
        var lines = ["let g = Graph(seed: 1)"]
        lines += builder.lines.filter { needed.contains($0.vertex.id) }.map(\.text)
        lines.append("let session = try Session(g)")
        lines.append(
            "_ = try session.run([\(builder.initializers.map { "n\($0.vertex.id).node" }.joined(separator: ", "))])")
        for run in runs {
            let fetches = run.fetches.map { $0.vertex.outputs.isEmpty ? "n\($0.vertex.id).node" : PlanBuilder.text($0) }
            let feeds = run.feeds.filter { needed.contains($0.node.vertex.id) }
                .map { "\(PlanBuilder.text($0.node)): \(PlanText.tensor($0.value))" }
            let fed = feeds.isEmpty ? "" : ", feeds: [\(feeds.joined(separator: ", "))]"
            lines.append("print(try session.run([\(fetches.joined(separator: ", "))]\(fed)))")
        }
        return lines.joined(separator: "\n")
    }
}

/// Random graphs by plan and by reference.
struct PlanSubject: Subject {
    enum Depth: String, CaseIterable { case agreed, refused }

    var isOnGPU = false

    func read(_ chance: inout Chance) throws -> Depth {
        var program = PlanProgram(&chance)
        let disagreement: String?
        do { disagreement = try PlanTrial(program, isOnGPU: isOnGPU).disagreement() } catch is GraphError {
            return .refused
        }
        guard disagreement != nil else { return .agreed }
        shrink(&program)
        let trial = PlanTrial(program, isOnGPU: isOnGPU)
        throw Finding("\(try trial.disagreement() ?? "?")\n\(trial.text)")
    }

    /// Leaves out statements and runs for as long as plan and reference still disagree.
    private func shrink(_ program: inout PlanProgram) {
        func fails(_ program: PlanProgram) -> Bool {
            (try? PlanTrial(program, isOnGPU: isOnGPU).disagreement()) ?? nil != nil
        }
        func smaller(_ list: WritableKeyPath<PlanProgram, [UInt64]>) -> Bool {
            var (isSmaller, length) = (false, max(program[keyPath: list].count / 2, 1))
            while length > 0 {
                var start = 0
                while start < program[keyPath: list].count {
                    var candidate = program
                    let end = min(start + length, candidate[keyPath: list].count)
                    candidate[keyPath: list].removeSubrange(start..<end)
                    if fails(candidate) {
                        (program, isSmaller) = (candidate, true)
                    } else {
                        start += length
                    }
                }
                length /= 2
            }
            return isSmaller
        }
        while smaller(\.runs) || smaller(\.statements) {}
    }
}
