import Dataflow
import Foundation
import Interchange
import Schemas
import SwiftProtobuf

/// A real graph to damage: what it is, and what is run of it.
struct GraphSample {
    let name: String
    let definition: TFGraphDef
    var initializer: String?
    var fetches: [String] = []
    var feeds: [String: Tensor] = [:]
}

/// The graphs that the fuzzer starts from: those in folders as `tributary graph check` takes them, and one of a single
/// operation for each case of the op table's vector files.
struct Corpus {
    private(set) var samples: [GraphSample] = []

    /// - Parameter folders: each holds folders with `graph.pb` and `run.json`, or vector files.
    init(_ folders: [String]) throws {
        for folder in folders {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
                let path = "\(folder)/\(name)"
                if name.hasSuffix(".json") {
                    try addVectors(path, operation: String(name.dropLast(5)))
                } else if let bytes = FileManager.default.contents(atPath: "\(path)/graph.pb") {
                    samples.append(try Corpus.graph(path, name, bytes))
                }
            }
        }
    }

    private struct Run: Decodable {
        var `init`: String?
        var train: String?
        var feeds: [String: String]?
        var fetches: [String: String]
    }

    private static func graph(_ path: String, _ name: String, _ bytes: Data) throws -> GraphSample {
        var sample = GraphSample(name: name, definition: try TFGraphDef(serializedBytes: bytes))
        let run = try JSONDecoder().decode(Run.self, from: Data(contentsOf: URL(fileURLWithPath: "\(path)/run.json")))
        sample.initializer = run.`init`
        sample.fetches = (run.train.map { [$0] } ?? []) + run.fetches.keys.sorted()
        sample.feeds = try (run.feeds ?? [:]).mapValues { try Npy.read("\(path)/\($0)") }
        return sample
    }

    private mutating func addVectors(_ path: String, operation name: String) throws {
        guard let operation = OperationCatalog.operation(named: name) else { return }
        let json = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        for (number, row) in ((json as? [[String: Any]]) ?? []).enumerated() {
            let graph = Graph()
            let inputs = ((row["inputs"] as? [[String: Any]]) ?? []).flatMap {
                ($0["list"] as? [[String: Any]]) ?? [$0]
            }
            let nodes = inputs.compactMap(Corpus.tensor).map { graph.constant($0) }
            var attributes: [String: AttributeValue] = [:]
            for (key, value) in (row["attributes"] as? [String: Any]) ?? [:] {
                attributes[key] = Corpus.attribute(value, like: operation.signature.defaults[key])
            }
            let vertex = graph.add(operation, nodes, Attributes(attributes))
            guard nodes.count == inputs.count, let bytes = try? GraphDefinition.encode(graph) else { continue }
            let fetches = vertex.outputs.indices.map { "\(vertex.name):\($0)" }
            samples.append(
                GraphSample(
                    name: "\(name) \(number)", definition: try TFGraphDef(serializedBytes: bytes), fetches: fetches))
        }
    }

    private static func tensor(_ json: [String: Any]) -> Tensor? {
        guard let dtype = (json["dtype"] as? String).flatMap({ DType(rawValue: $0) }),
            let shape = json["shape"] as? [Int], let data = json["data"] as? [Any], data.count <= 4096
        else { return nil }
        let numbers = data.map { item -> Double in
            if let number = item as? NSNumber { return number.doubleValue }
            return (item as? String) == "Infinity" ? .infinity : (item as? String) == "-Infinity" ? -.infinity : .nan
        }
        return .numbers(numbers, dtype: dtype, sized: Shape(shape))
    }

    private static func attribute(_ json: Any, like example: AttributeValue?) -> AttributeValue {
        if let text = json as? String { return DType(rawValue: text).map { .type($0) } ?? .string(text) }
        if let numbers = json as? [NSNumber] {
            if case .floats? = example { return .floats(numbers.map(\.floatValue)) }
            return .ints(numbers.map(\.intValue))
        }
        guard let number = json as? NSNumber else { return .bool(false) }
        switch example {
        case .float?: return .float(number.floatValue)
        case .bool?: return .bool(number.boolValue)
        case .int?: return .int(number.intValue)
        default: return "\(json)" == "true" || "\(json)" == "false" ? .bool(number.boolValue) : .int(number.intValue)
        }
    }
}
