#!/usr/bin/env python3
"""Writes whole programs as TensorFlow 1 users write them, with what TensorFlow computes: cases for `tributary graph check`.

    make_program_graphs.py FOLDER [NAME …]

What they have in common: order hangs on control edges (moving averages, target networks, counters, accumulated gradients),
and values live long (loops over TensorArrays, decoders, recurrent networks with sequence lengths). The folders are those of
make_training_graphs.py.
"""
import os

import numpy as np

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # TensorFlow 1's recurrent cells are there: the package tf_keras

import make_training_graphs as graphs
from make_training_graphs import Case, case, numbers, tf, v1, variable
from tensorflow.python.framework import function
from tensorflow.python.ops import functional_ops, gen_resource_variable_ops

graphs.CASES.clear()


def dense(x, name, inputs, units, seed, resource=False, activation=None):
    w = variable(f"{name}/kernel", numbers(seed, inputs, units), resource)
    b = variable(f"{name}/bias", numbers(seed + 1, units) * 0.1, resource)
    y = v1.nn.xw_plus_b(x, w, b)
    return activation(y) if activation else y


def regression(seed, features=4, rows=8):
    x = v1.placeholder(tf.float32, [None, features], name="x")
    y = v1.placeholder(tf.float32, [None, 1], name="y")
    return x, y, {x: numbers(seed, rows, features), y: numbers(seed + 1, rows, 1)}


def average_case(resource):
    x, y, feeds = regression(1)
    loss = tf.reduce_mean(tf.square(dense(x, "net", 4, 1, 3, resource) - y))
    step = v1.train.get_or_create_global_step()
    rate = v1.train.exponential_decay(0.3, step, 3, 0.7, staircase=True)
    update = v1.train.MomentumOptimizer(rate, 0.9).minimize(loss, global_step=step)
    average = tf.train.ExponentialMovingAverage(0.8, num_updates=step)
    with tf.control_dependencies([update]):
        train = average.apply(v1.trainable_variables())
    shadows = [average.average(v) for v in v1.trainable_variables()]
    return Case([loss, step] + [s.read_value() if resource else s.value() for s in shadows], feeds, train, 6)


@case
def moving_averages():
    return average_case(False)


@case
def moving_averages_resource():
    return average_case(True)


@case
def average_of_loss():
    x, y, feeds = regression(5)
    loss = tf.reduce_mean(tf.square(dense(x, "net", 4, 1, 7) - y))
    average = tf.train.ExponentialMovingAverage(0.9)
    averaging = average.apply([loss])
    with tf.control_dependencies([averaging]):
        shown = tf.identity(loss)
    grads = v1.train.AdamOptimizer(0.1).compute_gradients(shown)
    with tf.control_dependencies([averaging]):
        train = v1.train.AdamOptimizer(0.1).apply_gradients(grads)
    return Case([loss, average.average(loss).value()], feeds, train, 5)


def target_case(resource, by_cond):
    x, y, feeds = regression(11)
    with v1.variable_scope("online"):
        online = dense(x, "net", 4, 1, 13, resource)
    with v1.variable_scope("target"):
        target = tf.stop_gradient(dense(x, "net", 4, 1, 17, resource))
    loss = tf.reduce_mean(tf.square(online - (y + 0.5 * target)))
    step = v1.train.get_or_create_global_step()
    mine = v1.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES, "online")
    theirs = v1.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES, "target")
    update = v1.train.GradientDescentOptimizer(0.2).minimize(loss, global_step=step, var_list=mine)

    def copies(rate):
        return tf.group(*[v1.assign(t, (1 - rate) * t + rate * o) for t, o in zip(theirs, mine)])

    with tf.control_dependencies([update]):
        if by_cond:
            train = v1.cond(tf.equal(step % 2, 0), lambda: copies(1.0), lambda: tf.no_op())
        else:
            train = copies(0.25)
    return Case([loss, step] + [v.value() for v in theirs], feeds, train, 5)


@case
def target_network():
    return target_case(False, False)


@case
def target_network_by_cond():
    return target_case(False, True)


@case
def target_network_resource_by_cond():
    return target_case(True, True)


