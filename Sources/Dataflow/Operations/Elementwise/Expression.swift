internal import CKernels

/// What an elementwise operation computes for one element: a tree of primitives over inputs and constants.
///
/// The only description of such an operation: the CPU evaluates it tile by tile, and a GPU's kernel is written from it.
public indirect enum Expression: Sendable {
    case input(Int)
    case constant(Double)
    case unary(Primitive, Expression)
    case binary(Primitive, Expression, Expression)
    case select(Expression, Expression, Expression)

    /// The functions of one or two elements, in the names that they have in the list of CKernels (primitives.h), which says
    /// what each computes.
    public enum Primitive: Sendable, CaseIterable {
        case add, sub, mul, div, max, min, pow, floorDiv, floorMod, truncatedMod, atan2, polygamma, zeta
        case neg, abs, sign, sqrt, exp, expm1, log, log1p, tanh, sigmoid, floor, ceil, rint
        case sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, erf, erfc, erfinv, ndtri, lgamma
        case digamma
        case less, lessEqual, equal, notEqual, and, or, not
        case bitAnd, bitOr, bitXor, bitNot, shiftLeft, shiftRight
    }
}

extension Expression.Primitive {
    /// Its row in the list of CKernels.
    var row: tributary_primitive { Self.rows[self]! }

    private static let rows: [Self: tributary_primitive] = {
        let named = (0..<TRIBUTARY_PRIMITIVE_COUNT.rawValue).map { number in
            let row = tributary_primitive(rawValue: number)
            return (String(cString: tributary_primitive_name(row)), row)
        }
        let rows = Dictionary(uniqueKeysWithValues: named)
        return Dictionary(
            uniqueKeysWithValues: allCases.map { primitive in
                guard let row = rows["\(primitive)"] else {
                    preconditionFailure("CKernels' primitives.h has no row for '\(primitive)'")
                }
                return (primitive, row)
            })
    }()

    /// True if the result is a bool whatever the operands are.
    var isPredicate: Bool { tributary_primitive_is_predicate(row) != 0 }
}

extension Expression: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    public init(floatLiteral value: Double) { self = .constant(value) }
    public init(integerLiteral value: Int) { self = .constant(Double(value)) }

    public static func + (a: Expression, b: Expression) -> Expression { .binary(.add, a, b) }
    public static func - (a: Expression, b: Expression) -> Expression { .binary(.sub, a, b) }
    public static func * (a: Expression, b: Expression) -> Expression { .binary(.mul, a, b) }
    public static func / (a: Expression, b: Expression) -> Expression { .binary(.div, a, b) }
    public static prefix func - (a: Expression) -> Expression { .unary(.neg, a) }
    public static func < (a: Expression, b: Expression) -> Expression { .binary(.less, a, b) }
    public static func > (a: Expression, b: Expression) -> Expression { .binary(.less, b, a) }
    public static func <= (a: Expression, b: Expression) -> Expression { .binary(.lessEqual, a, b) }
    public static func >= (a: Expression, b: Expression) -> Expression { .binary(.lessEqual, b, a) }
    public static func == (a: Expression, b: Expression) -> Expression { .binary(.equal, a, b) }
    public static func != (a: Expression, b: Expression) -> Expression { .binary(.notEqual, a, b) }
    public static func && (a: Expression, b: Expression) -> Expression { .binary(.and, a, b) }
    public static func || (a: Expression, b: Expression) -> Expression { .binary(.or, a, b) }
    public static prefix func ! (a: Expression) -> Expression { .unary(.not, a) }

    public static func apply(_ primitive: Primitive, _ x: Expression) -> Expression { .unary(primitive, x) }
    public static func apply(_ primitive: Primitive, _ x: Expression, _ y: Expression) -> Expression {
        .binary(primitive, x, y)
    }
    public static func where_(_ condition: Expression, _ x: Expression, _ y: Expression) -> Expression {
        .select(condition, x, y)
    }
}
