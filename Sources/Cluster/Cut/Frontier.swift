internal import Dataflow

/// Where workers end and servers begin.
///
/// Workers push gradients of the loss. What is made of them before a write (clipping, a sign, squares for a slot) goes to the
/// servers where the mean over the workers has to be taken first, or where it needs what only servers have.
struct Frontier {
    /// Ids of the vertices that depend on examples and that servers run.
    let onServers: Set<Int>
    /// Ids of the vertices that depend on examples, or on random numbers that workers draw.
    let dependent: Set<Int>
    /// By the id of a write of rows: the rows that are pushed for it, and which they are.
    let rows: [Int: (values: Node, indices: Node)]
    /// Ids of the vertices that work on each row by itself.
    let rowwise: Set<Int>
    /// Rows of gradients, and what is made of them row by row.
    private let rowNodes: Set<Node>
    /// Names of what workers do to rows before those of one index are added up, though it is not linear.
    let early: [String]
    /// Ids of the Variables that workers read.
    let readByWorkers: Set<Int>

    /// - Parameters:
    ///   - vertices: all that training needs, in the graph's order.
    ///   - reported: what workers compute besides: the loss, metrics.
    ///   - aggregates: servers take the mean over the workers before they do anything that is not linear.
    ///   - varies: whether a node's shape depends on the number of examples.
    init(
        _ vertices: [Vertex], _ dependence: DataDependence, _ order: WriteOrder, reported: [Vertex], aggregates: Bool,
        varies: @escaping (Node) -> Bool
    ) {
        let search = FrontierSearch(vertices, dependence, order, varies)
        let between = search.between
        let others = vertices.filter {
            search.dependent.contains($0.id) && !between.contains($0.id) && !search.always.contains($0.id)
        }
        let read = search.variables(readBy: others + reported)
        let onServers = search.chosen(readByWorkers: read, aggregates: aggregates)
        let kept = vertices.filter { between.contains($0.id) && !onServers.contains($0.id) }
        self.onServers = onServers
        dependent = search.dependent
        rows = search.chains.reduce(into: [:]) { $0[$1.writer.id] = $1.push(onServers: onServers) }
        rowwise = search.rowwise
        rowNodes = Set(search.chains.flatMap(\.path))
        early = search.early.isEmpty ? [] : vertices.filter { search.early.contains($0.id) }.map(\.name)
        readByWorkers = read.union(search.variables(readBy: kept))
    }

    /// Whether workers push the node to what servers run.
    func isPushed(_ node: Node) -> Bool {
        dependent.contains(node.vertex.id) && !onServers.contains(node.vertex.id) && node.variable == nil
    }

    /// Whether the node is a sum of squares of a gradient's rows, before those of one index are added up.
    ///
    /// The sum for a batch is Σ wᵢ² sᵢ over its parts: a part with the share wᵢ of the examples divides by fewer of them, so
    /// its rows are 1/wᵢ times as large as in the whole batch.
    func isSumOfSquares(_ node: Node) -> Bool {
        let input = node.vertex.inputs.first
        switch node.vertex.operation.name {
        case "L2Loss": return input.map(rowNodes.contains) ?? false
        case "Sum":
            guard let squares = input?.vertex, ["Square", "Mul"].contains(squares.operation.name) else { return false }
            return Set(squares.inputs).count == 1 && rowNodes.contains(squares.inputs[0])
        default: return false
        }
    }
}

/// The steps by which a `Frontier` is found.
private struct FrontierSearch {
    let vertices: [Vertex]
    let dependence: DataDependence
    let written: Set<Int>
    private(set) var dependent: Set<Int>
    /// Writes, and what depends on their results.
    private(set) var always: Set<Int>
    private(set) var chains: [RowChain] = []
    /// The chains' vertices, and what follows from which rows are distinct.
    private(set) var rowwise: Set<Int> = []
    private var distinct: [(sum: Int, followers: Set<Int>)] = []
    /// Vertices that do something not linear to rows before those of one index are added up, such as clipping by value.
    /// Workers run them.
    private(set) var early: Set<Int> = []
    /// Vertices between gradients and writes: servers may run them.
    private(set) var between: Set<Int> = []

