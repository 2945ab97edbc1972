internal import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Memory of a tensor: 64-byte aligned, or borrowed from an owner that outlives it.
///
/// `@unchecked Sendable`: the maker of the storage writes the bytes before it hands out a `Tensor` over it;
/// afterwards they are only read. Variables, whose bytes do change, are behind their session's lock; those in memory that a
/// worker and servers share are written by turns (see `ParameterClient`).
package final class TensorStorage: @unchecked Sendable {
    package let pointer: UnsafeMutableRawPointer
    package let byteCount: Int
    let owner: AnyObject?
    /// What the elements refer to: the texts of a string tensor that outlives its run. Locked, for two sessions may come to
    /// keep one tensor at the same time.
    let held = Mutex<HeldTexts?>(nil)

    /// Fresh memory, not cleared. Where it is large it asks for huge pages: rows picked here and there in a big table then
    /// find their pages at once, and a first touch faults once in 2 MiB, not in 4 KiB.
    package init(byteCount: Int) {
        var memory: UnsafeMutableRawPointer?
        let hugePage = 2 << 20
        let isLarge = byteCount >= 2 * hugePage
        let status = posix_memalign(&memory, isLarge ? hugePage : 64, max(byteCount, 64))
        guard status == 0, let memory else { fatalError("no memory for a tensor of \(byteCount) bytes") }
        // Advice: where there are no huge pages, all is as it was.
        if isLarge { madvise(memory, byteCount, MADV_HUGEPAGE) }
        pointer = memory
        self.byteCount = byteCount
        owner = nil
    }

    /// Memory that `owner` keeps alive.
    package init(pointer: UnsafeMutableRawPointer, byteCount: Int, owner: AnyObject) {
        self.pointer = pointer
        self.byteCount = byteCount
        self.owner = owner
    }

    /// Whether the memory is a plan's own, which later steps write again.
    var isTransient: Bool {
        guard let owner else { return false }
        return owner is Plan || (owner as? TensorStorage)?.isTransient == true
    }

    deinit { if owner == nil { free(pointer) } }
}

/// A value: a dtype, a fully defined shape and elements in row-major order. Immutable; copies share the elements.
public struct Tensor: Sendable, CustomStringConvertible {
    public let dtype: DType
    public let shape: Shape
    package let storage: TensorStorage

    package init(dtype: DType, shape: Shape, storage: TensorStorage) {
        self.dtype = dtype
        self.shape = shape
        self.storage = storage
    }

    /// A tensor whose bytes `fill` writes; they are not cleared before.
    /// - Throws: `GraphError` unless `shape` is fully known and has a size that memory holds; what `fill` throws.
    public init(dtype: DType, shape: Shape, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        try shape.checkValue(dtype)
        try self.init(dtype: dtype, sized: shape, fill: fill)
    }

    /// As `init(dtype:shape:fill:)`, of a shape that is known to be fully known.
    package init(
        dtype: DType, sized shape: Shape, fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        guard let count = shape.elementCount else { fatalError("a tensor's shape is known, got \(shape)") }
        storage = TensorStorage(byteCount: count * dtype.size)
        self.dtype = dtype
        self.shape = shape
        try fill(UnsafeMutableRawBufferPointer(start: storage.pointer, count: storage.byteCount))
    }

