#!/usr/bin/env python3
"""Writes graphs with functions and lists of tensors as TensorFlow makes them: cases for `tributary graph check`.

    make_function_graphs.py FOLDER [NAME …]

Control flow is TensorFlow's second version (functions), as in `tf.function` and under `enable_control_flow_v2()`; Defun is
the first version's functions. The folders are as make_training_graphs.py writes them.
"""
import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # tf.keras and rnn cells of TensorFlow 1 graphs: needs tf_keras

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import function as legacy
from tensorflow.python.ops import gen_functional_ops, gen_list_ops, list_ops

import make_training_graphs
from make_training_graphs import Case, numbers, v1, variable

CASES = {}


def case(function):
    """Under control flow v2."""

    def build():
        v1.enable_control_flow_v2()
        v1.set_random_seed(7)
        tf.keras.utils.set_random_seed(7)
        try:
            return function()
        finally:
            v1.disable_control_flow_v2()

    CASES[function.__name__] = build
    return build


def trained(loss, feeds, fetches=(), steps=5, rate=0.1, rtol=1e-3):
    train = v1.train.GradientDescentOptimizer(rate).minimize(loss)
    values = [v.value() if hasattr(v, "value") else v for v in v1.trainable_variables()]
    return Case([loss, *fetches, *values], feeds, train, steps, rtol)


# Lists of tensors: each operation, with its gradient


def of_list(name, build, shape=(4, 3), dtype=np.float64):
    """A list made from x; the fetches are functions of it, and the gradient of all by x."""

    @case
    def made():
        x = v1.placeholder(dtype, shape, name="x")
        results = build(x)
        results = list(results) if isinstance(results, (list, tuple)) else [results]
        total = tf.add_n([tf.reduce_sum(tf.sin(r) * tf.cast(tf.reshape(tf.range(tf.size(r)), tf.shape(r)) + 1, r.dtype)) for r in results if r.dtype.is_floating])
        slope = v1.gradients(total, x)[0]
        return Case(results + ([slope] if slope is not None else []), {x: numbers(len(name), *shape).astype(dtype)})

    CASES["list_" + name] = CASES.pop("made")


of_list("stack", lambda x: list_ops.tensor_list_stack(list_ops.tensor_list_from_tensor(x * x, [3]), tf.float64, num_elements=4))
of_list("get_set", lambda x: [
    list_ops.tensor_list_stack(list_ops.tensor_list_set_item(list_ops.tensor_list_from_tensor(x, [3]), 1, x[0] * x[2]), tf.float64),
    list_ops.tensor_list_get_item(list_ops.tensor_list_from_tensor(x, [3]), 2, tf.float64)])
of_list("vacant", lambda x: [
    list_ops.tensor_list_stack(list_ops.tensor_list_set_item(list_ops.tensor_list_reserve([3], 5, tf.float64), 3, x[1] * 2.0), tf.float64),
    list_ops.tensor_list_get_item(list_ops.tensor_list_reserve([2], 2, tf.float64), 1, tf.float64, element_shape=[2])])
of_list("grow", lambda x: list_ops.tensor_list_stack(
    gen_list_ops.tensor_list_set_item(list_ops.tensor_list_from_tensor(x, [3]), 6, x[0] * 3.0, resize_if_index_out_of_bounds=True), tf.float64))
of_list("resize", lambda x: [
    list_ops.tensor_list_stack(list_ops.tensor_list_resize(list_ops.tensor_list_from_tensor(x, [3]), 2), tf.float64),
    list_ops.tensor_list_stack(list_ops.tensor_list_resize(list_ops.tensor_list_from_tensor(x * x, [3]), 6), tf.float64)])


def pushing(x):
    made = list_ops.empty_tensor_list([3], tf.float64, max_num_elements=5)
    for i in range(3):
        made = list_ops.tensor_list_push_back(made, x[i] * float(i + 1))
    rest, last = list_ops.tensor_list_pop_back(made, tf.float64)
    return [list_ops.tensor_list_stack(rest, tf.float64), last, list_ops.tensor_list_length(rest)]


of_list("push_pop", pushing)
of_list("gather", lambda x: list_ops.tensor_list_gather(list_ops.tensor_list_from_tensor(x * x, [3]), [2, 0, 2], tf.float64, element_shape=[3]))
# In float32: TensorFlow 2.21 ends the process on the gradient of float64.
of_list("scatter", lambda x: [
    list_ops.tensor_list_stack(list_ops.tensor_list_scatter(x, [3, 0, 1, 5], [3]), tf.float32, element_shape=[3]),
    list_ops.tensor_list_stack(gen_list_ops.tensor_list_scatter_v2(x * 2.0, [3, 0, 1, 5], tf.constant([3]), 8), tf.float32, element_shape=[3]),
    list_ops.tensor_list_stack(list_ops.tensor_list_scatter(x * x, [3, 0, 1, 2], input_handle=list_ops.tensor_list_from_tensor(x, [3])), tf.float32, element_shape=[3])], dtype=np.float32)
