internal import Interchange
public import Training

extension JobConfig {
    /// Reads the examples that the `data` section names, and cuts off training examples beyond `data.limit`.
    ///
    /// With the preprocessing of a checkpoint (`reading.preprocessing`) columns are found by name and categories by its
    /// vocabularies. Parts that `reading.parts` does not want may be empty.
    /// - Throws: an error naming the file, and the line where there is one.
    public func readData() throws -> DataSplit {
        var split = try readParts()
        if let limit = data.limit { split.training = split.training.prefix(min(limit, split.training.count)) }
        // Fitted after the limit: on what is trained on, and nothing else.
        return split.filled(data.missing, fitted: reading.preprocessing)
    }

    private func readParts() throws -> DataSplit {
        guard let fitted = reading.preprocessing else { return try readAll(nil) }
        try checkTask(fitted)
        switch reading.parts {
        case .all: return try readAll(fitted)
        case .none: return DataSplit(known: fitted.noExamples, fitted.noExamples)
        case .test:
            if let test = try readTest(fitted) { return DataSplit(known: fitted.noExamples, test) }
            do { return try readAll(fitted, allowsNewCategories: true) } catch let error as FormatError
                where error.systemCode != nil
            {
                throw NodeError(
                    .badData,
                    "\(error); held-out examples are a share of that file: name others with --set data.test_path=FILE")
            }
        }
    }

    /// The test part, where it can be read without the training part; nil where it is a share of one file.
    private func readTest(_ fitted: Preprocessing) throws -> Dataset? {
        switch data.format {
        case .embedded: try EmbeddedDigits.split().test
        case .idx: try IDXReader.test(folder: data.path ?? "", task: arrayTask)
        case .npz: try NPZReader.test(path: data.path ?? "", testPath: data.testPath, task: arrayTask)
        case .ratings: try data.testPath.map { try ratingsReader.read($0, by: fitted) }
        case .csv: try data.testPath.map { try csvReader.read($0, by: fitted) }
        }
    }

    private func readAll(_ fitted: Preprocessing?, allowsNewCategories: Bool = false) throws -> DataSplit {
        let seed = UInt64(bitPattern: Int64(self.seed))
        switch data.format {
        case .embedded: return try EmbeddedDigits.split()
        case .idx: return try IDXReader.split(folder: data.path ?? "", task: arrayTask)
        case .npz:
            return try NPZReader.split(
                path: data.path ?? "", testPath: data.testPath, testFraction: data.testFraction, seed: seed,
                task: arrayTask)
        case .ratings:
            return try ratingsReader.split(
                path: data.path ?? "", testPath: data.testPath, testFraction: data.testFraction ?? 0.2, seed: seed,
                fitted: fitted, allowsNewCategories: allowsNewCategories)
        case .csv:
            return try csvReader.split(
                path: data.path ?? "", testPath: data.testPath, testFraction: data.testFraction ?? 0.2, seed: seed,
                fitted: fitted, allowsNewCategories: allowsNewCategories)
        }
    }

    private func checkTask(_ fitted: Preprocessing) throws {
        let now = data.task ?? .classification
        guard data.format == .csv, (now == .classification) != (fitted.classes > 0) else { return }
        let then: Data.Task = fitted.classes > 0 ? .classification : .regression
        throw NodeError(
            .configuration,
            "data.task is \(now.rawValue), but the checkpoint's model was trained for \(then.rawValue)")
    }

    /// Reads CSV files as the `data` section says.
    var csvReader: CSVReader {
        func column(_ column: Data.Column) -> CSVReader.Column {
            switch column {
            case .last: .last
            case .index(let index): .index(index)
            case .name(let name): .name(name)
            }
        }
        return CSVReader(
            label: column(data.labels), header: header, separator: data.separator?.utf8.first ?? UInt8(ascii: ","),
            task: data.task == .regression ? .regression : .classification,
            categorical: data.categorical.map(column), skipped: data.ignore.map(column), missing: data.missing)
    }

    /// Reads ratings as the `data` section says.
    var ratingsReader: RatingsReader { RatingsReader(header: header, separator: data.separator) }

    private var header: CSVReader.Header {
        switch data.header {
        case .automatic: .automatic
        case .present: .present
        case .absent: .absent
        }
    }

    /// What arrays hold, where the configuration says.
    private var arrayTask: CSVReader.Task? { data.task.map { $0 == .regression ? .regression : .classification } }

    /// Whether what is fitted is no longer what the configuration asks for: a sentence for the log.
    func scaleNote(_ fitted: Preprocessing) -> String? {
        guard data.scale.kind != fitted.scaling.kind else { return nil }
        return "data.scale is \(data.scale.rawValue), but the checkpoint's model was trained with "
            + "\(fitted.scaling.kind.rawValue), which stays"
    }
}

extension JobConfig.Data.Scale {
    /// The scaling of this name.
    var kind: Scaling.Kind {
        switch self {
        case .none: .none
        case .standardize: .standardize
        case .minMax: .minMax
        }
    }
}
