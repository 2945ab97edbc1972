#include "CKernels.h"
#include "approximations.h"

// Channels taken at a time: their largest elements so far stay in registers.
enum { BLOCK = 16 };

#define ROUTE(s, t, i)                                                                                             \
    INLINE void route_##s(const t *x, const t *dy, t *dx, long rows, long columns, long row_step, long channels,   \
                          long n, int adding) {                                                                    \
        t largest[BLOCK];                                                                                          \
        i place[BLOCK];                                                                                            \
        for (long c = 0; c < n; c++) largest[c] = x[c];                                                            \
        for (long c = 0; c < n; c++) place[c] = 0;                                                                 \
        i k = 0;                                                                                                   \
        for (long row = 0; row < rows; row++) {                                                                    \
            for (long column = 0; column < columns; column++, k++) {                                               \
                const t *values = x + row * row_step + column * channels;                                          \
                for (long c = 0; c < n; c++) {                                                                     \
                    place[c] = largest[c] < values[c] ? k : place[c];                                              \
                    largest[c] = largest[c] < values[c] ? values[c] : largest[c];                                  \
                }                                                                                                  \
            }                                                                                                      \
        }                                                                                                          \
        k = 0;                                                                                                     \
        for (long row = 0; row < rows; row++) {                                                                    \
            for (long column = 0; column < columns; column++, k++) {                                               \
                t *target = dx + row * row_step + column * channels;                                               \
                if (adding)                                                                                        \
                    for (long c = 0; c < n; c++) target[c] += place[c] == k ? dy[c] : 0;                           \
                else                                                                                               \
                    for (long c = 0; c < n; c++) target[c] = place[c] == k ? dy[c] : 0;                            \
            }                                                                                                      \
        }                                                                                                          \
    }                                                                                                              \
    CLONES void tributary_route_to_largest_##s(const t *x, const t *restrict dy, t *restrict dx, long rows,        \
                                               long columns, long row_step, long channels, int adding) {           \
        long c = 0;                                                                                                \
        for (; c + BLOCK <= channels; c += BLOCK)                                                                  \
            if (adding) route_##s(x + c, dy + c, dx + c, rows, columns, row_step, channels, BLOCK, 1);             \
            else route_##s(x + c, dy + c, dx + c, rows, columns, row_step, channels, BLOCK, 0);                    \
        if (c < channels)                                                                                          \
            route_##s(x + c, dy + c, dx + c, rows, columns, row_step, channels, channels - c, adding);             \
    }

ROUTE(f32, float, int32_t)
ROUTE(f64, double, int64_t)
