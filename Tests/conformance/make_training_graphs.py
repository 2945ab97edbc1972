#!/usr/bin/env python3
"""Writes training graphs as TensorFlow 1 makes them, with what TensorFlow computes: cases for `tributary graph check`.

    make_training_graphs.py FOLDER [NAME …]

A folder for each case: graph.pb (a binary GraphDef), run.json (initialiser, train operation, steps, feeds, fetches, rtol)
and .npy files. Needs tensorflow-cpu and numpy.
"""
import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_v2_behavior()
v1.disable_control_flow_v2()

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def numbers(seed, *shape):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype(np.float32)


def variable(name, value, resource=False):
    return v1.get_variable(name, initializer=tf.constant(value), use_resource=resource)


class Case:
    """What a builder returns: fetches, and how to train."""

    def __init__(self, fetches, feeds=None, train=None, steps=0, rtol=1e-4):
        self.fetches, self.feeds, self.train, self.steps, self.rtol = fetches, feeds or {}, train, steps, rtol


# Loops and branches


@case
def while_gradient():
    x = v1.placeholder(tf.float32, [3], name="x")
    _, power = tf.while_loop(lambda i, _: i < 5, lambda i, p: (i + 1, p * x), [tf.constant(0), tf.ones([3])])
    slope = v1.gradients(power, x)[0]
    return Case([power, slope], {x: numbers(1, 3)})


@case
def while_nested_gradient():
    x = v1.placeholder(tf.float32, [2], name="x")

    def outer(i, total):
        _, inner = tf.while_loop(lambda j, _: j < i + 1, lambda j, a: (j + 1, tf.tanh(a * x + 1)), [0, total])
        return i + 1, inner + total

    _, result = tf.while_loop(lambda i, _: i < 3, outer, [tf.constant(0), x * 1])
    return Case([result, v1.gradients(tf.reduce_sum(result), x)[0]], {x: numbers(2, 2)})


@case
def while_matmul_training():
    x = v1.placeholder(tf.float32, [4, 3], name="x")
    w = variable("w", numbers(3, 3, 3))
    _, h = tf.while_loop(lambda i, _: i < 4, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, w))), [tf.constant(0), x])
    loss = tf.reduce_mean(tf.square(h - 0.5))
    train = v1.train.AdamOptimizer(0.05).minimize(loss)
    return Case([loss, w.value()], {x: numbers(4, 4, 3)}, train, 20, 2e-3)


@case
def while_tensor_array():
    x = v1.placeholder(tf.float32, [5, 2], name="x")
    squares = tf.map_fn(lambda row: tf.reduce_sum(row * row) * row, x)
    return Case([squares, v1.gradients(tf.reduce_sum(tf.exp(squares)), x)[0]], {x: numbers(5, 5, 2)})


@case
def scan_gradient():
    x = v1.placeholder(tf.float32, [6, 2], name="x")
    w = variable("w", numbers(6, 2, 2))
    states = tf.scan(
        lambda h, row: tf.tanh(tf.linalg.matvec(w, h) + row), x, initializer=tf.zeros([2]))
    loss = tf.reduce_sum(states[-1])
    train = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    return Case([states, loss, w.value()], {x: numbers(7, 6, 2)}, train, 5, 1e-3)


@case
def tensor_array_operations():
    x = v1.placeholder(tf.float32, [6, 2], name="x")
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False)
    array = array.split(x, [1, 2, 3])
    joined = array.concat()
    return Case([joined, v1.gradients(tf.reduce_sum(joined * joined), x)[0]], {x: numbers(8, 6, 2)})


@case
def cond_gradient():
    x = v1.placeholder(tf.float32, [3], name="x")
    y = tf.cond(tf.reduce_sum(x) > 0, lambda: tf.square(x) * 2, lambda: tf.exp(x) + x[0])
    z = tf.cond(tf.reduce_sum(x) < 0, lambda: tf.sin(y), lambda: 3.0 * y)
    return Case([y, z, v1.gradients(z, x)[0]], {x: np.array([0.5, -0.2, 0.4], np.float32)})


@case
def cond_variables():
    step = variable("step", np.int32(0))
    w = variable("w", np.float32(1))

    def bump():
        with v1.control_dependencies([w.assign_add(10.0)]):
            return w.read_value() if hasattr(w, "read_value") else w + 0

    value = tf.cond(tf.equal(step % 2, 0), bump, lambda: tf.identity(w) - 1)
    with v1.control_dependencies([value]):
        train = step.assign_add(1).op
    return Case([w.value(), step.value()], {}, train, 5)


