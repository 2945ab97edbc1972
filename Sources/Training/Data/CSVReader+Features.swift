public import Dataflow
internal import Interchange

extension CSVReader {
    /// Reads a file of features without labels: float32, N × D. A first line without any number is a header.
    /// - Throws: `FormatError` with the line and cell that is no number, or that is missing.
    public static func features(_ path: String, separator: UInt8 = UInt8(ascii: ",")) throws -> Tensor {
        let lines = try Gzip.read(path).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var values: [Float] = []
        var width = 0
        var rows = 0
        for (index, line) in lines.enumerated() {
            let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if text.isEmpty { continue }
            let cells = text.split(separator: separator, omittingEmptySubsequences: false)
            let numbers = cells.map { Float(String(decoding: $0, as: UTF8.self).filter { $0 != " " && $0 != "\"" }) }
            if rows == 0, numbers.allSatisfy({ $0 == nil }) { continue }
            if rows == 0 { width = cells.count }
            guard cells.count == width else {
                throw FormatError(
                    path: "\(path):\(index + 1)", "has \(cells.count) cells, the lines before have \(width)")
            }
            for (column, number) in numbers.enumerated() {
                guard let number else {
                    throw FormatError(
                        path: "\(path):\(index + 1)",
                        "cell \(column + 1) is no number: '\(String(decoding: cells[column].prefix(40), as: UTF8.self))'"
                    )
                }
                values.append(number)
            }
            rows += 1
        }
        guard rows > 0 else { throw FormatError(path: path, "holds no rows") }
        return Tensor(values, shape: [rows, width])
    }
}
