#include "CKernels.h"
#include <stddef.h>

// The primitives of primitives.h as text for GPUs.

#define QUOTE(...) #__VA_ARGS__
// Expands the macros in the code first.
#define TEXT(...) QUOTE(__VA_ARGS__)
#define NONE(...)
#define OWN(f) f

#define PARAMETERS1(type) "(" #type " x)"
#define PARAMETERS2(type) "(" #type " x, " #type " y)"
#define FUNCTION_TEXT(name, type, result, operands, expression)                                       \
    [TRIBUTARY_##name] = "FUNCTION " #result " " #name "_" #type PARAMETERS##operands(type) " { return " \
                         TEXT(expression) "; }\n",

#define F32(name, operands, expression, ...) FUNCTION_TEXT(name, float, float, operands, expression)
#define F32_BOOL(name, operands, expression) FUNCTION_TEXT(name, float, uchar, operands, expression)
#define T float
static const char *const f32[TRIBUTARY_PRIMITIVE_COUNT] = {
    TRIBUTARY_PRIMITIVES(F32, F32, F32, F32, NONE, NONE, NONE, F32_BOOL, F32_BOOL, NONE)
};
#undef T

#define I32(name, operands, expression) FUNCTION_TEXT(name, int, int, operands, expression)
#define I32_NUMBER(name, operands, of_floats, of_integers) I32(name, operands, of_integers)
#define I32_BOOL(name, operands, expression) FUNCTION_TEXT(name, int, uchar, operands, expression)
#define T int
#define U uint
static const char *const i32[TRIBUTARY_PRIMITIVE_COUNT] = {
    TRIBUTARY_PRIMITIVES(I32_NUMBER, NONE, NONE, NONE, NONE, I32, NONE, I32_BOOL, I32_BOOL, NONE)
};
#undef T
#undef U

#define I64(name, operands, expression) FUNCTION_TEXT(name, long, long, operands, expression)
#define I64_NUMBER(name, operands, of_floats, of_integers) I64(name, operands, of_integers)
#define I64_BOOL(name, operands, expression) FUNCTION_TEXT(name, long, uchar, operands, expression)
#define T long
#define U ulong
static const char *const i64[TRIBUTARY_PRIMITIVE_COUNT] = {
    TRIBUTARY_PRIMITIVES(I64_NUMBER, NONE, NONE, NONE, NONE, I64, NONE, I64_BOOL, I64_BOOL, NONE)
};
#undef T
#undef U

#define U8(name, operands, expression) FUNCTION_TEXT(name, uchar, uchar, operands, expression)
#define U8_NUMBER(name, operands, of_floats, of_integers) U8(name, operands, of_integers)
#define T uchar
#define U uchar
static const char *const u8[TRIBUTARY_PRIMITIVE_COUNT] = {
    TRIBUTARY_PRIMITIVES(U8_NUMBER, NONE, NONE, NONE, NONE, U8, NONE, U8, U8, NONE)
};

static const char *const bools[TRIBUTARY_PRIMITIVE_COUNT] = {
    TRIBUTARY_PRIMITIVES(NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, U8, U8)
};

const char *tributary_primitive_text(enum tributary_primitive primitive, enum tributary_type type) {
    static const char *const *const texts[TRIBUTARY_TYPES] = {
        [TRIBUTARY_F32] = f32, [TRIBUTARY_I32] = i32, [TRIBUTARY_I64] = i64, [TRIBUTARY_U8] = u8,
        [TRIBUTARY_BOOL] = bools};
    return texts[type] ? texts[type][primitive] : NULL;
}

static const char special[] = "#define log_gamma lgamma\n"
#define CODE(...) #__VA_ARGS__
#include "special.h"
    "\n";

enum kind { ordinary, needs_special, predicate };
#define ORDINARY(name, ...) [TRIBUTARY_##name] = {#name, ordinary},
#define NEEDS_SPECIAL(name, ...) [TRIBUTARY_##name] = {#name, needs_special},
#define PREDICATE(name, ...) [TRIBUTARY_##name] = {#name, predicate},
static const struct { const char *name; enum kind kind; } rows[TRIBUTARY_PRIMITIVE_COUNT] = {
    TRIBUTARY_PRIMITIVES(
        ORDINARY, ORDINARY, ORDINARY, NEEDS_SPECIAL, ORDINARY, ORDINARY, ORDINARY, PREDICATE, PREDICATE, PREDICATE)
    [TRIBUTARY_select] = {"select", ordinary},
};

const char *tributary_primitive_name(enum tributary_primitive primitive) { return rows[primitive].name; }

int tributary_primitive_is_predicate(enum tributary_primitive primitive) { return rows[primitive].kind == predicate; }

const char *tributary_primitive_prelude(enum tributary_primitive primitive) {
    return rows[primitive].kind == needs_special ? special : NULL;
}