# Loops and branches of functions: `While`, `If` and calls, as TensorFlow 2 builds them


def function_case(function):
    def build():
        v1.enable_control_flow_v2()
        try:
            return function()
        finally:
            v1.disable_control_flow_v2()

    build.__name__ = function.__name__
    return case(build)


@function_case
def function_while_gradient():
    x = v1.placeholder(tf.float32, [3], name="x")
    _, power = tf.while_loop(lambda i, _: i < 5, lambda i, p: (i + 1, tf.sin(p) * x), [tf.constant(0), tf.ones([3])])
    return Case([power, v1.gradients(power, x)[0]], {x: numbers(1, 3)})


@function_case
def function_while_nested():
    x = v1.placeholder(tf.float32, [2], name="x")

    def outer(i, total):
        _, inner = tf.while_loop(lambda j, _: j < i + 1, lambda j, a: (j + 1, tf.tanh(a * x + 1)), [0, total])
        return i + 1, inner + total

    _, result = tf.while_loop(lambda i, _: i < 3, outer, [tf.constant(0), x * 1])
    return Case([result, v1.gradients(tf.reduce_sum(result), x)[0]], {x: numbers(2, 2)})


@function_case
def function_while_training():
    x = v1.placeholder(tf.float32, [4, 3], name="x")
    w = variable("w", numbers(3, 3, 3), resource=True)
    _, h = tf.while_loop(lambda i, _: i < 4, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, w))), [tf.constant(0), x])
    loss = tf.reduce_mean(tf.square(h - 0.5))
    train = v1.train.GradientDescentOptimizer(0.3).minimize(loss)
    return Case([loss, w.value()], {x: numbers(4, 4, 3)}, train, 10, 2e-3)


@function_case
def function_cond_gradient():
    x = v1.placeholder(tf.float32, [3], name="x")
    y = tf.cond(tf.reduce_sum(x) > 0, lambda: tf.square(x) * 2, lambda: tf.exp(x) + x[0])
    z = tf.cond(tf.reduce_sum(x) < 0, lambda: tf.sin(y), lambda: 3.0 * y)
    return Case([y, z, v1.gradients(z, x)[0]], {x: np.array([0.5, -0.2, 0.4], np.float32)})


@function_case
def function_calls():
    @tf.function
    def inner(a, b):
        return tf.tanh(a) * b, a - b

    @tf.function
    def outer(a):
        p, q = inner(a, a + 1.0)
        return p + q, inner(q, p)[0]

    x = v1.placeholder(tf.float32, [3], name="x")
    y, z = outer(x)
    return Case([y, z], {x: numbers(11, 3)})


@case
def case_of_several():
    x = v1.placeholder(tf.float32, [], name="x")
    y = v1.case([(x < 0, lambda: -x), (x < 1, lambda: x * 10)], default=lambda: x * 100)
    return Case([y, v1.gradients(y, x)[0]], {x: np.float32(0.5)})


@case
def asserts_and_prints():
    x = v1.placeholder(tf.float32, [2], name="x")
    with v1.control_dependencies([v1.assert_positive(x), v1.Assert(tf.reduce_all(x < 10), [x, "too large"])]):
        y = v1.Print(x * 2, [x], "x is ")
    return Case([y], {x: np.array([1, 2], np.float32)})


@case
def switch_merge_in_loop():
    x = v1.placeholder(tf.float32, [], name="x")

    def body(i, total):
        return i + 1, tf.cond(tf.equal(i % 2, 0), lambda: total * x, lambda: total + x)

    _, total = tf.while_loop(lambda i, _: i < 6, body, [tf.constant(0), tf.constant(1.0)])
    return Case([total, v1.gradients(total, x)[0]], {x: np.float32(1.5)})


# Optimizers, dense and for rows, over references and handles