of_list("split_concat", lambda x: [
    list_ops.tensor_list_concat(list_ops.tensor_list_split(x * x, None, [1, 0, 3]), tf.float64),
    list_ops.tensor_list_concat(list_ops.tensor_list_split(x, [-1, 3], [2, 2]), tf.float64, element_shape=[None, 3])])
of_list("concat_vacant", lambda x: gen_list_ops.tensor_list_concat_v2(
    list_ops.tensor_list_set_item(list_ops.tensor_list_reserve([-1, 3], 3, tf.float64), 1, x), element_shape=tf.constant([-1, 3]),
    leading_dims=tf.constant([2, 0, 1], tf.int64), element_dtype=tf.float64))
of_list("element_shape", lambda x: [
    list_ops.tensor_list_element_shape(list_ops.empty_tensor_list([2, -1], tf.float64), tf.int32),
    list_ops.tensor_list_element_shape(list_ops.empty_tensor_list(None, tf.float64), tf.int64),
    list_ops.tensor_list_stack(list_ops.tensor_list_from_tensor(x, [3]), tf.float64)])
of_list("concat_lists", lambda x: list_ops.tensor_list_stack(list_ops.tensor_list_concat_lists(
    list_ops.tensor_list_from_tensor(tf.stop_gradient(x), [3]), list_ops.tensor_list_from_tensor(tf.stop_gradient(x * x), [3]), tf.float64), tf.float64) + tf.reduce_sum(x))
of_list("nested", lambda x: list_ops.tensor_list_stack(gen_list_ops.tensor_list_pop_back(list_ops.tensor_list_push_back(
    list_ops.empty_tensor_list([], tf.variant), list_ops.tensor_list_from_tensor(x * x, [3])), tf.constant([], tf.int32), tf.variant)[1], tf.float64, element_shape=[3]))
of_list("batch", lambda x: list_ops.tensor_list_stack(tf.unstack(list_ops.tensor_list_push_back_batch(
    tf.stack([list_ops.empty_tensor_list([3], tf.float64) for _ in range(4)]), tf.stop_gradient(x)))[2], tf.float64) + tf.reduce_sum(x))
of_list("add_n", lambda x: list_ops.tensor_list_stack(tf.add_n([list_ops.tensor_list_from_tensor(x, [3]), list_ops.tensor_list_from_tensor(x * x, [3])]), tf.float64))
of_list("zeros_like", lambda x: list_ops.tensor_list_stack(tf.zeros_like(list_ops.tensor_list_from_tensor(tf.stop_gradient(x), [3])), tf.float64) + x)
of_list("of_ints", lambda x: [tf.cast(list_ops.tensor_list_stack(list_ops.tensor_list_from_tensor(tf.constant([[1, 2], [3, 4]]), [2]), tf.int32), tf.float64) * x[0, 0]])


# Loops


def dynamic(cell_type, steps=5):
    def build():
        x = v1.placeholder(tf.float32, [2, 5, 3], name="x")
        lengths = v1.placeholder(tf.int32, [2], name="n")
        cell = cell_type(4)
        outputs, _ = v1.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=tf.float32)
        loss = tf.reduce_mean(tf.square(outputs - 0.3))
        return trained(loss, {x: numbers(41, 2, 5, 3), lengths: np.array([5, 3], np.int32)}, [outputs], steps)

    return build


@case
def dynamic_rnn_basic():
    return dynamic(v1.nn.rnn_cell.BasicRNNCell)()


@case
def dynamic_rnn_lstm():
    return dynamic(v1.nn.rnn_cell.LSTMCell)()


@case
def dynamic_rnn_gru():
    return dynamic(v1.nn.rnn_cell.GRUCell)()


@case
def bidirectional_rnn():
    x = v1.placeholder(tf.float32, [2, 4, 3], name="x")
    make = lambda: v1.nn.rnn_cell.GRUCell(3)
    (a, b), _ = v1.nn.bidirectional_dynamic_rnn(make(), make(), x, dtype=tf.float32, sequence_length=[4, 2])
    loss = tf.reduce_mean(tf.square(tf.concat([a, b], 2) - 0.2))
    return trained(loss, {x: numbers(42, 2, 4, 3)}, [a, b])


@case
def multi_layer_rnn_time_major():
    x = v1.placeholder(tf.float32, [None, None, 3], name="x")
    cells = v1.nn.rnn_cell.MultiRNNCell([v1.nn.rnn_cell.LSTMCell(3), v1.nn.rnn_cell.GRUCell(2)])
    outputs, state = v1.nn.dynamic_rnn(cells, x, dtype=tf.float32, time_major=True)
    loss = tf.reduce_sum(tf.square(outputs)) + tf.reduce_mean(state[1])
    return trained(loss, {x: numbers(43, 4, 2, 3)}, [outputs], rate=0.05)


