#pragma once

/// The primitives of elementwise operations, one row each. The CPU's loops over tiles (tiles.c) and the text of GPU kernels
/// (text.c) both come from these rows.
///
/// A row holds a name, the number of operands, and an expression over the operands `x`, `y` and `z`. A row with two
/// expressions has one for floats and one for integers. In an expression
/// - `T` is the operands' type,
/// - `U` is the unsigned type of its size, in which arithmetic wraps around,
/// - `OWN(f)` is the CPU's function for `T` (tiles.c, approximations.h), and on a GPU the function `f`.
///
/// The kinds of rows:
///
///     NUMBERS     of floats and of integers
///     DIVISION    the same, but integers stay on the CPU, where the kernel first refuses a divisor of zero
///     FLOATS      of floats
///     SPECIAL     of floats, through the functions of special.h
///     FUSED       of floats, on the CPU alone: rounded once where the processor can; compilers for GPUs do so by themselves
///     INTEGERS    of integers
///     SHIFT       of integers, on the CPU alone
///     COMPARISON  of two numbers; the result is a bool
///     EQUALITY    of two numbers or two bools; the result is a bool
///     LOGIC       of bools; the result is a bool
///
/// To add one, write its row here and its name in `Expression.Primitive`.
#define TRIBUTARY_PRIMITIVES(                                                                                         \
    NUMBERS, DIVISION, FLOATS, SPECIAL, FUSED, INTEGERS, SHIFT, COMPARISON, EQUALITY, LOGIC)                          \
    NUMBERS(add, 2, x + y, (T)((U)x + (U)y))                                                                          \
    NUMBERS(sub, 2, x - y, (T)((U)x - (U)y))                                                                          \
    NUMBERS(mul, 2, x * y, (T)((U)x * (U)y))                                                                          \
    NUMBERS(max, 2, x >= y || x != x ? x : y, x > y ? x : y)                                                          \
    NUMBERS(min, 2, x <= y || x != x ? x : y, x < y ? x : y)                                                          \
    NUMBERS(neg, 1, -x, (T)((U)0 - (U)x))                                                                             \
    NUMBERS(abs, 1, OWN(fabs)(x), x > 0 ? x : (T)((U)0 - (U)x))                                                       \
    NUMBERS(sign, 1, x != x ? x : (T)((x > 0) - (x < 0)), x == 0 ? 0 : x > 0 ? 1 : -1)                                \
    NUMBERS(floor, 1, OWN(floor)(x), x)                                                                               \
    NUMBERS(ceil, 1, OWN(ceil)(x), x)                                                                                 \
    NUMBERS(rint, 1, OWN(rint)(x), x)                                                                                 \
    DIVISION(div, 2, x / y, y == 0 ? 0 : y == (T)-1 && y < 0 ? (T)((U)0 - (U)x) : (T)(x / y))                         \
    DIVISION(floorDiv, 2, OWN(floor)(x / y), OWN(floor_div)(x, y))                                                    \
    DIVISION(floorMod, 2, OWN(floor_mod)(x, y), (T)((U)x - (U)OWN(floor_div)(x, y) * (U)y))                           \
    DIVISION(truncatedMod, 2, fmod(x, y), y == 0 || (y == (T)-1 && y < 0) ? 0 : (T)(x % y))                           \
    DIVISION(pow, 2, pow(x, y), OWN(pow)(x, y))                                                                       \
    FLOATS(sqrt, 1, OWN(sqrt)(x))                                                                                     \
    FLOATS(exp, 1, OWN(exp)(x))                                                                                       \
    FLOATS(expm1, 1, expm1(x))                                                                                        \
    FLOATS(log, 1, OWN(log)(x))                                                                                       \
    FLOATS(log1p, 1, log1p(x))                                                                                        \
    FLOATS(tanh, 1, OWN(tanh)(x))                                                                                     \
    FLOATS(sigmoid, 1, OWN(sigmoid)(x))                                                                               \
    FLOATS(sin, 1, sin(x))                                                                                            \
    FLOATS(cos, 1, cos(x))                                                                                            \
    FLOATS(tan, 1, tan(x))                                                                                            \
    FLOATS(asin, 1, asin(x))                                                                                          \
    FLOATS(acos, 1, acos(x))                                                                                          \
    FLOATS(atan, 1, atan(x))                                                                                          \
    FLOATS(atan2, 2, atan2(x, y))                                                                                     \
    FLOATS(sinh, 1, sinh(x))                                                                                          \
    FLOATS(cosh, 1, cosh(x))                                                                                          \
    FLOATS(asinh, 1, asinh(x))                                                                                        \
    FLOATS(acosh, 1, acosh(x))                                                                                        \
    FLOATS(atanh, 1, atanh(x))                                                                                        \
    FLOATS(erf, 1, erf(x))                                                                                            \
    FLOATS(erfc, 1, erfc(x))                                                                                          \
    FLOATS(lgamma, 1, OWN(lgamma)(x))                                                                                 \
    SPECIAL(digamma, 1, digamma_(x))                                                                                  \
    SPECIAL(polygamma, 2, polygamma_(x, y))                                                                           \
    SPECIAL(zeta, 2, zeta_(x, y))                                                                                     \
    SPECIAL(ndtri, 1, ndtri_(x))                                                                                      \
    SPECIAL(erfinv, 1, erfinv_(x))                                                                                    \
    FUSED(mulAdd, 3, x * y + z)                                                                                       \
    FUSED(mulSub, 3, x * y - z)                                                                                       \
    FUSED(subMul, 3, z - x * y)                                                                                       \
    INTEGERS(bitAnd, 2, x & y)                                                                                        \
    INTEGERS(bitOr, 2, x | y)                                                                                         \
    INTEGERS(bitXor, 2, x ^ y)                                                                                        \
    INTEGERS(bitNot, 1, ~x)                                                                                           \
    SHIFT(shiftLeft, 2, (T)((U)x << OWN(shift)(y)))                                                                   \
    SHIFT(shiftRight, 2, (T)(x >> OWN(shift)(y)))                                                                     \
    COMPARISON(less, 2, x < y)                                                                                        \
    COMPARISON(lessEqual, 2, x <= y)                                                                                  \
    EQUALITY(equal, 2, x == y)                                                                                        \
    EQUALITY(notEqual, 2, x != y)                                                                                     \
    LOGIC(and, 2, x & y)                                                                                              \
    LOGIC(or, 2, x | y)                                                                                               \
    LOGIC(not, 1, x ^ 1)

