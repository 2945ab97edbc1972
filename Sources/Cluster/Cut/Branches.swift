internal import Dataflow

/// The branches of conditions that a vertex is in: it runs only if these predicates say so.
struct Branches {
    private struct Branch: Hashable {
        let predicate: Node
        let output: Int
    }

    private var branches: Set<Branch> = []

    init(_ vertex: Vertex) {
        var seen: Set<Int> = []
        var stack = [vertex]
        while let vertex = stack.popLast() {
            // What comes after a condition runs whatever the predicate was.
            guard seen.insert(vertex.id).inserted, !vertex.isMerge else { continue }
            for input in vertex.inputs + vertex.controls.map(\.node) {
                if input.vertex.isSwitch, vertex.inputs.contains(input) {
                    branches.insert(Branch(predicate: input.vertex.inputs[1], output: input.output))
                }
                stack.append(input.vertex)
            }
        }
    }

    /// Whether no run has both.
    func exclude(_ other: Branches) -> Bool {
        branches.contains { other.branches.contains(Branch(predicate: $0.predicate, output: 1 - $0.output)) }
    }
}
