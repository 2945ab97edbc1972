extension Vertex {
    /// Whether it is part of a loop's frame: what goes in, comes out, goes round, or says whether to go on.
    package var isLoopPart: Bool {
        let parts: [any Operation.Type] = [
            Enter.self, Exit.self, NextIteration.self, LoopCond.self, RefEnter.self, RefExit.self,
            RefNextIteration.self,
        ]
        return loopInput != nil || parts.contains { $0 == operation }
    }

    /// Whether it passes its input to one of its outputs only, as the predicate says.
    package var isSwitch: Bool { operation == Switch.self || operation == RefSwitch.self }

    /// Whether it takes the one input that has come.
    package var isMerge: Bool { operation == Merge.self || operation == RefMerge.self }

    /// Whether each run draws other numbers, in a function that it calls too.
    package var drawsRandomNumbers: Bool {
        if operation is any CallingOperation.Type {
            return calledFunctions.contains(where: \.drawsRandomNumbers)
        }
        let others: [any Operation.Type] = [RandomShuffle.self, Multinomial.self, RandomUniformInt.self]
        return operation is any RandomOperation.Type || others.contains { $0 == operation }
            || operation.name.hasSuffix("CandidateSampler")
    }

    /// The Variables, by name, that functions which it calls know.
    package var variablesKnownToCalls: Set<String> {
        calledFunctions.reduce(into: []) { $0.formUnion($1.knownVariables) }
    }

    /// The Variables, by name, that functions which it calls write.
    package var variablesWrittenByCalls: Set<String> {
        calledFunctions.reduce(into: []) { $0.formUnion($1.writtenVariables) }
    }

    var calledFunctions: [Function] {
        operation is any CallingOperation.Type ? attributes.values.values.flatMap(\.functions) : []
    }
}
