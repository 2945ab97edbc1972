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

    /// - Throws: `GraphError` if the shapes or dtypes are not as described above.
    public init(
        features: Tensor, labels: Tensor, classes: Int, classNames: [String] = [], featureShape: [Int]? = nil,
        vocabularies: [Int: Vocabulary] = [:], table: TableLayout? = nil
    ) throws {
        func check(_ holds: Bool, _ mistake: @autoclosure () -> String) throws {
            if !holds { throw GraphError("no Dataset: \(mistake())") }
        }
        let extents = features.shape.knownExtents
        try check(
            extents.count == 2,
            "features are a matrix of a row an example (N × D), got the shape \(features.shape); "
                + "reshaped() makes one of images, with their shape as featureShape")
        try check(
            [.uint8, .float32].contains(features.dtype), "features are uint8 or float32, got \(features.dtype)")
        try check(classes >= 0, "the number of classes is at least 0, got \(classes)")
        let (rank, dtype, what) =
            classes > 0
            ? (1, DType.int32, "labels of \(classes) classes are int32 class indices of shape [N]")
            : (2, DType.float32, "labels of a regression (0 classes) are float32 of shape [N, K]")
        try check(
            labels.shape.rank == rank && labels.dtype == dtype, "\(what), got \(labels.dtype)\(labels.shape)")
        try check(
            labels.shape[0] == extents[0],
            "there are as many labels as examples, got features \(features.shape) and labels \(labels.shape)")
        let featureShape = featureShape ?? [extents[1]]
        try check(
            featureShape.allSatisfy { $0 >= 0 } && Shape(featureShape).elementCount == extents[1],
            "\(extents[1]) features do not fill the featureShape \(featureShape)")
        if classes > 0, let bad = labels.elements(of: Int32.self).first(where: { $0 < 0 || $0 >= classes }) {
            try check(false, "labels of \(classes) classes are 0 to \(classes - 1), got \(bad)")
        }
        let beyond = vocabularies.keys.first { !(0..<extents[1]).contains($0) }
        try check(beyond == nil, "categories of column \(beyond ?? 0) of \(extents[1])")
        let columns = table?.features.count ?? extents[1]
        try check(columns == extents[1], "\(columns) columns of a table for \(extents[1]) features")
        self.init(
            known: features, labels: labels, classes: classes, classNames: classNames, featureShape: featureShape,
            vocabularies: vocabularies, table: table)
    }

    /// Of parts that are known to fit.
    init(
        known features: Tensor, labels: Tensor, classes: Int, classNames: [String] = [], featureShape: [Int],
        vocabularies: [Int: Vocabulary] = [:], table: TableLayout? = nil
    ) {
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
            known: features ?? self.features, labels: labels ?? self.labels, classes: classes ?? self.classes,
            classNames: classNames, featureShape: featureShape, vocabularies: vocabularies, table: table ?? self.table)
    }

    /// Examples.
    public var count: Int { features.shape.knownExtents[0] }
    /// Features of an example.
    public var width: Int { features.shape.knownExtents[1] }

    /// The first examples, at most `count`.
    public func prefix(_ count: Int) -> Dataset {
        let range = 0..<min(max(count, 0), self.count)
        return replacing(features: features.viewed(rows: range), labels: labels.viewed(rows: range))
    }

    /// A batch: float32 features of shape [indices.count, D], scaled, and the labels that belong to them.
    ///
    /// - Throws: `GraphError` for an index out of range, and for a scaling that was fitted to another number of features.
    public func batch(_ indices: [Int32], scaling: Scaling = .none) throws -> (features: Tensor, labels: Tensor) {
        if let index = indices.first(where: { $0 < 0 || $0 >= count }) {
            throw GraphError("there is no example \(index): they are 0 to \(count - 1)")
        }
        guard scaling.fits(width) else {
            throw GraphError("the scaling was fitted to \(scaling.offset.count) features, the examples have \(width)")
        }
        return batch(known: indices, scaling)
    }

    /// The batch of indices that are known to be in range, scaled by what is known to fit.
    package func batch(known indices: [Int32], _ scaling: Scaling) -> (features: Tensor, labels: Tensor) {
        require(scaling.fits(width), "a scaling of \(scaling.offset.count) features for \(width)")
        require(indices.allSatisfy { $0 >= 0 && $0 < count }, "examples beyond the \(count) that there are")
        let cut =
            features.dtype == .uint8
            ? gather(indices, UInt8.self, scaling) : gather(indices, Float.self, scaling)
        return (cut, Self.rows(indices, of: labels))
    }

    private func gather<Scalar: NumericScalar>(_ indices: [Int32], _: Scalar.Type, _ scaling: Scaling) -> Tensor {
        let width = width
        return Tensor(dtype: .float32, sized: Shape([indices.count, width])) { bytes in
            let target = bytes.bindMemory(to: Float.self)
            features.withUnsafeBytes { source in
                let source = source.bindMemory(to: Scalar.self)
                for (place, index) in indices.enumerated() {
                    let row = Int(index) * width
                    scaling.apply(
                        UnsafeBufferPointer(rebasing: source[row..<(row + width)]),
                        to: UnsafeMutableBufferPointer(rebasing: target[(place * width)..<((place + 1) * width)]))
                }
            }
        }
    }

    /// Some rows, which are known to be there, as they are.
    static func rows(_ indices: [Int32], of tensor: Tensor) -> Tensor {
        let extents = tensor.shape.knownExtents
        let size = extents[0] == 0 ? 0 : tensor.byteCount / extents[0]
        return Tensor(dtype: tensor.dtype, sized: Shape([indices.count] + extents.dropFirst())) { target in
            tensor.withUnsafeBytes { source in
                for (place, index) in indices.enumerated() {
                    UnsafeMutableRawBufferPointer(rebasing: target[(place * size)..<((place + 1) * size)])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[(Int(index) * size)...].prefix(size)))
                }
            }
        }
    }

    /// float32 [N, classes]: 1 at each label, else 0.
    /// - Throws: `GraphError` unless `labels` are int32 in 0..<classes.
    public static func oneHot(_ labels: Tensor, classes: Int) throws -> Tensor {
        let labels = try labels.array(of: Int32.self)
        guard classes >= 0 else { throw GraphError("the number of classes is at least 0, got \(classes)") }
        var values = [Float](repeating: 0, count: labels.count * classes)
        for (row, label) in labels.enumerated() {
            guard label >= 0, label < classes else {
                throw GraphError("labels of \(classes) classes are 0 to \(classes - 1), got \(label)")
            }
            values[row * classes + Int(label)] = 1
        }
        return Tensor(values, sized: Shape([labels.count, classes]))
    }
}

