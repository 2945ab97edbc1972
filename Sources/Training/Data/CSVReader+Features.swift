public import Dataflow

extension CSVReader {
    /// Reads a file of features without labels: uint8 where all are whole numbers 0…255, else float32, N × D. Cells and header
    /// are told as in files with labels.
    /// - Throws: `FormatError` with the line and cell that is no number, or that is missing.
    public func features(_ path: String) throws -> Tensor {
        try CSVTable(path: path, reader: self, hasLabels: false).features
    }
}
