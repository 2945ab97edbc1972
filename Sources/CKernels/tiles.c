#include "CKernels.h"
#include "approximations.h"

// `out` may be an operand: the same index of it, so no iteration depends on another.
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety) interleave(enable)")

#define TILE(name, suffix, type, result, expression)                                                       \
    CLONES static void name##_##suffix(const void *pa, const void *pb, const void *pc, void *po, long n) { \
        const type *a = pa, *b = pb;                                                                       \
        result *out = po;                                                                                  \
        (void)b, (void)pc;                                                                                 \
        INDEPENDENT for (long i = 0; i < n; i++) {                                                         \
            type x = a[i];                                                                                 \
            out[i] = (expression);                                                                         \
        }                                                                                                  \
    }
#define TILE2(name, suffix, type, result, expression)                                                      \
    CLONES static void name##_##suffix(const void *pa, const void *pb, const void *pc, void *po, long n) { \
        const type *a = pa, *b = pb;                                                                       \
        result *out = po;                                                                                  \
        (void)pc;                                                                                          \
        INDEPENDENT for (long i = 0; i < n; i++) {                                                         \
            type x = a[i], y = b[i];                                                                       \
            out[i] = (expression);                                                                         \
        }                                                                                                  \
    }
#define TILE_SELECT(suffix, type)                                                                           \
    CLONES static void select_##suffix(const void *pa, const void *pb, const void *pc, void *po, long n) { \
        const uint8_t *a = pa;                                                                              \
        const type *b = pb, *c = pc;                                                                        \
        type *out = po;                                                                                     \
        INDEPENDENT for (long i = 0; i < n; i++) {                                                          \
            type y = b[i], z = c[i];                                                                        \
            out[i] = a[i] ? y : z;                                                                          \
        }                                                                                                   \
    }

// Reflection for x < 0.5, then recurrence up to 6 and the asymptotic series (Abramowitz & Stegun 6.3.18).
static double digamma_(double x) {
    double result = 0;
    if (x <= 0 && x == floor(x)) return NAN;
    if (x < 0.5) return digamma_(1 - x) - 3.14159265358979323846 / tan(3.14159265358979323846 * x);
    while (x < 10) result -= 1 / x, x += 1;
    double r = 1 / x, s = r * r;
    return result + log(x) - 0.5 * r
        - s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s * (1.0 / 132)))));
}

// Cephes' zeta(s, q) = sum of (k + q)^-s over k >= 0, by Euler-Maclaurin summation.
static double zeta_(double s, double q) {
    static const double a[] = {
        12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1.8924375803183791606e9, 7.47242496e10,
        -2.950130727918164224e12, 1.1646782814350067249e14, -4.5979787224074726105e15, 1.8152105401943546773e17,
        -7.1661652561756670113e18};
    if (s == 1.0) return INFINITY;
    if (s < 1.0) return NAN;
    if (q <= 0.0) {
        if (q == floor(q)) return INFINITY;
        if (s != floor(s)) return NAN;
    }
    double sum = pow(q, -s), x = q, b = 0.0;
    for (int i = 0; i < 9 || x <= 9.0; i++) {
        x += 1.0;
        b = pow(x, -s);
        sum += b;
        if (fabs(b / sum) < 1.11022302462515654042e-16) return sum;
    }
    sum += b * x / (s - 1.0) - 0.5 * b;
    double factor = 1.0, k = 0.0;
    for (int i = 0; i < 12; i++) {
        factor *= s + k;
        b /= x;
        double term = factor * b / a[i];
        sum += term;
        if (fabs(term / sum) < 1.11022302462515654042e-16) return sum;
        k += 1.0;
        factor *= s + k;
        b /= x;
        k += 1.0;
    }
    return sum;
}

// The n-th derivative of digamma.
static double polygamma_(double n, double x) {
    if (n < 0 || n != floor(n)) return NAN;
    if (n == 0) return digamma_(x);
    return (fmod(n, 2) == 0 ? -1 : 1) * exp(lgamma(n + 1)) * zeta_(n + 1, x);
}

#define FLOATS(M) M(f32, float) M(f64, double)
#define INTEGERS(M) M(i32, int32_t, uint32_t) M(i64, int64_t, uint64_t) M(u8, uint8_t, uint8_t)

// The remainder with the divisor's sign.
#define FLOAT_HELPERS(s, t)                                              \
    INLINE t floor_mod_##s##_(t x, t y) {                                \
        t m = (t)fmod(x, y);                                             \
        return m != 0 && (m < 0) != (y < 0) ? m + y : m;                 \
    }
FLOATS(FLOAT_HELPERS)

