package import Dataflow

/// A training graph cut at every write of a Variable that the train operation reaches: what parameter servers do, and what
/// is left to workers.
///
/// To a Variable's server go the Variable, its slots and the write, with what the write needs that depends on no example,
/// control flow included. Workers push what depends on examples: gradients of the loss; see `Frontier`. Writes that share a
/// Variable, or where one goes into another, stay together.
package struct TrainingCut: Sendable {
    /// In the graph's order.
    package let writes: [Write]
    /// Writes that depend on no example (a global step, Adam's powers): every shard counts its own.
    package let replicatedWrites: [Vertex]
    /// The Variables of `replicatedWrites`.
    package let replicatedVariables: [Vertex]
    /// Variables that servers read and that training does not write, such as a learning rate.
    let constantVariables: [Vertex]
    /// Variables that training does not write; each worker keeps its own.
    package let localVariables: [Variable]
    /// The `Assign` of each Variable by the Variable's vertex id: its first value is input 1.
    package let initializers: [Int: Vertex]
    /// Ids of the vertices that write Variables, and of those after them: workers leave them to the servers, and wait for
    /// none.
    package let writers: Set<Int>
    /// The loss is a sum over the examples, not their mean.
    let lossIsSum: Bool
    /// Why steps of several workers on parts of a batch differ from one on the whole, each in a line.
    package let notes: [String]
    /// What servers put in the place of placeholders that are fed alike in every step.
    let known: [Node: Tensor]
    let copying: ServerVertices

    /// What a job knows of its graph beyond the graph itself.
    package struct Facts {
        /// What workers compute beside gradients: the loss, metrics.
        package var reported: [Node] = []
        /// Those of `reported` that are several numbers for a batch, which are added up.
        package var sums: Set<Node> = []
        /// Placeholders that are fed alike in every step of training, such as `is_training`.
        package var known: [Node: Tensor] = [:]
        /// Steps are synchronous: servers take the mean over the workers before they do anything that is not linear.
        package var aggregates = false
        /// Feeds of two batches that differ in their number of examples alone.
        package var batches: [[Node: TensorSpec]] = []

        package init() {}

        /// Placeholders that bring no examples: those that are known, and those whose default stands.
        func unfed(_ vertices: [Vertex]) -> Set<Node> {
            guard let fed = batches.first else { return Set(known.keys) }
            let defaults = vertices.filter { $0.operation == PlaceholderWithDefault.self && fed[$0.node] == nil }
            return Set(known.keys).union(defaults.map(\.node))
        }
    }

    /// Adds to the graph what workers compute of updates of rows, see `RowUpdate`.
    ///
    /// - Throws: `GraphError` if `train` writes no Variable, writes one in two places that no edge orders, or does something
    ///   between a gradient and a write that servers cannot.
    package init(train: Node, _ facts: Facts = Facts()) throws {
        let graph = train.graph
        let reached = TrainingCut.ancestors(of: [train.vertex], controls: true)
        let order = try WriteOrder(reached)
        guard !order.writers.isEmpty else {
            throw GraphError("'\(train.name)' trains no Variable: it reaches no write")
        }
        let dependence = DataDependence(reached, known: facts.unfed(reached))
        let reported = TrainingCut.ancestors(of: facts.reported.map(\.vertex), controls: false)
        let shapes = BatchShapes(reached + reported, facts)
        for node in facts.reported {
            if !facts.sums.contains(node), let shape = shapes.severalNumbers(node) {
                throw GraphError(
                    "a loss and a metric are one number for a batch, such as a mean over it, not \(shape)",
                    node: node.name, location: node.vertex.location)
            }
            if [.string, .resource, .variant].contains(node.dtype) {
                throw GraphError(
                    "a loss and a metric are numbers, not \(node.dtype)", node: node.name,
                    location: node.vertex.location)
            }
        }
        // A batch that cannot be divided is one worker's.
        let aggregates = facts.aggregates && !shapes.isFixed
        let frontier = Frontier(
            reached, dependence, order, reported: reported, aggregates: aggregates, varies: shapes.varies)
        let (lossIsSum, notes) = TrainingCut.loss(facts, shapes)
        self.lossIsSum = lossIsSum
        self.notes =
            notes + TrainingCut.note(ofRows: frontier.early)
            + TrainingCut.note(ofLoops: reached.filter { $0.isLoopExit && shapes.isUnknown($0.node) })
        let reductions = Reductions(dependence, shapes)
        let copying = ServerVertices(reached, frontier, dependence, order)
        let groups = try WriteGroups(copying, frontier, order, conditional: dependence.mayBeDead)
        var writes: [Write] = []
        for members in groups.members {
            writes.append(
                try Write(
                    members, frontier, order, shapes, reductions, conditional: dependence.mayBeDead,
                    isMean: aggregates, lossIsSum: lossIsSum))
        }
        guard !writes.isEmpty else {
            throw GraphError("'\(train.name)' trains no Variable: it reaches no write that depends on data")
        }
        self.writes = writes
        self.copying = copying
        writers = Set(order.writers.map(\.id)).union(order.afterWrites)
            .union(order.merges.filter { copying.containsID($0) })
        known = facts.known
        replicatedWrites = groups.replicated
        var seen: Set<Int> = []
        replicatedVariables = replicatedWrites.flatMap { order.variables[$0.id] ?? [] }
            .filter { seen.insert($0.id).inserted }
        seen.formUnion(writes.flatMap(\.variables).map(\.id))
        constantVariables = copying.vertices.filter { $0.operation.isVariable && !seen.contains($0.id) }
        localVariables = graph.variables.filter { !seen.contains($0.reference.vertex.id) }
        initializers = Dictionary(
            graph.variables.map { ($0.reference.vertex.id, $0.initializer.vertex) },
            uniquingKeysWith: { first, _ in first })
    }

    private static func note(ofLoops exits: [Vertex]) -> [String] {
        guard let first = exits.last else { return [] }
        return [
            "nothing tells the shape of what leaves the loop at '\(first.name)': what is made of such gradients before a "
                + "write, such as clipping, is of each worker's part, and synchronous steps of several workers differ from "
                + "those of one"
        ]
    }

    private static func note(ofRows early: [String]) -> [String] {
        guard let first = early.first else { return [] }
        return [
            "'\(first)' changes rows of a gradient before those of one index are added up, each worker of its own part of a "
                + "batch: synchronous steps of several workers differ from those of one"
        ]
    }

    /// What the loss is of its batch.
    private static func loss(_ facts: Facts, _ shapes: BatchShapes) -> (isSum: Bool, notes: [String]) {
        guard let loss = facts.reported.first else { return (false, []) }
        let forward = ancestors(of: [loss.vertex], controls: false)
        let reductions = Reductions(DataDependence(forward, known: facts.unfed(forward)), shapes)
        var notes: [String] = []
        let statistics = reductions.batchStatistics(forward)
        if !statistics.isEmpty {
            let names = statistics.prefix(3).map { "'\($0)'" }.joined(separator: ", ")
            let rest = statistics.count > 3 ? " and \(statistics.count - 3) more" : ""
            notes.append(
                "the model takes statistics of a batch (\(names)\(rest)), each worker of its own part: synchronous steps of "
                    + "several workers differ from those of one")
        }
        switch reductions.reduction(of: loss) {
        case .sum: return (true, notes)
        case .other(let name):
            notes.append(
                "the loss is no mean over the examples (see '\(name)'), and workers compute it of their parts of a batch: "
                    + "synchronous steps of several workers differ from those of one")
        default: break
        }
        return (false, notes)
    }

    /// What workers compute for servers, each once.
    package var pushedNodes: [Node] {
        var seen: Set<Node> = []
        return writes.flatMap { $0.pushed.sorted { $0.key < $1.key }.map(\.value) }.filter { seen.insert($0).inserted }
    }

    /// The Variable that `node` is, or is the plain value of.
    static func variable(behind node: Node) -> Vertex? {
        if let variable = node.variable { return variable }
        guard node.vertex.operation == Identity.self || node.vertex.operation == ReadVariableOp.self else { return nil }
        return variable(behind: node.vertex.inputs[0])
    }

    /// Whether `second` waits for `first`. What waits directly is found at once: control edges are looked at first.
    static func comes(_ first: Vertex, before second: Vertex) -> Bool {
        var seen: Set<Int> = [second.id]
        var stack = [second]
        while let vertex = stack.popLast() {
            if vertex === first { return true }
            let carried = vertex.loopInput.map { [$0.vertex] } ?? []
            stack += (vertex.inputs.map(\.vertex) + carried + vertex.controls).filter { seen.insert($0.id).inserted }
        }
        return false
    }

    /// All that `vertices` need, in the graph's order, themselves included.
    static func ancestors(of vertices: [Vertex], controls: Bool) -> [Vertex] {
        var found: [Int: Vertex] = [:]
        var stack = vertices
        while let vertex = stack.popLast() {
            guard found.updateValue(vertex, forKey: vertex.id) == nil else { continue }
            stack += vertex.inputs.map(\.vertex)
            if let carried = vertex.loopInput { stack.append(carried.vertex) }
            if controls { stack += vertex.controls }
        }
        return found.values.sorted { $0.id < $1.id }
    }
}
