internal import Dataflow

/// Counts what a file asks memory for before it is decoded: a node of two bytes takes some hundred in memory.
enum GraphSize {
    /// Nodes of a graph and its functions.
    static let nodes = 5_000_000
    /// Messages of a text proto, each between braces.
    static let braces = 50_000_000

    /// - Throws: `GraphError` for more than are read.
    static func check(_ bytes: [UInt8], _ kind: GraphSource.Kind) throws {
        // The fields that lead to graphs, and from these to nodes.
        let path =
            switch kind {
            case .graph: [Int]()
            case .metaGraph: [2]
            case .savedModel: [2, 2]
            }
        var count = 0
        for graph in messages(bytes, [0..<bytes.count], path) {
            count += messages(bytes, [graph], [1], most: nodes + 1).count
            count += messages(bytes, [graph], [2, 1, 3], most: nodes + 1).count
            guard count <= nodes else { throw GraphError("the graph has more than \(nodes) nodes, which are not read") }
        }
    }

    /// - Throws: `GraphError` for more than are read.
    static func check(text bytes: [UInt8]) throws {
        guard bytes.count(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "<") }) <= braces else {
            throw GraphError("the text has more than \(braces) braces, which are not read; give the binary form")
        }
    }

    /// The messages at the end of a path of fields, at most so many at each step.
    private static func messages(
        _ bytes: [UInt8], _ start: [Range<Int>], _ path: [Int], most: Int = nodes + 1
    ) -> [Range<Int>] {
        var found = start
        for number in path {
            var next: [Range<Int>] = []
            for range in found where next.count < most {
                var scanner = FieldScanner(bytes, range)
                while next.count < most, let field = scanner.next() {
                    if field.number == number, field.isMessage { next.append(field.content) }
                }
            }
            found = next
        }
        return found
    }
}
