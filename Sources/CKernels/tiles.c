#include "CKernels.h"
#include "approximations.h"

// The primitives of primitives.h as loops over tiles.

// lgamma itself writes a global variable, the sign, which threads share.
static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

typedef double real;
// Not inlined into the loops: those for wide vectors would round otherwise than the others.
#define FUNCTION static __attribute__((noinline))
#define CODE(...) __VA_ARGS__
#include "special.h"

// What `OWN` finds: of floats without calls where that can be, and with one otherwise.
#define FLOAT_FUNCTIONS(s, t)                                                       \
    INLINE t sqrt_##s##_(t x) { return __builtin_elementwise_sqrt(x); }             \
    INLINE t fabs_##s##_(t x) { return __builtin_elementwise_abs(x); }              \
    INLINE t floor_##s##_(t x) { return __builtin_elementwise_floor(x); }           \
    INLINE t ceil_##s##_(t x) { return __builtin_elementwise_ceil(x); }             \
    INLINE t rint_##s##_(t x) { return __builtin_elementwise_roundeven(x); }        \
    INLINE t lgamma_##s##_(t x) { return (t)log_gamma(x); }                         \
    /* The remainder with the divisor's sign. */                                    \
    INLINE t floor_mod_##s##_(t x, t y) {                                           \
        t m = (t)fmod(x, y);                                                        \
        return m != 0 && (m < 0) != (y < 0) ? m + y : m;                            \
    }
FLOAT_FUNCTIONS(f32, float)
FLOAT_FUNCTIONS(f64, double)

// Division rounds down. C does not define the quotient of the least integer and −1.
#define INTEGER_FUNCTIONS(s, t, u)                                                  \
    INLINE t floor_div_##s##_(t x, t y) {                                           \
        if (y == 0) return 0;                                                       \
        if (y == (t)-1 && (t)-1 < 0) return (t)((u)0 - (u)x);                       \
        t q = (t)(x / y);                                                           \
        return (t)(q - (x % y != 0 && (x < 0) != (y < 0)));                         \
    }                                                                               \
    /* How far to shift: C asks for at least 0 and at most the width less one. */   \
    INLINE t shift_##s##_(t y) {                                                    \
        t most = (t)(sizeof(t) * 8 - 1);                                            \
        return (t)(y < 0 ? 0 : y > most ? most : y);                                \
    }                                                                               \
    INLINE t pow_##s##_(t x, t y) {                                                 \
        u result = 1, base = (u)x;                                                  \
        if (y < 0) return (t)(x == 1 ? 1 : x == (t)-1 ? (y % 2 ? (t)-1 : 1) : 0);   \
        for (; y > 0; y = (t)(y / 2), base *= base) if (y % 2) result *= base;      \
        return (t)result;                                                           \
    }
INTEGER_FUNCTIONS(i32, int32_t, uint32_t)
INTEGER_FUNCTIONS(i64, int64_t, uint64_t)
INTEGER_FUNCTIONS(u8, uint8_t, uint8_t)

// `out` may be an operand: the same index of it, so no iteration depends on another.
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety) interleave(enable)")

#define LOAD1 T x = a[i]
#define LOAD2 T x = a[i], y = b[i]
#define LOAD3 T x = a[i], y = b[i], z = c[i]
#define TILE(name, s, type, unsigned_type, result, operands, expression)                                   \
    CLONES static void name##_##s(const void *pa, const void *pb, const void *pc, void *po, long n) {      \
        typedef type T;                                                                                    \
        typedef unsigned_type U;                                                                           \
        const T *a = pa, *b = pb, *c = pc;                                                                 \
        result *out = po;                                                                                  \
        (void)b, (void)c, (void)sizeof(U);                                                                 \
        INDEPENDENT for (long i = 0; i < n; i++) {                                                         \
            LOAD##operands;                                                                                \
            out[i] = (expression);                                                                         \
        }                                                                                                  \
    }
#define SELECT(s, type)                                                                                    \
    CLONES static void select_##s(const void *pa, const void *pb, const void *pc, void *po, long n) {      \
        const uint8_t *a = pa;                                                                             \
        const type *b = pb, *c = pc;                                                                       \
        type *out = po;                                                                                    \
        INDEPENDENT for (long i = 0; i < n; i++) {                                                         \
            type y = b[i], z = c[i];                                                                       \
            out[i] = a[i] ? y : z;                                                                         \
        }                                                                                                  \
    }
