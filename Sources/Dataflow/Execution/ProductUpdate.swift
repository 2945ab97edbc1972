/// A step of gradient descent whose gradient is a product of matrices that nothing else needs: the product is added to the
/// Variable, scaled by the rate, as it is computed, and the gradient never goes to memory.
///
/// Hazards: the product moves to the place of the update, so no Variable that it reads may be written between, and it must
/// not read the Variable that it is added to (`Fusion`).
struct ProductUpdate {
    let product: Vertex
    let update: Vertex

    /// nil where `update` is no such step, or its gradient comes from elsewhere.
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
        return { frame in
            try MatMul.sgemm(
                geometry, frame.pointer(slots[2], Float.self), frame.pointer(slots[3], Float.self),
                frame.pointer(slots[0], Float.self), scale: -frame.pointer(slots[1], Float.self)[0], adding: true)
        }
    }
}