OPTIMIZERS = {
    "sgd": lambda rate: v1.train.GradientDescentOptimizer(rate),
    "momentum": lambda rate: v1.train.MomentumOptimizer(rate, 0.9),
    "nesterov": lambda rate: v1.train.MomentumOptimizer(rate, 0.9, use_nesterov=True),
    "adagrad": lambda rate: v1.train.AdagradOptimizer(rate),
    "adadelta": lambda rate: v1.train.AdadeltaOptimizer(rate * 10),
    "rmsprop": lambda rate: v1.train.RMSPropOptimizer(rate / 5, momentum=0.5),
    "centered_rmsprop": lambda rate: v1.train.RMSPropOptimizer(rate / 5, centered=True),
    "adam": lambda rate: v1.train.AdamOptimizer(rate),
    "ftrl": lambda rate: v1.train.FtrlOptimizer(rate, l1_regularization_strength=0.01),
    "ftrl_shrinkage": lambda rate: v1.train.FtrlOptimizer(
        rate, l2_regularization_strength=0.01, l2_shrinkage_regularization_strength=0.1),
    "proximal_sgd": lambda rate: v1.train.ProximalGradientDescentOptimizer(rate, l1_regularization_strength=0.01),
    "proximal_adagrad": lambda rate: v1.train.ProximalAdagradOptimizer(rate, l2_regularization_strength=0.01),
}


def optimizer_case(make, resource, rows):
    def build():
        x = v1.placeholder(tf.float32, [4, 3], name="x")
        w = variable("w", numbers(9, 3, 2), resource)
        table = variable("table", numbers(10, 6, 3), resource)
        ids = v1.placeholder(tf.int32, [4], name="ids")
        inputs = x + (tf.nn.embedding_lookup(table, ids) if rows else table[:4])
        loss = tf.reduce_mean(tf.square(tf.matmul(inputs, w) - 0.3))
        train = make(0.1).minimize(loss)
        feeds = {x: numbers(11, 4, 3), ids: np.array([1, 4, 1, 0], np.int32)}
        if not rows:
            del feeds[ids]
        return Case([loss, tf.identity(w), tf.identity(table)], feeds, train, 12, 1e-3)

    return build


for name, make in OPTIMIZERS.items():
    for resource in (False, True):
        for rows in (False, True):
            kind = ("resource_" if resource else "") + ("rows_" if rows else "")
            CASES[f"optimizer_{kind}{name}"] = optimizer_case(make, resource, rows)


@case
def scatter_operations():
    table = variable("table", numbers(12, 4, 2))
    ids = tf.constant([0, 2, 0])
    updates = tf.constant(numbers(13, 3, 2))
    a = v1.scatter_add(table, ids, updates)
    with v1.control_dependencies([a]):
        b = v1.scatter_sub(table, [1], updates[:1])
    with v1.control_dependencies([b]):
        c = v1.scatter_update(table, [3], updates[2:])
    with v1.control_dependencies([c]):
        d = v1.scatter_mul(table, [0], updates[:1])
    with v1.control_dependencies([d]):
        train = v1.scatter_max(table, [2], updates[:1]).op
    return Case([table.value()], {}, train, 2)


@case
def resource_scatter_operations():
    table = variable("table", numbers(14, 4, 2), True)
    updates = tf.constant(numbers(15, 3, 2))
    a = v1.scatter_add(table, [0, 2, 0], updates)
    with v1.control_dependencies([a]):
        b = v1.scatter_sub(table, [1], updates[:1])
    with v1.control_dependencies([b]):
        c = v1.scatter_update(table, [3], updates[2:])
    with v1.control_dependencies([c]):
        train = v1.scatter_min(table, [2], updates[:1])
    return Case([tf.identity(table), tf.gather(table, [1, 1])], {}, tf.group(train), 2)


# Whole models


def classes(count):
    return np.arange(count, dtype=np.int32) % 3


@case
def schedules():
    x = v1.placeholder(tf.float32, [4, 3], name="x")
    step = v1.train.get_or_create_global_step()
    rate = v1.train.exponential_decay(0.1, step, 3, 0.5, staircase=True) + v1.train.cosine_decay(0.1, step, 10)
    rate += v1.train.polynomial_decay(0.1, step, 8) + v1.train.piecewise_constant(step, [2, 5], [0.1, 0.05, 0.01])
    rate += v1.train.inverse_time_decay(0.1, step, 2, 0.5) + v1.train.natural_exp_decay(0.1, step, 2, 0.5)
    w = variable("w", numbers(16, 3, 1))
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1))
    train = v1.train.MomentumOptimizer(rate, 0.9).minimize(loss, global_step=step)
    return Case([loss, rate, w.value()], {x: numbers(17, 4, 3)}, train, 8, 1e-3)