def keras_layer(name, make):
    @case
    def made():
        x = v1.placeholder(tf.float32, [2, 4, 3], name="x")
        layer = make()
        y = layer(x)
        loss = tf.reduce_mean(tf.square(y - 0.2))
        train = v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss, var_list=layer.trainable_weights)
        return Case([loss, y] + [tf.convert_to_tensor(w) for w in layer.trainable_weights], {x: numbers(44, 2, 4, 3)}, train, 4, 1e-3)

    CASES["keras_" + name] = CASES.pop("made")


keras_layer("lstm", lambda: tf.keras.layers.LSTM(3, recurrent_initializer="glorot_uniform", return_sequences=True))
keras_layer("gru", lambda: tf.keras.layers.GRU(3, recurrent_initializer="glorot_uniform"))
keras_layer("gru_v1", lambda: tf.keras.layers.GRU(3, recurrent_initializer="glorot_uniform", reset_after=False, return_sequences=True))
keras_layer("simple", lambda: tf.keras.layers.SimpleRNN(3, recurrent_initializer="glorot_uniform", return_sequences=True))
keras_layer("bidirectional", lambda: tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(2, recurrent_initializer="glorot_uniform", return_sequences=True)))
keras_layer("stacked", lambda: tf.keras.Sequential([tf.keras.layers.LSTM(3, recurrent_initializer="glorot_uniform", return_sequences=True), tf.keras.layers.LSTM(2, recurrent_initializer="glorot_uniform"), tf.keras.layers.Dense(1)]))


@case
def scan_training():
    x = v1.placeholder(tf.float32, [6, 2], name="x")
    w = variable("w", numbers(6, 2, 2), resource=True)
    states = tf.scan(lambda h, row: tf.tanh(tf.linalg.matvec(w, h) + row), x, initializer=tf.zeros([2]))
    return trained(tf.reduce_sum(states[-1]), {x: numbers(7, 6, 2)}, [states])


@case
def scan_reversed_tuple():
    x = v1.placeholder(tf.float32, [5, 2], name="x")
    a, b = tf.scan(lambda s, e: (s[0] * 0.5 + e, s[1] + s[0] * e), x, (tf.zeros([2]), tf.ones([2])), reverse=True)
    return Case([a, b, v1.gradients(tf.reduce_sum(a * b), x)[0]], {x: numbers(8, 5, 2)})


@case
def folds():
    x = v1.placeholder(tf.float32, [5, 2], name="x")
    a = tf.foldl(lambda s, e: s * 0.7 + tf.sin(e), x)
    b = tf.foldr(lambda s, e: s * e + 0.3, x, tf.ones([2]))
    return Case([a, b, v1.gradients(tf.reduce_sum(a) + tf.reduce_sum(b * b), x)[0]], {x: numbers(9, 5, 2)})


@case
def map_fn_cases():
    x = v1.placeholder(tf.float32, [None, 2], name="x")
    w = variable("w", numbers(10, 2, 3))
    a = tf.map_fn(lambda row: tf.tanh(tf.linalg.matvec(w, row, transpose_a=True)), x)
    b, c = tf.map_fn(lambda p: (p[0] * 2, tf.reduce_sum(p[1])), (x, x * x), dtype=(tf.float32, tf.float32))
    loss = tf.reduce_sum(a * a) + tf.reduce_sum(b) * tf.reduce_sum(c)
    return trained(loss, {x: numbers(11, 4, 2)}, [a, b, c, v1.gradients(loss, x)[0]], rate=0.01)


@case
def map_fn_nested():
    x = v1.placeholder(tf.float32, [3, 4], name="x")
    y = tf.map_fn(lambda row: tf.map_fn(lambda e: tf.sin(e) * tf.reduce_sum(row), row), x)
    return Case([y, v1.gradients(y, x)[0]], {x: numbers(12, 3, 4)})


@case
def tensor_array_styles():
    x = v1.placeholder(tf.float32, [6, 2], name="x")
    a = tf.TensorArray(tf.float32, size=0, dynamic_size=True, clear_after_read=False, element_shape=[2])
    for i in range(3):
        a = a.write(i, x[i] * x[i + 1])
    gathered = a.gather([2, 0])
    read = a.read(1) * 3.0
    b = tf.TensorArray(tf.float32, size=3, infer_shape=False).split(x, [1, 2, 3])
    c = tf.TensorArray(tf.float32, size=6).unstack(x * x)
    d = tf.TensorArray(tf.float32, size=8).scatter([7, 1, 0, 2, 4, 5], x)
    results = [a.stack(), gathered, read, b.concat(), c.stack(), c.size(), d.gather([7, 1, 5])]
    total = tf.add_n([tf.reduce_sum(tf.sin(r)) for r in results if r.dtype == tf.float32])
    return Case(results + [v1.gradients(total, x)[0]], {x: numbers(13, 6, 2)})


