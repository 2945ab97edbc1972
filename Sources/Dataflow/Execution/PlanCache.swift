/// The plans that a session keeps: as many as fit into a number of bytes.
///
/// The plan unused for longest is dropped first. But take a loop over five plans where four fit: each plan would be
/// dropped just before its turn. So if a dropped plan comes back, the cache drops the plan used last instead and keeps
/// the others, except plans that were not used for a long time.
package struct PlanCache<Key: Hashable, Value> {
    private struct Entry {
        var value: Value
        var bytes: Int
        var lastUse: Int
    }

    /// Bytes that all plans may take. The newest plan is kept even if it takes more.
    package let limit: Int
    package private(set) var bytes = 0
    /// How many plans were dropped and made again.
    package private(set) var remade = 0
    private var entries: [Key: Entry] = [:]
    private var uses = 0
    /// Hashes of the dropped plans' keys.
    private var dropped: Set<Int> = []

    /// A plan counts as forgotten after this many uses of other plans for each plan that is kept.
    static var patience: Int { 8 }
    /// How many dropped plans the cache remembers.
    static var memory: Int { 1 << 16 }

    package init(limit: Int) { self.limit = limit }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// The plan for `key`. This counts as a use.
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

    /// Drops all plans.
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