    /// Elements in row-major order, whose number is known to be the shape's.
    package init<Scalar: TensorScalar>(_ elements: [Scalar], sized shape: Shape) {
        require(elements.count == shape.elementCount, "\(elements.count) elements do not fill the shape \(shape)")
        self.init(dtype: Scalar.dtype, sized: shape) { bytes in
            elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    /// What stands for the value of a vertex without outputs: a scalar false. Every run for its effects yields it.
    static let nothing = Tensor([false], sized: [])

    /// Every element `value`, in a shape that is known to be fully known.
    package init<Scalar: TensorScalar>(repeating value: Scalar, sized shape: Shape) {
        self.init([Scalar](repeating: value, count: shape.elementCount ?? 0), sized: shape)
    }

    /// Every element 0 (or false, or an empty text).
    /// - Throws: `GraphError` unless `shape` is fully known and has a size that memory holds.
    public static func zeros(_ dtype: DType, _ shape: Shape) throws -> Tensor {
        try shape.checkValue(dtype)
        return zeros(dtype, sized: shape)
    }

    /// As `zeros(_:_:)`, in a shape that is known to be fully known.
    package static func zeros(_ dtype: DType, sized shape: Shape) -> Tensor {
        Tensor(dtype: dtype, sized: shape) { bytes in
            if let base = bytes.baseAddress { memset(base, 0, bytes.count) }
        }
    }

    /// Numbers converted to `dtype`: for integers rounded toward zero, the nearest one where it is out of range, NaN as 0;
    /// non-zero is true.
    /// - Throws: `GraphError` if they do not fill the shape, and for a dtype that is none of numbers or truth values.
    public static func numbers(_ values: [Double], dtype: DType, shape: Shape) throws -> Tensor {
        guard DType.all.contains(dtype) else { throw GraphError("a number is no \(dtype)") }
        return try numbers(values, dtype: dtype, sized: [values.count]).filling(shape)
    }

    /// As `numbers(_:dtype:shape:)`, of as many numbers as the shape has.
    package static func numbers(_ values: [Double], dtype: DType, sized shape: Shape) -> Tensor {
        switch dtype {
        case .float32: Tensor(values.map { Float($0) }, sized: shape)
        case .float64: Tensor(values, sized: shape)
        case .int32: Tensor(values.map { Int32(nearest: $0) }, sized: shape)
        case .int64: Tensor(values.map { Int64(nearest: $0) }, sized: shape)
        case .uint8: Tensor(values.map { UInt8(nearest: $0) }, sized: shape)
        case .bool: Tensor(values.map { $0 != 0 }, sized: shape)
        case .bfloat16: Tensor(values.map { BFloat16(Float($0)) }, sized: shape)
        case .string, .resource, .variant: fatalError("a number is no \(dtype)")
        }
    }

    public var elementCount: Int { storage.byteCount / dtype.size }
    public var byteCount: Int { storage.byteCount }

    /// The bytes: `elementCount` elements, row-major, little-endian.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        defer { extendLifetime(storage) }
        return try body(UnsafeRawBufferPointer(start: storage.pointer, count: storage.byteCount))
    }

    /// The elements, row-major.
    /// - Throws: `GraphError` if `Scalar` is not the type of the tensor's dtype.
    public func array<Scalar: TensorScalar>(of type: Scalar.Type = Scalar.self) throws -> [Scalar] {
        guard dtype == Scalar.dtype else {
            throw GraphError("the tensor holds \(dtype), not \(Scalar.dtype), as which it is read")
        }
        return elements(of: type)
    }

    /// The only element, as a Swift value of the tensor's dtype.
    /// - Throws: `GraphError` for another dtype, and for a tensor of no or of several elements.
    public func scalar<Scalar: TensorScalar>(_ type: Scalar.Type = Scalar.self) throws -> Scalar {
        let elements = try elementCount == 1 ? array(of: type) : []
        guard let element = elements.first else {
            throw GraphError("a tensor of shape \(shape), with \(elementCount) elements, is not a single one")
        }
        return element
    }

    /// The elements as float64, row-major, whatever the dtype; true is 1.
    /// - Throws: `GraphError` for texts and handles.
    public var doubles: [Double] {
        get throws {
            guard DType.all.contains(dtype) else { throw GraphError("the elements of \(dtype) are no numbers") }
            return knownDoubles
        }
    }

    /// The elements of an int32, int64 or uint8 tensor, row-major: shapes, axes, indices, class labels.
    /// - Throws: `GraphError` for other dtypes.
    public var integers: [Int] {
        get throws {
            guard [.int32, .int64, .uint8].contains(dtype) else {
                throw GraphError("the elements of \(dtype) are no integers; read them as doubles, or cast() the node")
            }
            return knownIntegers
        }
    }

    /// The elements, row-major, of a tensor that is known to be of this dtype.
    package func elements<Scalar: TensorScalar>(of type: Scalar.Type = Scalar.self) -> [Scalar] {
        require(dtype == Scalar.dtype, "the tensor holds \(dtype), not \(Scalar.dtype)")
        return withUnsafeBytes { Array($0.bindMemory(to: Scalar.self)) }
    }

    /// `doubles` of a tensor that is known to hold numbers or truth values.
    package var knownDoubles: [Double] {
        switch dtype {
        case .float32: elements(of: Float.self).map(Double.init)
        case .float64: elements(of: Double.self)
        case .int32: elements(of: Int32.self).map(Double.init)
        case .int64: elements(of: Int64.self).map(Double.init)
        case .uint8: elements(of: UInt8.self).map(Double.init)
        case .bool: elements(of: Bool.self).map { $0 ? 1 : 0 }
        case .bfloat16: elements(of: BFloat16.self).map { Double($0.float) }
        case .string, .resource, .variant: fatalError("the elements of \(dtype) are no numbers")
        }
    }

    /// `integers` of a tensor that is known to hold some.
    package var knownIntegers: [Int] {
        switch dtype {
        case .int32: elements(of: Int32.self).map(Int.init)
        case .int64: elements(of: Int64.self).map(Int.init)
        case .uint8: elements(of: UInt8.self).map(Int.init)
        default: fatalError("a tensor of \(dtype) holds no indices")
        }
    }

    /// The same memory as another dtype and shape of as many bytes says. Traps otherwise.
    func viewed(as spec: TensorSpec) -> Tensor {
        require(
            storage.byteCount == spec.byteCount, "\(byteCount) bytes cannot be read as \(spec)")
        return Tensor(dtype: spec.dtype, shape: spec.shape, storage: storage)
    }

    /// The same elements, row-major, under another shape of as many.
    /// - Throws: `GraphError` with both shapes if it has more or fewer.
    public func reshaped(_ shape: Shape) throws -> Tensor {
        if let mistake = shape.mistake { throw mistake }
        guard shape.elementCount == elementCount else {
            throw GraphError(
                "a tensor of shape \(self.shape), with \(elementCount) elements, cannot be read as \(shape)")
        }
        return viewed(as: shape)
    }

    /// The same elements under another shape, which is known to have as many.
    package func viewed(as shape: Shape) -> Tensor { viewed(as: TensorSpec(dtype, shape)) }

    /// The value in memory that no later step writes: itself, or a copy of what lies in a plan's own memory; its texts live
    /// as long as it does. Whatever keeps a value beyond a run keeps this.
    func kept() -> Tensor {
        guard storage.isTransient else {
            holdTexts()
            return self
        }
        let copy = Tensor(dtype: dtype, sized: shape) { target in withUnsafeBytes { target.copyMemory(from: $0) } }
        copy.holdTexts()
        return copy
    }

    /// Rows `range` of the first dimension, sharing the elements.
    /// - Throws: `GraphError` for a scalar, and beyond the rows that there are.
    public func rows(_ range: Range<Int>) throws -> Tensor {
        guard let count = shape[0] else { throw GraphError("a scalar has no rows") }
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw GraphError("rows \(range) of the shape \(shape): there are \(count)")
        }
        return viewed(rows: range)
    }