@case
def while_tensor_array_loop():
    x = v1.placeholder(tf.float32, [5, 3], name="x")
    w = variable("w", numbers(14, 3, 3), resource=True)
    source = tf.TensorArray(tf.float32, 5).unstack(x)

    def body(i, h, out):
        h = tf.tanh(tf.linalg.matvec(w, h) + source.read(i))
        return i + 1, h, out.write(i, h * h)

    _, h, out = tf.while_loop(lambda i, *_: i < 5, body, [0, tf.zeros([3]), tf.TensorArray(tf.float32, 5)])
    return trained(tf.reduce_mean(out.stack()) + tf.reduce_sum(h), {x: numbers(15, 5, 3)}, [out.stack()])


@case
def while_data_dependent():
    x = v1.placeholder(tf.float32, [3], name="x")
    n = v1.placeholder(tf.int32, [], name="n")
    count, y = tf.while_loop(lambda i, y: tf.logical_and(i < n, tf.reduce_sum(y * y) < 50.0), lambda i, y: (i + 1, y * 1.5 + x), [0, x], maximum_iterations=7)
    return Case([count, y, v1.gradients(y, x)[0]], {x: numbers(16, 3), n: np.int32(20)})


@case
def while_no_iterations():
    x = v1.placeholder(tf.float32, [3], name="x")
    _, y = tf.while_loop(lambda i, y: i < 0, lambda i, y: (i + 1, y * x), [0, x * 2])
    return Case([y, v1.gradients(y, x)[0]], {x: numbers(17, 3)})


@case
def while_growing():
    x = v1.placeholder(tf.float32, [1, 2], name="x")
    _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.concat([y, y * 0.5], 0)), [0, x], shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 2])])
    return Case([y, v1.gradients(tf.reduce_sum(y * y), x)[0]], {x: numbers(18, 1, 2)})


@case
def nested_while_cond_training():
    x = v1.placeholder(tf.float32, [3, 2], name="x")
    w = variable("w", numbers(19, 2, 2), resource=True)
    b = variable("b", numbers(20, 2), resource=True)

    def inner(j, h):
        return j + 1, tf.cond(tf.equal(j % 2, 0), lambda: tf.tanh(tf.matmul(h, w) + b), lambda: h * 0.9)

    def outer(i, h):
        return i + 1, tf.while_loop(lambda j, _: j < i + 2, inner, [0, h])[1] + x * 0.1

    _, h = tf.while_loop(lambda i, _: i < 3, outer, [0, x])
    return trained(tf.reduce_mean(tf.square(h - 0.1)), {x: numbers(21, 3, 2)}, [h])


@case
def loop_assigns_variable():
    w = variable("w", numbers(22, 2), resource=True)
    x = v1.placeholder(tf.float32, [2], name="x")

    def body(i, s):
        with tf.control_dependencies([w.assign_add(x * tf.cast(i, tf.float32))]):
            return i + 1, s + w.read_value()

    _, s = tf.while_loop(lambda i, _: i < 4, body, [0, tf.zeros([2])], parallel_iterations=1)
    with tf.control_dependencies([s]):
        after = w.read_value()
    return Case([s, after], {x: numbers(23, 2)})


# Second derivatives


@case
def second_while():
    x = v1.placeholder(tf.float64, [3], name="x")
    _, y = tf.while_loop(lambda i, _: i < 4, lambda i, y: (i + 1, tf.sin(y) * x), [0, x * x])
    g = v1.gradients(y, x)[0]
    h = v1.gradients(tf.reduce_sum(g * [1.0, 2.0, -1.0]), x)[0]
    return Case([y, g, h], {x: numbers(24, 3).astype(np.float64)}, rtol=1e-8)


@case
def second_while_nested():
    x = v1.placeholder(tf.float64, [2], name="x")

    def outer(i, s):
        return i + 1, tf.while_loop(lambda j, _: j < i + 1, lambda j, a: (j + 1, tf.tanh(a * x + 1.0)), [0, s])[1] + s

    _, y = tf.while_loop(lambda i, _: i < 3, outer, [0, x * 1.0])
    g = v1.gradients(tf.reduce_sum(y), x)[0]
    return Case([y, g, v1.gradients(tf.reduce_sum(g * g), x)[0]], {x: numbers(25, 2).astype(np.float64)}, rtol=1e-8)


@case
def second_cond_in_while():
    x = v1.placeholder(tf.float64, [2], name="x")
    _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.cond(i > 0, lambda: y * tf.exp(x), lambda: tf.sin(y))), [0, x])
    g = v1.gradients(y, x)[0]
    return Case([y, g, v1.gradients(g, x)[0]], {x: numbers(26, 2).astype(np.float64)}, rtol=1e-8)


@case
def third_while():
    x = v1.placeholder(tf.float64, [], name="x")
    _, y = tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, y * tf.sin(x)), [0, x])
    g = v1.gradients(y, x)[0]
    h = v1.gradients(g, x)[0]
    return Case([y, g, h, v1.gradients(h, x)[0]], {x: np.float64(0.7)}, rtol=1e-8)


