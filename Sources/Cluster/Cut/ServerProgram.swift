internal import Dataflow
internal import Foundation
internal import Interchange

/// What one server runs: a small graph for each of its shards, and one that computes first values.
extension TrainingCut {
    /// The program of server `server` under `layout`, ready for the wire.
    func program(server: Int, layout: ShardLayout) throws -> WireServerProgram {
        var program = WireServerProgram()
        let shards = layout.shards.filter { $0.server == server }
        let needed =
            shards.flatMap(\.blocks).flatMap { writes[$0.write].variables } + replicatedVariables
            + constantVariables
        var seen: Set<Int> = []
        let variables = needed.filter { seen.insert($0.id).inserted }
        program.initialGraph = try initialGraph(variables)
        for shard in shards { program.shards.append(try self.shard(shard, isLead: shard.number == layout.lead)) }
        return program
    }

    /// A graph with, for each Variable, a node "initial/NAME" that computes its first value.
    private func initialGraph(_ variables: [Vertex]) throws -> Data {
        let values = try variables.map { variable -> Node in
            guard let assign = initializers[variable.id] else {
                throw GraphError("the Variable '\(variable.name)' has no initialiser")
            }
            return assign.inputs[1]
        }
        var copier = GraphCopier(into: Graph())
        try copier.copy(TrainingCut.ancestors(of: values.map(\.vertex), controls: false))
        for (variable, value) in zip(variables, values) {
            copier.target.add(Identity.self, [try copier.copy(of: value)], exactName: "initial/\(variable.name)")
        }
        try copier.target.validate()
        return Data(try GraphDefinition.encode(copier.target))
    }

    /// What a shard copies for these vertices, in the graph's order: all that they need and wait for, and that no write of a
    /// block goes into.
    private func copied(for vertices: [Vertex]) -> [Vertex] {
        let ofBlocks = Set(writes.flatMap { $0.members + $0.variables }.map(\.id))
        var found: [Int: Vertex] = [:]
        var seen: Set<Int> = []
        var stack = vertices
        while let vertex = stack.popLast() {
            let isGroup = vertex.operation == NoOp.self
            guard !ofBlocks.contains(vertex.id), isGroup || copying.contains(vertex), known[vertex.node] == nil,
                seen.insert(vertex.id).inserted
            else { continue }
            if copying.contains(vertex) { found[vertex.id] = vertex }
            stack += vertex.inputs.map(\.vertex) + vertex.controls
            if let carried = vertex.loopInput { stack.append(carried.vertex) }
        }
        return found.values.sorted { $0.id < $1.id }
    }

    /// The members of a write that one of them waits for through what is shared: a constant that waits for a write, which
    /// `0.9 * v` after it hangs on.
    private func waits(of vertex: Vertex, _ members: Set<Int>) -> [Vertex] {
        var found: [Vertex] = []
        var seen: Set<Int> = [vertex.id]
        var stack = vertex.inputs.map(\.vertex).filter { !members.contains($0.id) } + vertex.controls
        while let before = stack.popLast() {
            guard seen.insert(before.id).inserted else { continue }
            if members.contains(before.id) {
                found.append(before)
            } else if before.operation == NoOp.self || copying.contains(before) {
                stack += before.inputs.map(\.vertex) + before.controls
            }
        }
        return found.sorted { $0.id < $1.id }
    }

