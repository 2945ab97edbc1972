/// The name and kind of a step of a plan, put into words when a profile or a description needs them.
struct StepLabel {
    enum Kind {
        case run([Vertex], device: DeviceID)
        case transfer(Node, from: DeviceID, to: DeviceID)
        /// TensorFlow 1's control flow.
        case frames
    }

    let kind: Kind
    /// Bytes of the inputs and outputs.
    let bytes: Int
    let outputs: [(spec: TensorSpec, slot: Slot)]

    /// The vertex that it computes (the last of several) or whose value it moves. An error of the step names it.
    var origin: Vertex? {
        switch kind {
        case .run(let vertices, _): vertices.last
        case .transfer(let node, _, _): node.vertex
        case .frames: nil
        }
    }

    /// TensorFlow's names of the operations that it computes.
    var operations: [String] {
        if case .run(let vertices, _) = kind { vertices.map { $0.operation.name } } else { [] }
    }

    /// - Parameter memory: says in words where a value lies.
    func described(_ devices: SessionDevices, memory memoryOf: (Slot) -> String) -> PlanDescription.Step {
        let (name, operation, device): (String, String, String) =
            switch kind {
            case .run(let vertices, let device):
                (
                    origin?.name ?? "", vertices.map { $0.operation.name }.joined(separator: "+"),
                    "\(devices.device(device).name)"
                )
            case .transfer(let node, let from, let to):
                (node.name, "Transfer", "\(devices.device(from).name) to \(devices.device(to).name)")
            case .frames: ("frames", "frames", "\(devices.device(0).name)")
            }
        return PlanDescription.Step(
            name: name, operation: operation, device: device, bytes: bytes,
            outputs: outputs.map { "\($0.spec) \(memoryOf($0.slot))" })
    }
}
