#include "CKernels.h"
#include "approximations.h"

// A number is not finite if all bits of its exponent are set. In pieces, so that the rest is not read once one is found;
// by integers, for which denormals cost nothing.
#define SCAN(name, type, exponent)                                                                                      \
    /* The numbers are floats to whoever wrote them. */                                                                 \
    typedef type name##_bits __attribute__((may_alias));                                                                \
    CLONES int name(const void *numbers, long n) {                                                                      \
        const name##_bits *x = numbers;                                                                                 \
        for (long start = 0; start < n; start += 8192) {                                                                \
            long end = start + 8192 < n ? start + 8192 : n;                                                             \
            type found = 0;                                                                                             \
            for (long i = start; i < end; i++) found |= (type)-((x[i] & (exponent)) == (exponent));                     \
            if (found) return 0;                                                                                        \
        }                                                                                                               \
        return 1;                                                                                                       \
    }

SCAN(tributary_finite_f32, uint32_t, 0x7F800000u)
SCAN(tributary_finite_f64, uint64_t, 0x7FF0000000000000u)
SCAN(tributary_finite_bf16, uint16_t, 0x7F80u)