@case
def accumulated_gradients():
    x, y, feeds = regression(21)
    loss = tf.reduce_mean(tf.square(dense(x, "net", 4, 1, 23) - y))
    optimizer = v1.train.AdamOptimizer(0.1)
    pairs = optimizer.compute_gradients(loss)
    sums = [v1.get_variable(f"sum{i}", initializer=tf.zeros(v.shape), trainable=False) for i, (_, v) in enumerate(pairs)]
    count = v1.get_variable("count", initializer=0, trainable=False)
    gather = [v1.assign_add(s, g) for s, (g, _) in zip(sums, pairs)] + [v1.assign_add(count, 1)]

    def apply():
        update = optimizer.apply_gradients([(s / 3.0, v) for s, (_, v) in zip(sums, pairs)])
        with tf.control_dependencies([update]):
            return tf.group(*[v1.assign(s, tf.zeros_like(s)) for s in sums])

    with tf.control_dependencies(gather):
        train = v1.cond(tf.equal(count % 3, 0), apply, tf.no_op)
    return Case([loss, count.value()] + [s.value() for s in sums], feeds, train, 7)


@case
def adversarial_pair():
    z = v1.placeholder(tf.float32, [6, 2], name="z")
    real = v1.placeholder(tf.float32, [6, 3], name="real")
    with v1.variable_scope("generator"):
        fake = dense(dense(z, "h", 2, 5, 31, activation=tf.tanh), "o", 5, 3, 33)

    def judge(x):
        with v1.variable_scope("judge", reuse=v1.AUTO_REUSE):
            return dense(dense(x, "h", 3, 4, 35, activation=tf.nn.leaky_relu), "o", 4, 1, 37)

    a, b = judge(real), judge(fake)
    cross = tf.nn.sigmoid_cross_entropy_with_logits
    d_loss = tf.reduce_mean(cross(logits=a, labels=tf.ones_like(a)) + cross(logits=b, labels=tf.zeros_like(b)))
    g_loss = tf.reduce_mean(cross(logits=b, labels=tf.ones_like(b)))
    d_vars = v1.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES, "judge")
    g_vars = v1.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES, "generator")
    d_train = v1.train.AdamOptimizer(0.05, beta1=0.5).minimize(d_loss, var_list=d_vars)
    with tf.control_dependencies([d_train]):
        clip = [v1.assign(v, tf.clip_by_value(v, -0.6, 0.6)) for v in d_vars]
    with tf.control_dependencies(clip):
        train = v1.train.AdamOptimizer(0.05, beta1=0.5).minimize(g_loss, var_list=g_vars)
    return Case([d_loss, g_loss] + [v.value() for v in d_vars], {z: numbers(39, 6, 2), real: numbers(40, 6, 3)}, train, 4, 2e-3)


def recurrent_case(kind, resource=False):
    x = v1.placeholder(tf.float32, [3, None, 4], name="x")
    lengths = v1.placeholder(tf.int32, [3], name="lengths")
    y = v1.placeholder(tf.float32, [3, 1], name="y")
    feeds = {x: numbers(51, 3, 6, 4), lengths: np.array([6, 2, 4], np.int32), y: numbers(52, 3, 1)}
    initial = v1.random_uniform_initializer(-0.5, 0.5, seed=3)
    with v1.variable_scope("rnn", initializer=initial, use_resource=resource):
        if kind == "lstm":
            outputs, state = v1.nn.dynamic_rnn(v1.nn.rnn_cell.LSTMCell(5, use_peepholes=True), x, lengths, dtype=tf.float32)
            last = state.h
        elif kind == "stack":
            stack = v1.nn.rnn_cell.MultiRNNCell([v1.nn.rnn_cell.GRUCell(4), v1.nn.rnn_cell.BasicLSTMCell(3)])
            outputs, state = v1.nn.dynamic_rnn(stack, x, lengths, dtype=tf.float32)
            last = state[1].h
        elif kind == "time_major":
            outputs, last = v1.nn.dynamic_rnn(
                v1.nn.rnn_cell.GRUCell(5), tf.transpose(x, [1, 0, 2]), lengths, dtype=tf.float32, time_major=True)
        else:
            (f, b), states = v1.nn.bidirectional_dynamic_rnn(
                v1.nn.rnn_cell.BasicLSTMCell(3), v1.nn.rnn_cell.GRUCell(3), x, lengths, dtype=tf.float32)
            outputs, last = tf.concat([f, b], 2), tf.concat([states[0].h, states[1]], 1)
    loss = tf.reduce_mean(tf.square(dense(last, "out", int(last.shape[1]), 1, 53) - y)) + 0.01 * tf.reduce_sum(tf.square(outputs))
    optimizer = v1.train.AdamOptimizer(0.05)
    grads, variables = zip(*optimizer.compute_gradients(loss))
    clipped, norm = tf.clip_by_global_norm(grads, 0.5)
    train = optimizer.apply_gradients(zip(clipped, variables), global_step=v1.train.get_or_create_global_step())
    return Case([loss, norm, outputs, last], feeds, train, 3, 2e-3)


