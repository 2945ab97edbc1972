public import Dataflow

extension Tensor {
    /// The elements as NumPy prints them: "[[12.]]", "[14.]", "7.0"; columns of a matrix are not aligned.
    public var text: String {
        var values = knownDoubles[...]
        guard let dimensions = shape.dimensions?.map({ $0 ?? 0 }), !dimensions.isEmpty else {
            return dtype.isFloating ? "\(Float(values[0]))" : "\(Int(values[0]))"
        }
        return rows(dimensions[...], &values)
    }

    private func rows(_ dimensions: ArraySlice<Int>, _ values: inout ArraySlice<Double>) -> String {
        guard let count = dimensions.first else { return number(values.removeFirst()) }
        return "[" + (0..<count).map { _ in rows(dimensions.dropFirst(), &values) }.joined(separator: " ") + "]"
    }

    private func number(_ value: Double) -> String {
        guard dtype.isFloating else { return "\(Int(value))" }
        let text = "\(Float(value))"
        return text.hasSuffix(".0") ? String(text.dropLast()) : text
    }
}

extension Double {
    /// With a fixed number of digits after the point, right-aligned in `width` columns.
    public func text(_ digits: Int, width: Int = 0) -> String {
        guard isFinite, magnitude < 1e15 else { return String(repeating: " ", count: max(width - 3, 0)) + "\(self)" }
        let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
        let rounded = (magnitude * scale).rounded(.toNearestOrAwayFromZero)
        let whole = Int64((rounded / scale).rounded(.down))
        let rest = "\(Int64(rounded) - whole * Int64(scale))"
        let sign = self < 0 && rounded > 0 ? "-" : ""
        let fraction = digits > 0 ? "." + String(repeating: "0", count: max(digits - rest.count, 0)) + rest : ""
        let text = "\(sign)\(whole)\(fraction)"
        return String(repeating: " ", count: max(width - text.count, 0)) + text
    }
}
