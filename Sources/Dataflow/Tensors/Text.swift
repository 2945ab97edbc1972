internal import Synchronization

/// An element of a string tensor: the number of a text that is kept for as long as the process lives, so that elements are
/// moved like any others. The texts of graphs are few.
struct TextNumber: TensorScalar {
    static var dtype: DType { .string }
    /// 0 is the empty text, which cleared memory thereby holds.
    let number: UInt64

    private struct Table {
        var texts = [""]
        var numbers: [String: UInt64] = ["": 0]
    }

    private static let table = Mutex(Table())

    init(_ text: String) {
        number = TextNumber.table.withLock { table in
            if let known = table.numbers[text] { return known }
            let number = UInt64(table.texts.count)
            table.texts.append(text)
            table.numbers[text] = number
            return number
        }
    }

    var text: String {
        TextNumber.table.withLock { number < $0.texts.count ? $0.texts[Int(number)] : "" }
    }
}

extension Tensor {
    /// Texts in row-major order. Traps if their number is not the shape's.
    public init(texts: [String], shape: Shape) { self.init(texts.map(TextNumber.init), shape: shape) }

    /// The elements of a string tensor, row-major. Traps on other dtypes.
    public var texts: [String] { array(of: TextNumber.self).map(\.text) }
}
