#pragma once
/// How a row of an LSTM's gates is laid out: four groups of `cells` numbers, the input gate first, the output gate last.
struct tributary_lstm {
    long cells;
    /// Where in a row the cell input and the forget gate begin.
    long cell_input, forget_gate;
    double forget_bias;
    /// The cell state is kept within ±clip; 0 or less does not clip.
    double clip;
};

/// One step of an LSTM for the rows `first..<end` (examples) of a batch. `gates` holds the products of inputs and weights,
/// without `bias`. `peepholes` are the weights (wci, wcf, wco), or NULL for none. The seven results (i, cs, f, o, ci, co,
/// h) have rows of `cells` numbers and begin at `results[k] + at`.
void tributary_lstm_forward_f32(const struct tributary_lstm *lstm, const float *gates, const float *bias,
                                const float *const *peepholes, const float *cs_prev, float *const *results, long at,
                                long first, long end);
void tributary_lstm_forward_f64(const struct tributary_lstm *lstm, const double *gates, const double *bias,
                                const double *const *peepholes, const double *cs_prev, double *const *results, long at,
                                long first, long end);

/// The gradient of such a step. `values` are (i, cs, f, o, ci, co) and what arrives for cs and h, each beginning at
/// `values[k] + at`. To that are added `h_grad` and `cs_grad`, what the step after this one passes back; `cs_grad` then
/// becomes the gradient by cs_prev. `gates_grad` becomes the gradient by the gates before their functions.
void tributary_lstm_backward_f32(const struct tributary_lstm *lstm, const float *const *peepholes,
                                 const float *cs_prev, const float *const *values, long at, const float *h_grad,
                                 float *cs_grad, float *gates_grad, long first, long end);
void tributary_lstm_backward_f64(const struct tributary_lstm *lstm, const double *const *peepholes,
                                 const double *cs_prev, const double *const *values, long at, const double *h_grad,
                                 double *cs_grad, double *gates_grad, long first, long end);

/// The gates of a GRU for the rows `first..<end`: (r, u) = σ(sums + bias) of rows of 2 · cells numbers; `reset` becomes
/// r · h_prev.
void tributary_gru_gates_f32(long cells, const float *sums, const float *bias, const float *h_prev, float *r, float *u,
                             float *reset, long first, long end);
void tributary_gru_gates_f64(long cells, const double *sums, const double *bias, const double *h_prev, double *r,
                             double *u, double *reset, long first, long end);

/// The result of a GRU for the rows `first..<end`: c holds products of inputs and weights and becomes tanh(c + bias);
/// h = u · h_prev + (1 − u) · c.
void tributary_gru_output_f32(long cells, const float *bias, const float *h_prev, const float *u, float *c, float *h,
                              long first, long end);
void tributary_gru_output_f64(long cells, const double *bias, const double *h_prev, const double *u, double *c,
                              double *h, long first, long end);
