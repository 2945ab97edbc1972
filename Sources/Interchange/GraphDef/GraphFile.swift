public import Dataflow
internal import Foundation
internal import Schemas

/// A graph in a file, with arrays in `.npy` files to feed and to compare with.
public struct GraphFile {
    public let graph: Graph
    /// What the graph was read from.
    public let source: GraphSource
    private let session: Session
    /// What takes what is fed, by the names it was asked for.
    private let fed: [String: Node]
    /// Those of the operations that could be left out which the graph has.
    private let additions: Set<String>

    /// - Parameters:
    ///   - path: a file, or the folder of a SavedModel: what `GraphSource` reads.
    ///   - needed: nodes that will be fetched or run; what they do not need is not read. All by default.
    ///   - initial: operations that will be run without feeds, such as an initialiser.
    ///   - feeds: tensors that will be fed to `needed`, with their dtypes where known; what lies behind them is not read.
    ///   - device: where to run what has a kernel there, whatever the graph says; nil: where it says. In a cluster's place
    ///     it runs here.
    ///   - devices: which devices there are to be.
    ///   - folder: where the graph's checkpoints are that are no absolute paths; nil: the process's folder.
    ///   - writable: where the graph's operations may write; nil: in the folder for checkpoints.
    ///   - plan: how runs are carried out.
    ///   - log: receives what runs on the CPU though a GPU was asked for, and (`logsPlacement`) where everything runs.
    /// - Throws: `FormatError` if the file cannot be read; `GraphError` for what is wrong with the graph.
    public init(
        _ path: String, needed: [String]? = nil, initial: [String] = [], feeds: [String: DType?] = [:],
        device: DeviceName? = nil, devices: DeviceOptions = DeviceOptions(), softPlacement: Bool = false,
        logsPlacement: Bool = false, plan: PlanKind = .optimized, folder: String? = nil,
        writable: WritableFolders? = nil, log: (@Sendable (String) -> Void)? = nil
    ) throws {
        try self.init(
            GraphSource(path), needed: needed, initial: initial, feeds: feeds, device: device, devices: devices,
            softPlacement: softPlacement, logsPlacement: logsPlacement, plan: plan, folder: folder,
            writable: writable, log: log)
    }

    /// As `init` of a path, of a file that has been read.
    ///
    /// - Parameter additions: operations that will be run if the graph can be read with them; else `log` gets a line, and they are
    ///   left out. Of a SavedModel, what it runs on loading is one.
    public init(
        _ source: GraphSource, needed: [String]? = nil, initial: [String] = [], additions: [String] = [],
        feeds: [String: DType?] = [:], device: DeviceName? = nil, devices: DeviceOptions = DeviceOptions(),
        softPlacement: Bool = false, logsPlacement: Bool = false, plan: PlanKind = .optimized, folder: String? = nil,
        writable: WritableFolders? = nil, log: (@Sendable (String) -> Void)? = nil
    ) throws {
        self.source = source
        let additions = additions + (source.mainOperation.map { [$0] } ?? [])
        func decoded(_ unfed: [String]) throws -> GraphDefinition.Decoded {
            try GraphDefinition.decode(
                source.definition, needed: needed, unfed: unfed, feeds: feeds,
                device: device == nil ? nil : DeviceName())
        }
        do {
            (graph, fed) = try decoded(initial + additions)
            self.additions = Set(additions)
        } catch {
            guard needed != nil, !additions.isEmpty else { throw error }
            (graph, fed) = try decoded(initial)
            self.additions = []
            log?("\(additions.joined(separator: ", ")): not run, as it cannot be read: \(error)")
        }
        var devices = devices
        if let device { devices.standard = device }
        let writable = writable ?? .under([folder ?? "."])
        var options = SessionOptions(
            softPlacement: softPlacement, process: nil, devices: devices, fallbackLog: log, planLog: log,
            placementLog: logsPlacement ? log : nil, plan: plan,
            checkpoints: TensorFlowCheckpointStore(folder: folder, writable: writable))
        options.writable = writable
        session = try Session(graph, options: options)
    }

    /// Does what TensorFlow does when it loads a SavedModel: gives the Variables the values that came with it, then runs the
    /// operation that fills its tables. Does nothing for other files.
    ///
    /// - Throws: `FormatError` if the checkpoint is damaged or does not fit; what the operation throws.
    public func load() throws {
        if let prefix = source.checkpoint, graph.vertices.contains(where: { $0.operation.isVariable }) {
            try restore(try TensorFlowCheckpoint(prefix))
        }
        if let operation = source.mainOperation { try executeAddition(operation) }
    }

    /// Runs an operation for its effects.
    public func execute(_ name: String, feeds: [String: Tensor] = [:]) throws {
        try session.execute(graph.node(named: name), feeds: nodes(feeds))
    }

    /// Runs one of the operations that could be left out, unless it was.
    public func executeAddition(_ name: String) throws {
        if additions.contains(name) { try execute(name) }
    }

    /// The values of the fetches, in order.
    public func run(_ fetches: [String], feeds: [String: Tensor] = [:]) throws -> [Tensor] {
        try session.run(fetches.map { try fed[$0] ?? graph.node(named: $0) }, feeds: nodes(feeds))
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

    /// What a run of the fetches on such feeds will do.
    func plan(_ fetches: [String], feeds: [String: TensorSpec]) throws -> PlanDescription {
        var specs: [Node: TensorSpec] = [:]
        for (name, spec) in feeds { specs[try graph.node(named: name)] = spec }
        return try session.plan(for: fetches.map { try graph.node(named: $0) }, feeds: specs)
    }

    /// Gives a Variable a value.
    func assign(_ value: Tensor, to variable: Vertex) throws {
        value.keepTexts()
        try session.withVariable(variable, initialize: true) { memory in
            value.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
    }

    private func nodes(_ feeds: [String: Tensor]) throws -> Feeds {
        var result = Feeds()
        for (name, tensor) in feeds { result[try fed[name] ?? graph.node(named: name)] = tensor }
        return result
    }
}

extension GraphFile: CustomStringConvertible {
    public var description: String { source.description }
}
