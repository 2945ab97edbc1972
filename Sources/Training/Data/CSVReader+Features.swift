public import Dataflow

extension CSVReader {
    /// Reads a file of features without labels: uint8 where all are whole numbers 0…255, else float32, N × D. Cells and header
    /// are told as in files with labels.
    ///
    /// - Parameter vocabularies: of the categorical features, by their column among the features.
    /// - Throws: `FormatError` with the line and cell that is no number, or that is missing.
    public func features(_ path: String, vocabularies: [Int: Vocabulary] = [:]) throws -> Tensor {
        try CSVTable(path: path, reader: self, vocabularies: vocabularies, hasLabels: false).features
    }
}
