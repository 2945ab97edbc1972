internal import Dataflow
internal import Foundation
internal import Interchange

/// What one server runs: a small graph for each of its bundles, and one that computes first values.
extension TrainingCut {
    /// The program of server `server` under `layout`, ready for the wire.
    func program(server: Int, layout: BundleLayout) throws -> WireServerProgram {
        var program = WireServerProgram()
        let bundles = layout.bundles.filter { $0.server == server }
        let needed = bundles.flatMap(\.blocks).flatMap { writes[$0.write].variables } + replicatedVariables
        var seen: Set<Int> = []
        let variables = needed.filter { seen.insert($0.id).inserted }
        program.initialGraph = try initialGraph(variables)
        for bundle in bundles { program.bundles.append(try self.bundle(bundle)) }
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
        copier.copy(TrainingCut.ancestors(of: values.map(\.vertex), controls: false))
        for (variable, value) in zip(variables, values) {
            copier.target.add(Identity.self, [copier[value]], exactName: "initial/\(variable.name)")
        }
        try copier.target.validate()
        return Data(try GraphDefinition.encode(copier.target))
    }

    private func bundle(_ bundle: Bundle) throws -> WireServerProgram.Bundle {
        let graph = Graph()
        var copier = GraphCopier(into: graph)
        var result = WireServerProgram.Bundle()
        result.number = Int32(bundle.number)
        result.lane = Int32(bundle.lane)
        result.valueBytes = Int64(bundle.valueBytes)
        result.pushBytes = Int64(bundle.pushBytes)
        result.isTable = bundle.isTable
        var trains: [Node] = []
        // Replicas and what else depends on no data, shared by the blocks.
        let shared = Set(bundle.blocks.map(\.write)).sorted().flatMap { writes[$0].shared }
        copier.copy(
            TrainingCut.ancestors(of: shared + replicatedWrites.flatMap { $0.inputs.map(\.vertex) }, controls: false)
                .filter { $0.operation.writes.isEmpty })
        for (index, block) in bundle.blocks.enumerated() {
            let write = writes[block.write]
            var wire = WireServerProgram.Block()
            wire.variable = block.variable
            wire.dtype = block.dtype.rawValue
            wire.offset = Int64(block.offset)
            wire.count = Int64(block.count)
            wire.total = Int64(block.total)
            wire.valueOffset = Int64(bundle.valueOffsets[index])
            // What stands for the Variables, and for what workers push, is each block's own.
            var own = copier
            for variable in write.variables {
                let spec = variable.variableSpec!
                let name = block.name(variable.name)
                let memory = graph.add(
                    variable.operation, [],
                    ["dtype": .type(spec.dtype), "shape": .shape(write.shape(of: block, spec.shape))], exactName: name)
                own.replace(variable.output(0), by: memory.output(0))
                wire.names.append(name)
                wire.sources.append(variable.name)
            }
            var placeholders: [Int: Node] = [:]
            for push in bundle.pushes where push.block == index {
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
            trains += write.run(by: &own) { block.name($0) }
            result.blocks.append(wire)
        }
        // Replicas count after the blocks have used their old values, as TensorFlow's optimizers do.
        let replicas = graph.controlDependencies(trains) {
            replicatedWrites.map { write in
                graph.add(write.operation, write.inputs.map { copier[$0] }, write.attributes, exactName: write.name)
                    .node
            }
        }
        result.replicas = replicatedVariables.map(\.name)
        result.train = graph.group(trains + replicas, name: "train").vertex.name
        try graph.validate()
        result.graph = Data(try GraphDefinition.encode(graph))
        return result
    }
}

extension TrainingCut.Write {
    /// Copies what servers run, a write after those before it; returns the writes.
    fileprivate func run(by copier: inout GraphCopier, name: (String) -> String) -> [Node] {
        var writes: [Node] = []
        let graph = copier.target
        for vertex in runs {
            if vertex.operation.writes.isEmpty {
                copier.copy([vertex], name: name)
            } else {
                graph.controlDependencies(writes) { copier.copy([vertex], name: name) }
                writes.append(copier.copy(of: vertex).node)
            }
        }
        return writes
    }

    /// The shape of a block of a Variable of this shape.
    fileprivate func shape(of block: Block, _ shape: Shape) -> Shape {
        if block.isWhole { return shape }
        guard division == .betweenRows, let extents = shape.dimensions else { return [block.count] }
        return Shape([block.count / rowWidth] + extents.dropFirst())
    }

    /// The shape of a block's part of a pushed input.
    fileprivate func shape(of block: Block, pushed key: Int) -> Shape {
        if rows.contains(where: { $0.count == key }) { return [block.count / rowWidth] }
        let node = pushed[key]!
        let own = variable.variableSpec!.shape
        return block.isWhole ? own.merged(with: node.shape) ?? node.shape : shape(of: block, own)
    }
}