/// The primitive `add` is `TRIBUTARY_add` here. `TRIBUTARY_select` has no row, for its
/// condition is a bool and what it chooses from is not.
#define TRIBUTARY_NAME(name, ...) TRIBUTARY_##name,
enum tributary_primitive {
    TRIBUTARY_PRIMITIVES(
        TRIBUTARY_NAME, TRIBUTARY_NAME, TRIBUTARY_NAME, TRIBUTARY_NAME, TRIBUTARY_NAME, TRIBUTARY_NAME, TRIBUTARY_NAME,
        TRIBUTARY_NAME, TRIBUTARY_NAME, TRIBUTARY_NAME)
    TRIBUTARY_select,
    TRIBUTARY_PRIMITIVE_COUNT
};

/// The element types that have loops, in this order.
enum tributary_type {
    TRIBUTARY_F32, TRIBUTARY_F64, TRIBUTARY_I32, TRIBUTARY_I64, TRIBUTARY_U8, TRIBUTARY_BOOL, TRIBUTARY_TYPES
};

/// A loop over a tile: out[i] = f(a[i], b[i], c[i]) for i in 0..<n. A primitive of fewer operands ignores the others. `out` may
/// be an operand. The loops are in C because clang makes a version of each for every vector width, and the program picks
/// one when it starts.
typedef void (*tributary_tile)(const void *a, const void *b, const void *c, void *out, long n);

/// The loop of a primitive over operands of a type; NULL if there is none. A bool is a byte of 0 or 1. `select` reads its
/// condition from `a`, and chooses between `b` and `c`.
tributary_tile tributary_tile_for(enum tributary_primitive primitive, enum tributary_type type);

/// A primitive's name, as in its row.
const char *tributary_primitive_name(enum tributary_primitive primitive);

/// Whether a primitive's result is a bool, whatever its operands are.
int tributary_primitive_is_predicate(enum tributary_primitive primitive);

/// The text of a function that computes a primitive on a GPU, in OpenCL C and CUDA C++ (see GPUSource.swift); NULL if the
/// CPU alone computes it. Its name is the primitive's and the type's there: `add_float`.
const char *tributary_primitive_text(enum tributary_primitive primitive, enum tributary_type type);

/// The text of the functions that a primitive's function calls; NULL for none.
const char *tributary_primitive_prelude(enum tributary_primitive primitive);