# Choices


@case
def switch_case_training():
    x = v1.placeholder(tf.float32, [3], name="x")
    k = v1.placeholder(tf.int32, [], name="k")
    a, b = variable("a", numbers(27, 3), resource=True), variable("b", numbers(28, 3))
    y = tf.switch_case(k, {0: lambda: x * a, 1: lambda: tf.exp(b) * x, 2: lambda: a * b}, default=lambda: x)
    return trained(tf.reduce_sum(tf.square(y - 1.0)), {x: numbers(29, 3), k: np.int32(2)}, [y])


@case
def switch_case_beyond():
    x = v1.placeholder(tf.float32, [3], name="x")
    ys = [tf.switch_case(tf.constant(k), [lambda: x, lambda: x * 2, lambda: tf.exp(x)]) for k in (-1, 0, 1, 2, 9)]
    return Case(ys + [v1.gradients(ys, x)[0]], {x: numbers(30, 3)})


@case
def case_of_predicates():
    x = v1.placeholder(tf.float32, [3], name="x")
    s = tf.reduce_sum(x)
    y = tf.case([(s > 10.0, lambda: x), (s > -5.0, lambda: tf.square(x))], default=lambda: -x)
    return Case([y, v1.gradients(y, x)[0]], {x: numbers(31, 3)})


@case
def cond_nested_structures():
    x = v1.placeholder(tf.float32, [3], name="x")
    w = variable("w", numbers(32, 3), resource=True)

    def yes():
        return tf.cond(x[0] > 5.0, lambda: (x * w, tf.reduce_sum(w)), lambda: (tf.sin(x) * w, w[0] * 2.0))

    a, b = tf.cond(tf.reduce_sum(x) < 100.0, yes, lambda: (x, tf.constant(1.0)))
    return trained(tf.reduce_sum(a) * b, {x: numbers(33, 3)}, [a, b])


@case
def cond_passes_arrays():
    x = v1.placeholder(tf.float32, [4, 2], name="x")
    a = tf.TensorArray(tf.float32, 4).unstack(x)
    flow = tf.cond(tf.reduce_sum(x) < 100.0, lambda: a.write(0, x[1] * 2).flow, lambda: a.flow)
    result = a.from_flow(flow) if hasattr(a, "from_flow") else None
    handle = tf.cond(tf.reduce_sum(x) < 100.0, lambda: list_ops.tensor_list_from_tensor(x * x, [2]), lambda: list_ops.tensor_list_from_tensor(x, [2]))
    y = list_ops.tensor_list_stack(handle, tf.float32, element_shape=[2])
    del flow, result
    return Case([y, v1.gradients(tf.reduce_sum(y * y), x)[0]], {x: numbers(34, 4, 2)})


# Calls


@case
def functions_with_variables():
    x = v1.placeholder(tf.float32, [2, 3], name="x")
    w = variable("w", numbers(35, 3, 2), resource=True)

    @tf.function
    def layer(a):
        return tf.tanh(tf.matmul(a, w))

    @tf.function
    def model(a):
        h = layer(a)
        for _ in tf.range(2):
            h = layer(tf.concat([h, h[:, :1]], 1))
        return h

    y = model(x)
    return trained(tf.reduce_mean(tf.square(y - 0.5)), {x: numbers(36, 2, 3)}, [y])


@case
def functions_that_assign():
    w = variable("w", numbers(37, 2), resource=True)
    x = v1.placeholder(tf.float32, [2], name="x")

    @tf.function
    def update(a):
        w.assign_add(a)
        return w * 2.0

    y = update(x)
    with tf.control_dependencies([y]):
        z = update(x * 2.0)
    return Case([y, z], {x: numbers(38, 2)})


@case
def autograph_loops():
    x = v1.placeholder(tf.float32, [4], name="x")

    @tf.function
    def collatz(a):
        steps = 0
        while tf.reduce_sum(a) < 20.0:
            if steps % 2 == 0:
                a = a * 1.5 + 1.0
            else:
                a = tf.abs(a) + 0.5
            steps += 1
        return a, steps

    y, n = collatz(x)
    return Case([y, n, v1.gradients(y, x)[0]], {x: numbers(39, 4)})


@case
def custom_gradient_in_function():
    x = v1.placeholder(tf.float32, [3], name="x")

    @tf.custom_gradient
    def clipped(a):
        return a * a, lambda g: tf.clip_by_value(g * 2.0 * a, -0.5, 0.5)

    @tf.function
    def f(a):
        return clipped(a) * 3.0

    y = f(x)
    return Case([y, v1.gradients(y, x)[0]], {x: numbers(40, 3)})


def defun(function):
    """Under control flow v1."""
    CASES[function.__name__] = function
    return function


