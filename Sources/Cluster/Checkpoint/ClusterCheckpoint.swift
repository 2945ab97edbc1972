public import Dataflow
public import Interchange

/// A checkpoint that a cluster of any number of servers wrote: Variables and the slots of their optimizers, each under the
/// name that it has in the graph of the job.
///
/// ```swift
/// let session = try Session(graph)
/// try session.restore(from: ClusterCheckpoint("run/checkpoints"))
/// ```
public struct ClusterCheckpoint: Sendable, CustomStringConvertible {
    /// The folder of checkpoints in which it lies.
    public let folder: String
    private let reader: CheckpointReader

    /// Opens the newest checkpoint of a folder, or one of several.
    ///
    /// - Parameters:
    ///   - folder: what the job's configuration calls `checkpoint.directory`.
    ///   - step: which; nil: the newest one that is not damaged.
    ///   - onEvent: receives a line for each newer checkpoint that is damaged and passed over.
    /// - Throws: `NodeError` if there is none, or the one that is asked for is damaged.
    public init(_ folder: String, step: Int? = nil, onEvent: (String) -> Void = { _ in }) throws {
        self.folder = folder
        if let step {
            reader = try CheckpointReader(CheckpointDirectory.manifest(step: step, in: folder), directory: folder)
            try reader.verify()
        } else if let manifest = try Manifest.newest(in: folder, tell: onEvent) {
            reader = try CheckpointReader(manifest, directory: folder)
        } else {
            throw NodeError(.badData, "there is no checkpoint in \(folder)")
        }
    }

    /// The number in its name: how many updates its values have had.
    public var step: Int { reader.manifest.step }
    /// The job's name.
    public var job: String { reader.manifest.job }
    /// The Variables' names, sorted.
    public var names: [String] { reader.variables }

    /// A Variable's value. One that was cut into blocks is a vector, as its shape is not in the checkpoint.
    /// - Throws: `FormatError` if there is none of this name, `NodeError` if a part of it is missing.
    public func tensor(named name: String) throws -> Tensor {
        let spec = try spec(named: name)
        return try reader.tensor(named: name, dtype: spec.dtype, shape: spec.shape)
    }

    public var description: String { "checkpoint of step \(step) in \(folder): \(names.joined(separator: ", "))" }
}

extension ClusterCheckpoint: SavedTensors {
    package var path: String { "\(folder)/\(Manifest.name(step: step))" }

    package func spec(named name: String) throws -> TensorSpec {
        guard let spec = reader.spec(named: name)?.spec else {
            throw FormatError(path: path, "holds no Variable '\(name)'; it holds \(names.joined(separator: ", "))")
        }
        return spec
    }

    package func isFlat(_ name: String) -> Bool { reader.spec(named: name)?.isCut ?? false }
}

extension Session {
    /// Gives Variables the values of a cluster's checkpoint, in the graph that the job builds.
    ///
    /// - Parameters: as of `restore(from:)` of a path.
    /// - Returns: which Variables have new values, which the checkpoint lacks, and what of it nobody takes.
    /// - Throws: `FormatError` if it lacks a Variable or has one of another dtype or size, or a file of it is damaged. Then no
    ///   Variable has changed.
    @discardableResult
    public func restore(
        from checkpoint: ClusterCheckpoint, variables: [Variable]? = nil, allowingMissing: Bool = false
    ) throws -> RestoreReport {
        try restore(saved: checkpoint, variables: variables, allowingMissing: allowingMissing)
    }
}
