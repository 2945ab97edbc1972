/// What `PartitionedCall` and `StatefulPartitionedCall` have in common: a function runs on the inputs.
protocol PlainCallOperation: CallingOperation {}

extension PlainCallOperation {
    public static var signature: Signature {
        Signature(
            ["args": "list Tin"], to: ["output": "list Tout"],
            defaults: [
                "config": .string(""), "executor_type": .string(""),
            ], required: ["f"])
    }

    public static func infer(_ node: ShapeContext) throws -> [Shape] {
        let (types, results) = (
            try node.attributes.types("Tout"), try node.attributes.function("f").infer(node.inputs, node.work)
        )
        guard results.map(\.dtype) == types else {
            throw GraphError("the function must yield \(types), got \(results.map(\.dtype))")
        }
        return results.map(\.shape)
    }

    static func evaluate(_ call: DynamicCall) throws -> [Tensor] {
        let program = try call.program("f")
        return try call.functions.call { try program.run(call.inputs) }
    }

    /// A call of the function, differentiated.
    public static func gradient(_ node: GradientContext) throws -> [Node?] {
        let branch = try BranchGradient(node, inputs: node.inputs, of: [node.attributes.function("f")])
        guard !branch.targets.isEmpty else { return node.inputs.map { _ in nil } }
        let attributes: Attributes = ["f": .function(branch.functions[0]), "Tout": .types(branch.types)]
        return branch.spread(node.graph.add(Self.self, node.inputs + branch.upstream, attributes))
    }
}

/// `PartitionedCall`: the results of a function without effects.
public enum PartitionedCall: PlainCallOperation {}

/// `StatefulPartitionedCall`: the results of a function that may have effects.
public enum StatefulPartitionedCall: PlainCallOperation {}