extension Dataset: CustomStringConvertible {
    /// "1797 examples of 64 features, 10 classes".
    public var description: String {
        let shape = featureShape.count > 1 ? " (\(featureShape.map { "\($0)" }.joined(separator: " × ")))" : ""
        return
            "\(count) example\(count == 1 ? "" : "s") of \(width) feature\(width == 1 ? "" : "s")\(shape), \(labelsInWords)"
    }

    /// "10 classes", "2 targets".
    fileprivate var labelsInWords: String {
        let (number, what) = classes > 0 ? (classes, "class") : (labels.shape[1] ?? 0, "target")
        return "\(number) \(what)\(number == 1 ? "" : classes > 0 ? "es" : "s")"
    }
}

/// What is trained on, and what is held out to test on.
public struct DataSplit: Sendable {
    public package(set) var training: Dataset
    public package(set) var test: Dataset
    /// Lines for the job's log, such as which columns have gaps.
    public var notes: [String] = []

    /// Both parts get the classes of either: the smaller one may lack some.
    /// - Throws: `GraphError` unless both parts have the same features, and both classes or as many targets.
    public init(training: Dataset, test: Dataset) throws {
        guard training.featureShape == test.featureShape else {
            throw GraphError(
                "no DataSplit: examples to train on have features of shape \(training.featureShape), those to test on of "
                    + "\(test.featureShape)")
        }
        guard (training.classes > 0) == (test.classes > 0),
            training.classes > 0 || training.labels.shape[1] == test.labels.shape[1]
        else {
            throw GraphError(
                "no DataSplit: labels to train on are \(training.labelsInWords), those to test on "
                    + test.labelsInWords)
        }
        let classes = max(training.classes, test.classes)
        self.init(known: training.replacing(classes: classes), test.replacing(classes: classes))
    }

    /// Of parts that are known to fit, or are still to be looked at.
    package init(known training: Dataset, _ test: Dataset) {
        self.training = training
        self.test = test
    }

    /// Holds out the share `testFraction` (rounded down), drawn by `seed`; both parts keep the order of the data.
    /// - Throws: `GraphError` unless the share is in 0..<1.
    public init(_ data: Dataset, testFraction: Double, seed: UInt64) throws {
        guard (0..<1).contains(testFraction) else {
            throw GraphError("the share to test on is in 0..<1, got \(testFraction)")
        }
        // Epochs are streams 0, 1, …; this one is its own.
        var random = SplitMix64(seed: seed, stream: .max)
        let order = random.permutation(of: data.count)
        let held = Int(Double(data.count) * testFraction)
        func part(_ indices: [Int32]) -> Dataset {
            data.replacing(
                features: Dataset.rows(indices, of: data.features), labels: Dataset.rows(indices, of: data.labels))
        }
        self.init(known: part(order[held...].sorted()), part(order[..<held].sorted()))
    }
}

extension DataSplit: CustomStringConvertible {
    public var description: String { "to train on \(training); to test on \(test)" }
}
