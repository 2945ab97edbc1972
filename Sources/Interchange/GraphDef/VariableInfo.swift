public import Dataflow

/// What two processes must agree on about a Variable.
public struct VariableInfo: Sendable, Hashable, CustomStringConvertible {
    /// The name of the Variable's vertex, "layer1/weights".
    public let name: String
    public let dtype: DType
    public let shape: Shape

    public init(name: String, dtype: DType, shape: Shape) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
    }

    public init(_ variable: Variable) { self.init(name: variable.name, dtype: variable.dtype, shape: variable.shape) }

    public var description: String { "'\(name)' \(dtype)\(shape)" }

    /// A sentence for each Variable that only one side has or that differs; none if the two agree in whatever order.
    ///
    /// - Parameters:
    ///   - ours: the Variables of this process.
    ///   - theirs: those of the other.
    ///   - peer: what to call the other: "the worker lacks 'layer2/bias' float32[10]".
    public static func differences(
        ours: [VariableInfo], theirs: [VariableInfo], peer: String = "the worker"
    ) -> [String] {
        let other = Dictionary(theirs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let names = Set(ours.map(\.name))
        let changed = ours.compactMap { mine -> String? in
            guard let twin = other[mine.name] else { return "\(peer) lacks \(mine)" }
            guard twin != mine else { return nil }
            return "'\(mine.name)' is \(mine.dtype)\(mine.shape) here, \(twin.dtype)\(twin.shape) there"
        }
        return changed + theirs.filter { !names.contains($0.name) }.map { "only \(peer) has \($0)" }
    }
}
