internal import Dataflow
internal import Interchange

extension Dataset {
    /// A dataset of arrays as they come from files.
    ///
    /// Features of any shape [N, …] and of a number's dtype; integer labels, [N] or [N, 1], are class indices, floating
    /// ones targets of a regression, unless `task` says otherwise. Throws `FormatError` with the names if they do not fit.
    static func checked(
        features: Tensor, labels: Tensor, task: CSVReader.Task? = nil, featuresName: String, labelsName: String
    ) throws -> Dataset {
        let extents = features.shape.knownExtents
        guard extents.count > 1, features.elementCount > 0 else {
            throw FormatError(path: featuresName, "holds no examples: its shape is \(features.shape), [N, …] is wanted")
        }
        guard labels.shape.rank ?? 0 > 0, labels.shape[0] == extents[0] else {
            throw FormatError(
                path: labelsName,
                "has the shape \(labels.shape), which does not fit the \(extents[0]) examples of \(featuresName)")
        }
        try checkFinite(features, featuresName)
        try checkFinite(labels, labelsName)
        let matrix = (features.dtype == .uint8 ? features : features.asFloat32)
            .viewed(as: Shape([extents[0], features.elementCount / extents[0]]))
        let shape = Array(extents.dropFirst())
        if task.map({ $0 == .regression }) ?? labels.dtype.isFloating {
            let targets = labels.asFloat32.viewed(as: Shape([extents[0], labels.elementCount / extents[0]]))
            return Dataset(known: matrix, labels: targets, classes: 0, featureShape: shape)
        }
        guard labels.elementCount == extents[0] else {
            throw FormatError(path: labelsName, "has the shape \(labels.shape); class indices are one an example")
        }
        let values = labels.knownDoubles
        guard let most = values.max(), let least = values.min(), least >= 0, most < Double(mostClasses),
            values.allSatisfy({ $0 == $0.rounded() })
        else {
            throw FormatError(
                path: labelsName,
                "holds labels that are no class indices (0 to \(mostClasses - 1))"
                    + (labels.dtype.isFloating ? "; data.task: regression takes any numbers" : ""))
        }
        return Dataset(
            known: matrix, labels: Tensor(values.map { Int32($0) }), classes: Int(most) + 1, featureShape: shape)
    }

    /// Throws `FormatError` at the first number that is none, or infinite.
    private static func checkFinite(_ tensor: Tensor, _ name: String) throws {
        guard tensor.dtype.isFloating else { return }
        let values = tensor.dtype == .float32 ? [] : tensor.knownDoubles
        let bad =
            tensor.dtype == .float32
            ? tensor.withUnsafeBytes { $0.bindMemory(to: Float.self).firstIndex { !$0.isFinite } }
            : values.firstIndex { !$0.isFinite }
        guard let bad else { return }
        let width = tensor.elementCount / max(tensor.shape.knownExtents[0], 1)
        throw FormatError(
            path: name, "holds \(tensor.knownDoubles[bad]) in example \(bad / width), place \(bad % width) (from 0)")
    }

    /// A greater label is an error in the data, not a class.
    static let mostClasses = 1_000_000
}

extension DataSplit {
    /// Both parts with the classes of either. Throws `FormatError` if they differ in kind.
    static func checked(training: Dataset, test: Dataset, names: (String, String)) throws -> DataSplit {
        guard training.featureShape == test.featureShape else {
            throw FormatError(
                path: names.1,
                "holds examples of shape \(test.featureShape), those of \(names.0) are \(training.featureShape)")
        }
        guard (training.classes == 0) == (test.classes == 0),
            training.classes > 0 || training.labels.shape[1] == test.labels.shape[1]
        else { throw FormatError(path: names.1, "holds labels of another kind than \(names.0)") }
        return try DataSplit(training: training, test: test)
    }
}

extension Tensor {
    /// The same numbers as float32.
    var asFloat32: Tensor { dtype == .float32 ? self : Tensor(knownDoubles.map { Float($0) }, sized: shape) }
}
