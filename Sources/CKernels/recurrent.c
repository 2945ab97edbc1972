#include "CKernels.h"
#include "approximations.h"

// No operand of these loops overlaps another except where it is read and written at the same place.
#define EACH(n) _Pragma("clang loop vectorize(assume_safety)") for (long j = 0; j < (n); j++)

#define RECURRENT(s, t)                                                                                       \
    CLONES void tributary_lstm_forward_##s(const struct tributary_lstm *lstm, const t *gates, const t *bias,  \
                                           const t *const *peepholes, const t *cs_prev, t *const *results,    \
                                           long at, long first, long end) {                                   \
        const long n = lstm->cells, c = lstm->cell_input, f = lstm->forget_gate, o = 3 * n;                   \
        const t forget_bias = (t)lstm->forget_bias, clip = lstm->clip > 0 ? (t)lstm->clip : (t)INFINITY;      \
        for (long row = first; row < end; row++) {                                                            \
            const t *g = gates + row * 4 * n, *previous = cs_prev + row * n;                                  \
            t *i_ = results[0] + at + row * n, *cs_ = results[1] + at + row * n;                              \
            t *f_ = results[2] + at + row * n, *o_ = results[3] + at + row * n;                               \
            t *ci_ = results[4] + at + row * n, *co_ = results[5] + at + row * n;                             \
            t *h_ = results[6] + at + row * n;                                                                \
            if (peepholes) {                                                                                  \
                const t *wci = peepholes[0], *wcf = peepholes[1];                                             \
                EACH(n) {                                                                                     \
                    i_[j] = sigmoid_##s##_(g[j] + bias[j] + previous[j] * wci[j]);                            \
                    f_[j] = sigmoid_##s##_(g[f + j] + bias[f + j] + forget_bias + previous[j] * wcf[j]);      \
                }                                                                                             \
            } else {                                                                                          \
                EACH(n) {                                                                                     \
                    i_[j] = sigmoid_##s##_(g[j] + bias[j]);                                                   \
                    f_[j] = sigmoid_##s##_(g[f + j] + bias[f + j] + forget_bias);                             \
                }                                                                                             \
            }                                                                                                 \
            EACH(n) {                                                                                         \
                t input = tanh_##s##_(g[c + j] + bias[c + j]);                                                \
                t state = input * i_[j] + f_[j] * previous[j];                                                \
                state = state < -clip ? -clip : state;                                                        \
                state = state > clip ? clip : state;                                                          \
                ci_[j] = input;                                                                               \
                cs_[j] = state;                                                                               \
                co_[j] = tanh_##s##_(state);                                                                  \
            }                                                                                                 \
            if (peepholes) {                                                                                  \
                const t *wco = peepholes[2];                                                                  \
                EACH(n) o_[j] = sigmoid_##s##_(g[o + j] + bias[o + j] + cs_[j] * wco[j]);                     \
            } else {                                                                                          \
                EACH(n) o_[j] = sigmoid_##s##_(g[o + j] + bias[o + j]);                                       \
            }                                                                                                 \
            EACH(n) h_[j] = o_[j] * co_[j];                                                                   \
        }                                                                                                     \
    }                                                                                                         \
    CLONES void tributary_lstm_backward_##s(const struct tributary_lstm *lstm, const t *const *peepholes,     \
                                            const t *cs_prev, const t *const *values, long at,                \
                                            const t *h_grad, t *cs_grad, t *gates_grad, long first,           \
                                            long end) {                                                       \
        const long n = lstm->cells, c = lstm->cell_input, f = lstm->forget_gate, o = 3 * n;                   \
        for (long row = first; row < end; row++) {                                                            \
            const long here = at + row * n;                                                                   \
            const t *i_ = values[0] + here, *f_ = values[2] + here, *o_ = values[3] + here;                   \
            const t *ci_ = values[4] + here, *co_ = values[5] + here;                                         \
            const t *dcs_ = values[6] + here, *dh_ = values[7] + here, *dh_next = h_grad + row * n;           \
            const t *previous = cs_prev + row * n;                                                            \
            t *dcs_next = cs_grad + row * n, *g = gates_grad + row * 4 * n;                                   \
            EACH(n) {                                                                                         \
                t dh = dh_[j] + dh_next[j];                                                                   \
                g[o + j] = o_[j] * (1 - o_[j]) * dh * co_[j];                                                 \
                dcs_next[j] = (1 - co_[j] * co_[j]) * dh * o_[j] + dcs_[j] + dcs_next[j];                     \
            }                                                                                                 \
            if (peepholes) {                                                                                  \
                const t *wco = peepholes[2];                                                                  \
                EACH(n) dcs_next[j] += g[o + j] * wco[j];                                                     \
            }                                                                                                 \
            EACH(n) {                                                                                         \
                t dcs = dcs_next[j];                                                                          \
                g[c + j] = (1 - ci_[j] * ci_[j]) * dcs * i_[j];                                               \
                g[f + j] = f_[j] * (1 - f_[j]) * dcs * previous[j];                                           \
                g[j] = i_[j] * (1 - i_[j]) * dcs * ci_[j];                                                    \
                dcs_next[j] = dcs * f_[j];                                                                    \
            }                                                                                                 \
            if (peepholes) {                                                                                  \
                const t *wci = peepholes[0], *wcf = peepholes[1];                                             \
                EACH(n) dcs_next[j] += g[j] * wci[j] + g[f + j] * wcf[j];                                     \
            }                                                                                                 \
        }                                                                                                     \
    }                                                                                                         \
    CLONES void tributary_gru_gates_##s(long n, const t *sums, const t *bias, const t *h_prev, t *r, t *u,    \
                                        t *reset, long first, long end) {                                     \
        for (long row = first; row < end; row++) {                                                            \
            const t *g = sums + row * 2 * n, *h_ = h_prev + row * n;                                          \
            t *r_ = r + row * n, *u_ = u + row * n, *reset_ = reset + row * n;                                \
            EACH(n) {                                                                                         \
                r_[j] = sigmoid_##s##_(g[j] + bias[j]);                                                       \
                u_[j] = sigmoid_##s##_(g[n + j] + bias[n + j]);                                               \
                reset_[j] = r_[j] * h_[j];                                                                    \
            }                                                                                                 \
        }                                                                                                     \
    }                                                                                                         \
    CLONES void tributary_gru_output_##s(long n, const t *bias, const t *h_prev, const t *u, t *c, t *h,      \
                                         long first, long end) {                                              \
        for (long row = first; row < end; row++) {                                                            \
            const t *before = h_prev + row * n, *u_ = u + row * n;                                            \
            t *c_ = c + row * n, *h_ = h + row * n;                                                           \
            EACH(n) {                                                                                         \
                c_[j] = tanh_##s##_(c_[j] + bias[j]);                                                         \
                h_[j] = u_[j] * before[j] + (1 - u_[j]) * c_[j];                                              \
            }                                                                                                 \
        }                                                                                                     \
    }
RECURRENT(f32, float)
RECURRENT(f64, double)
