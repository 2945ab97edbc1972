/// Blocks of one arena: values that are never alive at the same time share bytes.
struct MemoryPlan {
    /// The arena's size in bytes.
    private(set) var size = 0
    /// Every block starts at a multiple of this many bytes.
    let alignment: Int
    private var free: [(offset: Int, size: Int)] = []

    init(alignment: Int = 64) { self.alignment = alignment }

    /// A free block of `bytes`: in the smallest hole that fits, else the arena grows.
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

    /// Frees a block and joins it with the holes beside it.
    mutating func release(_ block: (offset: Int, size: Int)) {
        var block = block
        if let before = free.firstIndex(where: { $0.offset + $0.size == block.offset }) {
            block = (free[before].offset, free[before].size + block.size)
            free.remove(at: before)
        }
        if let after = free.firstIndex(where: { $0.offset == block.offset + block.size }) {
            block.size += free[after].size
            free.remove(at: after)
        }
        free.append(block)
    }
}

/// The memory of a plan's values on one device.
struct Arena {
    private var memory: MemoryPlan
    /// The value that made the arena grow last.
    private var last: (vertex: Vertex, spec: TensorSpec)?

    init(alignment: Int) { memory = MemoryPlan(alignment: alignment) }

    var size: Int { memory.size }

    /// That value in words, for errors.
    var peak: String {
        last.map { "\($0.vertex.operation.name) '\($0.vertex.name)', \($0.spec)" } ?? "nothing"
    }

    /// A block for what `vertex` makes.
    mutating func allocate(_ bytes: Int, for vertex: Vertex, _ spec: TensorSpec) -> (offset: Int, size: Int) {
        let before = memory.size
        let block = memory.allocate(bytes)
        if memory.size > before { last = (vertex, spec) }
        return block
    }

    mutating func release(_ block: (offset: Int, size: Int)) { memory.release(block) }
}