#define NONE(...)
// The rows of one type. VALUE and BOOL take the name, the number of operands and the expression.
#define FLOAT_ROWS(VALUE, BOOL) TRIBUTARY_PRIMITIVES(VALUE, VALUE, VALUE, VALUE, VALUE, NONE, NONE, BOOL, BOOL, NONE)
#define INTEGER_ROWS(NUMBER, VALUE, BOOL) \
    TRIBUTARY_PRIMITIVES(NUMBER, NUMBER, NONE, NONE, NONE, VALUE, VALUE, BOOL, BOOL, NONE)
#define BOOL_ROWS(BOOL) TRIBUTARY_PRIMITIVES(NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, BOOL, BOOL)

#define OWN(f) _Generic((T)0, float: f##_f32_, double: f##_f64_)
#define F32(name, operands, e, ...) TILE(name, f32, float, float, float, operands, e)
#define F32_BOOL(name, operands, e) TILE(name, f32, float, float, uint8_t, operands, e)
FLOAT_ROWS(F32, F32_BOOL)
#define F64(name, operands, e, ...) TILE(name, f64, double, double, double, operands, e)
#define F64_BOOL(name, operands, e) TILE(name, f64, double, double, uint8_t, operands, e)
FLOAT_ROWS(F64, F64_BOOL)
#undef OWN

#define OWN(f) _Generic((T)0, int32_t: f##_i32_, int64_t: f##_i64_, uint8_t: f##_u8_)
#define I32(name, operands, e) TILE(name, i32, int32_t, uint32_t, int32_t, operands, e)
#define I32_NUMBER(name, operands, of_floats, e) I32(name, operands, e)
#define I32_BOOL(name, operands, e) TILE(name, i32, int32_t, uint32_t, uint8_t, operands, e)
INTEGER_ROWS(I32_NUMBER, I32, I32_BOOL)
#define I64(name, operands, e) TILE(name, i64, int64_t, uint64_t, int64_t, operands, e)
#define I64_NUMBER(name, operands, of_floats, e) I64(name, operands, e)
#define I64_BOOL(name, operands, e) TILE(name, i64, int64_t, uint64_t, uint8_t, operands, e)
INTEGER_ROWS(I64_NUMBER, I64, I64_BOOL)
#define U8(name, operands, e) TILE(name, u8, uint8_t, uint8_t, uint8_t, operands, e)
#define U8_NUMBER(name, operands, of_floats, e) U8(name, operands, e)
INTEGER_ROWS(U8_NUMBER, U8, U8)

#define BOOL(name, operands, e) TILE(name, bool, uint8_t, uint8_t, uint8_t, operands, e)
BOOL_ROWS(BOOL)

SELECT(f32, float)
SELECT(f64, double)
SELECT(i32, int32_t)
SELECT(i64, int64_t)
SELECT(u8, uint8_t)
SELECT(bool, uint8_t)

#define F32_ENTRY(name, ...) [TRIBUTARY_##name] = name##_f32,
#define F64_ENTRY(name, ...) [TRIBUTARY_##name] = name##_f64,
#define I32_ENTRY(name, ...) [TRIBUTARY_##name] = name##_i32,
#define I64_ENTRY(name, ...) [TRIBUTARY_##name] = name##_i64,
#define U8_ENTRY(name, ...) [TRIBUTARY_##name] = name##_u8,
#define BOOL_ENTRY(name, ...) [TRIBUTARY_##name] = name##_bool,
static const tributary_tile tiles[TRIBUTARY_TYPES][TRIBUTARY_PRIMITIVE_COUNT] = {
    [TRIBUTARY_F32] = {FLOAT_ROWS(F32_ENTRY, F32_ENTRY) F32_ENTRY(select)},
    [TRIBUTARY_F64] = {FLOAT_ROWS(F64_ENTRY, F64_ENTRY) F64_ENTRY(select)},
    [TRIBUTARY_I32] = {INTEGER_ROWS(I32_ENTRY, I32_ENTRY, I32_ENTRY) I32_ENTRY(select)},
    [TRIBUTARY_I64] = {INTEGER_ROWS(I64_ENTRY, I64_ENTRY, I64_ENTRY) I64_ENTRY(select)},
    [TRIBUTARY_U8] = {INTEGER_ROWS(U8_ENTRY, U8_ENTRY, U8_ENTRY) U8_ENTRY(select)},
    [TRIBUTARY_BOOL] = {BOOL_ROWS(BOOL_ENTRY) BOOL_ENTRY(select)},
};

tributary_tile tributary_tile_for(enum tributary_primitive primitive, enum tributary_type type) {
    return tiles[type][primitive];
}
