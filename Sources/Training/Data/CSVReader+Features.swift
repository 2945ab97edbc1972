public import Dataflow

extension CSVReader {
    /// Reads a file of features, with or without labels: uint8 where all are whole numbers 0…255, else float32, N × D. Cells and
    /// header are found as in files with labels. Columns are found by name, in any order, if both files have names.
    ///
    /// - Parameter fitted: of the data that the model was trained on; numbers of its own stand for missing ones.
    /// - Throws: `FormatError` with the line and cell that is no number, or with the columns that are missing or unknown.
    public func features(_ path: String, by fitted: Preprocessing) throws -> Tensor {
        let table = try CSVTable(path, self, by: fitted, for: .features)
        return table.features.filled(by: table.table)
    }
}
