/// A tensor's elements as numpy prints them: nested brackets, columns aligned, lines of 75 characters, and of more than 1000
/// elements the first and last three of each dimension.
struct TensorPrinter {
    private let extents: [Int]
    private let strides: [Int]
    private let isShortened: Bool
    /// The text of each element that is shown, of one width, by its offset.
    private let words: [Int: String]

    private static let threshold = 1000
    private static let edge = 3
    private static let width = 75

    static func text(_ tensor: Tensor) -> String {
        let printer = TensorPrinter(tensor)
        if printer.extents.isEmpty, let word = printer.words[0] { return word }
        if tensor.elementCount == 0 { return "[]" }
        return printer.text(dimension: 0, at: 0, indent: " ", width: width)
    }

    private init(_ tensor: Tensor) {
        extents = tensor.shape.knownExtents
        strides = tensor.shape.strides
        isShortened = tensor.elementCount > TensorPrinter.threshold
        var offsets: [Int] = [0]
        if tensor.elementCount == 0 { offsets = [] }
        for (extent, stride) in zip(extents, strides) where !offsets.isEmpty {
            let shown = TensorPrinter.shown(extent, isShortened)
            offsets = offsets.flatMap { offset in shown.map { offset + $0 * stride } }
        }
        words = Dictionary(
            zip(offsets, TensorPrinter.words(tensor, offsets)), uniquingKeysWith: { first, _ in first })
    }

    /// The indices of a dimension that are shown.
    private static func shown(_ extent: Int, _ isShortened: Bool) -> [Int] {
        isShortened && extent > 2 * edge
            ? Array(0..<edge) + Array(extent - edge..<extent) : Array(0..<extent)
    }

    private func text(dimension: Int, at offset: Int, indent: String, width: Int) -> String {
        guard dimension < extents.count else { return words[offset] ?? "" }
        let shown = TensorPrinter.shown(extents[dimension], isShortened)
        let parts = shown.map { i in
            text(dimension: dimension + 1, at: offset + i * strides[dimension], indent: indent + " ", width: width - 1)
        }
        let gap = shown.count < extents[dimension] ? TensorPrinter.edge : nil
        var result = ""
        if dimension == extents.count - 1 {
            var line = indent
            for (i, word) in parts.enumerated() {
                for word in i == gap ? ["...", word] : [word] {
                    if line.count + word.count > width - 1, line.count > indent.count {
                        result += line.trimmedEnd + "\n"
                        line = indent
                    }
                    line += word + " "
                }
            }
            result += line.dropLast()
        } else {
            let separator = String(repeating: "\n", count: extents.count - dimension - 1)
            let lines = parts.enumerated().flatMap { i, part in
                (i == gap ? [indent + "..."] : []) + [indent + part]
            }
            result = lines.joined(separator: separator)
        }
        return "[" + result.dropFirst(indent.count) + "]"
    }

    // MARK: Words

    private static func words(_ tensor: Tensor, _ offsets: [Int]) -> [String] {
        func pick<Scalar: TensorScalar>(_ type: Scalar.Type) -> [Scalar] {
            tensor.withUnsafeBytes { bytes in
                let elements = bytes.bindMemory(to: type)
                return offsets.map { elements[$0] }
            }
        }
        let isScalar = tensor.shape.rank == 0
        return switch tensor.dtype {
        case .float32: decimals(pick(Float.self).map { Decimal($0) }, isScalar, from: 1e6)
        case .float64: decimals(pick(Double.self).map { Decimal($0) }, isScalar, from: 1e8)
        case .bfloat16: decimals(pick(BFloat16.self).map { Decimal($0.float) }, isScalar, from: 1e6)
        case .int32: padded(pick(Int32.self).map { "\($0)" })
        case .int64: padded(pick(Int64.self).map { "\($0)" })
        case .uint8: padded(pick(UInt8.self).map { "\($0)" })
        case .bool: padded(pick(Bool.self).map { "\($0)" })
        case .string: pick(TextNumber.self).map { "\"\(String(decoding: $0.bytes, as: UTF8.self))\"" }
        case .resource, .variant: offsets.map { _ in "<\(tensor.dtype)>" }
        }
    }

    private static func padded(_ words: [String]) -> [String] {
        let width = words.map(\.count).max() ?? 0
        return words.map { String(repeating: " ", count: width - $0.count) + $0 }
    }

