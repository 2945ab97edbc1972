/// What a step of a plan is, put into words when somebody asks.
struct StepLabel {
    enum Kind {
        case run([Vertex], place: Place)
        case transfer(Node, from: Place, to: Place)
        /// What TensorFlow 1's control flow decides.
        case frames
    }

    let kind: Kind
    /// Bytes of the inputs and outputs.
    let bytes: Int
    let outputs: [(spec: TensorSpec, slot: Slot)]

    /// The vertex that it computes, the last of several, or whose value it moves: whose error it is if it fails.
    var origin: Vertex? {
        switch kind {
        case .run(let vertices, _): vertices.last
        case .transfer(let node, _, _): node.vertex
        case .frames: nil
        }
    }

    /// - Parameter place: where a value lies.
    func described(_ devices: SessionDevices, place placeOf: (Slot) -> String) -> PlanDescription.Step {
        let (name, operation, device): (String, String, String) =
            switch kind {
            case .run(let vertices, let place):
                (
                    origin?.name ?? "", vertices.map { $0.operation.name }.joined(separator: "+"),
                    "\(devices.device(place).name)"
                )
            case .transfer(let node, let from, let to):
                (node.name, "Transfer", "\(devices.device(from).name) to \(devices.device(to).name)")
            case .frames: ("frames", "frames", "\(devices.device(0).name)")
            }
        return PlanDescription.Step(
            name: name, operation: operation, device: device, bytes: bytes,
            outputs: outputs.map { "\($0.spec) \(placeOf($0.slot))" })
    }
}
