internal import Dataflow

/// Copies vertices of one graph into another, by the same names, with some nodes replaced.
struct GraphCopier {
    let target: Graph
    /// Nodes of the source and what stands for them in the target.
    private(set) var replacements: [Node: Node] = [:]
    private var copies: [Int: Vertex] = [:]
    /// Heads of loops that are not closed yet.
    private var heads: [Vertex] = []

    init(into target: Graph) { self.target = target }

    mutating func replace(_ node: Node, by other: Node) { replacements[node] = other }

    /// Copies `vertices` (inputs before what uses them), without devices. A copy waits for the copies of what its original
    /// waits for, also where a vertex between them is not copied.
    /// - Parameter name: what a copy is called.
    /// - Throws: `GraphError` naming what a copy needs that was not copied.
    mutating func copy(_ vertices: [Vertex], name: (String) -> String = { $0 }) throws {
        for vertex in vertices where copies[vertex.id] == nil && replacements[vertex.node] == nil {
            copies[vertex.id] = target.add(
                vertex.operation, try vertex.inputs.map { try self.copy(of: $0) }, vertex.attributes,
                exactName: name(vertex.name),
                isLoopHead: vertex.loopInput != nil, controls: waited(by: vertex), location: vertex.location)
            if vertex.loopInput != nil { heads.append(vertex) }
        }
        // What a loop carries round may be copied later than its head.
        for head in heads {
            guard let carried = head.loopInput, copies[carried.vertex.id] != nil else { continue }
            try target.closeLoop(copy(of: head), from: copy(of: carried))
        }
        heads.removeAll { $0.loopInput.map { copies[$0.vertex.id] != nil } ?? true }
    }

    /// The copies of what a vertex waits for.
    private func waited(by vertex: Vertex) -> [Vertex] {
        var found: [Int: Vertex] = [:]
        var seen: Set<Int> = []
        var stack = vertex.controls
        while let before = stack.popLast() {
            guard seen.insert(before.id).inserted else { continue }
            if let copy = copies[before.id] {
                found[copy.id] = copy
            } else if before.operation == NoOp.self {
                stack += before.controls
            }
        }
        return found.values.sorted { $0.id < $1.id }
    }

    /// What stands for `node` in the target.
    func copy(of node: Node) throws -> Node {
        if let replacement = replacements[node] { return replacement }
        return Node(vertex: try copy(of: node.vertex), output: node.output)
    }

    /// The copy of a vertex, if it was copied.
    func existingCopy(of vertex: Vertex) -> Vertex? { copies[vertex.id] }

    func copy(of vertex: Vertex) throws -> Vertex {
        guard let copy = copies[vertex.id] else {
            throw GraphError("servers need it for a write, and cannot compute it", node: vertex.name)
        }
        return copy
    }
}
