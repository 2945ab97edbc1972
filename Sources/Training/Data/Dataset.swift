public import Dataflow

/// Examples: features and what is to be learned of them.
public struct Dataset: Sendable {
    /// N × D; uint8 where the source's are (a quarter of the memory), else float32. Batches are float32.
    public let features: Tensor
    /// int32 class indices of shape [N], or float32 N × K targets of a regression.
    public let labels: Tensor
    /// The number of classes; 0 for a regression.
    public let classes: Int
    /// What the classes are called, by index; empty where the source has nothing but the indices.
    public let classNames: [String]
    /// The shape of one example's features: [28, 28], or [D]. Their product is D.
    public let featureShape: [Int]
    /// The categorical features by their column; each holds indices into its vocabulary. The others are numbers.
    public let vocabularies: [Int: Vocabulary]
    /// The columns of the table that the examples come from; nil for arrays.
    public let table: TableLayout?

    /// Traps if the shapes or dtypes are not as described above.
    public init(
        features: Tensor, labels: Tensor, classes: Int, classNames: [String] = [], featureShape: [Int]? = nil,
        vocabularies: [Int: Vocabulary] = [:], table: TableLayout? = nil
    ) {
        let extents = features.shape.concrete
        precondition(extents.count == 2, "features are N × D, got \(features.shape)")
        precondition(
            [.uint8, .float32].contains(features.dtype), "features are uint8 or float32, got \(features.dtype)")
        precondition(
            labels.shape[0] == extents[0] && labels.shape.rank == (classes > 0 ? 1 : 2),
            "\(features.shape) features and \(labels.shape) labels")
        precondition(labels.dtype == (classes > 0 ? .int32 : .float32), "labels of \(labels.dtype)")
        let featureShape = featureShape ?? [extents[1]]
        precondition(featureShape.reduce(1, *) == extents[1], "\(featureShape) of \(extents[1]) features")
        precondition(vocabularies.keys.allSatisfy { (0..<extents[1]).contains($0) }, "categories beyond the features")
        precondition(table.map { $0.features.count == extents[1] } ?? true, "columns of another table")
        self.features = features
        self.labels = labels
        self.classes = classes
        self.classNames = classNames
        self.featureShape = featureShape
        self.vocabularies = vocabularies
        self.table = table
    }

    /// Other examples, or more classes, of the same kind of data.
    package func replacing(
        features: Tensor? = nil, labels: Tensor? = nil, classes: Int? = nil, table: TableLayout? = nil
    ) -> Dataset {
        Dataset(
            features: features ?? self.features, labels: labels ?? self.labels, classes: classes ?? self.classes,
            classNames: classNames, featureShape: featureShape, vocabularies: vocabularies, table: table ?? self.table)
    }

    /// Examples.
    public var count: Int { features.shape.concrete[0] }
    /// Features of an example.
    public var width: Int { features.shape.concrete[1] }

    /// The first examples, at most `count`.
    public func prefix(_ count: Int) -> Dataset {
        let range = 0..<min(max(count, 0), self.count)
        return replacing(features: features.rows(range), labels: labels.rows(range))
    }

    /// A batch: float32 features of shape [indices.count, D], scaled, and the labels that belong to them.
    ///
    /// Traps on an index out of range and on a scaling that was fitted to another number of features.
    public func batch(_ indices: [Int32], scaling: Scaling = .none) -> (features: Tensor, labels: Tensor) {
        let cut =
            features.dtype == .uint8
            ? gather(indices, UInt8.self, scaling) : gather(indices, Float.self, scaling)
        return (cut, Self.rows(indices, of: labels))
    }

    private func gather<Scalar: NumericScalar>(_ indices: [Int32], _: Scalar.Type, _ scaling: Scaling) -> Tensor {
        let (count, width) = (count, width)
        return Tensor(dtype: .float32, shape: Shape([indices.count, width])) { bytes in
            let target = bytes.bindMemory(to: Float.self)
            features.withUnsafeBytes { source in
                let source = source.bindMemory(to: Scalar.self)
                for (place, index) in indices.enumerated() {
                    precondition(index >= 0 && index < count, "example \(index) of \(count)")
                    let row = Int(index) * width
                    scaling.apply(
                        UnsafeBufferPointer(rebasing: source[row..<(row + width)]),
                        to: UnsafeMutableBufferPointer(rebasing: target[(place * width)..<((place + 1) * width)]))
                }
            }
        }
    }

    /// Some rows as they are.
    static func rows(_ indices: [Int32], of tensor: Tensor) -> Tensor {
        let extents = tensor.shape.concrete
        let size = extents[0] == 0 ? 0 : tensor.byteCount / extents[0]
        return Tensor(dtype: tensor.dtype, shape: Shape([indices.count] + extents.dropFirst())) { target in
            tensor.withUnsafeBytes { source in
                for (place, index) in indices.enumerated() {
                    precondition(index >= 0 && index < extents[0], "example \(index) of \(extents[0])")
                    UnsafeMutableRawBufferPointer(rebasing: target[(place * size)..<((place + 1) * size)])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[(Int(index) * size)...].prefix(size)))
                }
            }
        }
    }

    /// float32 [N, classes]: 1 at each label, else 0. Traps unless `labels` are int32 in 0..<classes.
    public static func oneHot(_ labels: Tensor, classes: Int) -> Tensor {
        let labels = labels.array(of: Int32.self)
        var values = [Float](repeating: 0, count: labels.count * classes)
        for (row, label) in labels.enumerated() {
            precondition(label >= 0 && label < classes, "class \(label) of \(classes)")
            values[row * classes + Int(label)] = 1
        }
        return Tensor(values, shape: Shape([labels.count, classes]))
    }
}

/// What is trained on, and what is held out to test on.
public struct DataSplit: Sendable {
    public var training: Dataset
    public var test: Dataset
    /// Lines for the job's log, such as which columns have gaps.
    public var notes: [String] = []

    /// Both parts have the same features and classes.
    public init(training: Dataset, test: Dataset) {
        self.training = training
        self.test = test
    }

    /// Holds out the share `testFraction` (rounded down), drawn by `seed`; both parts keep the order of the data.
    public init(_ data: Dataset, testFraction: Double, seed: UInt64) {
        precondition((0..<1).contains(testFraction), "a share in 0..<1, got \(testFraction)")
        // Epochs are streams 0, 1, …; this one is its own.
        var random = SplitMix64(seed: seed, stream: .max)
        let order = random.permutation(of: data.count)
        let held = Int(Double(data.count) * testFraction)
        func part(_ indices: [Int32]) -> Dataset {
            data.replacing(
                features: Dataset.rows(indices, of: data.features), labels: Dataset.rows(indices, of: data.labels))
        }
        self.init(training: part(order[held...].sorted()), test: part(order[..<held].sorted()))
    }
}
