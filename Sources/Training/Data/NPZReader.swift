public import Dataflow
internal import Interchange

/// Reads examples from NumPy's `.npz`.
///
/// Features are `x` (or `X`, `features`), labels `y` (or `Y`, `labels`); a file may hold both parts as `x_train`, `y_train`,
/// `x_test`, `y_test` (as Keras's `mnist.npz`). Integer labels are class indices, floating ones targets of a regression.
public enum NPZReader {
    /// Reads both parts.
    ///
    /// - Parameters:
    ///   - testPath: a file with the test part.
    ///   - testFraction: the share held out by `seed`; nil: 0.2 if there is neither `testPath` nor a test part in the file.
    ///   - task: nil: integer labels are classes, floating ones targets.
    /// - Throws: `FormatError`; also for a `testFraction` where there is a test part.
    public static func split(
        path: String, testPath: String? = nil, testFraction: Double? = nil, seed: UInt64 = 0,
        task: CSVReader.Task? = nil
    ) throws -> DataSplit {
        let file = try NpzFile(path)
        let training = try examples(file, "_train", task)
        if let testPath {
            let other = try NpzFile(testPath)
            return try DataSplit.checked(
                training: training ?? plain(file, task), test: examples(other, "_test", task) ?? plain(other, task),
                names: (path, testPath))
        }
        if let training, let test = try examples(file, "_test", task) {
            guard testFraction == nil else {
                throw FormatError(
                    path: path,
                    "holds a test part of its own (x_test, y_test), so that data.test_fraction has no effect; leave it out"
                )
            }
            return try DataSplit.checked(training: training, test: test, names: (path, path))
        }
        return try DataSplit(training ?? plain(file, task), testFraction: testFraction ?? 0.2, seed: seed)
    }

    /// Reads the test part alone; the training part need not be there.
    ///
    /// - Parameter testPath: a file with the test part; nil: `path` has one.
    /// - Returns: nil if `path` has no test part.
    /// - Throws: `FormatError`.
    public static func test(path: String, testPath: String?, task: CSVReader.Task? = nil) throws -> Dataset? {
        let file = try NpzFile(testPath ?? path)
        return try examples(file, "_test", task) ?? (testPath == nil ? nil : plain(file, task))
    }

    /// Features without labels, as an array of any shape [N, …]. Throws `FormatError`.
    public static func features(_ path: String) throws -> Tensor {
        let file = try NpzFile(path)
        let known = names.features.flatMap { [$0, $0 + "_test"] }
        guard let name = known.first(where: file.names.contains) ?? (file.names.count == 1 ? file.names[0] : nil) else {
            throw FormatError(path: path, "holds \(file.names.joined(separator: ", ")); x (or features) is wanted")
        }
        return try file.tensor(named: name)
    }

    private static let names = (features: ["x", "X", "features"], labels: ["y", "Y", "labels"])

    private static func plain(_ file: NpzFile, _ task: CSVReader.Task?) throws -> Dataset {
        guard let data = try examples(file, "", task) else {
            throw FormatError(
                path: file.path,
                "holds \(file.names.joined(separator: ", ")); x and y (or features and labels, or x_train, y_train, "
                    + "x_test and y_test) are wanted")
        }
        return data
    }

    private static func examples(
        _ file: NpzFile, _ suffix: String, _ task: CSVReader.Task?
    ) throws -> Dataset? {
        guard let x = names.features.map({ $0 + suffix }).first(where: file.names.contains),
            let y = names.labels.map({ $0 + suffix }).first(where: file.names.contains)
        else { return nil }
        return try Dataset.checked(
            features: file.tensor(named: x), labels: file.tensor(named: y), task: task,
            featuresName: "\(file.path)[\(x)]", labelsName: "\(file.path)[\(y)]")
    }
}
