internal import Dataflow
internal import Foundation
internal import Interchange

/// What one server runs: a small graph for each of its bundles, and one that computes first values.
extension TrainingCut {
    /// The program of server `server` under `layout`, ready for the wire.
    /// - Parameter device: where servers run their part, a device name.
    func program(server: Int, layout: BundleLayout, device: String) throws -> WireServerProgram {
        var program = WireServerProgram()
        let bundles = layout.bundles.filter { $0.server == server }
        let needed = bundles.flatMap(\.blocks).flatMap { writes[$0.write].variables } + replicatedVariables
        var seen: Set<Int> = []
        let variables = needed.filter { seen.insert($0.id).inserted }
        program.initialGraph = try initialGraph(variables)
        for bundle in bundles { program.bundles.append(try self.bundle(bundle, device: device)) }
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

    private func bundle(_ bundle: Bundle, device: String) throws -> WireServerProgram.Bundle {
        let graph = Graph()
        return try graph.device(device) { try self.bundle(bundle, in: graph) }
    }

    private func bundle(_ bundle: Bundle, in graph: Graph) throws -> WireServerProgram.Bundle {
        var copier = GraphCopier(into: graph)
        var result = WireServerProgram.Bundle()
        result.number = Int32(bundle.number)
        result.lane = Int32(bundle.lane)
        result.valueBytes = Int64(bundle.valueBytes)
        result.pushBytes = Int64(bundle.pushBytes)
        var trains: [Node] = []
        // Replicas and what else depends on no data, shared by the blocks.
        let constants = Set(bundle.blocks.map(\.write)).sorted().flatMap { index -> [Vertex] in
            let write = writes[index]
            return write.vertex.inputs.indices
                .filter { write.pushed[$0] == nil && TrainingCut.reference(write.vertex.inputs[$0]) == nil }
                .map { write.vertex.inputs[$0].vertex }
        }
        copier.copy(
            TrainingCut.ancestors(of: constants + replicatedWrites.flatMap { $0.inputs.map(\.vertex) }, controls: false)
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
            var memory: [Int: Node] = [:]
            for variable in write.variables {
                let spec = variable.variableSpec!
                let shape = block.isWhole ? spec.shape : Shape([block.count])
                let name = block.name(variable.name)
                memory[variable.id] = graph.add(
                    variable.operation, [], ["dtype": .type(spec.dtype), "shape": .shape(shape)], exactName: name
                ).output(0)
                wire.names.append(name)
                wire.sources.append(variable.name)
            }
            let inputs = write.vertex.inputs.enumerated().map { i, input -> Node in
                if let variable = TrainingCut.reference(input) { return memory[variable.id]! }
                guard let pushed = write.pushed[i] else { return copier[input] }
                let shape =
                    block.isWhole
                    ? write.variable.variableSpec!.shape.merged(with: pushed.shape) ?? pushed.shape : [block.count]
                let push = bundle.pushes.first { $0.block == index && $0.input == i }!
                let placeholder = graph.add(
                    Placeholder.self, [], ["dtype": .type(pushed.dtype), "shape": .shape(shape)],
                    exactName: push.placeholder)
                var entry = WireServerProgram.Push()
                entry.placeholder = push.placeholder
                entry.offset = Int64(push.offset)
                entry.bytes = Int64(push.bytes)
                result.pushes.append(entry)
                return placeholder.node
            }
            trains.append(
                graph.add(
                    write.vertex.operation, inputs, write.vertex.attributes, exactName: block.name(write.vertex.name)
                ).node)
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
