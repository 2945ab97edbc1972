/// A table from keys to values that lives as long as its session.
final class LookupTable {
    enum Kind: Equatable {
        /// Filled once, by an initialiser.
        case fixed
        /// Changed at will.
        case mutable
        /// As `mutable`; these keys (of the empty and of the deleted places) may not be used.
        case dense(empty: [UInt8], deleted: [UInt8])
    }

    let kind: Kind
    let keyType: DType
    let valueType: DType
    /// Of one value.
    let valueShape: [Int]
    private var places: [[UInt8]: Int] = [:]
    private var keys: TableColumn
    private var values: TableColumn
    /// Rows whose keys were removed.
    private var free: [Int] = []
    private(set) var isInitialized: Bool

    init(_ kind: Kind, keys keyType: DType, values valueType: DType, valueShape: [Int] = []) {
        self.kind = kind
        self.keyType = keyType
        self.valueType = valueType
        self.valueShape = valueShape
        keys = TableColumn(keyType, width: 1)
        values = TableColumn(valueType, width: valueShape.reduce(1, *))
        isInitialized = kind != .fixed
    }

    var count: Int { places.count }

    var description: String { "\(keyType) to \(valueType)\(Shape(valueShape))" }

    /// The values of `keys`; where there is none that of `byDefault`, one for all or one for each.
    func find(_ wanted: Tensor, byDefault: Tensor, texts: RunTexts, limit: Int) throws -> Tensor {
        guard isInitialized else { throw GraphError("the table is not initialised; run its initialiser first") }
        try check(keys: wanted)
        let shape = try Shape.told(wanted.shape.knownExtents + valueShape, valueType, limit: limit)
        let isForEach = byDefault.shape != Shape(valueShape) && byDefault.shape == shape
        guard byDefault.dtype == valueType, byDefault.shape == Shape(valueShape) || isForEach else {
            throw GraphError(
                "the default value must be \(valueType)\(Shape(valueShape)), got \(byDefault.dtype)\(byDefault.shape)")
        }
        var result = TableColumn(valueType, width: values.width)
        for (i, key) in TableColumn.elements(wanted).enumerated() {
            if let place = places[key] {
                result.append(row: place, of: values)
            } else {
                result.append(byDefault, row: isForEach ? i : 0)
            }
        }
        return result.tensor(shape, texts)
    }

    /// Gives a table that is filled once its content. A second time it must be the same.
    func initialize(_ newKeys: Tensor, _ newValues: Tensor) throws {
        guard kind == .fixed else { return try insert(newKeys, newValues) }
        let fresh = LookupTable(.fixed, keys: keyType, values: valueType, valueShape: valueShape)
        try fresh.fill(newKeys, newValues)
        guard isInitialized else {
            (places, keys, values, isInitialized) = (fresh.places, fresh.keys, fresh.values, true)
            return
        }
        let isSame =
            fresh.count == count
            && fresh.places.allSatisfy { key, row in
                places[key].map { values.row($0) == fresh.values.row(row) } ?? false
            }
        guard isSame else { throw GraphError("the table is initialised already, with other content") }
    }

    private func fill(_ newKeys: Tensor, _ newValues: Tensor) throws {
        try check(newKeys, newValues)
        for (i, key) in TableColumn.elements(newKeys).enumerated() {
            if let known = places[key] {
                var other = TableColumn(valueType, width: values.width)
                other.append(newValues, row: i)
                guard other.row(0) == values.row(known) else {
                    throw GraphError(
                        "the key \(keys.text(known)) occurs twice, with the values \(values.text(known)) and \(other.text(0))"
                    )
                }
                continue
            }
            places[key] = keys.count
            keys.append(newKeys, row: i)
            values.append(newValues, row: i)
        }
    }

    func insert(_ newKeys: Tensor, _ newValues: Tensor) throws {
        guard kind != .fixed else { throw GraphError("a table that an initialiser fills cannot be inserted into") }
        try check(newKeys, newValues)
        for (i, key) in TableColumn.elements(newKeys).enumerated() {
            if let known = places[key] {
                values.write(newValues, row: i, to: known)
            } else if let place = free.popLast() {
                places[key] = place
                keys.write(newKeys, row: i, to: place)
                values.write(newValues, row: i, to: place)
            } else {
                places[key] = keys.count
                keys.append(newKeys, row: i)
                values.append(newValues, row: i)
            }
        }
    }

    func remove(_ wanted: Tensor) throws {
        guard kind != .fixed else { throw GraphError("nothing can be removed from a table that an initialiser fills") }
        try check(keys: wanted)
        for key in TableColumn.elements(wanted) {
            if let place = places.removeValue(forKey: key) { free.append(place) }
        }
    }