    init(
        _ vertices: [Vertex], _ dependence: DataDependence, _ order: WriteOrder, _ varies: (Node) -> Bool
    ) {
        self.vertices = vertices
        self.dependence = dependence
        written = order.written
        dependent = dependence.data
        always = Set(order.writers.map(\.id)).union(order.afterWrites.intersection(dependence.data))
        let gradients = vertices.first?.graph.knownGradients ?? []
        for writer in order.writers {
            guard let place = RowUpdate.inputs(of: writer) else { continue }
            let values = writer.inputs[place.values]
            if dependent.contains(values.vertex.id), !always.contains(values.vertex.id) {
                chains.append(RowChain(writer, values, gradients: gradients, varies: varies))
            }
        }
        for chain in chains {
            early.formUnion(chain.early.map(\.id))
            rowwise.formUnion(chain.members.map(\.id))
            guard let (unique, sum) = chain.distinct else { continue }
            let followers = following(unique)
            distinct.append((sum.id, followers))
            rowwise.formUnion(followers)
        }
        let large = self.large(varies)
        // Random numbers that a worker draws belong to its examples.
        dependent.formUnion(dependence.noise.intersection(large.vertices))
        // Conditions around writes end on servers, too.
        always.formUnion(order.merges.intersection(dependence.data).subtracting(large.vertices))
        let leaves = Set(gradients.map(\.vertex.id))
        collect(leaves: leaves, large)
    }

    /// What depends on examples through `vertex` alone, itself included.
    private func following(_ vertex: Vertex) -> Set<Int> {
        var found: Set<Int> = [vertex.id]
        for next in vertices where next.id > vertex.id && !always.contains(next.id) {
            let inputs = next.inputs.filter { dependent.contains($0.vertex.id) }
            if !inputs.isEmpty, inputs.allSatisfy({ found.contains($0.vertex.id) }) { found.insert(next.id) }
        }
        return found
    }

    /// What has an element or a row for each example, and all that goes into it: the forward and the backward pass.
    ///
    /// Of a vertex there, such as a batch normalisation's gradient, other outputs may be gradients of Variables.
    private func large(_ varies: (Node) -> Bool) -> (vertices: Set<Int>, nodes: Set<Node>) {
        let candidates = dependent.union(dependence.noise)
        var found: Set<Int> = []
        var nodes: Set<Node> = []
        for vertex in vertices.reversed()
        where candidates.contains(vertex.id) && !always.contains(vertex.id) && !rowwise.contains(vertex.id) {
            let outputs = vertex.outputs.indices.map(vertex.output)
            nodes.formUnion(outputs.filter(varies))
            let isLarge = outputs.contains(where: nodes.contains)
            // What leaves a loop may be a gradient.
            guard isLarge || found.contains(vertex.id) || vertex.isLoopPart else { continue }
            nodes.formUnion(vertex.inputs)
            if let carried = vertex.loopInput { nodes.insert(carried) }
            if isLarge || !vertex.isLoopExit { found.insert(vertex.id) }
        }
        return (found.intersection(candidates), nodes)
    }

    private mutating func collect(leaves: Set<Int>, _ large: (vertices: Set<Int>, nodes: Set<Node>)) {
        var stack = vertices.filter { always.contains($0.id) }
        while let vertex = stack.popLast() {
            for input in dependence.sources(of: vertex)
            where dependent.contains(input.id) && !always.contains(input.id) && !between.contains(input.id) {
                let values = input.inputs.filter { dependent.contains($0.vertex.id) }
                let deciding = dependence.deciding(input).filter { dependent.contains($0.id) }
                let isMade =
                    !(values.isEmpty && deciding.isEmpty) && !leaves.contains(input.id)
                    && !large.vertices.contains(input.id) && !values.contains(where: large.nodes.contains)
                    && !deciding.contains { large.vertices.contains($0.id) }
                guard isMade || rowwise.contains(input.id) else { continue }
                between.insert(input.id)
                stack.append(input)
            }
        }
    }