    /// Decimals with their points in one column, or all with exponents where some are too large (from `limit` on) or too
    /// small.
    private static func decimals(_ values: [Decimal], _ isScalar: Bool, from limit: Double) -> [String] {
        // A scalar is shown in full.
        if isScalar { return values.map { $0.special ?? "\($0.text)" } }
        let finite = values.filter { $0.special == nil }
        let sizes = finite.map { abs($0.value) }.filter { $0 != 0 }
        let (least, most) = (sizes.min() ?? 1, sizes.max() ?? 1)
        let hasExponents = most >= limit || least < 1e-4 || most / least > 1000
        if hasExponents {
            let digits = finite.map(\.digitsBehindFirst).max() ?? 0
            return padded(values.map { $0.special ?? $0.withExponent(digits) })
        }
        let fraction = finite.map { $0.parts.fraction.count }.max() ?? 0
        return padded(
            values.map { value in
                if let special = value.special { return special }
                let (whole, digits) = value.parts
                return "\(whole).\(digits)" + String(repeating: " ", count: fraction - digits.count)
            })
    }

    /// A float as its shortest decimal digits.
    private struct Decimal {
        let value: Double
        /// "nan", "inf", "-inf".
        let special: String?
        /// As Swift writes it, in full.
        let text: String
        private let isNegative: Bool
        /// Without zeros at either end; empty for 0.
        private let digits: [UInt8]
        /// The number is 0.digits · 10^exponent.
        private let exponent: Int

        init(_ value: Float) { self.init("\(value)", Double(value)) }
        init(_ value: Double) { self.init("\(value)", value) }

        private init(_ text: String, _ value: Double) {
            self.value = value
            self.text = text
            special = value.isNaN ? "nan" : value.isInfinite ? (value < 0 ? "-inf" : "inf") : nil
            isNegative = value.sign == .minus
            let halves = text.split(separator: "e", maxSplits: 1)
            let sides = (halves.first ?? "").split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
            let whole = (sides.first ?? "").filter(\.isNumber)
            var all = Array((whole + (sides.count > 1 ? sides[1] : "")).utf8)
            var exponent = whole.count + (halves.count > 1 ? Int(halves[1]) ?? 0 : 0)
            let zeros = all.prefix { $0 == 0x30 }.count
            all.removeFirst(zeros)
            exponent -= zeros
            while all.last == 0x30 { all.removeLast() }
            digits = special == nil ? all : []
            self.exponent = all.isEmpty ? 0 : exponent
        }

        /// How many digits, at most 8, the number has behind its first one.
        var digitsBehindFirst: Int {
            guard digits.count > 9 else { return max(digits.count - 1, 0) }
            let rounded = withExponent(8).dropFirst(isNegative ? 3 : 2).prefix(8)
            return rounded.count - rounded.reversed().prefix { $0 == "0" }.count
        }

        /// The number with so many digits behind its first one, and an exponent.
        func withExponent(_ digits: Int) -> String {
            let text = String(decoding: formatted("%.\(digits)e", value), as: UTF8.self)
            return digits > 0 ? text : text.replacing("e", with: ".e")
        }

        /// What stands before the point, and behind it (at most 8 digits).
        var parts: (whole: String, fraction: String) {
            let sign = isNegative ? "-" : ""
            guard digits.count - exponent <= 8 else {
                let text = String(decoding: formatted("%.8f", abs(value)), as: UTF8.self)
                let fraction = text.suffix(8)
                return (
                    sign + text.dropLast(9), String(fraction.dropLast(fraction.reversed().prefix { $0 == "0" }.count))
                )
            }
            func text(_ digits: some Sequence<UInt8>) -> String { String(decoding: Array(digits), as: UTF8.self) }
            let whole = text(digits.prefix(max(exponent, 0))) + zeros(exponent - digits.count)
            let fraction = (digits.isEmpty ? "" : zeros(-exponent)) + text(digits.dropFirst(max(exponent, 0)))
            return (sign + (whole.isEmpty ? "0" : whole), fraction)
        }

        private func zeros(_ count: Int) -> String { String(repeating: "0", count: max(count, 0)) }
    }
}

extension String {
    /// Without the spaces at the end.
    fileprivate var trimmedEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}