@defun
def defun_plain():
    x = v1.placeholder(tf.float32, [3], name="x")
    w = variable("w", numbers(41, 3))

    @legacy.Defun(tf.float32, tf.float32)
    def swish(a, b):
        return a * tf.sigmoid(a * b)

    y = swish(x, w)
    return trained(tf.reduce_sum(tf.square(y - 1.0)), {x: numbers(42, 3)}, [y])


@defun
def defun_several_results():
    x = v1.placeholder(tf.float32, [3], name="x")

    @legacy.Defun(tf.float32, tf.int32, func_name="pair")
    def pair(a, n):
        return a * tf.cast(n, tf.float32), tf.exp(a), n + 1

    a, b, n = pair(x, tf.constant(3))
    return Case([a, b, n, v1.gradients(a * b, x)[0], v1.gradients(b, x)[0]], {x: numbers(43, 3)})


@defun
def defun_with_gradient():
    x = v1.placeholder(tf.float32, [3], name="x")

    @legacy.Defun(tf.float32, tf.float32, func_name="HalfGrad")
    def gradient(a, dy):
        return dy * tf.cos(a) * 0.5

    @legacy.Defun(tf.float32, grad_func=gradient, func_name="HalfSine")
    def sine(a):
        return tf.sin(a)

    y = sine(x)
    return Case([y, v1.gradients(y, x)[0]], {x: numbers(44, 3)})


@defun
def defun_nested():
    x = v1.placeholder(tf.float32, [3], name="x")

    @legacy.Defun(tf.float32)
    def inner(a):
        return a * tf.tanh(a)

    @legacy.Defun(tf.float32, tf.float32)
    def outer(a, b):
        return inner(a) + inner(b * 2.0), a * b

    a, b = outer(x, x * x)
    return Case([a, b, v1.gradients(tf.reduce_sum(a) + tf.reduce_sum(b * b), x)[0]], {x: numbers(45, 3)})


@defun
def defun_in_loop():
    x = v1.placeholder(tf.float32, [3], name="x")

    @legacy.Defun(tf.float32, tf.float32)
    def step(a, b):
        return tf.sin(a) * b

    def body(i, y):
        z = step(y, x)
        z.set_shape([3])
        return i + 1, z

    _, y = tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), x])
    return Case([y, v1.gradients(y, x)[0]], {x: numbers(46, 3)})


@defun
def symbolic_gradient_direct():
    x = v1.placeholder(tf.float32, [3], name="x")

    @legacy.Defun(tf.float32, tf.float32, func_name="product")
    def product(a, b):
        return a * tf.exp(b)

    product.add_to_graph(tf.compat.v1.get_default_graph())
    from tensorflow.python.ops import functional_ops
    da, db = functional_ops.symbolic_gradient([x, x * 2.0, tf.ones([3])], [tf.float32, tf.float32], f=product)
    return Case([da, db], {x: numbers(47, 3)})


@defun
def functional_ops_v1():
    from tensorflow.python.ops import functional_ops
    x = v1.placeholder(tf.float32, [3], name="x")

    @legacy.Defun(tf.int32, tf.float32)
    def goes_on(n, a):
        return n < 4

    @legacy.Defun(tf.int32, tf.float32)
    def body(n, a):
        return n + 1, a * 1.5

    @legacy.Defun(tf.float32)
    def yes(a):
        return a * 2.0

    @legacy.Defun(tf.float32)
    def no(a):
        return a - 1.0

    n, y = functional_ops.While([tf.constant(0), x], goes_on, body)
    z = functional_ops.If(x[0] > 0.0, [x], yes, no)[0]
    f = functional_ops.For(0, 3, 1, [x], ForBody(), rewrite_with_while=True)[0]
    return Case([n, y, z, f], {x: numbers(48, 3)})


