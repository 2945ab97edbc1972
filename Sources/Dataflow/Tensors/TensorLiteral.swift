/// Numbers, truth values or texts that stand in the program as they are: `1`, `[[0.5, -1], [2, 3]]`, `["a", "b"]`.
///
/// A literal takes TensorFlow's dtype: whole numbers are int32 (int64 where one of them needs it), numbers with a point
/// float32, true and false bool, texts string. What takes a literal takes a `dtype:` that says otherwise.
public struct TensorLiteral: Sendable, CustomStringConvertible {
    indirect enum Value {
        case integer(Int64)
        case number(Double)
        case truth(Bool)
        case text(String)
        case list([Value])
    }

    let value: Value

    /// The elements, row-major, with the shape.
    /// - Throws: `GraphError` for rows of several lengths, and for numbers beside texts or truth values.
    func elements() throws -> (ElementList, Shape) {
        var (extents, integers, numbers, truths, texts): ([Int], [Int64], [Double], [Bool], [String]) = (
            [], [], [], [], []
        )
        var isWhole = true
        var first = value
        while case .list(let values) = first {
            extents.append(values.count)
            guard let next = values.first else { break }
            first = next
        }
        func collect(_ value: Value, _ depth: Int) throws {
            guard depth < extents.count else {
                switch value {
                case .integer(let value):
                    integers.append(value)
                    numbers.append(Double(value))
                case .number(let value):
                    isWhole = false
                    numbers.append(value)
                case .truth(let value): truths.append(value)
                case .text(let value): texts.append(value)
                case .list(let values):
                    throw GraphError("a row of \(values.count) elements stands where others have a single one")
                }
                return
            }
            guard case .list(let values) = value else {
                throw GraphError("a single element stands where others have a row of \(extents[depth])")
            }
            guard values.count == extents[depth] else {
                throw GraphError(
                    "rows of one length make a tensor, got one of \(extents[depth]) and one of \(values.count) elements"
                )
            }
            for value in values { try collect(value, depth + 1) }
        }
        try collect(value, 0)
        let kinds = [
            numbers.isEmpty ? nil : "numbers", truths.isEmpty ? nil : "truth values", texts.isEmpty ? nil : "texts",
        ]
        .compactMap { $0 }
        guard kinds.count <= 1 else {
            throw GraphError("a tensor holds elements of one kind, got \(kinds.joined(separator: " and "))")
        }
        let shape = Shape(extents)
        if !truths.isEmpty { return (.truths(truths), shape) }
        if !texts.isEmpty { return (.texts(texts), shape) }
        return (isWhole && !integers.isEmpty ? .integers(integers) : .numbers(numbers), shape)
    }

    /// The literal as a tensor.
    /// - Throws: `GraphError` for what `elements()` refuses, and for elements that `dtype` cannot hold.
    func tensor(_ dtype: DType?, _ shape: Shape? = nil) throws -> Tensor {
        let (elements, own) = try elements()
        return try elements.tensor(dtype ?? elements.literalDType, own).filling(shape)
    }

    public var description: String { TensorLiteral.text(value) }

    private static func text(_ value: Value) -> String {
        switch value {
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .truth(let value): "\(value)"
        case .text(let value): "\"\(value)\""
        case .list(let values): "[\(values.map(text).joined(separator: ", "))]"
        }
    }
}

extension TensorLiteral: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral
{
    public init(integerLiteral value: Int64) { self.value = .integer(value) }
    public init(floatLiteral value: Double) { self.value = .number(value) }
    public init(booleanLiteral value: Bool) { self.value = .truth(value) }
    public init(stringLiteral value: String) { self.value = .text(value) }
    public init(arrayLiteral elements: TensorLiteral...) { value = .list(elements.map(\.value)) }

    /// ∞ among numbers: `[0, .infinity]`.
    public static var infinity: TensorLiteral { TensorLiteral(value: .number(.infinity)) }
    /// Not a number, among numbers.
    public static var nan: TensorLiteral { TensorLiteral(value: .number(.nan)) }
    /// π among numbers.
    public static var pi: TensorLiteral { TensorLiteral(value: .number(.pi)) }

    /// `-.infinity` and `-.pi`. Of what is no number it is a programmer's mistake.
    public static prefix func - (literal: TensorLiteral) -> TensorLiteral {
        switch literal.value {
        case .integer(let value): return TensorLiteral(value: .integer(0 &- value))
        case .number(let value): return TensorLiteral(value: .number(-value))
        case .truth, .text, .list: fatalError("- stands before a number, got \(literal)")
        }
    }
}
