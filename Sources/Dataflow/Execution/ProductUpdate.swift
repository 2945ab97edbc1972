/// A step of gradient descent whose gradient is a product of matrices that nothing else needs. The kernel computes the
/// product, scales it by the rate and adds it to the Variable at once, so that the gradient never goes to memory.
///
/// Hazards: the product moves to the position of the update. So no vertex between them may write a Variable that it
/// reads, and it must not read the Variable that it is added to. `Fusion` checks both.
struct ProductUpdate {
    let product: Vertex
    let update: Vertex

    /// nil if `update` is no step of gradient descent, or its gradient is no large product of float32 matrices.
    init?(_ update: Vertex, spec: (Node) -> TensorSpec) {
        guard update.operation == ApplyGradientDescent.self || update.operation == ResourceApplyGradientDescent.self
        else { return nil }
        product = update.inputs[2].vertex
        self.update = update
        guard product.operation == MatMul.self, spec(update.inputs[2]).dtype == .float32,
            product.inputs.allSatisfy({ spec($0).shape.isFullyDefined }),
            let geometry = try? MatMul.geometry(product.attributes, product.inputs.map(spec)), geometry.isLarge
        else { return nil }
    }

    func kernel(inputs: (Vertex) -> [Slot?], spec: (Node) -> TensorSpec) throws -> Kernel {
        let geometry = try MatMul.geometry(product.attributes, product.inputs.map(spec))
        let slots = (inputs(update).prefix(2) + inputs(product)).compactMap { $0 }
        guard slots.count == 4 else { throw GraphError("\(update.name) has inputs without memory") }
        return { memory in
            try MatMul.sgemm(
                geometry, memory.pointer(slots[2], Float.self), memory.pointer(slots[3], Float.self),
                memory.pointer(slots[0], Float.self), scale: -memory.pointer(slots[1], Float.self)[0], adding: true)
        }
    }
}
