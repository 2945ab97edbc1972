internal import Dataflow

/// Copies vertices of one graph into another, by the same names, with some nodes replaced.
struct GraphCopier {
    let target: Graph
    /// Nodes of the source and what stands for them in the target.
    private(set) var replacements: [Node: Node] = [:]
    private var copies: [Int: Vertex] = [:]

    init(into target: Graph) { self.target = target }

    mutating func replace(_ node: Node, by other: Node) { replacements[node] = other }

    /// Copies `vertices` (inputs before what uses them), without devices; control edges to vertices not copied fall away.
    /// - Parameter name: what a copy is called.
    mutating func copy(_ vertices: [Vertex], name: (String) -> String = { $0 }) {
        for vertex in vertices where copies[vertex.id] == nil {
            copies[vertex.id] = target.add(
                vertex.operation, vertex.inputs.map { self[$0] }, vertex.attributes, exactName: name(vertex.name),
                controls: vertex.controls.compactMap { copies[$0.id] }, location: vertex.location)
        }
    }

    /// What stands for `node` in the target. Traps if it was not copied.
    subscript(node: Node) -> Node {
        if let replacement = replacements[node] { return replacement }
        guard let copy = copies[node.vertex.id] else { preconditionFailure("\(node.name) was not copied") }
        return Node(vertex: copy, output: node.output)
    }

    /// The copy of a vertex. Traps if it was not copied.
    func copy(of vertex: Vertex) -> Vertex { copies[vertex.id]! }
}