#define FLOAT_TILES(s, t)                                                  \
    TILE2(add, s, t, t, x + y)                                             \
    TILE2(sub, s, t, t, x - y)                                             \
    TILE2(mul, s, t, t, x * y)                                             \
    TILE2(div, s, t, t, x / y)                                             \
    TILE2(max, s, t, t, x >= y || x != x ? x : y)                          \
    TILE2(min, s, t, t, x <= y || x != x ? x : y)                          \
    TILE2(pow, s, t, t, (t)pow(x, y))                                      \
    TILE2(floor_div, s, t, t, (t)floor(x / y))                             \
    TILE2(floor_mod, s, t, t, floor_mod_##s##_(x, y))                      \
    TILE2(polygamma, s, t, t, (t)polygamma_(x, y))                         \
    TILE2(atan2, s, t, t, (t)atan2(x, y))                                  \
    TILE(neg, s, t, t, -x)                                                 \
    TILE(abs, s, t, t, x < 0 ? -x : x == 0 ? 0 : x)                        \
    TILE(sign, s, t, t, x != x ? x : (t)((x > 0) - (x < 0)))               \
    TILE(sqrt, s, t, t, __builtin_elementwise_sqrt(x))                                        \
    TILE(exp, s, t, t, exp_##s##_(x))                                      \
    TILE(expm1, s, t, t, (t)expm1(x))                                      \
    TILE(log, s, t, t, log_##s##_(x))                                      \
    TILE(log1p, s, t, t, (t)log1p(x))                                      \
    TILE(tanh, s, t, t, tanh_##s##_(x))                                    \
    TILE(sigmoid, s, t, t, sigmoid_##s##_(x))                              \
    TILE(floor, s, t, t, __builtin_elementwise_floor(x))                                      \
    TILE(ceil, s, t, t, __builtin_elementwise_ceil(x))                                        \
    TILE(rint, s, t, t, __builtin_elementwise_roundeven(x))                                        \
    TILE(sin, s, t, t, (t)sin(x))                                          \
    TILE(cos, s, t, t, (t)cos(x))                                          \
    TILE(tan, s, t, t, (t)tan(x))                                          \
    TILE(asin, s, t, t, (t)asin(x))                                        \
    TILE(acos, s, t, t, (t)acos(x))                                        \
    TILE(atan, s, t, t, (t)atan(x))                                        \
    TILE(sinh, s, t, t, (t)sinh(x))                                        \
    TILE(cosh, s, t, t, (t)cosh(x))                                        \
    TILE(asinh, s, t, t, (t)asinh(x))                                      \
    TILE(acosh, s, t, t, (t)acosh(x))                                      \
    TILE(atanh, s, t, t, (t)atanh(x))                                      \
    TILE(erf, s, t, t, (t)erf(x))                                          \
    TILE(lgamma, s, t, t, (t)lgamma(x))                                    \
    TILE(digamma, s, t, t, (t)digamma_(x))
FLOATS(FLOAT_TILES)

// Arithmetic wraps around (in the unsigned type, where C defines it); division rounds toward zero, by zero gives
// zero (the kernels refuse it first).
#define INTEGER_TILES(s, t, u)                                                                        \
    TILE2(add, s, t, t, (t)((u)x + (u)y))                                                             \
    TILE2(sub, s, t, t, (t)((u)x - (u)y))                                                             \
    TILE2(mul, s, t, t, (t)((u)x * (u)y))                                                             \
    TILE2(div, s, t, t, y == 0 ? 0 : y == (t)-1 ? (t)((u)0 - (u)x) : (t)(x / y))                      \
    TILE2(max, s, t, t, x > y ? x : y)                                                                \
    TILE2(min, s, t, t, x < y ? x : y)                                                                \
    TILE2(floor_div, s, t, t, floor_div_##s##_(x, y))                                                 \
    TILE2(floor_mod, s, t, t, (t)((u)x - (u)floor_div_##s##_(x, y) * (u)y))                           \
    TILE2(pow, s, t, t, pow_##s##_(x, y))                                                             \
    TILE(neg, s, t, t, (t)((u)0 - (u)x))                                                              \
    TILE(abs, s, t, t, x > 0 ? x : (t)((u)0 - (u)x))                                                  \
    TILE(sign, s, t, t, (t)((x > 0) - (x < 0)))                                                       \
    TILE(same, s, t, t, x)
#define INTEGER_HELPERS(s, t, u)                                                      \
    INLINE t floor_div_##s##_(t x, t y) {                                             \
        if (y == 0) return 0;                                                         \
        if (y == (t)-1 && (t)-1 < 0) return (t)((u)0 - (u)x);                         \
        t q = (t)(x / y);                                                             \
        return (t)(q - (x % y != 0 && (x < 0) != (y < 0)));                           \
    }                                                                                 \
    INLINE t pow_##s##_(t x, t y) {                                                   \
        u result = 1, base = (u)x;                                                    \
        if (y < 0) return (t)(x == 1 ? 1 : x == (t)-1 ? (y % 2 ? (t)-1 : 1) : 0);     \
        for (; y > 0; y = (t)(y / 2), base *= base) if (y % 2) result *= base;        \
        return (t)result;                                                             \
    }
INTEGERS(INTEGER_HELPERS)
INTEGERS(INTEGER_TILES)

#define SHARED_TILES(s, t, ...)                  \
    TILE2(less, s, t, uint8_t, x < y)            \
    TILE2(less_equal, s, t, uint8_t, x <= y)     \
    TILE2(equal, s, t, uint8_t, x == y)          \
    TILE2(not_equal, s, t, uint8_t, x != y)      \
    TILE_SELECT(s, t)
FLOATS(SHARED_TILES)
INTEGERS(SHARED_TILES)

TILE2(and, bool, uint8_t, uint8_t, x & y)
TILE2(or, bool, uint8_t, uint8_t, x | y)
TILE(not, bool, uint8_t, uint8_t, x ^ 1)
TILE2(equal, bool, uint8_t, uint8_t, x == y)
TILE2(not_equal, bool, uint8_t, uint8_t, x != y)
TILE_SELECT(bool, uint8_t)

#define FLOAT_ROW(P, name) [TRIBUTARY_##P] = {[TRIBUTARY_F32] = name##_f32, [TRIBUTARY_F64] = name##_f64}
#define NUMBER_ROW(P, name)                                                                              \
    [TRIBUTARY_##P] = {[TRIBUTARY_F32] = name##_f32, [TRIBUTARY_F64] = name##_f64,                       \
                       [TRIBUTARY_I32] = name##_i32, [TRIBUTARY_I64] = name##_i64, [TRIBUTARY_U8] = name##_u8}
#define ROUND_ROW(P, name)                                                                               \
    [TRIBUTARY_##P] = {[TRIBUTARY_F32] = name##_f32, [TRIBUTARY_F64] = name##_f64,                       \
                       [TRIBUTARY_I32] = same_i32, [TRIBUTARY_I64] = same_i64, [TRIBUTARY_U8] = same_u8}
#define ANY_ROW(P, name)                                                                                 \
    [TRIBUTARY_##P] = {[TRIBUTARY_F32] = name##_f32, [TRIBUTARY_F64] = name##_f64,                       \
                       [TRIBUTARY_I32] = name##_i32, [TRIBUTARY_I64] = name##_i64,                       \
                       [TRIBUTARY_U8] = name##_u8, [TRIBUTARY_BOOL] = name##_bool}

static const tributary_tile tiles[TRIBUTARY_PRIMITIVES][TRIBUTARY_TYPES] = {
    NUMBER_ROW(ADD, add), NUMBER_ROW(SUB, sub), NUMBER_ROW(MUL, mul), NUMBER_ROW(DIV, div), NUMBER_ROW(MAX, max),
    NUMBER_ROW(MIN, min), NUMBER_ROW(POW, pow), NUMBER_ROW(FLOOR_DIV, floor_div), NUMBER_ROW(FLOOR_MOD, floor_mod),
    FLOAT_ROW(ATAN2, atan2), NUMBER_ROW(NEG, neg), NUMBER_ROW(ABS, abs), NUMBER_ROW(SIGN, sign), FLOAT_ROW(SQRT, sqrt),
    FLOAT_ROW(EXP, exp), FLOAT_ROW(EXPM1, expm1), FLOAT_ROW(LOG, log), FLOAT_ROW(LOG1P, log1p), FLOAT_ROW(TANH, tanh),
    FLOAT_ROW(SIGMOID, sigmoid), ROUND_ROW(FLOOR, floor), ROUND_ROW(CEIL, ceil), ROUND_ROW(RINT, rint),
    FLOAT_ROW(SIN, sin), FLOAT_ROW(COS, cos), FLOAT_ROW(TAN, tan), FLOAT_ROW(ASIN, asin), FLOAT_ROW(ACOS, acos),
    FLOAT_ROW(ATAN, atan), FLOAT_ROW(SINH, sinh), FLOAT_ROW(COSH, cosh), FLOAT_ROW(ASINH, asinh),
    FLOAT_ROW(ACOSH, acosh), FLOAT_ROW(ATANH, atanh), FLOAT_ROW(ERF, erf), FLOAT_ROW(LGAMMA, lgamma),
    FLOAT_ROW(DIGAMMA, digamma), FLOAT_ROW(POLYGAMMA, polygamma), NUMBER_ROW(LESS, less),
    NUMBER_ROW(LESS_EQUAL, less_equal), ANY_ROW(EQUAL, equal), ANY_ROW(NOT_EQUAL, not_equal),
    [TRIBUTARY_AND] = {[TRIBUTARY_BOOL] = and_bool}, [TRIBUTARY_OR] = {[TRIBUTARY_BOOL] = or_bool},
    [TRIBUTARY_NOT] = {[TRIBUTARY_BOOL] = not_bool},
    ANY_ROW(SELECT, select),
};

tributary_tile tributary_tile_for(enum tributary_primitive primitive, enum tributary_type type) {
    return tiles[primitive][type];
}
