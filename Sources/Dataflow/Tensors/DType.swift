/// The element type of a tensor, named as in TensorFlow.
public enum DType: String, CaseIterable, Sendable, Hashable, CustomStringConvertible {
    case float32, float64, int32, int64, uint8, bool, bfloat16
    /// Text, in graphs of others: messages of `Assert`, names of files.
    case string
    /// A handle of something that a session keeps: a Variable, a stack.
    case resource
    /// A list of tensors, or an optional value: see `Variant`.
    case variant

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .float64, .int64, .string, .resource, .variant: 8
        case .float32, .int32: 4
        case .bfloat16: 2
        case .uint8, .bool: 1
        }
    }

    public var description: String { rawValue }

    /// True for the types that gradients flow through.
    public var isFloating: Bool { DType.floating.contains(self) }

    /// Also true for lists of tensors, whose gradients are lists.
    var isDifferentiable: Bool { isFloating || self == .variant }

    /// float32 and float64: every numeric kernel serves both.
    public static let floats: [DType] = [.float32, .float64]
    /// The types that have a gradient; bfloat16 is stored and cast, not computed with.
    public static let floating: [DType] = [.float32, .float64, .bfloat16]
    /// The types that arithmetic is defined for.
    public static let numbers: [DType] = [.float32, .float64, .int32, .int64, .uint8]
    /// The types with a sign.
    public static let signed: [DType] = [.float32, .float64, .int32, .int64]
    /// The types of shapes and indices.
    public static let indices: [DType] = [.int32, .int64]
    /// Every type that is computed with or stored.
    public static let all: [DType] = numbers + [.bool, .bfloat16]
    /// Also texts: the types whose elements are moved as they are, and compared.
    public static let moved: [DType] = all + [.string]
    /// Also those that are only passed on.
    public static let any: [DType] = DType.allCases
}

/// A Swift type that a tensor can hold.
public protocol TensorScalar: TensorElement, Equatable, BitwiseCopyable {
    static var dtype: DType { get }
}

/// A scalar that arithmetic kernels are generic over: Float, Double, Int32, Int64 and UInt8. Integers wrap around.
public protocol NumericScalar: TensorScalar, Comparable, Numeric {
    init(_ value: Double)
    var asDouble: Double { get }
    static func wrappingAdd(_ a: Self, _ b: Self) -> Self
    static func wrappingSubtract(_ a: Self, _ b: Self) -> Self
    static func wrappingMultiply(_ a: Self, _ b: Self) -> Self
    /// a / count; integers round toward zero, and by 0 give 0.
    static func divide(_ a: Self, by count: Int) -> Self
    /// What the maximum of nothing is: −infinity, or the smallest integer.
    static var lowest: Self { get }
    /// What the minimum of nothing is.
    static var highest: Self { get }
    static var lowestFinite: Self { get }
    static var highestFinite: Self { get }
    var isNotANumber: Bool { get }
}

extension NumericScalar where Self: BinaryFloatingPoint {
    public var asDouble: Double { Double(self) }
    @inline(__always) public static func wrappingAdd(_ a: Self, _ b: Self) -> Self { a + b }
    @inline(__always) public static func wrappingSubtract(_ a: Self, _ b: Self) -> Self { a - b }
    @inline(__always) public static func wrappingMultiply(_ a: Self, _ b: Self) -> Self { a * b }
    public static func divide(_ a: Self, by count: Int) -> Self { Self(Double(a) / Double(count)) }
    public static var lowest: Self { -.infinity }
    public static var highest: Self { .infinity }
    public static var lowestFinite: Self { -.greatestFiniteMagnitude }
    public static var highestFinite: Self { .greatestFiniteMagnitude }
    @inline(__always) public var isNotANumber: Bool { self != self }
}

extension NumericScalar where Self: FixedWidthInteger {
    public var asDouble: Double { Double(self) }
    @inline(__always) public static func wrappingAdd(_ a: Self, _ b: Self) -> Self { a &+ b }
    @inline(__always) public static func wrappingSubtract(_ a: Self, _ b: Self) -> Self { a &- b }
    @inline(__always) public static func wrappingMultiply(_ a: Self, _ b: Self) -> Self { a &* b }
    public static func divide(_ a: Self, by count: Int) -> Self {
        count == 0 ? 0 : Self(truncatingIfNeeded: Int64(a) / Int64(count))
    }
    public static var lowest: Self { min }
    public static var highest: Self { max }
    public static var lowestFinite: Self { min }
    public static var highestFinite: Self { max }
    @inline(__always) public var isNotANumber: Bool { false }
}

extension Float: NumericScalar { public static var dtype: DType { .float32 } }
extension Double: NumericScalar { public static var dtype: DType { .float64 } }
extension Int32: NumericScalar { public static var dtype: DType { .int32 } }
extension Int64: NumericScalar { public static var dtype: DType { .int64 } }
extension Int: TensorScalar { public static var dtype: DType { .int64 } }
extension UInt8: NumericScalar { public static var dtype: DType { .uint8 } }
extension Bool: TensorScalar { public static var dtype: DType { .bool } }

/// The upper half of a float32: 8 bits of exponent, 7 of mantissa. Stored and cast, never computed with.
public struct BFloat16: TensorScalar, CustomStringConvertible {
    public var bits: UInt16

    public init(bits: UInt16) { self.bits = bits }

    /// Rounds to nearest, ties to even; a NaN stays a (quiet) NaN.
    public init(_ value: Float) {
        let raw = value.bitPattern
        bits =
            value.isNaN
            ? UInt16(truncatingIfNeeded: raw >> 16) | 0x0040
            : UInt16(truncatingIfNeeded: (raw &+ 0x7FFF &+ ((raw >> 16) & 1)) >> 16)
    }

    public var float: Float { Float(bitPattern: UInt32(bits) << 16) }
    public var description: String { "\(float)" }
    public static var dtype: DType { .bfloat16 }
}
