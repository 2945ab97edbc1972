extension Graph {
    /// Records a mistake of the caller's, thrown by `validate()`, where no operation is there to hold it.
    package func recordMistake(_ message: String, at name: String, file: StaticString, line: UInt) {
        record(GraphError(message).at(name, SourceLocation(file: file, line: line)))
    }

    /// State that belongs to another Variable, such as an optimizer's slot: on its device, and named "<owner>/<suffix>"
    /// whatever scope is open, so that a checkpoint's names do not depend on where `minimize` is called.
    package func slot(_ suffix: String, of owner: Variable, initial: Double) -> Variable {
        withoutControlDependencies { makeSlot(suffix, of: owner, initial: initial) }
    }

    private func makeSlot(_ suffix: String, of owner: Variable, initial: Double) -> Variable {
        let (base, device) = ("\(owner.name)/\(suffix)", owner.reference.vertex.device)
        let name = unusedVertexName(base)
        let attributes: Attributes = ["dtype": .type(owner.dtype), "shape": .shape(owner.shape)]
        let state = add(VariableV2.self, [], attributes, exactName: name, device: device).output(0)
        let extents = Tensor((owner.shape.isFullyDefined ? owner.shape.knownExtents : []).map { Int32($0) })
        let dims = add(
            Const.self, [], ["dtype": .type(.int32), "value": .tensor(extents)],
            exactName: unusedVertexName("\(name)/Initializer/dims"), device: device
        ).output(0)
        let value = Tensor.numbers([initial], dtype: owner.dtype, sized: [])
        let element = add(
            Const.self, [], ["dtype": .type(owner.dtype), "value": .tensor(value)],
            exactName: unusedVertexName("\(name)/Initializer/value"), device: device
        ).output(0)
        let filled = add(
            Fill.self, [dims, element], exactName: unusedVertexName("\(name)/Initializer"), device: device
        )
        .output(
            0)
        let assign = add(Assign.self, [state, filled], exactName: unusedVertexName("\(name)/Assign"), device: device)
        let read = add(Identity.self, [state], exactName: unusedVertexName("\(name)/read"), device: device)
        let variable = Variable(reference: state, value: read.output(0), initializer: assign.node, isTrainable: false)
        register(variable)
        return variable
    }
}
