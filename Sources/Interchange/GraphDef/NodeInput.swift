internal import Dataflow

/// An input of a `NodeDef` taken apart: "name", "name:1" or "^name".
struct NodeInput {
    let name: Substring
    let output: Int
    let isControl: Bool

    /// - Throws: `GraphError` for a text of another form.
    init(_ text: String) throws {
        let body = text.hasPrefix("^") ? text.dropFirst() : Substring(text)
        isControl = body.startIndex != text.startIndex
        let parts = body.split(separator: ":", omittingEmptySubsequences: false)
        let digits = parts.count == 2 ? parts[1] : "0"
        guard parts.count <= 2, !isControl || parts.count == 1, !parts[0].isEmpty, parts[0].first != "^",
            digits.utf8.allSatisfy({ (48...57).contains($0) }), let index = Int32(digits)
        else { throw GraphError("the input '\(text)' is none of 'name', 'name:1', '^name'") }
        name = parts[0]
        output = Int(index)
    }
}
