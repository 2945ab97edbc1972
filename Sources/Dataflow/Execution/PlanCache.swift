/// Which of the plans that a session has made it keeps: as many as fit into so many bytes.
///
/// The plan that was not used for longest goes first. Runs that go through more plans than fit, again and again, would find
/// each dropped just before it is wanted; so a plan that was dropped once and comes back takes the place of the one used
/// last, and the others stay, unless they were not used for long.
package struct PlanCache<Key: Hashable, Value> {
    private struct Entry {
        var value: Value
        var bytes: Int
        var lastUse: Int
    }

    /// Bytes that all plans may take; the newest is kept even if it takes more.
    package let limit: Int
    package private(set) var bytes = 0
    /// How many plans were made again after they had been dropped.
    package private(set) var remade = 0
    private var entries: [Key: Entry] = [:]
    private var uses = 0
    /// Hashes of the keys of plans that were dropped.
    private var dropped: Set<Int> = []

    /// How many uses, for each plan kept, a plan may go without one and still stay.
    static var patience: Int { 8 }
    /// Of how many dropped plans it is known that there were any.
    static var memory: Int { 1 << 16 }

    package init(limit: Int) { self.limit = limit }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// The plan, which counts as used.
    package mutating func value(for key: Key) -> Value? {
        guard let index = entries.index(forKey: key) else { return nil }
        uses += 1
        entries.values[index].lastUse = uses
        return entries.values[index].value
    }

    /// Keeps a new plan, and drops others until all fit.
    package mutating func insert(_ value: Value, for key: Key, bytes size: Int) {
        uses += 1
        if let old = entries.updateValue(Entry(value: value, bytes: size, lastUse: uses), forKey: key) {
            bytes -= old.bytes
        }
        bytes += size
        let isBack = dropped.remove(key.hashValue) != nil
        if isBack { remade += 1 }
        while bytes > limit, let victim = victim(sparing: key, isBack: isBack) { drop(victim) }
    }

    /// Whoever holds a plan's memory needs it: all are dropped.
    package mutating func removeAll() {
        entries.removeAll()
        bytes = 0
    }

    private mutating func drop(_ key: Key) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        bytes -= entry.bytes
        if dropped.count >= Self.memory { dropped.removeAll() }
        dropped.insert(key.hashValue)
    }

    private func victim(sparing key: Key, isBack: Bool) -> Key? {
        let others = entries.lazy.filter { $0.key != key }
        guard let oldest = others.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return nil }
        let isForgotten = uses - oldest.value.lastUse > Self.patience * entries.count
        if !isBack || isForgotten { return oldest.key }
        return others.max { $0.value.lastUse < $1.value.lastUse }?.key
    }
}
