internal import CKernels

/// What an elementwise operation computes for one element: a tree of primitives over inputs and constants.
///
/// The only description of such an operation. The CPU kernel evaluates it tile by tile.
public indirect enum Expression: Sendable {
    case input(Int)
    case constant(Double)
    case unary(Primitive, Expression)
    case binary(Primitive, Expression, Expression)
    case select(Expression, Expression, Expression)

    /// The functions of one or two elements that there are tiles for.
    public enum Primitive: Sendable, CaseIterable {
        case add, sub, mul, div, max, min, pow, floorDiv, floorMod, truncatedMod, atan2, polygamma, zeta
        case neg, abs, sign, sqrt, exp, expm1, log, log1p, tanh, sigmoid, floor, ceil, rint
        case sin, cos, tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, erf, erfc, erfinv, ndtri, lgamma
        case digamma
        case less, lessEqual, equal, notEqual, and, or, not
        case bitAnd, bitOr, bitXor, bitNot, shiftLeft, shiftRight

        var tile: tributary_primitive {
            switch self {
            case .add: TRIBUTARY_ADD
            case .sub: TRIBUTARY_SUB
            case .mul: TRIBUTARY_MUL
            case .div: TRIBUTARY_DIV
            case .max: TRIBUTARY_MAX
            case .min: TRIBUTARY_MIN
            case .pow: TRIBUTARY_POW
            case .floorDiv: TRIBUTARY_FLOOR_DIV
            case .floorMod: TRIBUTARY_FLOOR_MOD
            case .atan2: TRIBUTARY_ATAN2
            case .neg: TRIBUTARY_NEG
            case .abs: TRIBUTARY_ABS
            case .sign: TRIBUTARY_SIGN
            case .sqrt: TRIBUTARY_SQRT
            case .exp: TRIBUTARY_EXP
            case .expm1: TRIBUTARY_EXPM1
            case .log: TRIBUTARY_LOG
            case .log1p: TRIBUTARY_LOG1P
            case .tanh: TRIBUTARY_TANH
            case .sigmoid: TRIBUTARY_SIGMOID
            case .floor: TRIBUTARY_FLOOR
            case .ceil: TRIBUTARY_CEIL
            case .rint: TRIBUTARY_RINT
            case .sin: TRIBUTARY_SIN
            case .cos: TRIBUTARY_COS
            case .tan: TRIBUTARY_TAN
            case .asin: TRIBUTARY_ASIN
            case .acos: TRIBUTARY_ACOS
            case .atan: TRIBUTARY_ATAN
            case .sinh: TRIBUTARY_SINH
            case .cosh: TRIBUTARY_COSH
            case .asinh: TRIBUTARY_ASINH
            case .acosh: TRIBUTARY_ACOSH
            case .atanh: TRIBUTARY_ATANH
            case .erf: TRIBUTARY_ERF
            case .lgamma: TRIBUTARY_LGAMMA
            case .digamma: TRIBUTARY_DIGAMMA
            case .polygamma: TRIBUTARY_POLYGAMMA
            case .less: TRIBUTARY_LESS
            case .lessEqual: TRIBUTARY_LESS_EQUAL
            case .equal: TRIBUTARY_EQUAL
            case .notEqual: TRIBUTARY_NOT_EQUAL
            case .and: TRIBUTARY_AND
            case .or: TRIBUTARY_OR
            case .not: TRIBUTARY_NOT
            case .truncatedMod: TRIBUTARY_TRUNCATED_MOD
            case .zeta: TRIBUTARY_ZETA
            case .erfc: TRIBUTARY_ERFC
            case .erfinv: TRIBUTARY_ERFINV
            case .ndtri: TRIBUTARY_NDTRI
            case .bitAnd: TRIBUTARY_BIT_AND
            case .bitOr: TRIBUTARY_BIT_OR
            case .bitXor: TRIBUTARY_BIT_XOR
            case .bitNot: TRIBUTARY_BIT_NOT
            case .shiftLeft: TRIBUTARY_SHIFT_LEFT
            case .shiftRight: TRIBUTARY_SHIFT_RIGHT
            }
        }

        /// True if the result is a bool whatever the operands are.
        var isPredicate: Bool {
            switch self {
            case .less, .lessEqual, .equal, .notEqual, .and, .or, .not: true
            default: false
            }
        }
    }

    /// This expression with its inputs replaced.
    func substituting(_ inputs: [Expression]) -> Expression {
        switch self {
        case .input(let i): inputs[i]
        case .constant: self
        case .unary(let p, let x): .unary(p, x.substituting(inputs))
        case .binary(let p, let x, let y): .binary(p, x.substituting(inputs), y.substituting(inputs))
        case .select(let c, let x, let y):
            .select(c.substituting(inputs), x.substituting(inputs), y.substituting(inputs))
        }
    }
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
