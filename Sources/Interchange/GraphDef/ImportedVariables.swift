internal import Dataflow

/// Finds what `Graph.variable` makes (memory, initialiser, value) among the vertices of an imported graph.
struct ImportedVariables {
    /// In the file's order.
    private let vertices: [Vertex]

    init(_ vertices: [Vertex]) { self.vertices = vertices }

    /// Registers the Variables with the graph, in the file's order. One that no `Assign` gives a value is none.
    /// - Parameter trainable: those that are trained; nil: those that the graph updates.
    func adopt(by graph: Graph, trainable: Set<String>? = nil) {
        var initializers: [Node: Vertex] = [:]
        var reads: [Node: Vertex] = [:]
        var trained: Set<Node> = []
        var hasOptimizer = false
        for vertex in vertices {
            guard let first = vertex.inputs.first else { continue }
            let (operation, base) = (vertex.operation.name, first.vertex.name)
            switch operation {
            case "Assign", "AssignVariableOp": choose(vertex, for: first, named: base + "/Assign", in: &initializers)
            case "Identity", "ReadVariableOp":
                choose(
                    vertex, for: first, named: operation == "Identity" ? base + "/read" : base + "/Read/ReadVariableOp",
                    in: &reads)
            default:
                if operation.contains("Apply") {
                    hasOptimizer = true
                    trained.insert(first)
                } else if operation.contains("Scatter") {
                    trained.insert(first)
                }
            }
        }
        for vertex in vertices where vertex.operation.isVariable {
            let reference = vertex.output(0)
            guard let initializer = initializers[reference] else { continue }
            graph.adoptVariable(
                reference, initializer: initializer.node, value: reads[reference]?.output(0) ?? reference,
                isTrainable: vertex.variableSpec?.dtype.isFloating == true
                    && (trainable?.contains(vertex.name) ?? (!hasOptimizer || trained.contains(reference))))
        }
    }

    /// The vertex of the usual name, else the first.
    private func choose(_ vertex: Vertex, for reference: Node, named name: String, in table: inout [Node: Vertex]) {
        if table[reference] == nil || vertex.name == name { table[reference] = vertex }
    }
}
