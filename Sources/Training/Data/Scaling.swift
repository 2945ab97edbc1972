public import Dataflow

/// What is done to features before the network sees them: x ↦ (x − offset) · factor, for each feature.
///
/// Fitted on the training part alone, in float64; applied to float32. A feature that is constant in the training part
/// becomes 0.
public struct Scaling: Sendable, Equatable, Codable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case none
        /// Mean 0, (population) standard deviation 1.
        case standardize
        /// The training part's smallest value becomes 0, its greatest 1.
        case minMax = "min_max"
    }

    public let kind: Kind
    /// One number a feature; empty for `none`.
    public let offset: [Double]
    /// One number a feature; empty for `none`.
    public let factor: [Double]

    /// Features as they are.
    public static let none = Scaling(kind: .none, offset: [], factor: [])

    private init(kind: Kind, offset: [Double], factor: [Double]) {
        self.kind = kind
        self.offset = offset
        self.factor = factor
    }

    /// Fits to the training part's features; categorical ones stay as they are.
    public init(_ kind: Kind, fittedTo data: Dataset) {
        let fitted = Scaling(kind, known: data.features)
        guard kind != .none else {
            self = fitted
            return
        }
        var (offset, factor) = (fitted.offset, fitted.factor)
        for column in data.vocabularies.keys { (offset[column], factor[column]) = (0, 1) }
        self.init(kind: kind, offset: offset, factor: factor)
    }

    /// Fits to `features`, N × D of uint8 or float32.
    /// - Throws: `GraphError` for other dtypes and ranks.
    public init(_ kind: Kind, fittedTo features: Tensor) throws {
        guard features.shape.rank == 2, [.uint8, .float32].contains(features.dtype) else {
            throw GraphError(
                "features are N × D of uint8 or float32, got \(features.dtype)\(features.shape)")
        }
        self.init(kind, known: features)
    }

    private init(_ kind: Kind, known features: Tensor) {
        switch (kind, features.dtype) {
        case (.none, _): self = .none
        case (_, .uint8): self.init(kind, Columns(features, of: UInt8.self))
        case (_, .float32): self.init(kind, Columns(features, of: Float.self))
        default: fatalError("features are uint8 or float32, got \(features.dtype)")
        }
    }

    private init(_ kind: Kind, _ columns: Columns) {
        let constant = zip(columns.least, columns.greatest).map { $0 == $1 }
        switch kind {
        case .none: self = .none
        case .minMax:
            let factor = columns.least.indices.map { constant[$0] ? 0 : 1 / (columns.greatest[$0] - columns.least[$0]) }
            self.init(kind: kind, offset: columns.least, factor: factor)
        case .standardize:
            let factor = columns.variance.indices.map { i in
                constant[i] || columns.variance[i] == 0 ? 0 : 1 / columns.variance[i].squareRoot()
            }
            self.init(kind: kind, offset: columns.mean, factor: factor)
        }
    }

    /// Statistics of every column, in float64; two passes, so that a great mean does not drown the variance.
    private struct Columns {
        var least: [Double]
        var greatest: [Double]
        var mean: [Double]
        var variance: [Double]

        init<Scalar: NumericScalar>(_ features: Tensor, of _: Scalar.Type) {
            let extents = features.shape.knownExtents
            let (rows, width) = (extents[0], extents[1])
            var least = [Double](repeating: .infinity, count: width)
            var greatest = [Double](repeating: -.infinity, count: width)
            var mean = [Double](repeating: 0, count: width)
            var variance = [Double](repeating: 0, count: width)
            features.withUnsafeBytes { bytes in
                let values = bytes.bindMemory(to: Scalar.self)
                for row in 0..<rows {
                    for column in 0..<width {
                        let value = values[row * width + column].asDouble
                        least[column] = min(least[column], value)
                        greatest[column] = max(greatest[column], value)
                        mean[column] += value
                    }
                }
                for column in 0..<width { mean[column] /= Double(max(rows, 1)) }
                for row in 0..<rows {
                    for column in 0..<width {
                        let deviation = values[row * width + column].asDouble - mean[column]
                        variance[column] += deviation * deviation
                    }
                }
                for column in 0..<width { variance[column] /= Double(max(rows, 1)) }
            }
            (self.least, self.greatest, self.mean, self.variance) = (least, greatest, mean, variance)
        }
    }

    /// Whether this is a scaling of so many features.
    func fits(_ width: Int) -> Bool { kind == .none || (offset.count == width && factor.count == width) }

    /// Writes a row of features, scaled, to `target`. The scaling is known to be of its width.
    @inline(__always)
    func apply<Scalar: NumericScalar>(
        _ row: UnsafeBufferPointer<Scalar>, to target: UnsafeMutableBufferPointer<Float>
    ) {
        guard kind != .none else {
            for i in row.indices { target[i] = Float(row[i].asDouble) }
            return
        }
        offset.withUnsafeBufferPointer { offset in
            factor.withUnsafeBufferPointer { factor in
                for i in row.indices { target[i] = Float((row[i].asDouble - offset[i]) * factor[i]) }
            }
        }
    }
}

extension Scaling: CustomStringConvertible {
    public var description: String { kind == .none ? "none" : "\(kind.rawValue) of \(offset.count) features" }
}
