/// Computes one vertex on given values, without a plan.
struct VertexEvaluator {
    let options: SessionOptions
    let random: RandomState
    unowned let functions: FunctionRuntime

    /// The outputs of a vertex on values whose shapes are known only at run time. Variables that it writes change in
    /// place.
    ///
    /// - Parameters:
    ///   - resources: the stacks and arrays of the run.
    ///   - variable: the Variable that input 0 stands for, if it is one.
    func outputs(
        of vertex: Vertex, _ values: [Tensor], resources: RunResources, variable: VariableBuffer? = nil
    ) throws -> [Tensor] {
        let operation = vertex.operation
        func call() -> DynamicCall {
            DynamicCall(
                name: vertex.name, attributes: vertex.attributes, inputs: values, resources: resources,
                functions: functions)
        }
        if let operation = operation as? any DynamicOperation.Type {
            let results = try operation.evaluate(call())
            for (result, output) in zip(results, vertex.outputs) where result.dtype != output.dtype {
                throw GraphError("its value is \(result.dtype), but the graph says \(output.dtype)")
            }
            return results
        }
        if let operation = operation as? any ValueOperation.Type { return try operation.evaluate(call()) }
        try vertex.checkHandles(values.map(\.dtype))
        var context = ShapeContext(
            attributes: vertex.attributes, inputs: values.map { TensorSpec($0.dtype, $0.shape) },
            constants: values.map { $0 })
        context.memoryLimit = options.memoryLimit
        if let folded = try operation.fold(context) { return folded }
        let specs = zip(vertex.outputs.indices, try operation.infer(context)).map { i, shape in
            // A handle's tensor is the memory that it stands for, and has its dtype.
            let handle = vertex.outputs[i].dtype == .resource ? operation.aliases[i] : nil
            return TensorSpec(handle.map { values[$0].dtype } ?? vertex.outputs[i].dtype, shape)
        }
        for spec in specs { try spec.checkSize(limit: options.memoryLimit) }
        return try VertexEvaluator.run(
            vertex, inputs: values, outputs: specs, threads: options.threads, precision: options.matrixPrecision,
            random: random, scratch: functions.plans.scratch, variable: variable)
    }

    /// The outputs of a vertex all of whose shapes are known.
    static func run(
        _ vertex: Vertex, inputs: [Tensor], outputs: [TensorSpec], threads: Int, precision: MatrixPrecision,
        random: RandomState, scratch: KernelScratch = KernelScratch(), variable: VariableBuffer? = nil
    ) throws -> [Tensor] {
        for spec in outputs where !spec.shape.isFullyDefined {
            throw GraphError("the shape of its output, \(spec.shape), is not known even at run time")
        }
        let operation = vertex.operation
        var results = outputs.enumerated().map { i, spec -> Tensor in
            if let input = operation.aliases[i] { return inputs[input].viewed(as: spec) }
            return Tensor(dtype: spec.dtype, sized: spec.shape) { _ in }
        }
        if operation.aliases[0] == 0, operation.writes.isEmpty { return results }
        let binding = KernelBinding(
            name: vertex.name, attributes: vertex.attributes, inputs: inputs.map { TensorSpec($0.dtype, $0.shape) },
            outputs: outputs, constants: inputs.map { $0 }, inputSlots: Array(inputs.indices),
            outputSlots: outputs.indices.map { $0 + inputs.count }, threads: threads, precision: precision,
            random: random, scratch: scratch, variable: variable)
        let kernel = try operation.kernel(binding)
        var pointers = (inputs + results).map(\.storage.pointer)
        try pointers.withUnsafeMutableBufferPointer { try kernel(RunMemory(pointers: $0.baseAddress!)) }
        if operation.aliases[0] == 0 { results[0] = inputs[0] }
        return results
    }
}
