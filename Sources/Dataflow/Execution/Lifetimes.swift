/// How long the memory of a plan's values is needed: the one place that says when memory may be used anew.
///
/// What it must mind:
/// - write after read: a value is needed until the last item that reads it has run, under whatever name (views share a slot);
/// - control flow runs after all other items, in an order of its own: what it reads is needed to the end of the run;
/// - fetched values are handed out, and have memory of their own;
/// - Variables, constants and feeds are not the plan's to give away.
///
/// What outlives a run or a step in other ways (stacks, arrays and lists of tensors) is copied, see `KeptTensor`.
struct Lifetimes {
    /// The item after which a slot is read no more, by slot.
    private var lastUse: [Int]

    /// - Parameters:
    ///   - slots: how many there are.
    ///   - isMember: whether a vertex runs by tokens.
    init(_ items: [PlanItem], slots: Int, isMember: (Vertex) -> Bool) {
        lastUse = [Int](repeating: -1, count: slots)
        for (index, item) in items.enumerated() {
            var end = index
            if case .run(let placed) = item, isMember(placed.unit.last) { end = items.count }
            for slot in item.slots { lastUse[slot] = max(lastUse[slot], end) }
        }
    }

    /// Whether the memory of a slot may be used anew by what runs after item `index`, or (in place) by that item itself.
    func mayReuse(_ slot: Slot, after index: Int) -> Bool { lastUse[slot] == index }
}
