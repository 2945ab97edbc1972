/// Places of values in one arena: values that are never alive at the same time share bytes.
struct MemoryPlan {
    /// The arena's size in bytes.
    private(set) var size = 0
    private var free: [(offset: Int, size: Int)] = []

    /// A place for `bytes`, 64-byte aligned, that is free now: the smallest hole that fits, else the arena grows.
    mutating func allocate(_ bytes: Int) -> (offset: Int, size: Int) {
        let wanted = max((bytes + 63) & ~63, 64)
        if let best = free.indices.filter({ free[$0].size >= wanted }).min(by: { free[$0].size < free[$1].size }) {
            let hole = free[best]
            if hole.size == wanted {
                free.remove(at: best)
            } else {
                free[best] = (hole.offset + wanted, hole.size - wanted)
            }
            return (hole.offset, wanted)
        }
        // Grow, using a hole that touches the end.
        if let last = free.firstIndex(where: { $0.offset + $0.size == size }) {
            let offset = free[last].offset
            free.remove(at: last)
            size = offset + wanted
            return (offset, wanted)
        }
        defer { size += wanted }
        return (size, wanted)
    }

    /// Gives a place back, joining it with the holes beside it.
    mutating func release(_ place: (offset: Int, size: Int)) {
        var place = place
        if let before = free.firstIndex(where: { $0.offset + $0.size == place.offset }) {
            place = (free[before].offset, free[before].size + place.size)
            free.remove(at: before)
        }
        if let after = free.firstIndex(where: { $0.offset == place.offset + place.size }) {
            place.size += free[after].size
            free.remove(at: after)
        }
        free.append(place)
    }
}
