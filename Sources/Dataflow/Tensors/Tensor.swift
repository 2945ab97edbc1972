internal import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Memory of a tensor: 64-byte aligned, or borrowed from an owner that outlives it.
///
/// `@unchecked Sendable`: the bytes are written by whoever made the storage before a `Tensor` over it is handed out;
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
        guard status == 0, let memory else { preconditionFailure("no memory for a tensor of \(byteCount) bytes") }
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

    /// A tensor whose bytes `fill` writes; they are not cleared before. Traps unless `shape` is fully defined.
    public init(dtype: DType, shape: Shape, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        guard let count = shape.elementCount else { preconditionFailure("a tensor's shape is known, got \(shape)") }
        storage = TensorStorage(byteCount: count * dtype.size)
        self.dtype = dtype
        self.shape = shape
        try fill(UnsafeMutableRawBufferPointer(start: storage.pointer, count: storage.byteCount))
    }

    /// Elements in row-major order. Traps if their number is not the shape's.
    public init<Scalar: TensorScalar>(_ elements: [Scalar], shape: Shape) {
        precondition(
            elements.count == shape.elementCount,
            "\(elements.count) elements do not fill the shape \(shape)")
        self.init(dtype: Scalar.dtype, shape: shape) { bytes in
            elements.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    /// A scalar, shape `[]`.
    public init<Scalar: TensorScalar>(_ value: Scalar) { self.init([value], shape: []) }

    /// A vector, shape `[elements.count]`.
    public init<Scalar: TensorScalar>(_ elements: [Scalar]) { self.init(elements, shape: [elements.count]) }

    /// A matrix, shape `[rows.count, columns]`. Traps if the rows differ in length.
    public init<Scalar: TensorScalar>(_ rows: [[Scalar]]) {
        let columns = rows.first?.count ?? 0
        precondition(rows.allSatisfy { $0.count == columns }, "the rows of a matrix are of one length")
        self.init(rows.flatMap { $0 }, shape: [rows.count, columns])
    }

    /// Every element `value`.
    public init<Scalar: TensorScalar>(repeating value: Scalar, shape: Shape) {
        self.init([Scalar](repeating: value, count: shape.elementCount ?? 0), shape: shape)
    }

    /// Every element 0 (or false).
    public static func zeros(_ dtype: DType, _ shape: Shape) -> Tensor {
        Tensor(dtype: dtype, shape: shape) { bytes in
            if let base = bytes.baseAddress { memset(base, 0, bytes.count) }
        }
    }

    /// Numbers converted to `dtype`: for integers rounded toward zero, the nearest one where it is out of range, NaN as 0;
    /// non-zero is true.
    public static func numbers(_ values: [Double], dtype: DType, shape: Shape) -> Tensor {
        switch dtype {
        case .float32: Tensor(values.map { Float($0) }, shape: shape)
        case .float64: Tensor(values, shape: shape)
        case .int32: Tensor(values.map { Int32(nearest: $0) }, shape: shape)
        case .int64: Tensor(values.map { Int64(nearest: $0) }, shape: shape)
        case .uint8: Tensor(values.map { UInt8(nearest: $0) }, shape: shape)
        case .bool: Tensor(values.map { $0 != 0 }, shape: shape)
        case .bfloat16: Tensor(values.map { BFloat16(Float($0)) }, shape: shape)
        case .string, .resource, .variant: preconditionFailure("a number is no \(dtype)")
        }
    }

    public var elementCount: Int { storage.byteCount / dtype.size }
    public var byteCount: Int { storage.byteCount }

    /// The bytes: `elementCount` elements, row-major, little-endian.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        defer { extendLifetime(storage) }
        return try body(UnsafeRawBufferPointer(start: storage.pointer, count: storage.byteCount))
    }

    /// The elements, row-major. Traps if `Scalar` is not the tensor's dtype.
    public func array<Scalar: TensorScalar>(of type: Scalar.Type = Scalar.self) -> [Scalar] {
        precondition(dtype == Scalar.dtype, "the tensor holds \(dtype), not \(Scalar.dtype)")
        return withUnsafeBytes { Array($0.bindMemory(to: Scalar.self)) }
    }

    /// The only element. Traps on another dtype or more than one element.
    public func scalar<Scalar: TensorScalar>(_ type: Scalar.Type = Scalar.self) -> Scalar {
        precondition(elementCount == 1, "a tensor of shape \(shape) is not one number")
        return array(of: type)[0]
    }

    /// The elements as float64, whatever the dtype; true is 1. Traps on texts and handles.
    public var doubles: [Double] {
        switch dtype {
        case .float32: array(of: Float.self).map(Double.init)
        case .float64: array(of: Double.self)
        case .int32: array(of: Int32.self).map(Double.init)
        case .int64: array(of: Int64.self).map(Double.init)
        case .uint8: array(of: UInt8.self).map(Double.init)
        case .bool: array(of: Bool.self).map { $0 ? 1 : 0 }
        case .bfloat16: array(of: BFloat16.self).map { Double($0.float) }
        case .string, .resource, .variant: preconditionFailure("the elements of \(dtype) are no numbers")
        }
    }

    /// The elements of an integer tensor (shapes, axes, indices). Traps on other dtypes.
    public var integers: [Int] {
        switch dtype {
        case .int32: array(of: Int32.self).map(Int.init)
        case .int64: array(of: Int64.self).map(Int.init)
        case .uint8: array(of: UInt8.self).map(Int.init)
        default: preconditionFailure("a tensor of \(dtype) holds no indices")
        }
    }

    /// The same memory as another dtype and shape of as many bytes says. Traps otherwise.
    func viewed(as spec: TensorSpec) -> Tensor {
        precondition(
            storage.byteCount == (spec.shape.elementCount ?? -1) * spec.dtype.size,
            "\(byteCount) bytes cannot be read as \(spec)")
        return Tensor(dtype: spec.dtype, shape: spec.shape, storage: storage)
    }

    /// The same elements under another shape of as many. Traps otherwise.
    public func reshaped(_ shape: Shape) -> Tensor {
        precondition(shape.elementCount == elementCount, "\(self.shape) cannot be read as \(shape)")
        return Tensor(dtype: dtype, shape: shape, storage: storage)
    }

    /// The value in memory that no later step writes: itself, or a copy of what lies in a plan's own memory; its texts live
    /// as long as it does. Whatever keeps a value beyond a run keeps this.
    func kept() -> Tensor {
        guard storage.isTransient else {
            holdTexts()
            return self
        }
        let copy = Tensor(dtype: dtype, shape: shape) { target in withUnsafeBytes { target.copyMemory(from: $0) } }
        copy.holdTexts()
        return copy
    }

    /// Rows `range` of the first dimension, sharing the elements. Traps out of range.
    public func rows(_ range: Range<Int>) -> Tensor {
        let extents = shape.concrete
        precondition(range.lowerBound >= 0 && range.upperBound <= extents[0], "rows \(range) of \(shape)")
        let row = extents[0] == 0 ? 0 : byteCount / extents[0]
        return Tensor(
            dtype: dtype, shape: Shape([range.count] + extents.dropFirst()),
            storage: TensorStorage(
                pointer: storage.pointer + range.lowerBound * row, byteCount: range.count * row, owner: storage))
    }

    public var description: String {
        let isLong = dtype != .resource && dtype != .variant && elementCount > 12
        let first = isLong ? reshaped([elementCount]).rows(0..<12) : self
        let shown: [String] =
            switch dtype {
            case .float64: first.array(of: Double.self).map { "\($0)" }
            case .float32, .bfloat16: first.doubles.map { "\(Float($0))" }
            case .int32, .int64, .uint8: first.integers.map { "\($0)" }
            case .bool: first.array(of: Bool.self).map { "\($0)" }
            case .string: first.texts.map { "\"\($0)\"" }
            case .resource, .variant: ["…"]
            }
        return "\(dtype)\(shape) [\(shown.joined(separator: ", "))\(isLong ? ", …" : "")]"
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
