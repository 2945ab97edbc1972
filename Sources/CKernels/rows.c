#include "CKernels.h"
#include "approximations.h"

// Rows are taken some at a time, so that the passes over them stay in the first-level cache.
enum { CHUNK = 4096 };

// The order of floats as integers, so that a maximum vectorises; a (positive) NaN is above everything.
INLINE int32_t ordered_f32(float x) {
    int32_t bits;
    memcpy(&bits, &x, 4);
    return bits ^ ((bits >> 31) & 0x7FFFFFFF);
}
INLINE int64_t ordered_f64(double x) {
    int64_t bits;
    memcpy(&bits, &x, 8);
    return bits ^ ((bits >> 63) & 0x7FFFFFFFFFFFFFFF);
}
INLINE float unordered_f32(int32_t bits) {
    bits ^= (bits >> 31) & 0x7FFFFFFF;
    float x;
    memcpy(&x, &bits, 4);
    return x;
}
INLINE double unordered_f64(int64_t bits) {
    bits ^= (bits >> 63) & 0x7FFFFFFFFFFFFFFF;
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

#define ROWS(s, t, i)                                                                                         \
    INLINE t largest_##s(const t *x, long n) {                                                                \
        i m = ordered_##s(-INFINITY);                                                                         \
        for (long j = 0; j < n; j++) m = ordered_##s(x[j]) > m ? ordered_##s(x[j]) : m;                       \
        return unordered_##s(m);                                                                              \
    }                                                                                                         \
    INLINE t total_##s(const t *x, long n) {                                                                  \
        _Pragma("clang fp reassociate(on)") t sum = 0;                                                        \
        for (long j = 0; j < n; j++) sum += x[j];                                                             \
        return sum;                                                                                           \
    }                                                                                                         \
    INLINE t product_##s(const t *x, const t *y, long n) {                                                    \
        _Pragma("clang fp reassociate(on)") t sum = 0;                                                        \
        for (long j = 0; j < n; j++) sum += x[j] * y[j];                                                      \
        return sum;                                                                                           \
    }                                                                                                         \
    INLINE void shift_##s(const t *x, t *out, long n) {                                                       \
        t m = largest_##s(x, n);                                                                              \
        for (long j = 0; j < n; j++) out[j] = x[j] - m;                                                       \
    }                                                                                                         \
    INLINE void exponentials_##s(const t *x, t *out, long n) {                                                \
        _Pragma("clang loop vectorize(assume_safety)") for (long j = 0; j < n; j++) out[j] = exp_##s##_(x[j]); \
    }                                                                                                         \
    CLONES void tributary_softmax_##s(const t *x, t *out, long rows, long n) {                                \
        long step = n > 0 && n < CHUNK ? CHUNK / n : 1;                                                       \
        for (long r = 0; r < rows; r += step) {                                                               \
            long end = r + step < rows ? r + step : rows;                                                     \
            for (long k = r; k < end; k++) shift_##s(x + k * n, out + k * n, n);                              \
            exponentials_##s(out + r * n, out + r * n, (end - r) * n);                                        \
            for (long k = r; k < end; k++) {                                                                  \
                t factor = 1 / total_##s(out + k * n, n);                                                     \
                for (long j = 0; j < n; j++) out[k * n + j] *= factor;                                        \
            }                                                                                                 \
        }                                                                                                     \
    }                                                                                                         \
    CLONES void tributary_log_softmax_##s(const t *x, t *out, long rows, long n) {                            \
        t buffer[CHUNK];                                                                                      \
        long step = n > 0 && n < CHUNK ? CHUNK / n : 1;                                                       \
        for (long r = 0; r < rows; r += step) {                                                               \
            long end = r + step < rows ? r + step : rows;                                                     \
            for (long k = r; k < end; k++) shift_##s(x + k * n, out + k * n, n);                              \
            if (n <= CHUNK) exponentials_##s(out + r * n, buffer, (end - r) * n);                             \
            for (long k = r; k < end; k++) {                                                                  \
                t sum = 0;                                                                                    \
                if (n <= CHUNK) {                                                                             \
                    sum = total_##s(buffer + (k - r) * n, n);                                                 \
                } else {                                                                                      \
                    for (long j = 0; j < n; j += CHUNK) {                                                     \
                        long part = n - j < CHUNK ? n - j : CHUNK;                                            \
                        exponentials_##s(out + k * n + j, buffer, part);                                      \
                        sum += total_##s(buffer, part);                                                       \
                    }                                                                                         \
                }                                                                                             \
                t offset = log(sum);                                                                          \
                for (long j = 0; j < n; j++) out[k * n + j] -= offset;                                        \
            }                                                                                                 \
        }                                                                                                     \
    }                                                                                                         \
    /* loss = sum(labels * (log(sum(exp(shifted))) - shifted)), backprop = softmax - labels. */               \
    CLONES void tributary_cross_entropy_##s(const t *x, long x_step, const t *labels, long label_step,        \
                                            t *loss, t *backprop, long rows, long n) {                        \
        long step = n > 0 && n < CHUNK ? CHUNK / n : 1;                                                       \
        for (long r = 0; r < rows; r += step) {                                                               \
            long end = r + step < rows ? r + step : rows;                                                     \
            for (long k = r; k < end; k++) {                                                                  \
                shift_##s(x + k * x_step, backprop + k * n, n);                                               \
                loss[k] = product_##s(labels + k * label_step, backprop + k * n, n);                          \
            }                                                                                                 \
            exponentials_##s(backprop + r * n, backprop + r * n, (end - r) * n);                              \
            for (long k = r; k < end; k++) {                                                                  \
                const t *label = labels + k * label_step;                                                     \
                t *row = backprop + k * n;                                                                    \
                t sum = total_##s(row, n), factor = 1 / sum;                                                  \
                loss[k] = (t)log(sum) * total_##s(label, n) - loss[k];                                        \
                for (long j = 0; j < n; j++) row[j] = row[j] * factor - label[j];                             \
            }                                                                                                 \
        }                                                                                                     \
    }                                                                                                         \
    CLONES void tributary_sparse_cross_entropy_##s(const t *x, const long *labels, t *loss, t *backprop,      \
                                                   long rows, long n) {                                       \
        long step = n > 0 && n < CHUNK ? CHUNK / n : 1;                                                       \
        for (long r = 0; r < rows; r += step) {                                                               \
            long end = r + step < rows ? r + step : rows;                                                     \
            for (long k = r; k < end; k++) {                                                                  \
                shift_##s(x + k * n, backprop + k * n, n);                                                    \
                loss[k] = backprop[k * n + labels[k]];                                                        \
            }                                                                                                 \
            exponentials_##s(backprop + r * n, backprop + r * n, (end - r) * n);                              \
            for (long k = r; k < end; k++) {                                                                  \
                t *row = backprop + k * n;                                                                    \
                t sum = total_##s(row, n), factor = 1 / sum;                                                  \
                loss[k] = (t)log(sum) - loss[k];                                                              \
                for (long j = 0; j < n; j++) row[j] *= factor;                                                \
                row[labels[k]] -= 1;                                                                          \
            }                                                                                                 \
        }                                                                                                     \
    }
ROWS(f32, float, int32_t)
ROWS(f64, double, int64_t)