    // MARK: What servers run

    /// - Parameter readByWorkers: Variables that workers have anyway.
    func chosen(readByWorkers: Set<Int>, aggregates: Bool) -> Set<Int> {
        var chosen = always
        let followers = distinct.reduce(into: Set<Int>()) { $0.formUnion($1.followers) }
        for vertex in vertices where between.contains(vertex.id) && !followers.contains(vertex.id) {
            if early.contains(vertex.id) { continue }
            // What may not come at all, or is a Variable's memory, cannot be pushed.
            let needsServer =
                dependence.mayBeDead.contains(vertex.id)
                || vertex.inputs.contains { chosen.contains($0.vertex.id) && $0.variable == nil }
                || !variables(readBy: [vertex]).intersection(written).isSubset(of: readByWorkers)
            if needsServer || aggregates && !mayComeBeforeMean(vertex) { chosen.insert(vertex.id) }
        }
        // Where servers add up rows, they find which are distinct.
        for (sum, followers) in distinct where chosen.contains(sum) { chosen.formUnion(followers) }
        if aggregates { pull(&chosen) }
        return chosen
    }

    /// Whether the mean over workers of what it yields is what it yields of the mean.
    private func mayComeBeforeMean(_ vertex: Vertex) -> Bool {
        let isSum = distinct.contains { $0.sum == vertex.id }
        let inputs = isSum ? [vertex.inputs[0]] : vertex.inputs
        if inputs.contains(where: { dependence.noise.contains($0.vertex.id) && !dependent.contains($0.vertex.id) }) {
            // One draw a step, not one a worker.
            return false
        }
        // Of rows as they come, before those of one index are added up.
        if !rowwise.contains(vertex.id), inputs.contains(where: { rowwise.contains($0.vertex.id) }) { return true }
        let values = inputs.indices.filter { index in
            let id = inputs[index].vertex.id
            return dependent.contains(id) && (dependence.values.contains(id) || !dependence.data.contains(id))
        }
        return isSum || LinearOperations.isLinear(vertex, in: Set(values))
    }

    /// Takes to the servers what is linear, too, where they get what it is made of anyway: one push instead of two.
    private func pull(_ chosen: inout Set<Int>) {
        let byID = Dictionary(vertices.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            let ran = vertices.filter { chosen.contains($0.id) }
            let pushed = Set(ran.flatMap(\.inputs).filter { isGiven($0) && !chosen.contains($0.vertex.id) })
            for vertex in Set(pushed.map(\.vertex.id)) {
                guard between.contains(vertex), !early.contains(vertex),
                    let vertex = byID[vertex]
                else {
                    continue
                }
                let sources = vertex.inputs.filter(isGiven)
                guard sources.allSatisfy({ pushed.contains($0) || chosen.contains($0.vertex.id) }) else { continue }
                chosen.insert(vertex.id)
                hasChanged = true
            }
        }
    }

    private func isGiven(_ node: Node) -> Bool { dependent.contains(node.vertex.id) && node.variable == nil }

    /// Ids of the Variables that go into vertices without going through what depends on examples.
    func variables(readBy roots: [Vertex]) -> Set<Int> {
        var found: Set<Int> = []
        var seen: Set<Int> = []
        var stack = roots.flatMap(\.inputs)
        let names = roots.reduce(into: Set<String>()) { $0.formUnion($1.variablesKnownToCalls) }
        while let node = stack.popLast() {
            if let variable = node.variable {
                found.insert(variable.id)
            } else if !dependent.contains(node.vertex.id), seen.insert(node.vertex.id).inserted {
                stack += node.vertex.inputs
            }
        }
        if !names.isEmpty, let graph = roots.first?.graph {
            found.formUnion(graph.variables.map(\.reference.vertex).filter { names.contains($0.name) }.map(\.id))
        }
        return found
    }
}