@defun
def kernels_without_other_graphs():
    """Operations with a kernel for GPUs that no other case has, so that their CUDA text is compiled."""
    x = v1.placeholder(tf.float32, [4], name="x")
    raw = tf.raw_ops
    results = [tf.acosh(x + 3.0), raw.Inv(x=x), raw.InvGrad(y=x, dy=x * 2.0), raw.SoftplusGrad(gradients=x, features=x * 3.0)]
    flags = x > 0.5
    results += [tf.cast(tf.logical_not(flags), tf.float32), tf.cast(tf.reduce_any(tf.reshape(flags, [2, 2]), 1), tf.float32)]
    names = ["a", "b", "c", "d", "e", "f", "g", "h"]
    v = {n: variable(n, numbers(i, 4), resource=n > "d") for i, n in enumerate(names)}
    rate = tf.constant(0.1)
    slots = {n: variable("slot_" + n, np.abs(numbers(90 + i, 4)) + 0.5, resource=n > "d") for i, n in enumerate(names)}
    more = {n: variable("more_" + n, np.abs(numbers(80 + i, 4)) + 0.5, resource=n > "d") for i, n in enumerate(names)}
    step = tf.constant(3, tf.int64)
    train = tf.group(
        v1.assign_add(v["a"], x), v1.assign_sub(v["b"], x),
        raw.ApplyAdagradV2(var=v["c"]._ref(), accum=slots["c"]._ref(), lr=rate, epsilon=0.01, grad=x),
        raw.ApplyAdagradDA(var=v["d"]._ref(), gradient_accumulator=slots["d"]._ref(), gradient_squared_accumulator=more["d"]._ref(), grad=x, lr=rate, l1=0.01, l2=0.02, global_step=step),
        raw.AssignAddVariableOp(resource=v["e"].handle, value=x),
        raw.ResourceApplyAdagradV2(var=v["f"].handle, accum=slots["f"].handle, lr=rate, epsilon=0.01, grad=x),
        raw.ResourceApplyAdagradDA(var=v["g"].handle, gradient_accumulator=slots["g"].handle, gradient_squared_accumulator=more["g"].handle, grad=x, lr=rate, l1=0.01, l2=0.02, global_step=step),
        raw.ResourceApplyKerasMomentum(var=v["h"].handle, accum=slots["h"].handle, lr=rate, grad=x, momentum=0.9))
    return Case(results + [v[n].value() for n in names], {x: numbers(49, 4)}, train, 2)


@case
def kernels_of_large_tensors():
    """Operations whose results are known for small tensors, and integers that are made on a GPU."""
    x = v1.placeholder(tf.float32, [20000], name="x")
    raw = tf.raw_ops
    a, b = tf.cast(x * 100.0, tf.int64), tf.cast(x * 7.0 + 9.0, tf.int64)
    bits = [raw.BitwiseAnd(x=a, y=b), raw.BitwiseOr(x=a, y=b), raw.BitwiseXor(x=a, y=b), raw.Invert(x=a),
            raw.LeftShift(x=a, y=b), raw.RightShift(x=a, y=b)]
    results = [tf.reduce_sum(tf.cast(v, tf.float64)) for v in bits]
    results += [tf.reduce_sum(raw.OnesLike(x=x) * x), tf.reduce_sum(raw.ZerosLike(x=x) + x)]
    results.append(tf.shape(raw.Empty(shape=tf.constant([20000]), dtype=tf.float32) + x))
    return Case(results, {x: numbers(50, 20000)})


def ForBody():
    @legacy.Defun(tf.int32, tf.float32)
    def body(i, a):
        return a + tf.cast(i, tf.float32)

    return body


# Functions with attributes, as TensorFlow's own gradients in C++ are written; no Python makes them.

