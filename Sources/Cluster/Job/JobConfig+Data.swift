internal import Foundation
public import Training

extension JobConfig {
    /// Reads the examples that the `data` section names, and cuts off those beyond `data.limit`.
    /// - Throws: an error naming the file, and the line where there is one.
    public func readData() throws -> DataSplit {
        var split = try readAll()
        if let limit = data.limit { split.training = split.training.prefix(min(limit, split.training.count)) }
        // Fitted after the limit: on what is trained on, and nothing else.
        return split.filled(.error)
    }

    private func readAll() throws -> DataSplit {
        let seed = UInt64(bitPattern: Int64(self.seed))
        switch data.format {
        case .embedded: return try EmbeddedDigits.split()
        case .idx: return try IDXReader.split(folder: data.path ?? "")
        case .npz:
            return try NPZReader.split(
                path: data.path ?? "", testPath: data.testPath, testFraction: data.testFraction, seed: seed)
        case .ratings:
            return try RatingsReader.split(
                path: data.path ?? "", testPath: data.testPath, testFraction: data.testFraction, seed: seed)
        case .csv:
            return try csvReader.split(
                path: data.path ?? "", testPath: data.testPath, testFraction: data.testFraction, seed: seed)
        }
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
        let header: CSVReader.Header =
            switch data.header {
            case .automatic: .automatic
            case .present: .present
            case .absent: .absent
            }
        return CSVReader(
            label: column(data.labels), header: header, separator: data.separator.utf8.first ?? UInt8(ascii: ","),
            task: data.task == .classification ? .classification : .regression,
            categorical: data.categorical.map(column))
    }

    /// How features are scaled, fitted on the training part.
    func scaling(for training: Dataset) -> Scaling {
        switch data.scale {
        case .none: .none
        case .standardize: Scaling(.standardize, fittedTo: training)
        case .minMax: Scaling(.minMax, fittedTo: training)
        }
    }
}