    private func shard(_ shard: Shard, isLead: Bool) throws -> WireServerProgram.Shard {
        let graph = Graph()
        var copier = GraphCopier(into: graph)
        var result = WireServerProgram.Shard()
        result.number = Int32(shard.number)
        result.executor = Int32(shard.executor)
        result.valueBytes = Int64(shard.valueBytes)
        result.pushBytes = Int64(shard.pushBytes)
        result.isEmbeddingTable = shard.isEmbeddingTable
        result.isLead = isLead
        var trains: [Node] = []
        // Of these, what runs in every step: what waits for others might not run.
        var certain: [Node] = []
        for (node, value) in known.sorted(by: { $0.key.vertex.id < $1.key.vertex.id }) {
            copier.replace(node, by: graph.constant(value, name: "\(node.vertex.name)/value"))
        }
        // Replicas and what else depends on no example, shared by the blocks.
        let shared = Set(shard.blocks.map(\.write)).sorted().flatMap { writes[$0].shared }
        let common = copied(for: shared + replicatedWrites.flatMap { $0.inputs.map(\.vertex) } + replicatedVariables)
        try copier.copy(common)
        for unit in shard.units {
            let write = writes[unit.first.write]
            // What stands for the Variables, and for what workers push, is each block's own.
            var own = copier
            for (index, block) in zip(unit.range, unit.blocks) {
                var wire = WireServerProgram.Block()
                wire.variable = block.variable
                wire.dtype = block.dtype.rawValue
                wire.offset = Int64(block.offset)
                wire.count = Int64(block.count)
                wire.total = Int64(block.total)
                wire.valueOffset = Int64(shard.valueOffsets[index])
                for variable in write.variables(of: block) {
                    let spec = variable.variableSpec!
                    let name = block.name(variable.name)
                    let memory = graph.add(
                        variable.operation, [],
                        ["dtype": .type(spec.dtype), "shape": .shape(write.shape(of: block, spec.shape))],
                        exactName: name)
                    own.replace(variable.output(0), by: memory.output(0))
                    wire.names.append(name)
                    wire.sources.append(variable.name)
                }
                result.blocks.append(wire)
            }
            let block = unit.first
            var placeholders: [Int: Node] = [:]
            for push in shard.pushes where push.block == unit.range.lowerBound {
                let node = write.pushed[push.input]!
                placeholders[push.input] =
                    graph.add(
                        Placeholder.self, [],
                        ["dtype": .type(node.dtype), "shape": .shape(write.shape(of: block, pushed: push.input))],
                        exactName: push.placeholder
                    ).node
                var entry = WireServerProgram.Push()
                entry.placeholder = push.placeholder
                entry.offset = Int64(push.offset)
                entry.bytes = Int64(push.bytes)
                entry.weighting = write.weightings[push.input] ?? .mean
                result.pushes.append(entry)
            }
            for (node, key) in write.plain { own.replace(node, by: placeholders[key]!) }
            for rows in write.rows {
                let (dense, count) = (placeholders[rows.dense]!, placeholders[rows.count]!)
                graph.scope("touched_rows") {
                    let touched = squeeze(indices(whereTrue: notEqual(count, zerosLike(count))), axes: [1])
                    own.replace(rows.values, by: gather(dense, touched))
                    own.replace(rows.indices, by: cast(touched, to: rows.indices.dtype))
                }
            }
            let ran = try write.run(by: &own, waits: waits(of:_:)) { block.name($0) }
            trains += ran.all
            certain += ran.certain
        }
        // Replicas count after the blocks have used their old values, as TensorFlow's optimizers do.
        var counting = copier
        let replicas = try graph.controlDependencies(certain) {
            try counting.copy(copied(for: replicatedWrites))
            return try replicatedWrites.map { try counting.copy(of: $0).node }
        }
        let read = Set(constantVariables.map(\.id))
        result.replicas = (replicatedVariables + common.filter { read.contains($0.id) }).map(\.name)
        result.train = graph.group(trains + replicas, name: "train").vertex.name
        try graph.validate()
        result.graph = Data(try GraphDefinition.encode(graph))
        return result
    }
}

extension TrainingCut.Write {
    /// Copies what servers run, a write after those before it.
    ///
    /// - Parameter waits: the members that a member waits for through what is shared.
    /// - Returns: the writes, with where conditions end, and of these what runs in every step.
    fileprivate func run(
        by copier: inout GraphCopier, waits: (Vertex, Set<Int>) -> [Vertex], name: (String) -> String
    ) throws -> (all: [Node], certain: [Node]) {
        var all: [Node] = []
        var certain: [Node] = []
        /// What the next write waits for: the last one, which waited for those before, and what has come since.
        var pending: [Node] = []
        let graph = copier.target
        let ids = Set(members.map(\.id))
        for vertex in members {
            let isWrite = !vertex.operation.writes.isEmpty || !vertex.variablesWrittenByCalls.isEmpty
            let before = waits(vertex, ids).compactMap { copier.existingCopy(of: $0)?.node }
            try graph.controlDependencies(before + (isWrite ? pending : [])) { try copier.copy([vertex], name: name) }
            guard isWrite || vertex.isMerge, let copy = copier.existingCopy(of: vertex)?.node else { continue }
            all.append(copy)
            guard !conditional.contains(vertex.id) else { continue }
            certain.append(copy)
            pending = isWrite ? [copy] : pending + [copy]
        }
        return (all, certain)
    }

    /// The Variables whose elements a block holds: the one that it is named for; its first block also holds all that workers
    /// do not read.
    fileprivate func variables(of block: Block) -> [Vertex] {
        if readable.count == 1 { return variables }
        let own = readable.filter { $0.name == block.variable }
        return block.variable == variable.name ? own + variables.dropFirst(readable.count) : own
    }
}
