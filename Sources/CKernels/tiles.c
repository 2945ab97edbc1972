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

#define TILE3(name, suffix, type, expression)                                                              \
    CLONES static void name##_##suffix(const void *pa, const void *pb, const void *pc, void *po, long n) { \
        const type *a = pa, *b = pb, *c = pc;                                                              \
        type *out = po;                                                                                    \
        INDEPENDENT for (long i = 0; i < n; i++) {                                                         \
            type x = a[i], y = b[i], z = c[i];                                                             \
            out[i] = (expression);                                                                         \
        }                                                                                                  \
    }

// lgamma itself writes a global variable, the sign, which threads share.
static double lgamma_(double x) {
    int sign;
    return lgamma_r(x, &sign);
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
        // At its poles an even power is infinite from both sides; an odd one changes sign.
        if (q == floor(q)) return fmod(s, 2) == 0 ? INFINITY : NAN;
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
    return (fmod(n, 2) == 0 ? -1 : 1) * exp(lgamma_(n + 1)) * zeta_(n + 1, x);
}

// The x below which a standard normal variable stays with the probability 1/2 + q, where `tail` is the smaller of that and
// its complement. M. J. Wichura, Algorithm AS 241 (1988), PPND16.
static double normal_quantile_(double q, double tail) {
    static const double a[] = {2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
        4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2,
        3.3871328727963666080};
    static const double b[] = {5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
        2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1};
    static const double c[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
        1.27045825245236838258, 3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590,
        1.42343711074968357734};
    static const double d[] = {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
        1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1};
    static const double e[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990,
        6.65790464350110377720};
    static const double f[] = {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
        7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1};
    if (tail != tail || tail < 0) return NAN;
    if (tail == 0) return q < 0 ? -INFINITY : INFINITY;
    const double *over = a, *under = b;
    double r = 0.180625 - q * q, factor = q;
    if (fabs(q) > 0.425) {
        r = sqrt(-log(tail));
        factor = q < 0 ? -1 : 1;
        over = r <= 5 ? c : e, under = r <= 5 ? d : f;
        r -= r <= 5 ? 1.6 : 5;
    }
    double numerator = 0, denominator = 0;
    for (int i = 0; i < 8; i++) numerator = numerator * r + over[i], denominator = denominator * r + under[i];
    return factor * numerator / denominator;
}

static double ndtri_(double p) { return normal_quantile_(p - 0.5, p < 0.5 ? p : 1 - p); }

static double erfinv_(double x) { return normal_quantile_(x / 2, (1 - fabs(x)) / 2) * 0.70710678118654752440; }

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
    TILE3(mul_add, s, t, x * y + z)                                        \
    TILE3(mul_sub, s, t, x * y - z)                                        \
    TILE3(sub_mul, s, t, z - x * y)                                        \
    TILE2(max, s, t, t, x >= y || x != x ? x : y)                          \
    TILE2(min, s, t, t, x <= y || x != x ? x : y)                          \
    TILE2(pow, s, t, t, (t)pow(x, y))                                      \
    TILE2(floor_div, s, t, t, (t)floor(x / y))                             \
    TILE2(floor_mod, s, t, t, floor_mod_##s##_(x, y))                      \
    TILE2(polygamma, s, t, t, (t)polygamma_(x, y))                         \
    TILE2(zeta, s, t, t, (t)zeta_(x, y))                                   \
    TILE2(truncated_mod, s, t, t, (t)fmod(x, y))                           \
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
    TILE(erfc, s, t, t, (t)erfc(x))                                        \
    TILE(erfinv, s, t, t, (t)erfinv_(x))                                   \
    TILE(ndtri, s, t, t, (t)ndtri_(x))                                     \
    TILE(lgamma, s, t, t, (t)lgamma_(x))                                    \
    TILE(digamma, s, t, t, (t)digamma_(x))
FLOATS(FLOAT_TILES)

// Arithmetic wraps around (in the unsigned type, where C defines it); division rounds toward zero, by zero gives
// zero (the kernels refuse it first).
#define INTEGER_TILES(s, t, u)                                                                        \
    TILE2(add, s, t, t, (t)((u)x + (u)y))                                                             \
    TILE2(sub, s, t, t, (t)((u)x - (u)y))                                                             \
    TILE2(mul, s, t, t, (t)((u)x * (u)y))                                                             \
    TILE2(div, s, t, t, y == 0 ? 0 : y == (t)-1 && y < 0 ? (t)((u)0 - (u)x) : (t)(x / y))             \
    TILE2(max, s, t, t, x > y ? x : y)                                                                \
    TILE2(min, s, t, t, x < y ? x : y)                                                                \
    TILE2(floor_div, s, t, t, floor_div_##s##_(x, y))                                                 \
    TILE2(floor_mod, s, t, t, (t)((u)x - (u)floor_div_##s##_(x, y) * (u)y))                           \
    TILE2(pow, s, t, t, pow_##s##_(x, y))                                                             \
    TILE2(truncated_mod, s, t, t, y == 0 || (y == (t)-1 && y < 0) ? 0 : (t)(x % y))                   \
    TILE2(bit_and, s, t, t, (t)(x & y))                                                               \
    TILE2(bit_or, s, t, t, (t)(x | y))                                                                \
    TILE2(bit_xor, s, t, t, (t)(x ^ y))                                                               \
    TILE2(shift_left, s, t, t, (t)((u)x << shift_##s##_(y)))                                          \
    TILE2(shift_right, s, t, t, (t)(x >> shift_##s##_(y)))                                            \
    TILE(bit_not, s, t, t, (t)~x)                                                                     \
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
    /* How far to shift: at least 0 and at most the width less one, which C asks for. */ \
    INLINE t shift_##s##_(t y) {                                                      \
        t most = (t)(sizeof(t) * 8 - 1);                                              \
        return (t)(y < 0 ? 0 : y > most ? most : y);                                  \
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
#define INTEGER_ROW(P, name)                                                                             \
    [TRIBUTARY_##P] = {[TRIBUTARY_I32] = name##_i32, [TRIBUTARY_I64] = name##_i64, [TRIBUTARY_U8] = name##_u8}
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
    ANY_ROW(SELECT, select), FLOAT_ROW(MUL_ADD, mul_add), FLOAT_ROW(MUL_SUB, mul_sub), FLOAT_ROW(SUB_MUL, sub_mul),
    NUMBER_ROW(TRUNCATED_MOD, truncated_mod), FLOAT_ROW(ERFC, erfc),
    FLOAT_ROW(ERFINV, erfinv), FLOAT_ROW(NDTRI, ndtri), FLOAT_ROW(ZETA, zeta), INTEGER_ROW(BIT_AND, bit_and),
    INTEGER_ROW(BIT_OR, bit_or), INTEGER_ROW(BIT_XOR, bit_xor), INTEGER_ROW(BIT_NOT, bit_not),
    INTEGER_ROW(SHIFT_LEFT, shift_left), INTEGER_ROW(SHIFT_RIGHT, shift_right),
};

tributary_tile tributary_tile_for(enum tributary_primitive primitive, enum tributary_type type) {
    return tiles[primitive][type];
}