GENERIC = """
library {
  function {
    signature {
      name: "Scaled"
      input_arg { name: "x" type_attr: "T" }
      input_arg { name: "ys" type_attr: "T" number_attr: "N" }
      output_arg { name: "z" type_attr: "T" }
      output_arg { name: "all" type_attr: "T" number_attr: "N" }
      attr { name: "T" type: "type" allowed_values { list { type: DT_FLOAT type: DT_DOUBLE } } }
      attr { name: "N" type: "int" }
      attr { name: "axis" type: "int" default_value { i: 0 } }
    }
    node_def { name: "sum" op: "AddN" input: "ys" attr { key: "T" value { placeholder: "T" } } attr { key: "N" value { placeholder: "N" } } }
    node_def { name: "packed" op: "Pack" input: "ys" attr { key: "T" value { placeholder: "T" } } attr { key: "N" value { placeholder: "N" } }
      attr { key: "axis" value { placeholder: "axis" } } }
    node_def { name: "parts" op: "Unpack" input: "packed:output:0" attr { key: "T" value { placeholder: "T" } } attr { key: "num" value { placeholder: "N" } }
      attr { key: "axis" value { placeholder: "axis" } } }
    node_def { name: "first" op: "Mul" input: "ys:0" input: "x" attr { key: "T" value { placeholder: "T" } } }
    node_def { name: "product" op: "Mul" input: "first:z:0" input: "sum:sum:0" attr { key: "T" value { placeholder: "T" } } }
    ret { key: "z" value: "product:z:0" }
    ret { key: "all" value: "parts:output" }
  }
  function {
    signature {
      name: "Twice"
      input_arg { name: "xs" type_list_attr: "Ts" }
      output_arg { name: "ys" type_list_attr: "Ts" }
      attr { name: "Ts" type: "list(type)" }
    }
    node_def { name: "same" op: "IdentityN" input: "xs" attr { key: "T" value { placeholder: "Ts" } } }
    ret { key: "ys" value: "same:output" }
  }
  function {
    signature {
      name: "Outer"
      input_arg { name: "a" type_attr: "T" }
      output_arg { name: "b" type_attr: "T" }
      attr { name: "T" type: "type" }
    }
    node_def { name: "call" op: "Scaled" input: "a" input: "a" input: "a" attr { key: "T" value { placeholder: "T" } } attr { key: "N" value { i: 2 } } }
    node_def { name: "call2" op: "PartitionedCall" input: "call:z:0"
      attr { key: "Tin" value { list { type: DT_DOUBLE } } } attr { key: "Tout" value { list { type: DT_DOUBLE } } }
      attr { key: "f" value { func { name: "Twice" attr { key: "Ts" value { list { type: DT_DOUBLE } } } } } } }
    node_def { name: "more" op: "AddV2" input: "call2:output:0" input: "call:all:1" attr { key: "T" value { placeholder: "T" } } }
    ret { key: "b" value: "more:z:0" }
  }
  function {
    signature {
      name: "CubeGrad"
      input_arg { name: "x" type_attr: "T" }
      input_arg { name: "dy" type_attr: "T" }
      output_arg { name: "dx" type_attr: "T" }
      attr { name: "T" type: "type" }
    }
    node_def { name: "slope" op: "Mul" input: "x" input: "dy" attr { key: "T" value { placeholder: "T" } } }
    ret { key: "dx" value: "slope:z:0" }
  }
  function {
    signature {
      name: "Cube"
      input_arg { name: "x" type_attr: "T" }
      output_arg { name: "y" type_attr: "T" }
      attr { name: "T" type: "type" }
    }
    node_def { name: "square" op: "Mul" input: "x" input: "x" attr { key: "T" value { placeholder: "T" } } }
    node_def { name: "cube" op: "Mul" input: "square:z:0" input: "x" attr { key: "T" value { placeholder: "T" } } }
    ret { key: "y" value: "cube:z:0" }
  }
  gradient { function_name: "Cube" gradient_func: "CubeGrad" }
}
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: 3 } } } } }
node { name: "d" op: "Cast" input: "x" attr { key: "SrcT" value { type: DT_FLOAT } } attr { key: "DstT" value { type: DT_DOUBLE } } }
node { name: "f" op: "Scaled" input: "x" input: "x" input: "x" input: "x" attr { key: "T" value { type: DT_FLOAT } } attr { key: "N" value { i: 3 } } }
node { name: "g" op: "Outer" input: "d" attr { key: "T" value { type: DT_DOUBLE } } }
node { name: "two" op: "Twice" input: "x" input: "d" attr { key: "Ts" value { list { type: DT_FLOAT type: DT_DOUBLE } } } }
node { name: "cube" op: "Cube" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "slope" op: "SymbolicGradient" input: "x" input: "cube" attr { key: "Tin" value { list { type: DT_FLOAT type: DT_FLOAT } } }
  attr { key: "Tout" value { list { type: DT_FLOAT } } } attr { key: "f" value { func { name: "Cube" attr { key: "T" value { type: DT_FLOAT } } } } } }
node { name: "slope_of_scaled" op: "SymbolicGradient" input: "x" input: "x" input: "x" input: "x" input: "x" input: "x"
  attr { key: "Tin" value { list { type: DT_FLOAT type: DT_FLOAT type: DT_FLOAT type: DT_FLOAT type: DT_FLOAT type: DT_FLOAT } } }
  attr { key: "Tout" value { list { type: DT_FLOAT type: DT_FLOAT type: DT_FLOAT } } }
  attr { key: "f" value { func { name: "Scaled" attr { key: "T" value { type: DT_FLOAT } } attr { key: "N" value { i: 2 } } } } } }
"""


def write_functions_with_attributes(folder):
    """Python's importer cannot read such functions, so that the numbers are NumPy's."""
    import json
    import pathlib

    from google.protobuf import text_format

    folder = pathlib.Path(folder, "functions_with_attributes")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "graph.pb").write_bytes(text_format.Parse(GENERIC, v1.GraphDef()).SerializeToString())
    x = numbers(50, 3)
    d = x.astype(np.float64)
    expected = {
        "f:0": 3 * x**3, "f:1": x, "f:3": x, "g:0": 2 * d**3 + d, "two:0": x, "two:1": d, "cube:0": x**3, "slope:0": x**4,
        "slope_of_scaled:0": 2 * x**3, "slope_of_scaled:1": 3 * x**3 + x, "slope_of_scaled:2": x**3 + x}
    np.save(folder / "feed_x_0.npy", x)
    for name, value in expected.items():
        np.save(folder / ("expected_%s.npy" % name.replace(":", "_")), value)
    files = {name: "expected_%s.npy" % name.replace(":", "_") for name in expected}
    (folder / "run.json").write_text(json.dumps({"init": "", "rtol": 1e-6, "steps": 0, "feeds": {"x:0": "feed_x_0.npy"}, "fetches": files}, indent=1))


if __name__ == "__main__":
    make_training_graphs.CASES.clear()
    make_training_graphs.CASES.update(CASES)
    make_training_graphs.main()
    if len(sys.argv) < 3 or "functions_with_attributes" in sys.argv:
        write_functions_with_attributes(sys.argv[1])
