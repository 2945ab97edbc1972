internal import Synchronization

/// An element of a string tensor: the number of a string of bytes that a table keeps, so that elements are moved like any
/// others. Equal strings have one number.
///
/// A string lives as long as something holds it: a run's `RunTexts` what the run has computed, the tensors of graphs and
/// feeds, and those that outlive a run (fetches, what `Tensor.kept()` gives) what they refer to.
struct TextNumber: TensorScalar {
    static var dtype: DType { .string }
    /// 0 is the empty text, so that cleared memory holds empty texts.
    let number: UInt64

    private struct Table {
        struct Entry {
            let bytes: [UInt8]
            /// How many hold it; nil: it stays for as long as the process lives.
            var holders: Int?
        }

        var entries: [UInt64: Entry] = [0: Entry(bytes: [], holders: nil)]
        var numbers: [[UInt8]: UInt64] = [[]: 0]
        var next: UInt64 = 1

        mutating func holding(_ bytes: [UInt8]) -> UInt64 {
            if let known = numbers[bytes] {
                entries[known]!.holders = entries[known]!.holders.map { $0 + 1 }
                return known
            }
            let number = next
            next += 1
            entries[number] = Entry(bytes: bytes, holders: 1)
            numbers[bytes] = number
            return number
        }

        mutating func release(_ number: UInt64) {
            guard let entry = entries[number], let holders = entry.holders else { return }
            if holders > 1 {
                entries[number]!.holders = holders - 1
            } else {
                entries[number] = nil
                numbers[entry.bytes] = nil
            }
        }
    }

    private static let table = Mutex(Table())

    /// A string that the caller holds until it lets go of it.
    fileprivate init(holding bytes: [UInt8]) { number = TextNumber.table.withLock { $0.holding(bytes) } }

    var bytes: [UInt8] { TextNumber.table.withLock { $0.entries[number]?.bytes ?? [] } }

    fileprivate static func release(_ numbers: [TextNumber]) {
        table.withLock { table in for text in numbers { table.release(text.number) } }
    }

    /// Holds those of the strings that do not stay anyway; yields them.
    fileprivate static func hold(_ numbers: [TextNumber]) -> [TextNumber] {
        table.withLock { table in
            numbers.filter { text in
                guard let holders = table.entries[text.number]?.holders else { return false }
                table.entries[text.number]!.holders = holders + 1
                return true
            }
        }
    }

    /// Lets the strings stay for as long as the process lives.
    static func keep(_ numbers: [TextNumber]) {
        table.withLock { table in for text in numbers { table.entries[text.number]?.holders = nil } }
    }
}

/// The strings that a run has computed: held until it ends.
final class RunTexts {
    private var held: [TextNumber] = []

    /// A string tensor of these elements, row-major, which live as long as the run, or as a tensor that holds them. Traps if
    /// their number is not the shape's.
    func tensor(_ strings: [[UInt8]], shape: Shape) -> Tensor {
        let numbers = strings.map { TextNumber(holding: $0) }
        held += numbers
        return Tensor(numbers, sized: shape)
    }

    func release() {
        if held.isEmpty { return }
        TextNumber.release(held)
        held.removeAll()
    }

    deinit { release() }
}

/// What a tensor that outlives a run holds.
final class HeldTexts: Sendable {
    private let numbers: [TextNumber]
    fileprivate init(_ numbers: [TextNumber]) { self.numbers = numbers }
    deinit { TextNumber.release(numbers) }
}

extension Tensor {
    /// Texts in row-major order.
    /// - Throws: `GraphError` if their number is not the shape's.
    public init(texts: [String], shape: Shape) throws {
        try self.init(strings: texts.map { Array($0.utf8) }, shape: shape)
    }

    /// Strings of any bytes in row-major order.
    /// - Throws: `GraphError` if their number is not the shape's.
    public init(strings: [[UInt8]], shape: Shape) throws {
        self = try Tensor(strings: strings, sized: [strings.count]).filling(shape)
    }

    /// Texts in row-major order, whose number is known to be the shape's.
    package init(texts: [String], sized shape: Shape) {
        self.init(strings: texts.map { Array($0.utf8) }, sized: shape)
    }

    /// Strings in row-major order, whose number is known to be the shape's.
    package init(strings: [[UInt8]], sized shape: Shape) {
        let numbers = strings.map { TextNumber(holding: $0) }
        self.init(numbers, sized: shape)
        storage.held.withLock { $0 = HeldTexts(numbers) }
    }

    /// The elements of a string tensor, row-major. What is no UTF-8 is repaired.
    /// - Throws: `GraphError` for other dtypes.
    public var texts: [String] { get throws { try strings.map { String(decoding: $0, as: UTF8.self) } } }

    /// The bytes of the elements of a string tensor, row-major.
    /// - Throws: `GraphError` for other dtypes.
    public var strings: [[UInt8]] {
        get throws {
            guard dtype == .string else { throw GraphError("the elements of \(dtype) are no texts") }
            return knownStrings
        }
    }

    /// `texts` of a tensor that is known to hold some.
    package var knownTexts: [String] { knownStrings.map { String(decoding: $0, as: UTF8.self) } }

    /// `strings` of a tensor that is known to hold some.
    package var knownStrings: [[UInt8]] { elements(of: TextNumber.self).map(\.bytes) }

    /// Lets the texts of a string tensor stay for as long as the process lives: for those who copy its bytes.
    package func keepTexts() {
        if dtype == .string { TextNumber.keep(elements(of: TextNumber.self)) }
    }

    /// Lets the tensor's memory hold the strings that it refers to.
    func holdTexts() {
        guard dtype == .string else { return }
        storage.held.withLock { held in
            guard held == nil else { return }
            let numbers = TextNumber.hold(elements(of: TextNumber.self))
            if !numbers.isEmpty { held = HeldTexts(numbers) }
        }
    }
}
