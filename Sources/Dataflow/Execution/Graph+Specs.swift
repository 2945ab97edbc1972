extension Graph {
    /// The dtypes of nodes and what is known of their shapes before a run on these feeds. For a node that depends on
    /// control flow, they are those in the graph.
    /// - Throws: `GraphError` for a feed that does not fit its node.
    package func specs(of nodes: [Node], feeds: [Node: TensorSpec]) throws -> [TensorSpec] {
        try specs(of: nodes, feeds: feeds, nil)
    }

    func specs(of nodes: [Node], feeds: [Node: TensorSpec], _ work: ShapeWork?) throws -> [TensorSpec] {
        let options = SessionOptions(threads: 1, softPlacement: true, process: nil)
        let placement = Placement(devices: SessionDevices(.hostOnly), process: nil, allowsSoft: true, isHostOnly: true)
        var planner = Planner(
            fetches: nodes, feeds: feeds, variables: VariableStore(limit: options.memoryLimit, placement: placement),
            random: RandomState(), placement: placement, options: options)
        planner.work = work
        return try planner.shapes()
    }
}
