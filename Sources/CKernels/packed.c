#include "CKernels.h"
#include "approximations.h"

// A product with a packed matrix: tiles of some rows and two vectors of columns, whose sums stay in registers while both
// factors pass by (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).

// Rows of the packed matrix that are passed at a time: of a panel they stay in the first-level cache.
enum { DEPTH = 256, MOST_ROWS = 12, MOST_COLUMNS = 32 };

#if defined(__x86_64__)

// ROWS is known when this is compiled, so that `sums` are registers.
#define TILE(vector, rows)                                                                                         \
    for (long p = 0; p < depth; p++) {                                                                             \
        const vector *right = (const vector *)(b + p * 2 * (long)(sizeof(vector) / sizeof(float)));                \
        vector b0 = right[0], b1 = right[1];                                                                       \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < (rows); i++) {                                      \
            float x = a[i * a_step + p];                                                                           \
            sums[i][0] += b0 * x;                                                                                  \
            sums[i][1] += b1 * x;                                                                                  \
        }                                                                                                          \
    }

#define PACKED(name, vector, bytes, most, features)                                                                \
    typedef float vector __attribute__((vector_size(bytes), aligned(4)));                                          \
    __attribute__((target(features))) INLINE void name##_tile(const float *a, long a_step, const float *b,         \
                                                              long depth, float *c, long c_step, const int rows,   \
                                                              int adding) {                                        \
        vector sums[most][2];                                                                                      \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) sums[i][0] = sums[i][1] = (vector){};    \
        TILE(vector, rows)                                                                                         \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < rows; i++) {                                        \
            vector *to = (vector *)(c + i * c_step);                                                               \
            to[0] = adding ? to[0] + sums[i][0] : sums[i][0];                                                      \
            to[1] = adding ? to[1] + sums[i][1] : sums[i][1];                                                      \
        }                                                                                                          \
    }                                                                                                              \
    __attribute__((target(features))) static void name##_rows(const float *a, long a_step, const float *b,         \
                                                              long depth, float *c, long c_step, long rows,        \
                                                              int adding) {                                        \
        /* The narrow tile is never asked for 8 or 12 rows: its registers end at `most`. */                        \
        switch (rows) {                                                                                            \
        case 1: name##_tile(a, a_step, b, depth, c, c_step, 1, adding); break;                                     \
        case 2: name##_tile(a, a_step, b, depth, c, c_step, 2, adding); break;                                     \
        case 3: name##_tile(a, a_step, b, depth, c, c_step, 3, adding); break;                                     \
        case 4: name##_tile(a, a_step, b, depth, c, c_step, 4, adding); break;                                     \
        case 5: name##_tile(a, a_step, b, depth, c, c_step, 5, adding); break;                                     \
        case 6: name##_tile(a, a_step, b, depth, c, c_step, 6, adding); break;                                     \
        case 8: name##_tile(a, a_step, b, depth, c, c_step, 8 < most ? 8 : most, adding); break;                   \
        case 12: name##_tile(a, a_step, b, depth, c, c_step, 12 < most ? 12 : most, adding); break;                \
        }                                                                                                          \
    }

PACKED(narrow, vector8, 32, 6, "avx2,fma")
PACKED(wide, vector16, 64, 12, "avx512f")

static int is_wide(void) { return __builtin_cpu_supports("avx512f") != 0; }

long tributary_panel_columns(void) {
    if (is_wide()) return 32;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 16 : 0;
}

// The rows of the next tile, of those that have code.
static long next_rows(long left, int wide) {
    if (!wide) return left < 6 ? left : 6;
    return left >= 12 ? 12 : left >= 8 ? 8 : left < 6 ? left : 6;
}

void tributary_packed_product_f32(const float *a, long a_step, const float *packed, float *c, long c_step, long m,
                                  long n, long k, int adding) {
    const int wide = is_wide();
    const long width = wide ? 32 : 16, panels = (n + width - 1) / width;
    float edge[MOST_ROWS * MOST_COLUMNS];
    for (long top = 0; top < k; top += DEPTH) {
        long depth = k - top < DEPTH ? k - top : DEPTH;
        int adds = adding || top > 0;
        for (long panel = 0; panel < panels; panel++) {
            const float *b = packed + top * panels * width + panel * depth * width;
            long first = panel * width, columns = n - first < width ? n - first : width;
            for (long i = 0, rows; i < m; i += rows) {
                rows = next_rows(m - i, wide);
                float *to = c + i * c_step + first;
                long step = c_step;
                // A panel that reaches over the last column is computed aside.
                if (columns < width) {
                    if (adds)
                        for (long r = 0; r < rows; r++) memcpy(edge + r * width, to + r * c_step, columns * sizeof(float));
                    to = edge;
                    step = width;
                }
                if (wide) wide_rows(a + i * a_step + top, a_step, b, depth, to, step, rows, adds);
                else narrow_rows(a + i * a_step + top, a_step, b, depth, to, step, rows, adds);
                if (columns < width)
                    for (long r = 0; r < rows; r++)
                        memcpy(c + (i + r) * c_step + first, edge + r * width, columns * sizeof(float));
            }
        }
    }
}

#else

long tributary_panel_columns(void) { return 0; }
void tributary_packed_product_f32(const float *a, long a_step, const float *packed, float *c, long c_step, long m,
                                  long n, long k, int adding) {}

#endif

void tributary_pack_f32(const float *b, long row_step, long column_step, float *packed, long n, long k, long first_panel,
                        long end_panel) {
    const long width = tributary_panel_columns();
    if (width == 0) return;
    const long panels = (n + width - 1) / width;
    for (long top = 0; top < k; top += DEPTH) {
        long depth = k - top < DEPTH ? k - top : DEPTH;
        for (long panel = first_panel; panel < end_panel; panel++) {
            float *to = packed + top * panels * width + panel * depth * width;
            const float *from = b + top * row_step + panel * width * column_step;
            long columns = n - panel * width < width ? n - panel * width : width;
            if (columns < width) memset(to, 0, depth * width * sizeof(float));
            if (column_step == 1) {
                for (long p = 0; p < depth; p++) memcpy(to + p * width, from + p * row_step, columns * sizeof(float));
            } else {
                for (long j = 0; j < columns; j++)
                    for (long p = 0; p < depth; p++) to[p * width + j] = from[p * row_step + j * column_step];
            }
        }
    }
}
