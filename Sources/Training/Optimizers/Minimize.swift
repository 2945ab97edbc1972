public import Dataflow

/// The derivative of a loss by one Variable.
public struct VariableGradient: Sendable {
    /// Of the Variable's shape and dtype; rows where the loss depends on the Variable through gathers of its rows alone.
    public var gradient: Gradient
    public let variable: Variable

    public init(gradient: Gradient, variable: Variable) {
        self.gradient = gradient
        self.variable = variable
    }

    public init(gradient: Node, variable: Variable) { self.init(gradient: .dense(gradient), variable: variable) }
}

extension Optimizer {
    /// The operation that makes `loss` smaller each time it runs; TensorFlow's `Optimizer.minimize`.
    ///
    /// - Parameters:
    ///   - loss: a floating node, mostly a scalar.
    ///   - variables: what may change: the graph's trainable Variables by default.
    ///   - globalStep: a scalar integer Variable, counted up by one after all updates; schedules read it.
    ///   - clipNorm: the gradients are scaled down together if their global norm is larger.
    public func minimize(
        _ loss: any Operand, variables: [Variable]? = nil, globalStep: Variable? = nil, clipNorm: Double? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) -> Node {
        var gradients = computeGradients(loss, variables: variables, file: file, line: line)
        if let clipNorm {
            let clipped = clipByGlobalNorm(gradients.map(\.gradient), norm: clipNorm, file: file, line: line)
            for (i, gradient) in clipped.gradients.enumerated() { gradients[i].gradient = gradient }
        }
        return applyGradients(gradients, in: loss.node.graph, globalStep: globalStep, file: file, line: line)
    }

    /// The derivatives of `loss`; TensorFlow's `Optimizer.compute_gradients`. Variables it does not depend on are left out;
    /// that it depends on none is a mistake of the graph.
    public func computeGradients(
        _ loss: any Operand, variables: [Variable]? = nil, file: StaticString = #fileID, line: UInt = #line
    ) -> [VariableGradient] {
        let graph = loss.node.graph
        let variables = variables ?? graph.trainableVariables
        let gradients = graph.rowGradients(of: loss, by: variables, file: file, line: line)
        let found = zip(gradients, variables).compactMap { gradient, variable in
            gradient.map { VariableGradient(gradient: $0, variable: variable) }
        }
        if found.isEmpty {
            let names = variables.isEmpty ? "there are none" : variables.map(\.name).joined(separator: ", ")
            graph.recordMistake(
                "the loss \(loss.node) depends on no Variable that may change (\(names)); make one trainable, or name it",
                at: name, file: file, line: line)
        }
        return found
    }

    /// The operation that runs this rule for every gradient; TensorFlow's `Optimizer.apply_gradients`.
    ///
    /// - Parameters:
    ///   - gradients: from `computeGradients`, perhaps clipped or scaled. Without any the operation is a mistake that each
    ///     run of it tells.
    ///   - globalStep: counted up by one after all updates.
    public func applyGradients(
        _ gradients: [VariableGradient], globalStep: Variable? = nil, file: StaticString = #fileID,
        line: UInt = #line
    ) -> Node {
        guard let graph = gradients.first?.variable.graph else {
            return .missing(
                "applyGradients needs at least one gradient, got none", at: self.name, file: file, line: line)
        }
        return applyGradients(gradients, in: graph, globalStep: globalStep, file: file, line: line)
    }

    private func applyGradients(
        _ gradients: [VariableGradient], in graph: Graph, globalStep: Variable?, file: StaticString, line: UInt
    ) -> Node {
        graph.located(file, line) { built(gradients, in: graph, globalStep: globalStep, file: file, line: line) }
    }

    private func built(
        _ gradients: [VariableGradient], in graph: Graph, globalStep: Variable?, file: StaticString, line: UInt
    ) -> Node {
        let state = gradients.map { item in
            slots.map { graph.slot(name, of: item.variable, initial: $0.initial) }
        }
        return graph.scope(name) {
            var rates: [DType: Node] = [:]
            var powers: [DType: [Variable]] = [:]
            var updates: [Node] = []
            for (item, slots) in zip(gradients, state) {
                let dtype = item.variable.dtype
                let rate =
                    rates[dtype]
                    ?? learningRate.node(in: graph, dtype: dtype, globalStep: globalStep, file: file, line: line)
                let scalars = powers[dtype] ?? sharedVariables(in: graph, dtype)
                rates[dtype] = rate
                powers[dtype] = scalars
                updates.append(
                    graph.scope("update_\(item.variable.name)") {
                        switch item.gradient {
                        case .dense(let gradient):
                            apply(
                                gradient: gradient, to: item.variable, slots: slots, shared: scalars,
                                learningRate: rate)
                        case .rows(let rows):
                            apply(
                                rows: takesRepeatedRows ? rows : rows.summingRepeated(), to: item.variable,
                                slots: slots, shared: scalars, learningRate: rate)
                        }
                    })
            }
            var last = updates
            for dtype in DType.allCases {
                guard let scalars = powers[dtype] else { continue }
                let values = advance(scalars)
                last += graph.controlDependencies(updates) { zip(scalars, values).map { $0.assign($1) } }
            }
            if let globalStep {
                let one = graph.constant(.numbers([1], dtype: globalStep.dtype, sized: []))
                let before = last
                last.append(graph.controlDependencies(before) { globalStep.assignAdd(one) })
            }
            return graph.group(last, name: "train")
        }
    }

    private func sharedVariables(in graph: Graph, _ dtype: DType) -> [Variable] {
        shared.map { slot in
            graph.variable(.numbers([slot.initial], dtype: dtype, sized: []), name: slot.name, trainable: false)
        }
    }
}

extension VariableGradient: CustomStringConvertible {
    public var description: String { "\(variable): \(gradient.values)" }
}
