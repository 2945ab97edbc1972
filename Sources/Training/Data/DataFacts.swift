internal import Dataflow
internal import Interchange

/// Which data a model was trained on: enough to notice that it has changed.
public struct DataFacts: Sendable, Equatable, Codable {
    /// Training examples.
    public var training: Int
    /// Held-out examples.
    public var test: Int
    /// Of the training part's features and labels, in their order.
    public var checksum: UInt32

    public init(_ data: DataSplit) {
        training = data.training.count
        test = data.test.count
        let features = data.training.features.withUnsafeBytes { CRC32C.masked($0) }
        let labels = data.training.labels.withUnsafeBytes { CRC32C.masked($0) }
        checksum = features &* 31 &+ labels
    }

    /// What has changed since `other`, a sentence; nil if nothing has.
    public func change(since other: DataFacts) -> String? {
        guard self != other else { return nil }
        guard training == other.training else {
            return "the data has \(training) training examples, \(other.training) when the checkpoint was written"
        }
        if checksum != other.checksum {
            return "the data has as many training examples as when the checkpoint was written, but not the same"
        }
        return "the data has \(test) held-out examples, \(other.test) when the checkpoint was written"
    }
}
