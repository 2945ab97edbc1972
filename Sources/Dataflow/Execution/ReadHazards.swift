/// What a plan must do if one run both reads and writes a Variable.
///
/// A read costs nothing: it is the Variable's memory under another name. But if a write comes while a vertex still
/// needs the old value, the read becomes a copy. A vertex after the write needs the new value if its input is a read of
/// a reference (see `VariableMemory`): it takes the Variable itself instead. Example: `r = identity(v)`, `a = r * 2`,
/// `assign_add(v, 1)`, and `b = r * 2` after that by a control edge. `a` needs the old value of `v`, `b` the new one.
struct ReadHazards {
    /// The ids of the reads that must be copies.
    private(set) var copies: Set<Int> = []
    /// By vertex and input, the Variable that the vertex takes instead of an older read of it.
    private(set) var current: [Int: [Int: Node]] = [:]

    /// - Parameters:
    ///   - order: the vertices that run, inputs before what uses them.
    ///   - members: those that a `FrameProgram` runs, in an order of its own, after all others.
    ///   - isKnown: whether a value's shape is known. Only then can the Variable's memory take the value's place.
    init(
        _ order: [Vertex], fetches: [Node], members: Set<Int>, memory: VariableMemory,
        precedence: Precedence, isKnown: (Node) -> Bool
    ) {
        guard memory.reads.keys.contains(where: { memory.writers[$0] != nil }) else { return }
        var position: [Int: Int] = [:]
        var lastUse: [Int: Int] = [:]
        for (index, vertex) in order.enumerated() {
            let isMember = members.contains(vertex.id)
            position[vertex.id] = isMember ? order.count : index
            for input in vertex.inputs { lastUse[input.vertex.id] = isMember ? order.count + 1 : index }
        }
        for fetch in fetches { lastUse[fetch.vertex.id] = order.count + 1 }

        /// By read, the writes that make it old.
        var outdating: [Int: [Vertex]] = [:]
        for (variable, reads) in memory.reads {
            guard let writers = memory.writers[variable] else { continue }
            for read in reads.reversed() {
                // A read is needed as long as the last view of it.
                let views = reads.filter { $0.inputs.contains { $0.vertex === read } }.map { lastUse[$0.id] ?? 0 }
                let end = max(lastUse[read.id] ?? 0, views.max() ?? 0)
                lastUse[read.id] = end
                let start = position[read.id] ?? 0
                let later = writers.filter { writer in
                    let own = position[writer.id] ?? 0
                    return own > start && (own < end || own == end && ReadHazards.overlaps(writer, read))
                }
                if !later.isEmpty { copies.insert(read.id) }
                guard members.contains(read.id) else {
                    outdating[read.id] = later
                    continue
                }
                // A member copies its value each time it runs. If a write comes before every such read, the copy has
                // it.
                outdating[read.id] = writers.filter { writer in
                    members.contains(writer.id) && !precedence.isBefore(writer.id, read.id)
                }
            }
        }
        var after: [Int: Set<Int>] = [:]
        for vertex in order where !(vertex.operation is any ControlFlowOperation.Type) {
            for (index, input) in vertex.inputs.enumerated() {
                guard let use = memory.use(of: input), case .read(isView: true, by: let read) = use.kind,
                    isKnown(input)
                else { continue }
                let follows = (outdating[read.id] ?? []).contains { writer in
                    if after[writer.id] == nil { after[writer.id] = precedence.after(writer.id, goesRound: true) }
                    return after[writer.id]?.contains(vertex.id) == true
                }
                if follows { current[vertex.id, default: [:]][index] = use.variable }
            }
        }
    }

    /// Whether a write takes a read of its own Variable as an input, and would read elements that it has written
    /// already. An elementwise update reads each element before it writes it.
    private static func overlaps(_ writer: Vertex, _ read: Vertex) -> Bool {
        let isElementwise = writer.operation is any ElementwiseUpdate.Type && writer.operation.writes.count == 1
        return !isElementwise && writer.inputs.contains { $0.vertex === read }
    }
}
