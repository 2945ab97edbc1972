#include "CKernels.h"
#include "approximations.h"

// Channels taken at a time: their largest elements so far stay in registers.
enum { BLOCK = 16 };

#define ROUTE(s, t, i)                                                                                             \
    INLINE void route_##s(const t *x, const t *dy, t *dx, long rows, long columns, long row_step, long channels,   \
                          long n) {                                                                                \
        t largest[BLOCK];                                                                                          \
        i place[BLOCK];                                                                                            \
        for (long c = 0; c < n; c++) largest[c] = x[c];                                                            \
        for (long c = 0; c < n; c++) place[c] = 0;                                                                 \
        for (long k = 0; k < rows * columns; k++) {                                                                \
            const t *values = x + k / columns * row_step + k % columns * channels;                                 \
            for (long c = 0; c < n; c++) {                                                                         \
                place[c] = largest[c] < values[c] ? (i)k : place[c];                                               \
                largest[c] = largest[c] < values[c] ? values[c] : largest[c];                                      \
            }                                                                                                      \
        }                                                                                                          \
        for (long k = 0; k < rows * columns; k++) {                                                                \
            t *target = dx + k / columns * row_step + k % columns * channels;                                      \
            for (long c = 0; c < n; c++) target[c] += place[c] == (i)k ? dy[c] : 0;                                \
        }                                                                                                          \
    }                                                                                                              \
    CLONES void tributary_route_to_largest_##s(const t *x, const t *restrict dy, t *restrict dx, long rows,        \
                                               long columns, long row_step, long channels) {                      \
        long c = 0;                                                                                                \
        for (; c + BLOCK <= channels; c += BLOCK)                                                                  \
            route_##s(x + c, dy + c, dx + c, rows, columns, row_step, channels, BLOCK);                            \
        if (c < channels) route_##s(x + c, dy + c, dx + c, rows, columns, row_step, channels, channels - c);       \
    }

ROUTE(f32, float, int32_t)
ROUTE(f64, double, int64_t)
