/// Where each vertex of a plan runs.
struct Placement {
    let devices: [any Device]
    /// Job and task of this process; nil takes what any job and task is asked for.
    let process: DeviceName?
    let allowsSoft: Bool

    /// The device for what the program asked for: the first of that kind and index.
    /// - Throws: `GraphError` listing the devices there are, unless soft placement sends it to the CPU.
    func device(for vertex: Vertex) throws -> any Device {
        let wanted = vertex.device
        let match =
            isHere(wanted)
            ? devices.first {
                (wanted.kind == nil || wanted.kind == $0.name.kind)
                    && (wanted.index == nil || wanted.index == $0.name.index)
            } : nil
        if let match { return match }
        guard allowsSoft, let cpu = devices.first(where: { $0.name.kind == .cpu }) else {
            let present = devices.map {
                "\(wanted.job == nil ? $0.name : $0.name.merged(over: process ?? DeviceName()))"
            }.joined(separator: ", ")
            throw GraphError(
                "it is to run on \(wanted), but there is no such device here; there are: \(present)."
                    + " Change the device, or allow soft placement to run it on the CPU",
                node: "\(vertex.operation.name) '\(vertex.name)'", location: vertex.location)
        }
        return cpu
    }

    private func isHere(_ wanted: DeviceName) -> Bool {
        guard let process else { return true }
        return (wanted.job == nil || wanted.job == process.job)
            && (wanted.replica == nil || wanted.replica == process.replica)
            && (wanted.task == nil || wanted.task == process.task)
    }
}
