public import Dataflow
internal import Schemas
internal import SwiftProtobuf

extension GraphDefinition {
    /// The bytes of a `GraphDef` with the graph's vertices in the graph's order; the same graph gives the same bytes.
    ///
    /// - Parameters:
    ///   - vertices: which to write; all by default. Whatever they take as an input or wait for must be among them.
    ///   - includingDevices: whether to write which devices the vertices ask for.
    ///   - gatingWrites: adds control edges by which a Variable is written after all that was built before the write has
    ///     read it. Here that is so anyway; TensorFlow's executor runs in parallel what no edge puts in order.
    /// - Throws: `GraphError` for a mistake made while building, or an input that is left out of `vertices`.
    public static func encode(
        _ graph: Graph, vertices: [Vertex]? = nil, includingDevices: Bool = true, gatingWrites: Bool = false
    ) throws -> [UInt8] {
        let chosen = vertices?.sorted { $0.id < $1.id } ?? graph.vertices
        let ids = Set(chosen.map(\.id))
        guard ids.count == chosen.count else { throw GraphError("a vertex is among those to write twice") }
        var definition = TFGraphDef()
        definition.versions.producer = version
        definition.node.reserveCapacity(chosen.count)
        let gates = gatingWrites ? readersBeforeWrites(chosen) : [:]
        for vertex in chosen {
            guard vertex.graph === graph else { throw GraphError("'\(vertex.name)' belongs to another graph") }
            if let error = vertex.error { throw error }
            let carried = vertex.loopInput.map { [$0.vertex] } ?? []
            for source in vertex.inputs.map(\.vertex) + vertex.controls + carried where !ids.contains(source.id) {
                throw GraphError("'\(vertex.name)' needs '\(source.name)', which is not among the vertices to write")
            }
            var written = node(vertex, includingDevices: includingDevices)
            let own = Set(written.input)
            written.input += (gates[vertex.id] ?? []).map { "^\($0.name)" }.filter { !own.contains($0) }
            definition.node.append(written)
        }
        definition.library = try library(chosen, includingDevices: includingDevices)
        if definition.library.function.isEmpty { definition.clearLibrary() }
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        do { return try definition.serializedBytes(options: options) } catch {
            throw GraphError("the graph cannot be written as a GraphDef (at most 2 GiB): \(error)")
        }
    }

    /// For each write, the vertices before it that use the value of a Variable that it changes.
    private static func readersBeforeWrites(_ vertices: [Vertex]) -> [Int: [Vertex]] {
        var readers: [Int: [Vertex]] = [:]
        var result: [Int: [Vertex]] = [:]
        for vertex in vertices {
            for input in vertex.inputs where input.vertex.inputs.count == 1 {
                if let variable = input.vertex.inputs[0].variable { readers[variable.id, default: []].append(vertex) }
            }
            let changed = vertex.operation.writes.compactMap { vertex.inputs[$0].variable?.id }
            var seen = Set(vertex.inputs.map(\.vertex.id))
            result[vertex.id] = changed.flatMap { readers[$0] ?? [] }.filter {
                $0 !== vertex && seen.insert($0.id).inserted
            }
        }
        return result
    }

    static func node(_ vertex: Vertex, includingDevices: Bool) -> TFNodeDef {
        var node = TFNodeDef()
        node.name = vertex.name
        node.op = vertex.operation.name
        node.input = (vertex.inputs + (vertex.loopInput.map { [$0] } ?? [])).map {
            $0.output == 0 ? $0.vertex.name : "\($0.vertex.name):\($0.output)"
        }
        node.input += vertex.controls.map { "^\($0.name)" }
        if includingDevices { node.device = vertex.device.description }
        node.attr = vertex.attributes.values.mapValues(\.proto)
        return node
    }
}