for kind in ("lstm", "stack", "time_major", "bidirectional"):
    for resource in (False, True):
        graphs.CASES[f"recurrent_{kind}{'_resource' if resource else ''}"] = (
            lambda kind=kind, resource=resource: recurrent_case(kind, resource))


@case
def decoder_with_attention():
    memory = v1.placeholder(tf.float32, [2, 5, 3], name="memory")
    inputs = v1.placeholder(tf.float32, [4, 2, 3], name="inputs")
    wq, wo = variable("wq", numbers(61, 3, 3)), variable("wo", numbers(62, 6, 3))
    source = tf.TensorArray(tf.float32, 4).unstack(inputs)

    def body(t, h, outputs):
        scores = tf.einsum("bd,btd->bt", tf.matmul(h, wq), memory)
        weights = tf.nn.softmax(scores)
        context = tf.reduce_sum(memory * tf.expand_dims(weights, 2), 1)
        h = tf.tanh(tf.matmul(tf.concat([source.read(t), context], 1), wo) + h)
        return t + 1, h, outputs.write(t, tf.concat([h, context], 1))

    first = tf.zeros([2, 3])
    _, h, outputs = tf.while_loop(lambda t, *_: t < 4, body, [tf.constant(0), first, tf.TensorArray(tf.float32, 4)])
    stacked = outputs.stack()
    loss = tf.reduce_mean(tf.square(stacked)) + tf.reduce_sum(h)
    train = v1.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
    return Case([loss, stacked], {memory: numbers(63, 2, 5, 3), inputs: numbers(64, 4, 2, 3)}, train, 4, 1e-3)


@case
def raw_decoder():
    x = v1.placeholder(tf.float32, [3, 4], name="x")
    w = variable("w", numbers(65, 4, 4))
    with v1.variable_scope("raw", initializer=v1.random_uniform_initializer(-0.5, 0.5, seed=5)):
        cell = v1.nn.rnn_cell.GRUCell(4)

        def step(time, output, state, _):
            after = tf.identity(x) if output is None else tf.matmul(output, w)
            new = cell.zero_state(3, tf.float32) if output is None else state
            return (time >= [2, 4, 3]), after, new, output, None

        outputs, state, _ = v1.nn.raw_rnn(cell, step)
    loss = tf.reduce_sum(tf.square(outputs.stack())) + tf.reduce_sum(state)
    train = v1.train.AdamOptimizer(0.05).minimize(loss)
    return Case([loss, state], {x: numbers(66, 3, 4)}, train, 3, 1e-3)


@case
def conditional_random_field():
    scores = v1.placeholder(tf.float32, [2, 5, 3], name="scores")
    tags = v1.placeholder(tf.int32, [2, 5], name="tags")
    moves = variable("moves", numbers(71, 3, 3))
    rows = tf.transpose(scores, [1, 0, 2])
    alphas = tf.scan(
        lambda a, s: tf.reduce_logsumexp(tf.expand_dims(a, 2) + tf.expand_dims(moves, 0), 1) + s, rows[1:], rows[0])
    partition = tf.reduce_logsumexp(alphas[-1], 1)
    single = tf.reduce_sum(tf.one_hot(tags, 3) * scores, [1, 2])
    pairs = tf.reduce_sum(tf.gather_nd(moves, tf.stack([tags[:, :-1], tags[:, 1:]], 2)), 1)
    loss = tf.reduce_mean(partition - single - pairs)
    best = tf.foldl(lambda a, s: tf.reduce_max(tf.expand_dims(a, 2) + tf.expand_dims(moves, 0), 1) + s, rows[1:], rows[0])
    train = v1.train.AdagradOptimizer(0.3).minimize(loss)
    feeds = {scores: numbers(72, 2, 5, 3), tags: np.array([[0, 2, 1, 1, 0], [2, 2, 0, 1, 2]], np.int32)}
    return Case([loss, alphas, best], feeds, train, 4, 1e-3)


@case
def counters():
    a, b = variable("a", np.float32(1)), variable("b", np.float32(2), resource=True)
    first = v1.assign_add(a, 1.5)
    with tf.control_dependencies([first]):
        doubled = a * 2
        shifted = a + 0.25
    with tf.control_dependencies([doubled, shifted]):
        second = v1.assign(a, tf.identity(a) * 0.5 + doubled)
    with tf.control_dependencies([second]):
        third = v1.assign_add(b, a * shifted)
    with tf.control_dependencies([third]):
        last = tf.identity(b.read_value() * 2 + a)
    return Case([a.value(), b.read_value()], {}, tf.group(last), 4)


