internal import Dataflow
#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Values as JSON text with sorted keys, and without characters that a terminal obeys. JSON has no spelling for numbers that are not finite: they are `null`.
package enum JSONText {
    /// - Parameter isPretty: on several lines, indented by two spaces.
    package static func encode(_ value: some Encodable, isPretty: Bool = false) throws -> String {
        // A text that occurs nowhere else.
        let mark = "not finite \(UInt64.random(in: 0 ... .max))"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: mark, negativeInfinity: mark, nan: mark)
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        let whole = text.split(separator: "\"\(mark)\"", omittingEmptySubsequences: false).joined(separator: "null")
        return TerminalText.escaped(json: whole)
    }
}
