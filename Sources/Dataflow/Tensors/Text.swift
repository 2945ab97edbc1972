internal import Synchronization

/// An element of a string tensor: the number of a string of bytes that is kept for as long as the process lives, so that
/// elements are moved like any others. The texts of graphs are few. Equal strings have one number.
struct TextNumber: TensorScalar {
    static var dtype: DType { .string }
    /// 0 is the empty text, which cleared memory thereby holds.
    let number: UInt64

    private struct Table {
        var texts: [[UInt8]] = [[]]
        // By bytes: as Swift compares Strings, "é" as one character and as two would be the same.
        var numbers: [[UInt8]: UInt64] = [[]: 0]
    }

    private static let table = Mutex(Table())

    init(_ bytes: [UInt8]) {
        number = TextNumber.table.withLock { table in
            if let known = table.numbers[bytes] { return known }
            let number = UInt64(table.texts.count)
            table.texts.append(bytes)
            table.numbers[bytes] = number
            return number
        }
    }

    var bytes: [UInt8] {
        TextNumber.table.withLock { number < $0.texts.count ? $0.texts[Int(number)] : [] }
    }
}

/// The strings that a run has computed.
final class RunTexts {
    /// A string tensor of these elements, row-major. Traps if their number is not the shape's.
    func tensor(_ strings: [[UInt8]], shape: Shape) -> Tensor { Tensor(strings: strings, shape: shape) }
}

extension Tensor {
    /// Texts in row-major order. Traps if their number is not the shape's.
    public init(texts: [String], shape: Shape) { self.init(strings: texts.map { Array($0.utf8) }, shape: shape) }

    /// Strings of any bytes in row-major order. Traps if their number is not the shape's.
    public init(strings: [[UInt8]], shape: Shape) { self.init(strings.map(TextNumber.init), shape: shape) }

    /// The elements of a string tensor, row-major. What is no UTF-8 is repaired. Traps on other dtypes.
    public var texts: [String] { strings.map { String(decoding: $0, as: UTF8.self) } }

    /// The bytes of the elements of a string tensor, row-major. Traps on other dtypes.
    public var strings: [[UInt8]] { array(of: TextNumber.self).map(\.bytes) }
}
