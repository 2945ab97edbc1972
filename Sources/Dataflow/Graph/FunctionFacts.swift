internal import Synchronization

/// What follows from a function's body alone. It is found once: functions that call functions twice would ask each of these
/// 2ⁿ times.
///
/// Two threads may find it at one time, and find the same. It ends: functions that call themselves are refused.
struct FunctionFacts {
    fileprivate var isStateful: Bool?
    fileprivate var drawsRandomNumbers: Bool?
    fileprivate var writtenVariables: Set<String>?
    fileprivate var knownVariables: Set<String>?
}

extension Function {
    private func fact<Value: Sendable>(
        _ path: any WritableKeyPath<FunctionFacts, Value?> & Sendable, _ find: () -> Value
    ) -> Value {
        if let known = facts.withLock({ $0[keyPath: path] }) { return known }
        let found = find()
        facts.withLock { $0[keyPath: path] = found }
        return found
    }

    /// True if two calls with the same arguments may differ, or have effects.
    package var isStateful: Bool {
        fact(\.isStateful) {
            graph.vertices.contains { vertex in
                if vertex.operation is any CallingOperation.Type {
                    return !vertex.operation.name.hasPrefix("Stateless")
                        && vertex.calledFunctions.contains(where: \.isStateful)
                }
                return vertex.operation.isStateful && vertex.operation != Placeholder.self
                    && !(vertex.operation is any ValueOperation.Type)
            }
        }
    }

    /// Whether a call draws random numbers.
    var drawsRandomNumbers: Bool {
        fact(\.drawsRandomNumbers) { graph.vertices.contains(where: \.drawsRandomNumbers) }
    }

    /// The Variables, by name, that a call may write.
    var writtenVariables: Set<String> {
        fact(\.writtenVariables) {
            graph.vertices.reduce(into: []) { names, vertex in
                names.formUnion(vertex.operation.writes.compactMap { vertex.inputs[$0].variable?.name })
                names.formUnion(vertex.variablesWrittenByCalls)
            }
        }
    }

    /// The Variables, by name, that the body knows.
    var knownVariables: Set<String> {
        fact(\.knownVariables) {
            graph.vertices.reduce(into: []) { names, vertex in
                if vertex.operation.isVariable { names.insert(vertex.name) }
                for input in vertex.inputs { if let variable = input.variable { names.insert(variable.name) } }
                names.formUnion(vertex.variablesKnownToCalls)
            }
        }
    }
}
