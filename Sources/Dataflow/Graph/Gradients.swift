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
        located(file, line) {
            differentiate(ys, by: xs, upstream, name, SourceLocation(file: file, line: line)) { gradient in
                note(gradient: gradient.values)
                return gradient.dense
            }
        }
    }

    /// As `gradients(of:by:)`, but where `y` depends on one of `xs` only through gathers of its rows, those rows alone, as
    /// TensorFlow's `tf.gradients` does.
    public func rowGradients(
        of y: any Operand, by xs: [any Operand], name: String = "gradients", file: StaticString = #fileID,
        line: UInt = #line
    ) -> [Gradient?] {
        located(file, line) {
            differentiate([y], by: xs, nil, name, SourceLocation(file: file, line: line)) { gradient in
                note(gradient: gradient.values)
                return gradient
            }
        }
    }

    private func differentiate<Result>(
        _ ys: [any Operand], by xs: [any Operand], _ upstream: [any Operand]?, _ name: String,
        _ location: SourceLocation, _ finish: (Gradient) -> Result
    ) -> [Result?] {
        if let body = openBody { return body.differentiate(ys, by: xs, upstream, name, location, finish) }
        // In a body, of what it takes from outside.
        let (ys, targets) = (ys.map { local($0.node) }, xs.map { local($0.node) })
        if let upstream, upstream.count != ys.count {
            record(
                GraphError("\(ys.count) nodes to differentiate have \(upstream.count) upstream gradients")
                    .at(name, location))
            return [Result?](repeating: nil, count: xs.count)
        }
        return scope(name) {
            var arrived: [Node: [Gradient]] = [:]
            for (i, y) in ys.enumerated() {
                if y.vertex.error == nil, !y.dtype.isFloating, upstream == nil || !y.dtype.isDifferentiable {
                    record(
                        GraphError("the gradient of \(y) is asked for: only floating types have one").at(
                            name, location))
                }
                arrived[y, default: []].append(.dense(upstream?[i].node ?? onesLike(y)))
            }
            let path = between(targets, ys)
            let ids = Set(path.map(\.id))
            for vertex in path.reversed() { propagate(vertex, &arrived, on: ids, location) }
            return targets.map { Gradient.sum(arrived[$0] ?? []).map(finish) }
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
        _ vertex: Vertex, _ arrived: inout [Node: [Gradient]], on path: Set<Int>, _ location: SourceLocation
    ) {
        guard vertex.inputs.contains(where: { path.contains($0.vertex.id) }) else { return }
        var upstream: [Node?] = []
        for i in 0..<vertex.outputs.count {
            let output = vertex.output(i)
            let total = Gradient.sum(arrived[output] ?? [])?.dense
            if let total { arrived[output] = [.dense(total)] }
            upstream.append(total)
        }
        guard upstream.contains(where: { $0 != nil }) else { return }
        do {
            let result = try device(vertex.device) {
                try scope("\(vertex.name.split(separator: "/").last ?? "op")_grad") { () -> [Gradient?] in
                    let context = GradientContext(vertex: vertex, arrived: upstream)
                    if let operation = vertex.operation as? any RowPicking.Type,
                        let rows = try operation.rowGradient(context)
                    {
                        return [.rows(rows)]
                    }
                    return try vertex.operation.gradient(context).map { $0.map(Gradient.dense) }
                }
            }
            for (input, gradient) in zip(vertex.inputs, result) {
                if let gradient, input.dtype.isDifferentiable { arrived[input, default: []].append(gradient) }
            }
        } catch {
            let mistake = error as? GraphError ?? GraphError("\(error)")
            record(mistake.at("\(vertex.operation.name) '\(vertex.name)'", location))
        }
    }
}
