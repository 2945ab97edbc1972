/// How long each value of a plan is needed. Only this type decides when memory may be used again.
///
/// Its hazards:
/// - Write after read: a value is needed until the last item that reads it has run. Views share a slot, so they count
///   too.
/// - Control flow runs after all other items, in an order of its own: what it reads is needed to the end of the run.
/// - The caller keeps fetched values, so they have memory of their own.
/// - Variables, constants and feeds do not belong to the plan.
///
/// Stacks, arrays and lists of tensors may outlive a step or the run: they keep copies, see `KeptTensor`.
struct Lifetimes {
    /// For each slot, the last item that uses it.
    private var lastUse: [Int]

    /// - Parameters:
    ///   - slots: how many there are.
    ///   - isMember: whether a `FrameProgram` runs a vertex.
    init(_ items: [PlanItem], slots: Int, isMember: (Vertex) -> Bool) {
        lastUse = [Int](repeating: -1, count: slots)
        for (index, item) in items.enumerated() {
            var end = index
            if case .run(let placed) = item, isMember(placed.unit.last) { end = items.count }
            for slot in item.slots { lastUse[slot] = max(lastUse[slot], end) }
        }
    }

    /// Whether the items after `index`, or item `index` itself (in place), may use the memory of a slot for another
    /// value.
    func mayReuse(_ slot: Slot, after index: Int) -> Bool { lastUse[slot] == index }
}
