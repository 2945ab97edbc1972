extension Graph {
    /// What is known of nodes before a run that is fed these. Of what follows from control flow that is no more than the graph
    /// itself tells.
    /// - Throws: `GraphError` for feeds that the graph cannot take.
    package func specs(of nodes: [Node], feeds: [Node: TensorSpec]) throws -> [TensorSpec] {
        try specs(of: nodes, feeds: feeds, nil)
    }

    func specs(of nodes: [Node], feeds: [Node: TensorSpec], _ work: InferenceWork?) throws -> [TensorSpec] {
        let options = SessionOptions(threads: 1, softPlacement: true, process: nil)
        let placement = Placement(devices: SessionDevices(.hostOnly), process: nil, allowsSoft: true, isHostOnly: true)
        var planner = Planner(
            fetches: nodes, feeds: feeds, variables: VariableStore(limit: options.memoryLimit, placement: placement),
            random: RandomState(), placement: placement, options: options)
        planner.work = work
        return try planner.shapes()
    }
}
