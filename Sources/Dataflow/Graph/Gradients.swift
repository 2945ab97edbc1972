extension Graph {
    /// Ordinary nodes that compute d(sum of `ys`)/d`xs`; TensorFlow's `tf.gradients`. They can be differentiated again.
    ///
    /// - Parameters:
    ///   - ys: floating nodes of any shape.
    ///   - xs: what to differentiate by: Variables or any nodes.
    ///   - upstream: the gradient that arrives at each of `ys`, of its shape; ones by default.
    /// - Returns: for each of `xs` a node of its shape, nil where `ys` does not depend on it.
    public func gradients(
        of ys: [any Operand], by xs: [any Operand], upstream: [any Operand]? = nil, name: String = "gradients",
        file: StaticString = #fileID, line: UInt = #line
    ) -> [Node?] {
        if let body = openBody {
            return body.gradients(of: ys, by: xs, upstream: upstream, name: name, file: file, line: line)
        }
        // In a body, of what it takes from outside.
        let (ys, targets) = (ys.map { local($0.node) }, xs.map { local($0.node) })
        let location = SourceLocation(file: file, line: line)
        if let upstream, upstream.count != ys.count {
            record(
                GraphError("\(ys.count) nodes to differentiate have \(upstream.count) upstream gradients")
                    .at(name, location))
            return [Node?](repeating: nil, count: xs.count)
        }
        return scope(name) {
            var arrived: [Node: [Node]] = [:]
            for (i, y) in ys.enumerated() {
                if y.vertex.error == nil, !y.dtype.isFloating {
                    record(
                        GraphError("the gradient of \(y) is asked for: only floating types have one").at(
                            name, location))
                }
                arrived[y, default: []].append(upstream?[i].node ?? onesLike(y))
            }
            let path = between(targets, ys)
            let ids = Set(path.map(\.id))
            for vertex in path.reversed() { propagate(vertex, &arrived, on: ids, location) }
            return targets.map { sum(arrived[$0] ?? []) }
        }
    }

    /// As `gradients(of:by:)` for one target, such as a loss.
    public func gradients(
        of y: any Operand, by xs: [any Operand], file: StaticString = #fileID, line: UInt = #line
    ) -> [Node?] { gradients(of: [y], by: xs, file: file, line: line) }

    /// The vertices that lie on a path from `sources` to `targets`, in the graph's order.
    private func between(_ sources: [Node], _ targets: [Node]) -> [Vertex] {
        var needed: Set<Int> = []
        var stack = targets.map(\.vertex)
        while let vertex = stack.popLast() {
            guard needed.insert(vertex.id).inserted else { continue }
            stack += vertex.inputs.map(\.vertex)
        }
        var reached = Set(sources.map(\.vertex.id))
        let start = Set(reached)
        let all = vertices
        for vertex in all where needed.contains(vertex.id) && !start.contains(vertex.id) {
            if vertex.inputs.contains(where: { reached.contains($0.vertex.id) }) { reached.insert(vertex.id) }
        }
        return all.filter { needed.contains($0.id) && reached.contains($0.id) }
    }

    /// Passes what arrived at a vertex's outputs on to its inputs.
    private func propagate(
        _ vertex: Vertex, _ arrived: inout [Node: [Node]], on path: Set<Int>, _ location: SourceLocation
    ) {
        guard vertex.inputs.contains(where: { path.contains($0.vertex.id) }) else { return }
        var upstream: [Node?] = []
        for i in 0..<vertex.outputs.count {
            let output = vertex.output(i)
            let total = sum(arrived[output] ?? [])
            if let total { arrived[output] = [total] }
            upstream.append(total)
        }
        guard upstream.contains(where: { $0 != nil }) else { return }
        do {
            let result = try device(vertex.device) {
                try scope("\(vertex.name.split(separator: "/").last ?? "op")_grad") {
                    try vertex.operation.gradient(GradientContext(vertex: vertex, arrived: upstream))
                }
            }
            for (input, gradient) in zip(vertex.inputs, result) {
                if let gradient, input.dtype.isFloating { arrived[input, default: []].append(gradient) }
            }
        } catch {
            let mistake = error as? GraphError ?? GraphError("\(error)")
            record(mistake.at("\(vertex.operation.name) '\(vertex.name)'", location))
        }
    }

    private func sum(_ terms: [Node]) -> Node? { terms.count > 1 ? addN(terms) : terms.first }
}
