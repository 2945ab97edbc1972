#include "CKernels.h"
#include <string.h>
#if defined(__x86_64__)
#include <nmmintrin.h>

// One stream: a word takes three cycles, which is faster than disks are.
__attribute__((target("sse4.2"))) static uint32_t with_sse42(uint32_t crc, const uint8_t *bytes, long n) {
    uint64_t wide = crc;
    for (; n >= 8; n -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; n > 0; n--) crc = _mm_crc32_u8(crc, *bytes++);
    return crc;
}

int tributary_crc32c(uint32_t *crc, const void *bytes, long n) {
    if (!__builtin_cpu_supports("sse4.2")) return 0;
    *crc = with_sse42(*crc, bytes, n);
    return 1;
}
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

int tributary_crc32c(uint32_t *crc, const void *bytes, long n) {
    const uint8_t *next = bytes;
    for (; n >= 8; n -= 8, next += 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        *crc = __crc32cd(*crc, word);
    }
    for (; n > 0; n--) *crc = __crc32cb(*crc, *next++);
    return 1;
}
#else
int tributary_crc32c(uint32_t *crc, const void *bytes, long n) { return 0; }
#endif
