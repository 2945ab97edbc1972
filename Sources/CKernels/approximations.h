#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>

// Loops that call libm stay scalar; that they could not be vectorised is no news.
#pragma clang diagnostic ignored "-Wpass-failed"

// One version for each vector width, chosen at load time: before ThreadSanitizer has begun, whose calls in what chooses
// would then crash. With it there is one version.
#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

// float32 exponential, logarithm and tanh without calls or branches, so that they vectorise. Errors are within 2 ulp.

INLINE float bits_to_float(uint32_t bits) { float f; memcpy(&f, &bits, 4); return f; }
INLINE uint32_t float_to_bits(float f) { uint32_t bits; memcpy(&bits, &f, 4); return bits; }

// e^x = 2^n e^r with |r| <= ln 2 / 2; polynomial of Cephes' expf.
INLINE float exp_f32_(float x) {
    float clamped = x < -104.0f ? -104.0f : x;
    clamped = clamped > 88.8f ? 88.8f : clamped;
    float shifted = clamped * 1.44269504088896341f + 12582912.0f;  // rounds to an integer: 1.5 * 2^23
    float n = shifted - 12582912.0f;
    float r = clamped - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500E-4f;
    p = p * r + 1.3981999507E-3f;
    p = p * r + 8.3334519073E-3f;
    p = p * r + 4.1665795894E-2f;
    p = p * r + 1.6666665459E-1f;
    p = p * r + 5.0000001201E-1f;
    p = p * r * r + r + 1.0f;
    // 2^n in two factors, so that results near the ends of the range neither overflow early nor flush early.
    // n from its bits, for of a NaN C does not define the conversion.
    int32_t k = (int32_t)(float_to_bits(shifted) - 0x4B400000u), half = k >> 1;
    float y = p * bits_to_float((uint32_t)(half + 127) << 23) * bits_to_float((uint32_t)(k - half + 127) << 23);
    y = x > 88.72284f ? INFINITY : y;
    y = x < -103.98f ? 0.0f : y;
    return x != x ? x : y;
}

// Cephes' logf; a denormal is scaled up first.
INLINE float log_f32_(float x) {
    float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;
    float e = x < 1.17549435e-38f ? -23.0f : 0.0f;
    uint32_t bits = float_to_bits(scaled);
    float exponent = (float)((int32_t)(bits >> 23) - 126);
    float m = bits_to_float((bits & 0x007FFFFFu) | 0x3F000000u);  // in [0.5, 1)
    float low = m < 0.707106781186547524f ? 1.0f : 0.0f;
    e = e + exponent - low;
    m = m + low * m - 1.0f;
    float z = m * m;
    float p = 7.0376836292E-2f;
    p = p * m + -1.1514610310E-1f;
    p = p * m + 1.1676998740E-1f;
    p = p * m + -1.2420140846E-1f;
    p = p * m + 1.4249322787E-1f;
    p = p * m + -1.6668057665E-1f;
    p = p * m + 2.0000714765E-1f;
    p = p * m + -2.4999993993E-1f;
    p = p * m + 3.3333331174E-1f;
    float y = p * m * z + e * -2.12194440e-4f - 0.5f * z;
    y = m + y + e * 0.693359375f;
    y = x == INFINITY ? INFINITY : y;
    y = x == 0.0f ? -INFINITY : y;
    return x < 0.0f || x != x ? NAN : y;
}

// Rational approximation of tanh on [-7.9, 7.9], odd of degree 13 over even of degree 6, as in Eigen.
INLINE float tanh_f32_(float x) {
    float c = x < -7.90531110763549805f ? -7.90531110763549805f : x;
    c = c > 7.90531110763549805f ? 7.90531110763549805f : c;
    float s = c * c;
    float p = -2.76076847742355e-16f;
    p = p * s + 2.00018790482477e-13f;
    p = p * s + -8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    float q = 1.19825839466702e-06f;
    q = q * s + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    float y = c * p / q;
    y = fabsf(x) < 0.0004f ? x : y;
    return x != x ? x : y;
}

INLINE float sigmoid_f32_(float x) { return 1.0f / (1.0f + exp_f32_(-x)); }
INLINE double exp_f64_(double x) { return exp(x); }
INLINE double log_f64_(double x) { return log(x); }
INLINE double tanh_f64_(double x) { return tanh(x); }
INLINE double sigmoid_f64_(double x) { return 1.0 / (1.0 + exp(-x)); }