    /// Rows of the first dimension, which are known to be there.
    package func viewed(rows range: Range<Int>) -> Tensor {
        let extents = shape.knownExtents
        require(
            !extents.isEmpty && range.lowerBound >= 0 && range.upperBound <= extents[0], "rows \(range) of \(shape)")
        let row = extents[0] == 0 ? 0 : byteCount / extents[0]
        return Tensor(
            dtype: dtype, shape: Shape([range.count] + extents.dropFirst()),
            storage: TensorStorage(
                pointer: storage.pointer + range.lowerBound * row, byteCount: range.count * row, owner: storage))
    }

    /// The dtype, the shape, and the elements as numpy prints them, in lines: of more than 1000 elements the first and last of
    /// each dimension.
    public var description: String {
        let text = TensorPrinter.text(self)
        return "\(dtype)\(shape)\(text.contains("\n") ? "\n" : " ")\(text)"
    }

    /// The dtype, the shape and the first elements, in one line.
    package var line: String {
        let isLong = dtype != .resource && dtype != .variant && elementCount > 12
        let first = isLong ? viewed(as: [elementCount]).viewed(rows: 0..<12) : self
        let shown: [String] =
            switch dtype {
            case .float64: first.elements(of: Double.self).map { "\($0)" }
            case .float32, .bfloat16: first.knownDoubles.map { "\(Float($0))" }
            case .int32, .int64, .uint8: first.knownIntegers.map { "\($0)" }
            case .bool: first.elements(of: Bool.self).map { "\($0)" }
            case .string: first.knownTexts.map { "\"\($0)\"" }
            case .resource, .variant: ["…"]
            }
        return "\(dtype)\(shape) [\(shown.joined(separator: ", "))\(isLong ? ", …" : "")]"
    }
}

extension Shape {
    /// - Throws: `GraphError` unless a value of this dtype can have the shape: fully known, of a size that memory holds.
    func checkValue(_ dtype: DType) throws {
        if let mistake { throw mistake }
        guard isFullyDefined else { throw GraphError("the shape of a tensor must be fully known, got \(self)") }
        try TensorSpec(dtype, self).checkSize(limit: CPUDevice.memory)
    }
}

extension FixedWidthInteger {
    /// The number rounded toward zero, or the nearest there is; 0 for NaN.
    fileprivate init(nearest value: Double) {
        self = value.isNaN ? 0 : Self(exactly: value.rounded(.towardZero)) ?? (value < 0 ? .min : .max)
    }
}

extension Tensor: Equatable {
    /// The same dtype, shape and bytes; so a NaN equals itself and 0 differs from −0.
    public static func == (a: Tensor, b: Tensor) -> Bool {
        a.dtype == b.dtype && a.shape == b.shape
            && (a.byteCount == 0 || memcmp(a.storage.pointer, b.storage.pointer, a.byteCount) == 0)
    }
}
