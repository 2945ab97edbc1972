/// The kinds of model that a program knows, by name.
public struct JobRegistry: Sendable {
    private let jobs: [String: any TrainingJob]

    /// The built-in kinds and `jobs`, which win over built-in kinds of the same name.
    public init(_ jobs: [any TrainingJob] = []) {
        self.jobs = Dictionary(
            (JobRegistry.builtIn + jobs).map { (type(of: $0).kind, $0) }, uniquingKeysWith: { $1 })
    }

    private static let builtIn: [any TrainingJob] = [
        MultilayerPerceptron(), ConvolutionalNetwork(), RecurrentNetwork(), WideAndDeep(), ImportedGraph(),
    ]

    public var kinds: Set<String> { Set(jobs.keys) }

    public subscript(kind: String) -> (any TrainingJob)? { jobs[kind] }
}

extension JobRegistry: CustomStringConvertible {
    public var description: String { "kinds of model: \(kinds.sorted().joined(separator: ", "))" }
}