@case
def results_of_updates():
    a, b = variable("a", numbers(81, 3)), variable("b", numbers(82, 3), resource=True)
    x = v1.placeholder(tf.float32, [3], name="x")
    new_a = v1.assign_sub(a, x * 0.5)
    new_b = v1.assign_add(b, new_a * 2)
    slices = tf.concat([new_a[:2], new_b[1:]], 0)
    with tf.control_dependencies([slices]):
        swap = v1.assign(a, b)
    with tf.control_dependencies([swap]):
        train = v1.assign(b, tf.reverse(a, [0]))
    return Case([a.value(), b.read_value()], {x: numbers(83, 3)}, train.op if hasattr(train, "op") else train, 3)


@case
def state_in_loops():
    total = variable("total", np.zeros(2, np.float32))
    x = v1.placeholder(tf.float32, [4, 2], name="x")

    def body(i, seen):
        with tf.control_dependencies([v1.assign_add(total, x[i])]):
            return i + 1, seen + total.read_value()

    _, seen = tf.while_loop(lambda i, _: i < 4, body, [tf.constant(0), tf.zeros([2])])
    with tf.control_dependencies([seen]):
        after = total.read_value() + seen
    return Case([total.value()], {x: numbers(84, 4, 2)}, tf.group(after), 2)


@case
def batch_statistics_then_average():
    x = v1.placeholder(tf.float32, [6, 4], name="x")
    mean, var = variable("mean", np.zeros(4, np.float32)), variable("var", np.ones(4, np.float32))
    m, v = tf.nn.moments(x, [0])
    with tf.control_dependencies([v1.assign(mean, mean * 0.9 + m * 0.1), v1.assign(var, var * 0.9 + v * 0.1)]):
        normal = tf.nn.batch_normalization(x, tf.identity(m), tf.identity(v), None, None, 1e-3)
    w = variable("w", numbers(86, 4, 1))
    loss = tf.reduce_mean(tf.square(tf.matmul(normal, w) - 1))
    train = v1.train.RMSPropOptimizer(0.05, momentum=0.5).minimize(loss)
    return Case([mean.value(), var.value(), w.value()], {x: numbers(85, 6, 4)}, train, 4, 1e-3)


@case
def policy_gradient():
    states = v1.placeholder(tf.float32, [None, 3], name="states")
    actions = v1.placeholder(tf.int32, [None], name="actions")
    returns = v1.placeholder(tf.float32, [None], name="returns")
    logits = dense(dense(states, "h", 3, 6, 91, activation=tf.nn.relu), "o", 6, 2, 93)
    picked = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=actions, logits=logits)
    baseline = variable("baseline", np.float32(0))
    with tf.control_dependencies([v1.assign(baseline, 0.8 * baseline + 0.2 * tf.reduce_mean(returns))]):
        advantage = returns - baseline
    entropy = -tf.reduce_mean(tf.reduce_sum(tf.nn.softmax(logits) * tf.nn.log_softmax(logits), 1))
    loss = tf.reduce_mean(picked * tf.stop_gradient(advantage)) - 0.01 * entropy
    train = v1.train.AdamOptimizer(0.05).minimize(loss)
    feeds = {states: numbers(95, 7, 3), actions: np.array([0, 1, 1, 0, 1, 0, 0], np.int32), returns: numbers(96, 7)}
    return Case([baseline.value(), entropy], feeds, train, 5, 1e-3)


@case
def nested_maps():
    x = v1.placeholder(tf.float32, [3, 4], name="x")
    w = variable("w", numbers(97, 4))
    rows = tf.map_fn(lambda row: tf.foldl(lambda a, e: tf.tanh(a * e + 0.1), row * w), x)
    both = tf.map_fn(lambda p: (p[0] * p[1], p[0] + p[1]), (rows, x[:, 0]), dtype=(tf.float32, tf.float32))
    loss = tf.reduce_sum(tf.square(both[0])) + tf.reduce_sum(both[1])
    train = v1.train.GradientDescentOptimizer(0.05).minimize(loss)
    return Case([loss, rows, both[0]], {x: numbers(98, 3, 4)}, train, 3)


