internal import Interchange
public import Training

extension JobConfig {
    /// Reads the examples of the `data` section, at most `data.limit` of the training part.
    ///
    /// With `reading.preprocessing`, from a checkpoint, columns are found by name and categories by its vocabularies. Parts
    /// that `reading.parts` leaves out may be empty.
    /// - Throws: an error with the file, and the line if there is one.
    public func readData() throws -> DataSplit {
        var split = try readParts()
        if let limit = data.limit { split.training = split.training.prefix(min(limit, split.training.count)) }
        // Fitted after the limit, to the examples that are trained on.
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
                    "\(error); the test part is a share of that file; for another file give --set data.test_path=FILE")
            }
        }
    }

    /// The test part without the training part; nil if both are in one file.
    private func readTest(_ fitted: Preprocessing) throws -> Dataset? {
        switch data.format {
        case .embedded: try EmbeddedDigits.split().test
        case .idx: try IDXReader.test(folder: data.path ?? "", task: data.task)
        case .npz: try NPZReader.test(path: data.path ?? "", testPath: data.testPath, task: data.task)
        case .ratings: try data.testPath.map { try ratingsReader.read($0, by: fitted) }
        case .csv: try data.testPath.map { try csvReader.read($0, by: fitted) }
        }
    }

    private func readAll(_ fitted: Preprocessing?, allowsNewCategories: Bool = false) throws -> DataSplit {
        let seed = UInt64(bitPattern: Int64(self.seed))
        switch data.format {
        case .embedded: return try EmbeddedDigits.split()
        case .idx: return try IDXReader.split(folder: data.path ?? "", task: data.task)
        case .npz:
            return try NPZReader.split(
                path: data.path ?? "", testPath: data.testPath, testFraction: data.testFraction, seed: seed,
                task: data.task)
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
        let then: CSVReader.Task = fitted.classes > 0 ? .classification : .regression
        throw NodeError(
            .configuration,
            "data.task is \(now.rawValue), but the checkpoint's model was trained for \(then.rawValue)")
    }

    /// The reader of CSV files with the settings of `data`.
    var csvReader: CSVReader {
        CSVReader(
            label: data.labels, header: data.header, separator: data.separator?.utf8.first ?? UInt8(ascii: ","),
            task: data.task ?? .classification, categorical: data.categorical, skipped: data.ignore,
            missing: data.missing)
    }

    /// The reader of ratings with the settings of `data`.
    var ratingsReader: RatingsReader { RatingsReader(header: data.header, separator: data.separator) }

    /// A line for the log if the checkpoint's scaling differs from the configuration's.
    func scaleNote(_ fitted: Preprocessing) -> String? {
        guard data.scale != fitted.scaling.kind else { return nil }
        return "data.scale is \(data.scale.rawValue), but the checkpoint's model was trained with "
            + "\(fitted.scaling.kind.rawValue), which is kept"
    }
}
