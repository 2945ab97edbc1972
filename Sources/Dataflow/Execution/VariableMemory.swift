internal import Synchronization

/// Which values of a run are the memory of a Variable, and which vertices write it.
///
/// Many values may be the same memory: the Variable, operations that pass its handle on, the results of updates, and
/// reads, which are views of it. Functions find a Variable by its name.
struct VariableMemory {
    /// How a value is connected with a Variable.
    struct Use {
        /// The Variable's own output.
        let variable: Node
        let kind: Kind
    }

    enum Kind {
        /// The memory itself. A vertex sees the value at the time it runs.
        case memory
        /// A read by the vertex `by`. A read of a reference is a view, as in TensorFlow: a vertex that runs after a
        /// later write sees the new value. A read by a handle (`ReadVariableOp`) keeps the value of its own time.
        case read(isView: Bool, by: Vertex)
    }

    private var uses: [Node: Use] = [:]
    /// By Variable, the vertices that write it, in order.
    private(set) var writers: [Node: [Vertex]] = [:]
    /// By Variable, the vertices whose outputs are views of it, in order.
    private(set) var reads: [Node: [Vertex]] = [:]

    /// - Parameters:
    ///   - order: inputs before what uses them.
    ///   - feeds: values from outside.
    init(_ order: [Vertex], feeds: [Node: TensorSpec]) {
        var byName: [String: Node] = [:]
        for vertex in order {
            let operation = vertex.operation
            let called = vertex.variablesWrittenByCalls.compactMap { byName[$0] }
            let written = operation.writes.compactMap { uses[vertex.inputs[$0]]?.variable } + called
            for variable in Set(written) { writers[variable, default: []].append(vertex) }
            if operation.isVariable {
                byName[vertex.name] = vertex.output(0)
                note(vertex.output(0), Use(variable: vertex.output(0), kind: .memory), feeds)
            } else if operation is any ControlFlowOperation.Type {
                guard let use = passed(vertex) else { continue }
                for output in vertex.outputs.indices where vertex.outputs[output].dtype == vertex.inputs[0].dtype {
                    note(vertex.output(output), use, feeds)
                }
            } else {
                for (output, input) in operation.aliases {
                    guard let use = uses[vertex.inputs[input]] else { continue }
                    let isHandle = vertex.outputs[output].dtype == .resource
                    if isHandle || !operation.writes.isEmpty {
                        note(vertex.output(output), Use(variable: use.variable, kind: .memory), feeds)
                        continue
                    }
                    let read = Kind.read(isView: isView(use), by: vertex)
                    note(vertex.output(output), Use(variable: use.variable, kind: read), feeds)
                    reads[use.variable, default: []].append(vertex)
                }
            }
        }
    }

    private mutating func note(_ node: Node, _ use: Use, _ feeds: [Node: TensorSpec]) {
        if feeds[node] == nil { uses[node] = use }
    }

    /// The use that a control flow operation passes on. A `Merge` of several reads, or of a read and a value that a
    /// loop makes, is no view.
    private func passed(_ vertex: Vertex) -> Use? {
        guard let first = vertex.inputs.first, let use = uses[first] else { return nil }
        guard vertex.operation == Merge.self, case .read = use.kind else { return use }
        return vertex.inputs.count == 1 && vertex.loopInput == nil ? use : nil
    }

    private func isView(_ use: Use) -> Bool {
        switch use.kind {
        case .memory: use.variable.dtype != .resource
        case .read(let isView, _): isView
        }
    }

    /// How a value is connected with a Variable; nil if it is not.
    func use(of node: Node) -> Use? { uses[node] }

    /// The Variable whose memory a value is or may be.
    func variable(behind node: Node) -> Node? { uses[node]?.variable }
}