@case
def second_order():
    x = v1.placeholder(tf.float32, [3], name="x")
    w = variable("w", numbers(99, 3))
    energy = tf.reduce_sum(tf.sin(w * x) * tf.exp(w))
    slope = v1.gradients(energy, w)[0]
    curve = v1.gradients(tf.reduce_sum(slope * tf.constant([1.0, -1.0, 0.5])), w)[0]
    train = v1.assign_sub(w, 0.1 * slope / (tf.abs(curve) + 1))
    return Case([energy, slope, curve, w.value()], {x: numbers(100, 3)}, train.op, 3)


@case
def texts_added_and_scattered():
    x = v1.placeholder(tf.string, [3], name="x")
    old = v1.get_variable("old", initializer=tf.constant(["a", "b"]), use_resource=False)
    new = v1.get_variable("new", initializer=tf.constant(["c", "d"]), use_resource=True)
    table = v1.get_variable("table", initializer=tf.constant([["e", "f"], ["g", "h"]]), use_resource=False)
    rows = v1.get_variable("rows", initializer=tf.constant([["i", "j"], ["k", "l"]]), use_resource=True)
    pieces = v1.get_variable("pieces", initializer=tf.constant([["m", "n"], ["o", "p"]]), use_resource=False)
    changes = [
        v1.scatter_update(old, [1], "old " + x[:1]), v1.scatter_update(new, [0], x[1:2]),
        v1.scatter_nd_update(table, [[1, 0]], x[2:]), rows.scatter_nd_update([[0]], [[x[0] + "!", x[1]]]),
        pieces[:, 1].assign(x[:2] + table[0])]
    step = v1.get_variable("step", initializer=0, use_resource=False)
    with tf.control_dependencies([c.op if hasattr(c, "op") else c for c in changes]):
        train = v1.assign_add(step, 1).op
    values = [old.value(), new.read_value(), table.value(), rows.read_value(), pieces.value()]
    return Case([x + ", " + x, *[tf.strings.as_string(tf.strings.length(v)) + ":" + v for v in values]],
                {x: np.array([b"red", b"", b"blue"])}, train, 2)


@case
def counted_loop_of_function():
    x = v1.placeholder(tf.float32, [3], name="x")
    n = v1.placeholder(tf.int32, [], name="n")
    w = variable("w", numbers(101, 3), True)

    @function.Defun(tf.int32, tf.float32, tf.resource)
    def grown(i, h, handle):
        return h * 1.1 + tf.cast(i, tf.float32) * gen_resource_variable_ops.read_variable_op(handle, tf.float32), handle

    down = functional_ops.For(n, -3, -2, [x, w.handle], grown)[0]
    none = functional_ops.For(5, n - n + 5, 1, [x, w.handle], grown)[0]
    return Case([down, none], {x: numbers(102, 3), n: np.int32(4)})


@case
def momentum_of_keras_rows():
    ids = v1.placeholder(tf.int32, [None], name="ids")
    losses, updates, tables = [], [], []
    for name, nesterov in (("plain", False), ("nesterov", True)):
        table = variable(name, numbers(103, 6, 2), True)
        loss = tf.reduce_sum(tf.square(tf.gather(table, ids) - 0.5))
        optimizer = tf.keras.optimizers.legacy.SGD(0.1, momentum=0.9, nesterov=nesterov)
        updates.append(optimizer.apply_gradients([(v1.gradients(loss, table)[0], table)]))
        losses.append(loss)
        tables.append(table.read_value())
    return Case(losses + tables, {ids: np.array([1, 3, 1, 5], np.int32)}, tf.group(*updates), 4)


@case
def sequences_shorter_than_the_steps():
    x = v1.placeholder(tf.float32, [None, 4, 2], name="x")
    lengths = v1.placeholder(tf.int32, [None], name="lengths")
    w = variable("w", numbers(103, 5, 3))
    cell = v1.nn.rnn_cell.BasicRNNCell(3)
    with v1.variable_scope("rnn", initializer=v1.random_uniform_initializer(-1, 1, seed=1)):
        out, _ = v1.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype=tf.float32)
    array = tf.TensorArray(tf.float32, 5, element_shape=[2]).write(3, x[0, 0] * 2.0)
    stacked = array.stack()
    loss = tf.reduce_sum(tf.square(out - 0.1)) + tf.reduce_sum(out * tf.matmul(x[:, :, 0], w[:4])[:, None]) + tf.reduce_sum(stacked ** 3)
    train = v1.train.GradientDescentOptimizer(0.05).minimize(loss)
    feeds = {x: numbers(104, 2, 4, 2), lengths: np.array([2, 1], np.int32)}
    return Case([loss, out, stacked, v1.gradients(loss, x)[0]], feeds, train, 3, 1e-3)


if __name__ == "__main__":
    graphs.main()
