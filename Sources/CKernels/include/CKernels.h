#pragma once
#include "primitives.h"
#include "recurrent.h"
#include <stdint.h>

/// For each of `rows` rows of `columns` numbers: e^x over its sum. `out` may be `x`.
void tributary_softmax_f32(const float *x, float *out, long rows, long columns);
void tributary_softmax_f64(const double *x, double *out, long rows, long columns);

/// For each of `rows` rows: the logarithm of the softmax. `out` may be `x`.
void tributary_log_softmax_f32(const float *x, float *out, long rows, long columns);
void tributary_log_softmax_f64(const double *x, double *out, long rows, long columns);

/// For each of `rows` rows: the cross-entropy of the softmax of `x` with the distribution `labels`, and its gradient by x.
/// The operands move by `x_step` and `label_step` elements from row to row (0 repeats one row).
void tributary_cross_entropy_f32(const float *x, long x_step, const float *labels, long label_step, float *loss,
                                 float *backprop, long rows, long columns);
void tributary_cross_entropy_f64(const double *x, long x_step, const double *labels, long label_step, double *loss,
                                 double *backprop, long rows, long columns);

/// As above with a class in 0..<columns for each row.
void tributary_sparse_cross_entropy_f32(const float *x, const long *labels, float *loss, float *backprop, long rows,
                                        long columns);
void tributary_sparse_cross_entropy_f64(const double *x, const long *labels, double *loss, double *backprop, long rows,
                                        long columns);

/// Adds to `dx`, for each of `channels` channels, the element of `dy` where `x` has the first of the largest elements of a
/// window: `rows` rows `row_step` apart of `columns` pixels. A NaN that comes first stays, later ones are passed over.
/// Without `adding` the window's elements of `dx` become that, and 0 elsewhere.
void tributary_route_to_largest_f32(const float *x, const float *dy, float *dx, long rows, long columns, long row_step,
                                    long channels, int adding);
void tributary_route_to_largest_f64(const double *x, const double *dy, double *dx, long rows, long columns,
                                    long row_step, long channels, int adding);

/// A matrix of `k` × `n` floats, `row_step` and `column_step` elements apart, in panels of as many columns as this processor
/// multiplies at a time; 0 columns where it has no code for that. Panels `first_panel..<end_panel` are packed, the last one
/// filled up with zeros: `k` times the panels' columns in all.
long tributary_panel_columns(void);
void tributary_pack_f32(const float *b, long row_step, long column_step, float *packed, long n, long k, long first_panel,
                        long end_panel);

/// c = a · b or, `adding`, c += a · b for a packed b. `a` has `m` rows of `k` floats `a_step` apart, `c` of `n` floats
/// `c_step` apart. A row's result does not depend on the other rows.
void tributary_packed_product_f32(const float *a, long a_step, const float *packed, float *c, long c_step, long m,
                                  long n, long k, int adding);

/// Copies row index[k] of `from` to row k of `to`, or row k of `from` to row index[k] of `to`, for each k < n; rows have
/// `bytes` bytes.
void tributary_gather_rows(const void *from, const long *index, void *to, long n, long bytes);
void tributary_scatter_rows(const void *from, const long *index, void *to, long n, long bytes);

/// Asks for the first bytes of a row from memory, which will be needed soon.
static inline void tributary_fetch_row(const void *row, long bytes) {
    for (long i = 0; i < bytes && i < 256; i += 64) __builtin_prefetch((const char *)row + i, 1);
}

/// Rounds floats to bfloat16, to nearest, ties to even: into 16 bits, or into floats that hold such a number. A NaN stays one.
void tributary_to_bf16(const float *x, uint16_t *out, long n);
void tributary_round_to_bf16(const float *x, float *out, long n);

/// Cores that this process may run on. (Swift does not see the GNU extension that tells.)
int tributary_usable_cores(void);

/// Carries a CRC-32C (its register, which begins with all bits set and is inverted at the end) over `n` bytes by the
/// processor's own instruction. 0, and nothing is done, where it has none.
int tributary_crc32c(uint32_t *crc, const void *bytes, long n);

/// Whether all of `n` aligned numbers are finite.
int tributary_finite_f32(const void *numbers, long n);
int tributary_finite_f64(const void *numbers, long n);
int tributary_finite_bf16(const void *numbers, long n);

/// Bytes of stack that the calling thread has left; -1 if the system does not say.
long tributary_stack_left(void);

/// Calls `body` with `context` on a new thread with a stack of `size` bytes, and waits for its end. Yields 0, or the
/// `errno` of a thread that could not be made; `body` is not called then.
int tributary_call_on_stack(long size, void (*body)(void *), void *context);
