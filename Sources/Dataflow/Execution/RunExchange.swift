/// Lets a program exchange values with a run while it goes on. The program gives Variables their values just before the
/// run first reads them, and takes results as soon as they are final, so that both travel while the rest is computed.
///
/// The Variables and fetches of a group travel together. A plan finds the steps for a group's turns once, so use one
/// object for all runs of a loop. The session calls the closures on the run's thread, under its lock: they must not
/// call the session.
///
/// `@unchecked Sendable`: it never changes, and only the thread that gives it to a run calls its closures.
package final class RunExchange: @unchecked Sendable {
    package struct Group {
        package let fetches: [Node]
        package let variables: [Vertex]
        /// Whether its Variables have their values already. Then `willUse` comes before the first write to a
        /// destination.
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
    ///   - destinations: tensors that take the values of fetches, of their dtypes and element counts. Other fetches get
    ///     fresh memory.
    ///   - willUse: called with a group before the run first reads its Variables (unless they have their values) and
    ///     before it first writes to the destinations of its fetches.
    ///   - isFinal: called with a group when its fetches have their values and no later step touches them or its
    ///     Variables. A run that does not throw calls it for every group.
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

/// The steps of one plan before and after which the groups of a `RunExchange` have their turns.
struct ExchangeSchedule {
    /// The exchange that this was made for.
    let exchange: RunExchange
    /// The groups whose turn comes before each step, after each step, and at the end.
    private(set) var before: [[Int]]
    private(set) var after: [[Int]]
    private(set) var atEnd: [Int] = []
    /// The destinations of fetches, by slot.
    private(set) var destinations: [Slot: Tensor] = [:]

    /// - Parameters:
    ///   - touched: the slots that each step reads or writes; nil for a step that may touch any slot.
    ///   - slot: the slot of a fetch; nil if the plan does not have it.
    ///   - isOwn: whether a slot is a fetch's own memory, so that a kernel can write to the destination at once.
    ///   - variables: the slots of each Variable's memory.
    init(
        _ exchange: RunExchange, touched: [Set<Slot>?], slot: (Node) -> Slot?, isOwn: (Slot) -> Bool,
        variables: (Vertex) -> [Slot]
    ) {
        self.exchange = exchange
        before = Array(repeating: [], count: touched.count)
        after = before
        for (node, tensor) in exchange.destinations {
            // If two fetches have the same value, the second is copied.
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
                // A fetch without memory of its own is copied at the end.
                atEnd.append(number)
            }
        }
    }
}
