#include "CKernels.h"
#include "approximations.h"

// Rows so far ahead are asked for from memory before they are needed.
enum { AHEAD = 8, LINE = 64 };

INLINE void fetch_row(const char *row, long bytes) {
    for (long i = 0; i < bytes && i < 4 * LINE; i += LINE) __builtin_prefetch(row + i);
}

// Rows are short: a call of memcpy would take longer than the copy.
INLINE void copy_row(const char *from, char *to, long bytes) {
    long i = 0;
    for (; i + 32 <= bytes; i += 32) memcpy(to + i, from + i, 32);
    for (; i + 4 <= bytes; i += 4) memcpy(to + i, from + i, 4);
    for (; i < bytes; i++) to[i] = from[i];
}

CLONES void tributary_gather_rows(const void *from, const long *index, void *to, long n, long bytes) {
    for (long k = 0; k < n; k++) {
        if (k + AHEAD < n) fetch_row((const char *)from + index[k + AHEAD] * bytes, bytes);
        copy_row((const char *)from + index[k] * bytes, (char *)to + k * bytes, bytes);
    }
}

CLONES void tributary_scatter_rows(const void *from, const long *index, void *to, long n, long bytes) {
    for (long k = 0; k < n; k++) copy_row((const char *)from + k * bytes, (char *)to + index[k] * bytes, bytes);
}
