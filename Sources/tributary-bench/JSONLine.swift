import Cluster

/// An ordered JSON object on one line, its fractions rounded to six significant digits.
struct JSONLine: CustomStringConvertible {
    indirect enum Value {
        case text(String)
        case integer(Int)
        case number(Double)
        case flag(Bool)
        case list([Value])
        case object([(String, Value)])
    }

    private var fields: [(String, Value)]

    /// - Parameter bench: the case's name.
    init(bench: String, _ fields: [(String, Value)]) {
        self.fields = [("bench", .text("tributary_\(bench)")), ("version", .text(NodeStart.version))] + fields
    }

    var description: String { JSONLine.text(.object(fields)) }

    private static func text(_ value: Value) -> String {
        switch value {
        case .text(let text): "\"\(text)\""
        case .integer(let number): "\(number)"
        case .number(let number): rounded(number)
        case .flag(let flag): "\(flag)"
        case .list(let values): "[\(values.map(text).joined(separator: ", "))]"
        case .object(let fields): "{\(fields.map { "\"\($0)\": \(text($1))" }.joined(separator: ", "))}"
        }
    }

    private static func rounded(_ number: Double) -> String {
        guard number.isFinite, number != 0 else { return number == 0 ? "0" : "null" }
        var exponent = 0
        var size = number.magnitude
        while size >= 1e6 { (size, exponent) = (size / 10, exponent + 1) }
        while size < 1e5 { (size, exponent) = (size * 10, exponent - 1) }
        return "\(number.sign == .minus ? "-" : "")\(Double("\(Int(size.rounded()))e\(exponent)") ?? number.magnitude)"
    }
}
