/// Places of values in one arena: values that are never alive at the same time share bytes.
struct MemoryPlan {
    /// The arena's size in bytes.
    private(set) var size = 0
    /// Bytes at multiples of which places start.
    let alignment: Int
    private var free: [(offset: Int, size: Int)] = []

    init(alignment: Int = 64) { self.alignment = alignment }

    /// A place for `bytes` that is free now: the smallest hole that fits, else the arena grows.
    mutating func allocate(_ bytes: Int) -> (offset: Int, size: Int) {
        let wanted = max((bytes + alignment - 1) / alignment * alignment, alignment)
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

/// The memory of a plan's values at one place.
struct Arena {
    private var memory: MemoryPlan
    /// What the arena is as large as it is for: the value that made it grow last.
    private var last: (vertex: Vertex, spec: TensorSpec)?

    init(alignment: Int) { memory = MemoryPlan(alignment: alignment) }

    var size: Int { memory.size }

    /// The same in words.
    var peak: String {
        last.map { "\($0.vertex.operation.name) '\($0.vertex.name)', \($0.spec)" } ?? "nothing"
    }

    /// A place for what `vertex` makes.
    mutating func allocate(_ bytes: Int, for vertex: Vertex, _ spec: TensorSpec) -> (offset: Int, size: Int) {
        let before = memory.size
        let place = memory.allocate(bytes)
        if memory.size > before { last = (vertex, spec) }
        return place
    }

    mutating func release(_ place: (offset: Int, size: Int)) { memory.release(place) }
}
