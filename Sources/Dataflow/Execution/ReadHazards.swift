/// What a plan must do where one run both reads and writes a Variable.
///
/// A read costs nothing: it is the Variable's memory under another name. If that memory is written while somebody still
/// needs the old value, the read becomes a copy. A vertex that runs after the write takes the new value, if what it uses is
/// a read of a reference (see `VariableMemory`): its input is then the Variable itself. Example: `r = identity(v)`, then
/// `a = r * 2`, then `assign_add(v, 1)`, then `b = r * 2` by a control edge. `a` needs the old value, `b` the new one.
struct ReadHazards {
    /// Reads that must be copies.
    private(set) var copies: Set<Int> = []
    /// For vertices, the Variable that an input is taken from, in place of what was read of it before.
    private(set) var current: [Int: [Int: Node]] = [:]

    /// - Parameters:
    ///   - order: the vertices that run, inputs before what uses them.
    ///   - members: those that run by tokens, in an order of their own, after all others.
    ///   - isKnown: whether a value's shape is known: only then can a Variable's memory be read as that value.
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

        /// For reads of references, the writes after which they are no longer current.
        var outdating: [Int: [Vertex]] = [:]
        for (variable, reads) in memory.reads {
            guard let writers = memory.writers[variable] else { continue }
            for read in reads.reversed() {
                // A view of a view lives as long as the last of them.
                let views = reads.filter { $0.inputs.contains { $0.vertex === read } }.map { lastUse[$0.id] ?? 0 }
                let end = max(lastUse[read.id] ?? 0, views.max() ?? 0)
                lastUse[read.id] = end
                let start = position[read.id] ?? 0
                let later = writers.filter { writer in
                    let place = position[writer.id] ?? 0
                    return place > start && (place < end || place == end && ReadHazards.overlaps(writer, read))
                }
                if !later.isEmpty { copies.insert(read.id) }
                guard members.contains(read.id) else {
                    outdating[read.id] = later
                    continue
                }
                // A member copies what it reads each time it runs. Writes that come before each such read are in the copy.
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

    /// Whether a write takes what was read of its own Variable, but not element by element, each before it is written: it
    /// would read what it has written already.
    private static func overlaps(_ writer: Vertex, _ read: Vertex) -> Bool {
        let isElementwise = writer.operation is any ElementwiseUpdate.Type && writer.operation.writes.count == 1
        return !isElementwise && writer.inputs.contains { $0.vertex === read }
    }
}
