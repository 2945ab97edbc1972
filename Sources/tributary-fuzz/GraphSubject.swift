import Dataflow
import Foundation
import Interchange
import Schemas
import SwiftProtobuf

/// Decodes a damaged graph, plans it and runs what can be run, with small feeds.
struct GraphSubject: Subject {
    enum Depth: String, CaseIterable { case refused, decoded, ran }

    private let corpus: Corpus
    private let bytes: ByteDamage
    private let messages: GraphDamage
    private let small: [GraphSample]

    init(_ corpus: Corpus) throws {
        guard !corpus.samples.isEmpty else { throw Finding("there is no graph to damage; name folders of graphs") }
        self.corpus = corpus
        // Half of the inputs start from a whole training graph, half from a single operation.
        small = corpus.samples.filter { $0.definition.node.count < 20 }
        bytes = ByteDamage(others: try corpus.samples.prefix(40).map { try $0.definition.serializedBytes() })
        messages = GraphDamage(samples: corpus.samples)
    }

    /// Of a tensor, of a plan, of all Variables: damaged graphs ask for anything.
    private static let memoryLimit = 16 << 20

    func read(_ chance: inout Chance) throws -> Depth {
        let sample = chance.pick(chance.once(in: 2) && !small.isEmpty ? small : corpus.samples)
        var definition = sample.definition
        if !chance.once(in: 8) { messages.apply(to: &definition, &chance) }
        var file: [UInt8] = try definition.serializedBytes()
        if chance.once(in: 4) { bytes.apply(to: &file, &chance) }
        let graph: Graph
        do { graph = try GraphDefinition.decode(file) } catch is GraphError { return .refused }
        let options = SessionOptions(
            threads: 1, memoryLimit: Self.memoryLimit, timeout: .milliseconds(300), softPlacement: true, process: nil)
        let session = try Session(graph, options: options)
        var depth = Depth.decoded
        func run(_ names: [String]) throws {
            let fetches = names.compactMap { try? graph.node(named: $0) }
            guard !fetches.isEmpty else { return }
            do {
                _ = try session.run(fetches, feeds: feeds(graph, sample, &chance))
                depth = .ran
            } catch let error as GraphError {
                // The rule for shapes said something else than the kernel does.
                if error.description.contains("but the plan expects") { throw Finding(error.description) }
            }
        }
        if let initializer = sample.initializer { try run([initializer]) }
        let assigns = graph.vertices.filter { $0.operation.name.hasPrefix("Assign") }.map(\.name)
        if sample.initializer == nil, !assigns.isEmpty { try run(assigns) }
        try run(sample.fetches)
        for _ in 0..<2 where !graph.vertices.isEmpty { try run([chance.pick(graph.vertices).name]) }
        if let last = graph.vertices.last(where: { $0.name.hasPrefix("grown") && !$0.name.contains("/") }) {
            try run([last.name])
        }
        return depth
    }

    /// Values for all placeholders: the sample's own where they fit, else small ones.
    private func feeds(_ graph: Graph, _ sample: GraphSample, _ chance: inout Chance) -> Feeds {
        var result: [Node: Tensor] = [:]
        for (name, value) in sample.feeds.sorted(by: { $0.key < $1.key }) where !chance.once(in: 6) {
            if let node = try? graph.node(named: name) { result[node] = value }
        }
        for vertex in graph.vertices where ["Placeholder", "PlaceholderV2"].contains(vertex.operation.name) {
            let node = vertex.node
            guard result[node] == nil, ![.string, .resource, .variant].contains(node.dtype) else { continue }
            let extents = (node.shape.dimensions ?? (0..<chance.below(4)).map { _ in nil }).map {
                $0 ?? chance.below(4)
            }
            guard let count = Shape(extents).elementCount, count <= 4096 else { continue }
            let isTame = chance.once(in: 2)
            let values = (0..<count).map { _ -> Double in
                node.dtype.isFloating ? Double(chance.number()) : Double(isTame ? chance.below(4) : chance.integer())
            }
            result[node] = .numbers(values, dtype: node.dtype, sized: Shape(extents))
        }
        return Feeds(result)
    }
}