@case
def clipping_and_averages():
    x = v1.placeholder(tf.float32, [4, 3], name="x")
    w = variable("w", numbers(18, 3, 2) * 5)
    b = variable("b", numbers(19, 2))
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + b - 1))
    optimizer = v1.train.GradientDescentOptimizer(0.5)
    gradients, variables = zip(*optimizer.compute_gradients(loss))
    clipped, norm = tf.clip_by_global_norm(gradients, 0.5)
    apply = optimizer.apply_gradients(zip(clipped, variables))
    averages = v1.train.ExponentialMovingAverage(0.9)
    with v1.control_dependencies([apply]):
        train = averages.apply([w, b])
    return Case([loss, norm, averages.average(w), averages.average(b)], {x: numbers(20, 4, 3)}, train, 6, 1e-3)


@case
def batch_norm_network():
    x = v1.placeholder(tf.float32, [6, 8, 8, 2], name="x")
    y = v1.placeholder(tf.int32, [6], name="y")
    h = tf.nn.conv2d(x, variable("k1", numbers(21, 3, 3, 2, 4)), strides=[1, 2, 2, 1], padding="SAME")
    scale, offset = variable("scale", np.ones(4, np.float32)), variable("offset", np.zeros(4, np.float32))
    mean, var = variable("mean", np.zeros(4, np.float32)), variable("var", np.ones(4, np.float32))
    h, m, v = v1.nn.fused_batch_norm(h, scale, offset, is_training=True)[:3]
    h = tf.nn.depthwise_conv2d(tf.nn.relu(h), variable("k2", numbers(22, 2, 2, 4, 1)), [1, 1, 1, 1], "VALID")
    h = tf.nn.local_response_normalization(tf.nn.elu(h), 2)
    h = tf.nn.max_pool2d(h, 2, 1, "SAME")
    logits = tf.matmul(tf.reshape(h, [6, 36]), variable("w", numbers(23, 36, 3) / 3))
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    updates = [v1.assign_sub(mean, (mean - m) * 0.1), v1.assign_sub(var, (var - v) * 0.1)]
    with v1.control_dependencies(updates):
        train = v1.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
    return Case(
        [loss, logits, mean.value(), var.value()], {x: numbers(24, 6, 8, 8, 2), y: classes(6)}, train, 10, 5e-3)


@case
def deconvolution():
    x = v1.placeholder(tf.float32, [2, 4, 4, 3], name="x")
    up = tf.nn.conv2d_transpose(x, variable("k", numbers(25, 3, 3, 2, 3)), [2, 8, 8, 2], [1, 2, 2, 1])
    loss = tf.reduce_mean(tf.square(up - 0.1)) + tf.reduce_mean(tf.nn.avg_pool2d(up, 2, 2, "VALID"))
    train = v1.train.AdamOptimizer(0.01).minimize(loss)
    return Case([loss, up], {x: numbers(26, 2, 4, 4, 3)}, train, 8, 1e-3)


@case
def dropout_network():
    v1.set_random_seed(7)
    x = v1.placeholder(tf.float32, [8, 5], name="x")
    h = tf.nn.dropout(tf.matmul(x, variable("w", numbers(27, 5, 6))), rate=0.4, seed=11)
    loss = tf.reduce_mean(tf.square(tf.reduce_sum(h, 1) - 1)) + 0.01 * tf.nn.l2_loss(h)
    train = v1.train.GradientDescentOptimizer(0.05).minimize(loss)
    w = [v for v in v1.global_variables() if v.name == "w:0"][0]
    return Case([w.value()], {x: numbers(28, 8, 5)}, train, 6, 1e-3)


@case
def random_initialisers():
    v1.set_random_seed(5)
    values = [
        v1.get_variable("a", [4, 3], initializer=v1.glorot_uniform_initializer(seed=3)),
        v1.get_variable("b", [4, 3], initializer=v1.truncated_normal_initializer(stddev=0.1)),
        v1.get_variable("c", [6], initializer=v1.random_uniform_initializer(-2, 2, seed=9)),
        v1.get_variable("d", [5, 5], initializer=v1.variance_scaling_initializer(2.0, seed=4)),
    ]
    shuffled = tf.random.shuffle(tf.range(10), seed=2)
    return Case([v.value() for v in values] + [shuffled], {}, None, 0, 1e-6)


@case
def unrolled_lstm():
    x = v1.placeholder(tf.float32, [3, 4, 2], name="x")
    kernel, bias = variable("kernel", numbers(29, 5, 12)), variable("bias", np.zeros(12, np.float32))
    h = c = tf.zeros([3, 3])
    for step in tf.unstack(x, axis=1):
        i, j, f, o = tf.split(tf.matmul(tf.concat([step, h], 1), kernel) + bias, 4, axis=1)
        c = tf.sigmoid(f + 1) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
    loss = tf.reduce_mean(tf.square(h - 0.2))
    train = v1.train.RMSPropOptimizer(0.01).minimize(loss)
    return Case([loss, h], {x: numbers(30, 3, 4, 2)}, train, 10, 1e-3)


