/// A mistake in a graph, in what was fed to it or in what was asked of it: one clear sentence, with where it was made.
public struct GraphError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong: names, both shapes or dtypes, and what to do.
    public let message: String
    /// The vertex concerned, with its operation: "MatMul 'layer1/MatMul'".
    public internal(set) var node: String?
    /// Where the user's program made it.
    public internal(set) var location: SourceLocation?

    /// Whether a device's memory was too small: with less held, it might go well.
    let isOutOfMemory: Bool
    /// Whether a file could not be written, such as a checkpoint on a full disk: nothing is wrong with the graph.
    public let isOutput: Bool

    @inline(never)
    public init(_ message: String, node: String? = nil, location: SourceLocation? = nil) {
        self.init(message, node: node, location: location, isOutOfMemory: false)
    }

    @inline(never)
    init(
        _ message: String, node: String? = nil, location: SourceLocation? = nil, isOutOfMemory: Bool = false,
        isOutput: Bool = false
    ) {
        self.message = message
        self.node = node
        self.location = location
        self.isOutOfMemory = isOutOfMemory
        self.isOutput = isOutput
    }

    public var description: String {
        var text = message
        // Not twice what the message says already.
        if let node, !message.contains(node.drop { $0 != "'" }) || !node.contains("'") { text = "\(node): \(text)" }
        if let location { text += " (\(location))" }
        return text
    }

    /// Names the vertex and its location, unless an inner error already has.
    func at(_ node: String, _ location: SourceLocation?) -> GraphError {
        var copy = self
        copy.node = copy.node ?? node
        copy.location = copy.location ?? location
        return copy
    }

    /// Names the vertex and where the user's program made it, unless an inner error already has.
    func at(_ vertex: Vertex) -> GraphError { at("\(vertex.operation.name) '\(vertex.name)'", vertex.location) }
}

/// A line of the program that built a graph.
public struct SourceLocation: Sendable, Equatable, CustomStringConvertible {
    public let file: String
    public let line: UInt

    @inline(never)
    public init(file: StaticString, line: UInt) {
        self.file = "\(file)"
        self.line = line
    }

    public var description: String { "\(file):\(line)" }

    /// Whether it lies in this library: no line of a user's.
    var isLibrary: Bool { file.hasPrefix("Dataflow/") || file.hasPrefix("Training/") }
}
