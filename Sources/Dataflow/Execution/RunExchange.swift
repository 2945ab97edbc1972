/// What a program does with Variables and fetches while a run goes on: gives values just before they are first read, and
/// takes results as soon as they are final, so that both travel while the rest is computed.
///
/// The Variables and fetches of a group go together. A plan works out once where in its steps a group's turn comes, so
/// one object serves all runs of a loop. The closures are called on the run's thread, under the session's lock: they must
/// not call the session.
///
/// `@unchecked Sendable`: nothing of it changes, and its closures are called only by the thread that gives it to a run.
package final class RunExchange: @unchecked Sendable {
    package struct Group {
        package let fetches: [Node]
        package let variables: [Vertex]
        /// Whether its Variables already hold what the run reads, so that only its fetches' destinations are waited for.
        package let hasValues: Bool

        package init(fetches: [Node], variables: [Vertex], hasValues: Bool = false) {
            self.fetches = fetches
            self.variables = variables
            self.hasValues = hasValues
        }
    }

    let groups: [Group]
    let destinations: [Node: Tensor]
    let willUse: (Int) throws -> Void
    let isFinal: (Int) throws -> Void

    /// - Parameters:
    ///   - destinations: memory for the values of fetches, of their dtypes and element counts; other fetches get fresh memory.
    ///   - willUse: called with a group before its Variables are first read, unless it has their values, and before anything
    ///     is written to the destinations of its fetches.
    ///   - isFinal: called with a group when its fetches have their values and no later step touches them or its Variables;
    ///     for every group of a run that ends well.
    package init(
        groups: [Group], destinations: [Node: Tensor], willUse: @escaping (Int) throws -> Void,
        isFinal: @escaping (Int) throws -> Void
    ) {
        self.groups = groups
        self.destinations = destinations
        self.willUse = willUse
        self.isFinal = isFinal
    }
}

/// The places of a `RunExchange` in the steps of one plan.
struct ExchangePlaces {
    /// Whose places these are.
    let exchange: RunExchange
    /// Groups to be told of before and after each step, and after the last.
    private(set) var before: [[Int]]
    private(set) var after: [[Int]]
    private(set) var atEnd: [Int] = []
    /// Where fetches go, by slot.
    private(set) var destinations: [Slot: Tensor] = [:]

    /// - Parameters:
    ///   - touched: the slots that each step reads or writes; nil for a step of which that is not known.
    ///   - slot: where a fetch is, if it is among those of the plan.
    ///   - isOwn: whether a slot is a fetch's own memory, so that its value can be made in its destination.
    ///   - variables: the slots of each Variable's memory.
    init(
        _ exchange: RunExchange, touched: [Set<Slot>?], slot: (Node) -> Slot?, isOwn: (Slot) -> Bool,
        variables: (Vertex) -> [Slot]
    ) {
        self.exchange = exchange
        before = Array(repeating: [], count: touched.count)
        after = before
        for (node, tensor) in exchange.destinations {
            // Of two fetches of one value the other is copied.
            if let slot = slot(node), isOwn(slot), destinations[slot] == nil { destinations[slot] = tensor }
        }
        for (number, group) in exchange.groups.enumerated() {
            let made = group.fetches.map { node in
                slot(node).flatMap { destinations[$0]?.storage === exchange.destinations[node]?.storage ? $0 : nil }
            }
            let written = Set(made.compactMap { $0 })
            let all = written.union(group.variables.flatMap(variables))
            let waited = group.hasValues ? written : all
            if let first = touched.firstIndex(where: { $0.map { !$0.isDisjoint(with: waited) } ?? true }) {
                before[first].append(number)
            }
            if let last = touched.lastIndex(where: { $0.map { !$0.isDisjoint(with: all) } ?? true }),
                !made.contains(nil), touched[last] != nil
            {
                after[last].append(number)
            } else {
                // A fetch that is another value's memory is copied when all is done.
                atEnd.append(number)
            }
        }
    }
}
