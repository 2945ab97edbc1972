extension Graph {
    /// Ordinary nodes that compute d(sum of `ys`)/d`xs`; TensorFlow's `tf.gradients`. They can be differentiated again.
    ///
    /// - Parameters:
    ///   - ys: floating nodes of any shape.
    ///   - xs: what to differentiate by: Variables or any nodes.
    ///   - upstream: the gradient that arrives at each of `ys`, of its shape; ones by default.
    /// - Returns: for each of `xs` a node of its shape, nil where `ys` does not depend on it. Where it does, but through an
    ///   operation that has no gradient, a node with the mistake, which names the operation (TensorFlow's `LookupError`).
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

    /// As `gradients(of:by:upstream:)` within a rule for gradients: a mistake has the location of the operation that made it.
    func gradients(of ys: [Node], by xs: [Node], arrived upstream: [Node]) -> [Node?] {
        differentiate(ys, by: xs, upstream, "gradients", nil) { gradient in
            note(gradient: gradient.values)
            return gradient.dense
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
        _ location: SourceLocation?, _ finish: (Gradient) -> Result
    ) -> [Result?] {
        if let body = openBody { return body.differentiate(ys, by: xs, upstream, name, location, finish) }
        // In a body, of what it takes from outside.
        let (ys, targets) = (ys.map { local($0.node) }, xs.map { local($0.node) })
        return scope(name) {
            func refused(_ target: Node, _ mistake: GraphError) -> Result {
                finish(.dense(refusedGradient(of: target, mistake, location)))
            }
            if let mistake = mistake(in: ys, targets, upstream) {
                return targets.map { refused($0, mistake.at(name, location)) }
            }
            var arrived: [Node: [Gradient]] = [:]
            for (i, y) in ys.enumerated() { arrived[y, default: []].append(.dense(upstream?[i].node ?? onesLike(y))) }
            let path = between(targets, ys)
            let ids = Set(path.map(\.id))
            var mistakes: [(mistake: GraphError, behind: Set<Int>)] = []
            for vertex in path.reversed() {
                do { try propagate(vertex, &arrived, on: ids) } catch {
                    mistakes.append((missing(error, vertex, askedAt: location), behind(vertex, ids)))
                }
            }
            return targets.map { target in
                // What one of the ways to a target cannot give, the others do not make up for.
                if let known = mistakes.first(where: { $0.behind.contains(target.vertex.id) }) {
                    return refused(target, known.mistake)
                }
                return Gradient.sum(arrived[target] ?? []).map(finish)
            }
        }
    }

    /// What is wrong with a question for gradients.
    private func mistake(in ys: [Node], _ targets: [Node], _ upstream: [any Operand]?) -> GraphError? {
        if let upstream, upstream.count != ys.count {
            return GraphError("\(ys.count) nodes to differentiate have \(upstream.count) upstream gradients")
        }
        let integer = ys.first {
            $0.vertex.error == nil && !$0.dtype.isFloating && (upstream == nil || !$0.dtype.isDifferentiable)
        }
        if let integer {
            return GraphError("the gradient of \(integer) is asked for: only floating types have one")
        }
        return (ys + targets).first { $0.graph !== self && $0.vertex.error == nil }.map {
            GraphError("'\($0.vertex.name)', whose gradient is asked for, belongs to another graph")
        }
    }

    /// What stands for a gradient that cannot be given.
    private func refusedGradient(of target: Node, _ mistake: GraphError, _ location: SourceLocation?) -> Node {
        insert(ZerosLike.self, [target], name: "refused", location: location, mistake: mistake).node
    }

    /// The mistake that an operation on the way has no gradient, or why not here.
    private func missing(_ error: any Error, _ vertex: Vertex, askedAt location: SourceLocation?) -> GraphError {
        var mistake = error as? GraphError ?? GraphError("\(error)")
        if mistake.node == nil, let location, location != vertex.location {
            mistake = GraphError("\(mistake.message); its gradient is asked for at \(location)")
        }
        return mistake.at(vertex).at(vertex.name, location)
    }

    /// The vertices of `path` that `vertex` depends on, and itself.
    private func behind(_ vertex: Vertex, _ path: Set<Int>) -> Set<Int> {
        var found: Set<Int> = []
        var stack = [vertex]
        while let next = stack.popLast() {
            guard path.contains(next.id), found.insert(next.id).inserted else { continue }
            stack += next.differentiableInputs.map(\.vertex)
        }
        return found
    }

    /// As `gradients(of:by:)` for one target, such as a loss.
    public func gradients(
        of y: any Operand, by xs: [any Operand], file: StaticString = #fileID, line: UInt = #line
    ) -> [Node?] { gradients(of: [y], by: xs, file: file, line: line) }

    /// The vertices that lie on a path of differentiable values from `sources` to `targets`, in the graph's order.
    private func between(_ sources: [Node], _ targets: [Node]) -> [Vertex] {
        var needed: Set<Int> = []
        var stack = targets.map(\.vertex)
        while let vertex = stack.popLast() {
            guard needed.insert(vertex.id).inserted else { continue }
            stack += vertex.differentiableInputs.map(\.vertex)
        }
        var reached = Set(sources.map(\.vertex.id))
        let all = vertices.filter { needed.contains($0.id) }
        let hasLoops = all.contains { $0.loopInput != nil }
        var isComplete = false
        while !isComplete {
            isComplete = true
            for vertex in all where !reached.contains(vertex.id) {
                guard vertex.differentiableInputs.contains(where: { reached.contains($0.vertex.id) }) else { continue }
                reached.insert(vertex.id)
                // What comes round in a loop is found after where it goes to.
                isComplete = !hasLoops
            }
        }
        return all.filter { reached.contains($0.id) }
    }

    /// Passes what arrived at a vertex's outputs on to its inputs.
    private func propagate(
        _ vertex: Vertex, _ arrived: inout [Node: [Gradient]], on path: Set<Int>
    ) throws {
        guard vertex.differentiableInputs.contains(where: { path.contains($0.vertex.id) }) else { return }
        var upstream: [Node?] = []
        for i in 0..<vertex.outputs.count {
            let output = vertex.output(i)
            let total = Gradient.sum(arrived[output] ?? [])?.dense
            if let total { arrived[output] = [.dense(total)] }
            upstream.append(total)
        }
        guard upstream.contains(where: { $0 != nil }) else { return }
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
    }
}

extension Vertex {
    /// The inputs that a gradient may flow to, that of a loop's `Merge` which comes round too; TensorFlow's `IsTrainable`.
    fileprivate var differentiableInputs: [Node] {
        (inputs + (loopInput.map { [$0] } ?? [])).filter { $0.dtype.isDifferentiable || $0.dtype == .resource }
    }
}