@case
def attention():
    x = v1.placeholder(tf.float32, [2, 5, 4], name="x")
    q, k, v = (tf.tensordot(x, variable(n, numbers(s, 4, 4)), 1) for n, s in (("q", 31), ("k", 32), ("v", 33)))
    weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / 2.0)
    mean, var = tf.nn.moments(tf.matmul(weights, v) + x, [-1], keepdims=True)
    h = (tf.matmul(weights, v) + x - mean) * tf.math.rsqrt(var + 1e-6)
    loss = tf.reduce_mean(tf.square(h[:, 0] - 0.3)) + tf.reduce_mean(tf.nn.softplus(h[..., 1]))
    train = v1.train.AdamOptimizer(0.02).minimize(loss)
    return Case([loss, weights, h], {x: numbers(34, 2, 5, 4)}, train, 10, 2e-3)


@case
def wide_and_deep():
    ids = v1.placeholder(tf.int64, [5, 2], name="ids")
    x = v1.placeholder(tf.float32, [5, 3], name="x")
    y = v1.placeholder(tf.float32, [5, 1], name="y")
    wide = tf.reduce_sum(tf.nn.embedding_lookup(variable("wide", numbers(35, 8, 1)), ids), 1)
    deep = tf.concat([tf.reshape(tf.nn.embedding_lookup(variable("deep", numbers(36, 8, 3)), ids), [5, 6]), x], 1)
    h = tf.nn.relu(tf.matmul(deep, variable("w1", numbers(37, 9, 4))) + variable("b1", np.zeros(4, np.float32)))
    logits = wide + tf.matmul(h, variable("w2", numbers(38, 4, 1)))
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
    wide_variables = [v for v in v1.trainable_variables() if v.name.startswith("wide")]
    rest = [v for v in v1.trainable_variables() if not v.name.startswith("wide")]
    train = tf.group(
        v1.train.FtrlOptimizer(0.1).minimize(loss, var_list=wide_variables),
        v1.train.AdagradOptimizer(0.1).minimize(loss, var_list=rest))
    feeds = {ids: np.array([[0, 1], [2, 2], [7, 0], [3, 3], [1, 5]]), x: numbers(39, 5, 3),
             y: np.array([[0], [1], [1], [0], [1]], np.float32)}
    return Case([loss, logits], feeds, train, 15, 2e-3)


# Writing


def write(folder, name, build):
    graph = tf.Graph()
    with graph.as_default():
        made = build()
        init = v1.global_variables_initializer()
        if v1.get_collection(v1.GraphKeys.TABLE_INITIALIZERS):
            init = tf.group(init, v1.tables_initializer(), name="init_all")
        fetches = [tf.convert_to_tensor(f) for f in made.fetches]
        folder = pathlib.Path(folder, name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "graph.pb").write_bytes(graph.as_graph_def().SerializeToString())

        def save(prefix, tensor, value):
            file = f"{prefix}_{tensor.name.replace('/', '_').replace(':', '_')}.npy"
            value = np.asarray(value)
            np.save(folder / file, value.astype(np.bytes_) if value.dtype == object else value)
            return file

        run = {"init": init.name, "rtol": made.rtol, "steps": made.steps}
        run["feeds"] = {t.name: save("feed", t, value) for t, value in made.feeds.items()}
        with v1.Session() as session:
            session.run(init)
            if made.train is not None:
                run["train"] = made.train.name
                values = session.run(fetches, made.feeds)
                run["first"] = {t.name: save("first", t, v) for t, v in zip(fetches, values)}
                for _ in range(made.steps):
                    session.run(made.train, made.feeds)
            values = session.run(fetches, made.feeds)
            run["fetches"] = {t.name: save("expected", t, v) for t, v in zip(fetches, values)}
        (folder / "run.json").write_text(json.dumps(run, indent=1))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in [n for n in sys.argv[2:] if n in CASES] or (CASES if len(sys.argv) < 3 else []):
        try:
            write(sys.argv[1], name, CASES[name])
        except Exception as error:  # a case that this TensorFlow cannot make
            print(f"{name}: not written: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
