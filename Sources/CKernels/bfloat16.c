#include "CKernels.h"
#include "approximations.h"

// To nearest, ties to even; a NaN stays one.
INLINE uint32_t nearest_bf16(float x) {
    uint32_t bits = float_to_bits(x);
    uint32_t rounded = bits + 0x7FFF + ((bits >> 16) & 1);
    return x != x ? bits | 0x400000 : rounded;
}

CLONES void tributary_to_bf16(const float *x, uint16_t *out, long n) {
    for (long i = 0; i < n; i++) out[i] = (uint16_t)(nearest_bf16(x[i]) >> 16);
}

CLONES void tributary_round_to_bf16(const float *x, float *out, long n) {
    for (long i = 0; i < n; i++) out[i] = bits_to_float(nearest_bf16(x[i]) & 0xFFFF0000);
}
