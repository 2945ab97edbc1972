public import Dataflow
internal import Foundation

/// A graph in a file, with arrays in `.npy` files to feed and to compare with.
public struct GraphFile {
    public let graph: Graph
    private let session: Session

    /// - Parameters:
    ///   - path: a binary GraphDef.
    ///   - needed: nodes that will be fetched, run or fed; what they do not need is not read. All by default.
    ///   - device: where to run what has a kernel there, whatever the graph says; nil: where it says. In a cluster's place
    ///     it runs here.
    ///   - devices: which devices there are to be.
    ///   - folder: where the graph's checkpoints are that are no absolute paths; nil: the process's folder.
    ///   - plan: how runs are carried out.
    ///   - log: receives what runs on the CPU though a GPU was asked for, and (`logsPlacement`) where everything runs.
    /// - Throws: `FormatError` if the file cannot be read; `GraphError` for what is wrong with the graph.
    public init(
        _ path: String, needed: [String]? = nil, device: DeviceName? = nil, devices: DeviceOptions = DeviceOptions(),
        softPlacement: Bool = false, logsPlacement: Bool = false, plan: PlanKind = .optimized, folder: String? = nil,
        log: (@Sendable (String) -> Void)? = nil
    ) throws {
        graph = try GraphDefinition.decode(
            try Gzip.read(path), needed: needed, device: device == nil ? nil : DeviceName())
        var devices = devices
        if let device { devices.standard = device }
        session = try Session(
            graph,
            options: SessionOptions(
                softPlacement: softPlacement, process: nil, devices: devices, fallbackLog: log,
                placementLog: logsPlacement ? log : nil, plan: plan,
                checkpoints: TensorFlowCheckpointStore(folder: folder)))
    }

    /// Runs an operation for its effects.
    public func execute(_ name: String, feeds: [String: Tensor] = [:]) throws {
        try session.execute(graph.node(named: name), feeds: nodes(feeds))
    }

    /// The values of the fetches, in order.
    public func run(_ fetches: [String], feeds: [String: Tensor] = [:]) throws -> [Tensor] {
        try session.run(fetches.map { try graph.node(named: $0) }, feeds: nodes(feeds))
    }

    /// What a run of the fetches will do.
    ///
    /// - Parameter batch: what dimensions that placeholders leave open are taken to be.
    public func plan(_ fetches: [String], batch: Int) throws -> PlanDescription {
        var feeds: [Node: TensorSpec] = [:]
        for vertex in graph.vertices where vertex.operation == Placeholder.self {
            let open = vertex.outputs[0]
            guard let dimensions = open.shape.dimensions else {
                throw GraphError(
                    "the shape of the placeholder '\(vertex.name)' is not known, so there is no plan before a run")
            }
            feeds[vertex.output(0)] = TensorSpec(open.dtype, Shape(dimensions.map { $0 ?? batch }))
        }
        return try session.plan(for: fetches.map { try graph.node(named: $0) }, feeds: feeds)
    }

    /// Gives a Variable a value.
    func assign(_ value: Tensor, to variable: Vertex) throws {
        value.keepTexts()
        try session.withVariable(variable, initialize: true) { memory in
            value.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
    }

    private func nodes(_ feeds: [String: Tensor]) throws -> [Node: Tensor] {
        var result: [Node: Tensor] = [:]
        for (name, tensor) in feeds { result[try graph.node(named: name)] = tensor }
        return result
    }
}