    /// Replaces all that is in the table.
    func replace(_ newKeys: Tensor, _ newValues: Tensor) throws {
        guard kind != .fixed else { return try initialize(newKeys, newValues) }
        try check(newKeys, newValues)
        (places, free) = ([:], [])
        (keys, values) = (TableColumn(keyType, width: 1), TableColumn(valueType, width: values.width))
        try insert(newKeys, newValues)
    }

    /// All keys and their values, in the order in which they came.
    func all(_ texts: RunTexts) -> (keys: Tensor, values: Tensor) {
        let rows = places.values.sorted()
        var (foundKeys, foundValues) = (TableColumn(keyType, width: 1), TableColumn(valueType, width: values.width))
        for row in rows {
            foundKeys.append(row: row, of: keys)
            foundValues.append(row: row, of: values)
        }
        return (
            foundKeys.tensor([rows.count], texts), foundValues.tensor(Shape([rows.count] + valueShape), texts)
        )
    }

    private func check(_ newKeys: Tensor, _ newValues: Tensor) throws {
        try check(keys: newKeys)
        guard newValues.dtype == valueType, newValues.shape == Shape(newKeys.shape.knownExtents + valueShape) else {
            throw GraphError(
                "keys of shape \(newKeys.shape) need values \(valueType)\(Shape(newKeys.shape.knownExtents + valueShape)), got "
                    + "\(newValues.dtype)\(newValues.shape)")
        }
    }

    private func check(keys wanted: Tensor) throws {
        guard wanted.dtype == keyType else {
            throw GraphError("the table is from \(description), its keys cannot be \(wanted.dtype)")
        }
        guard case .dense(let empty, let deleted) = kind else { return }
        for key in TableColumn.elements(wanted) where key == empty || key == deleted {
            throw GraphError("the empty key and the deleted key of a table stand for no key; they cannot be used")
        }
    }
}

/// The keys or the values of a table: bytes, or strings, which a table holds itself.
struct TableColumn {
    let dtype: DType
    /// Elements of one row.
    let width: Int
    private var bytes: [UInt8] = []
    private var strings: [[UInt8]] = []
    private(set) var count = 0

    init(_ dtype: DType, width: Int) {
        self.dtype = dtype
        self.width = width
    }

    private var size: Int { width * dtype.size }

    /// Each element of a tensor as bytes.
    static func elements(_ tensor: Tensor) -> [[UInt8]] {
        if tensor.dtype == .string { return tensor.knownStrings }
        let size = tensor.dtype.size
        return tensor.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<$0 + size]) }
        }
    }

    mutating func append(_ tensor: Tensor, row: Int) {
        count += 1
        if dtype == .string {
            strings += tensor.elements(row * width..<(row + 1) * width)
        } else {
            tensor.withUnsafeBytes { bytes += $0[row * size..<(row + 1) * size] }
        }
    }

    mutating func append(row: Int, of other: TableColumn) {
        count += 1
        if dtype == .string {
            strings += other.strings[row * width..<(row + 1) * width]
        } else {
            bytes += other.bytes[row * size..<(row + 1) * size]
        }
    }

    mutating func write(_ tensor: Tensor, row: Int, to place: Int) {
        if dtype == .string {
            strings.replaceSubrange(
                place * width..<(place + 1) * width, with: tensor.elements(row * width..<(row + 1) * width))
        } else {
            tensor.withUnsafeBytes {
                bytes.replaceSubrange(place * size..<(place + 1) * size, with: $0[row * size..<(row + 1) * size])
            }
        }
    }

    /// What a row holds.
    func row(_ i: Int) -> [[UInt8]] {
        dtype == .string
            ? Array(strings[i * width..<(i + 1) * width]) : [Array(bytes[i * size..<(i + 1) * size])]
    }

    /// A row for messages.
    func text(_ i: Int) -> String {
        var one = TableColumn(dtype, width: width)
        one.append(row: i, of: self)
        let tensor = one.tensor([width], RunTexts())
        return dtype == .string ? "\(tensor.knownTexts)" : "\(tensor.knownDoubles)"
    }

    func tensor(_ shape: Shape, _ texts: RunTexts) -> Tensor {
        if dtype == .string { return texts.tensor(strings, shape: shape) }
        return Tensor(dtype: dtype, sized: shape) { target in bytes.withUnsafeBytes { target.copyMemory(from: $0) } }
    }
}

extension Tensor {
    /// The bytes of a range of elements of a string tensor.
    fileprivate func elements(_ range: Range<Int>) -> [[UInt8]] {
        viewed(as: [elementCount]).viewed(rows: range).knownStrings
    }
}
