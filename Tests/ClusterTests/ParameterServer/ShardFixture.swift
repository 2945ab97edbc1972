import Cluster

/// What tests of shards say again and again.
enum ShardFixture {
    typealias Action = ShardState.Action

    static func worker(_ number: Int) -> WorkerIdentity {
        WorkerIdentity(worker: number, incarnation: UInt64(100 + number))
    }

    static func view(
        _ number: UInt64, _ workers: [Int], leaving: [Int] = [], phase: Phase = .training
    ) -> ClusterView {
        ClusterView(
            number: number, phase: phase,
            workers: workers.enumerated().map { .init(number: $1, rank: $0, incarnation: UInt64(100 + $1)) },
            leaving: leaving.map(worker))
    }

    static func update(_ step: Int, batch: Int? = nil, _ parts: [(Int, Double)]) -> Action {
        .apply(.init(step: step, batch: batch ?? step, parts: parts.map { .init(token: $0.0, weight: $0.1) }))
    }

    static func values(_ token: Int, _ updates: Int) -> Action {
        .answer(token: token, .values(.updates(updates)))
    }

    /// Values of the lead shard's open step.
    static func open(_ token: Int, step: Int, view: UInt64, _ members: [Int] = []) -> Action {
        .answer(token: token, .values(.open(OpenStep(step: step, view: view, members: members.map(worker)))))
    }

    static func refusal(_ actions: [Action]) -> String? {
        if actions.count == 1, case .answer(_, .refused(let reason)) = actions[0] { reason } else { nil }
    }
}

extension ShardState {
    /// A state that acts on a first view of these workers.
    init(_ rule: Rule, workers: [Int], done: RangeSet<Int> = RangeSet()) {
        self.init(rule, done: done)
        _ = act(on: ShardFixture.view(1, workers))
    }

    mutating func push(
        _ worker: Int, step: Int, batch: Int? = nil, _ basis: GradientPush.Basis, examples: Int = 2,
        isVoid: Bool = false, token: Int
    ) -> [Action] {
        let push = GradientPush(
            step: step, batch: batch ?? step, examples: examples, basis: basis, isVoid: isVoid)
        return handle(.push(push), of: ShardFixture.worker(worker), token: token)
    }

    mutating func ask(_ request: ExchangeRequest, _ worker: Int, token: Int) -> [Action] {
        handle(request, of: ShardFixture.worker(worker), token: token)
    }
}
