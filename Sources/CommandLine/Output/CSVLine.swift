/// One line of a CSV file (RFC 4180). Cells with separators, quotes, line ends or outer spaces are quoted.
package func csvLine(_ cells: [String]) -> String { cells.map(csvCell).joined(separator: ",") }

private func csvCell(_ text: String) -> String {
    let bytes = text.utf8
    let needsQuotes =
        text.isEmpty || bytes.contains { ",\"\r\n".utf8.contains($0) } || " \t".utf8.contains(bytes.first ?? 0)
        || " \t".utf8.contains(bytes.last ?? 0)
    // Unicode scalars, not characters: a quote with a combining mark is another character than a quote.
    guard needsQuotes else { return text }
    return "\"" + text.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
}
