#!/usr/bin/env python3
"""Writes programs that hang on memory and order, with what TensorFlow computes: cases for `tributary graph check`.

    make_order_graphs.py FOLDER [NAME …]

Variables are read and written in branches, loops and functions, several at a time, through views, slices and rows. No
program has a race: any order that its values and control edges allow gives the same numbers. The folders are those of
make_training_graphs.py.
"""
import os

import numpy as np

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # TensorFlow 1's recurrent cells are there: the package tf_keras

import make_training_graphs as graphs
from make_training_graphs import Case, case, numbers, tf, v1, variable
from tensorflow.python.framework import function
from tensorflow.python.ops import gen_training_ops

graphs.CASES.clear()

deps = tf.control_dependencies


def both(build):
    """Two cases: over references and over resources."""
    for resource in (False, True):
        graphs.CASES[build.__name__ + ("_resource" if resource else "")] = lambda r=resource: build(r)
    return build


def with_control_flow_v2(build):
    """The same program of `If` and `While`."""

    def made(*args):
        v1.enable_control_flow_v2()
        try:
            return build(*args)
        finally:
            v1.disable_control_flow_v2()

    graphs.CASES[build.__name__ + "_v2"] = lambda: made(True)
    return build


def value(v):
    return v.read_value() if hasattr(v, "read_value") else v.value()


# Branches


@both
def branch_chooses_variable(resource):
    a, b = variable("a", numbers(1, 3), resource), variable("b", numbers(2, 3), resource)
    x = v1.placeholder(tf.float32, [3], name="x")
    step = v1.get_variable("step", initializer=0, trainable=False, use_resource=resource)
    even = tf.equal(value(step) % 2, 0)

    def change(v):
        return tf.identity(v1.assign_add(v, x)) * 2

    picked = v1.cond(even, lambda: change(a), lambda: change(b))
    with deps([picked]):
        train = v1.assign_add(step, 1)
    return Case([value(a), value(b), value(step)], {x: numbers(3, 3)}, train.op, 5)


@case
def branch_yields_updates():
    a, b = variable("a", numbers(4, 3)), variable("b", numbers(5, 3))
    step = v1.get_variable("step", initializer=0, trainable=False)
    total = variable("total", np.zeros(3, np.float32))
    x = v1.placeholder(tf.float32, [3], name="x")
    even = tf.equal(step % 2, 0)
    # The results are references: a RefMerge of two Variables.
    picked = v1.cond(even, lambda: v1.assign_add(a, x), lambda: v1.assign_sub(b, x))
    with deps([v1.assign_add(total, picked * 0.5)]):
        train = v1.assign_add(step, 1)
    return Case([a.value(), b.value(), total.value()], {x: numbers(6, 3)}, train.op, 5)


@case
def counter_reset_by_cond():
    count = v1.get_variable("count", initializer=0, trainable=False)
    epoch = v1.get_variable("epoch", initializer=0.0, trainable=False)
    now = v1.cond(count >= 2, lambda: v1.assign(count, 0), lambda: v1.assign_add(count, 1))
    with deps([now]):
        train = v1.assign_add(epoch, tf.cast(tf.identity(count), tf.float32) + 0.5)
    return Case([count.value(), epoch.value()], {}, train.op, 7)


@both
def update_or_old_value(resource):
    v = variable("v", numbers(7, 4), resource)
    log = variable("log", np.zeros(4, np.float32), resource)
    x = v1.placeholder(tf.float32, [4], name="x")
    big = tf.reduce_sum(tf.abs(v)) > 3.0
    if resource:
        after = v1.cond(big, lambda: v.assign(v * 0.5, read_value=True), lambda: v.assign_add(x, read_value=True))
    else:
        after = v1.cond(big, lambda: tf.identity(v1.assign(v, v * 0.5)), lambda: tf.identity(v1.assign_add(v, x)))
    with deps([after]):
        train = v1.assign_add(log, after - v * 0.25)
    return Case([value(v), value(log)], {x: numbers(8, 4)}, train.op, 6)


@both
def lazy_initialisation(resource):
    v = v1.Variable(numbers(9, 3), use_resource=resource, name="v", trainable=False)
    w = variable("w", numbers(10, 3), resource)
    late = v1.Variable(tf.zeros([3]), use_resource=resource, name="late", trainable=False)
    x = v1.placeholder(tf.float32, [3], name="x")
    known = late.is_initialized() if resource else v1.is_variable_initialized(late)
    late_value = v1.cond(known, lambda: value(late) + 0, lambda: x * 2)
    with deps([late_value]):
        train = v1.assign(late, late_value + w)
    return Case([value(late), late_value, value(v)], {x: numbers(11, 3)}, train.op, 3)


@case
def cond_in_cond():
    a, b = variable("a", np.float32(1)), variable("b", np.float32(2))
    x = v1.placeholder(tf.float32, [], name="x")

    def inner():
        with deps([v1.assign_add(b, x)]):
            return v1.cond(b > 4, lambda: tf.identity(v1.assign(b, b * 0.5)), lambda: b * 1.0)

    y = v1.cond(x > 0, lambda: v1.cond(a < 3, inner, lambda: tf.identity(v1.assign(a, a - 2.5))), lambda: a * b)
    with deps([y]):
        train = v1.assign_add(a, y * 0.5)
    return Case([a.value(), b.value()], {x: np.float32(1.25)}, train.op, 8)


@case
def cases_with_updates():
    v = [variable(f"v{i}", numbers(12 + i, 2)) for i in range(3)]
    step = v1.get_variable("step", initializer=0, trainable=False)
    total = variable("total", np.zeros(2, np.float32))
    picked = v1.case(
        [(tf.equal(step % 3, i), lambda i=i: tf.identity(v1.assign_add(v[i], total + 1)) * float(i + 1)) for i in range(2)],
        default=lambda: tf.identity(v1.assign_sub(v[2], total)), exclusive=True)
    with deps([picked]):
        with deps([v1.assign(total, picked * 0.25)]):
            train = v1.assign_add(step, 1)
    return Case([total.value()] + [x.value() for x in v], {}, train.op, 7)


def switch_case_writes(resource=True):
    v = [variable(f"v{i}", numbers(15 + i, 2), True) for i in range(3)]
    step = v1.get_variable("step", initializer=0, trainable=False, use_resource=True)
    before = [x.read_value() for x in v]
    with deps(before):
        picked = tf.switch_case(step.read_value() % 3, [
            lambda: v[0].assign_add(v[1], read_value=True) * 2, lambda: v[1].assign_sub(v[2] * 0.5, read_value=True),
            lambda: tf.identity(v[2].assign(v[0] - v[1], read_value=True))])
    with deps([picked]):
        after = [x.read_value() for x in v]
        train = [x.assign(0.5 * o + 0.5 * n + 0.1 * picked, read_value=False) for x, o, n in zip(v, before, after)]
    with deps(train):
        step_op = step.assign_add(1, read_value=False)
    return Case([x.read_value() for x in v], {}, step_op, 7)


with_control_flow_v2(switch_case_writes)


# Loops


@both
def loop_over_variables(resource):
    a, b = variable("a", numbers(21, 3), resource), variable("b", numbers(22, 3), resource)
    n = v1.placeholder(tf.int32, [], name="n")
    a0, b0 = value(a), value(b)
    with deps([a0, b0]):
        old = tf.stack([a0 * 1.0, b0 * 1.0])

    def body(i, s):
        with deps([s]):
            update = v1.assign_add(a, value(b) * 0.1 + s)
        with deps([update]):
            other = v1.assign(b, value(a) * 0.5)
        with deps([other]):
            return i + 1, s * 0.5 + value(b)

    with deps([old]):
        _, s = tf.while_loop(lambda i, _: i < n, body, [tf.constant(0), tf.zeros([3])], parallel_iterations=1)
    with deps([s]):
        train = v1.assign_add(a, old[1] - value(b))
    return Case([value(a), value(b)], {n: np.int32(4)}, train.op, 3)


@both
def cond_in_while_updates(resource):
    v, steps = variable("v", numbers(23, 2, 2), resource), variable("steps", np.float32(0), resource)
    x = v1.placeholder(tf.float32, [5, 2], name="x")

    def body(i, total):
        row = x[i]

        def grow():
            with deps([v1.assign_add(v, tf.tile(row[None], [2, 1]))]):
                return value(v)[0] + row

        def shrink():
            with deps([v1.assign(v, value(v) * 0.5), v1.assign_add(steps, 1.0)]):
                return value(v)[1] - row

        y = v1.cond(tf.reduce_sum(row) > 0, grow, shrink)
        return i + 1, total + y * tf.cast(i + 1, tf.float32)

    _, total = tf.while_loop(lambda i, _: i < 5, body, [tf.constant(0), tf.zeros([2])], parallel_iterations=1)
    with deps([total]):
        train = v1.assign_add(v, total[:, None] * 0.1 * tf.ones([2, 2]))
    return Case([value(v), value(steps)], {x: numbers(24, 5, 2)}, train.op, 3)


@case
def while_in_cond_updates():
    v = variable("v", numbers(25, 3))
    flag = v1.get_variable("flag", initializer=True, trainable=False)
    x = v1.placeholder(tf.float32, [3], name="x")

    def run():
        def body(i, s):
            with deps([v1.assign(v, tf.tanh(v + s))]):
                return i + 1, s + v * 0.5

        return tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), x], parallel_iterations=1)[1]

    y = v1.cond(flag, run, lambda: v * 2 - x)
    with deps([y]):
        with deps([v1.assign_sub(v, y * 0.1)]):
            train = v1.assign(flag, tf.logical_not(flag))
    return Case([v.value(), flag.value()], {x: numbers(26, 3)}, train.op, 5)


@both
def nested_loops_with_state(resource):
    v = variable("v", numbers(27, 2), resource)
    hits = variable("hits", np.float32(0), resource)

    def outer(i, acc):
        def inner(j, a):
            def yes():
                with deps([v1.assign_add(hits, 1.0)]):
                    return a + value(hits)

            def no():
                with deps([v1.assign(v, value(v) * 0.9 + a * 0.1)]):
                    return a * 0.5 + value(v)

            return j + 1, v1.cond(tf.equal((i + j) % 2, 0), yes, no)

        _, a = tf.while_loop(lambda j, _: j < i + 1, inner, [tf.constant(0), acc], parallel_iterations=1)
        with deps([a]):
            return i + 1, a - value(v)

    _, acc = tf.while_loop(lambda i, _: i < 4, outer, [tf.constant(0), tf.ones([2])], parallel_iterations=1)
    with deps([acc]):
        train = v1.assign_add(v, acc * 0.01)
    return Case([value(v), value(hits)], {}, train.op, 3)


@case
def loop_carries_old_reads():
    v = variable("v", numbers(28, 3))
    first = v * 1.0

    def body(i, last, array):
        with deps([last]):
            update = v1.assign(v, tf.tanh(last * 1.5 + 0.1))
        with deps([update]):
            now = v + 0.0
        return i + 1, now, array.write(i, last - now)

    with deps([first]):
        _, last, array = tf.while_loop(
            lambda i, *_: i < 4, body, [tf.constant(0), first, tf.TensorArray(tf.float32, 4)], parallel_iterations=1)
    stacked = array.stack()
    with deps([stacked]):
        train = v1.assign_add(v, tf.reduce_sum(stacked, 0) + first - last)
    return Case([v.value()], {}, train.op, 4)


@case
def gradient_of_loop_then_updates():
    w, x = variable("w", numbers(29, 3, 3)), v1.placeholder(tf.float32, [2, 3], name="x")

    def body(i, h, array):
        h = v1.cond(i % 2 > 0, lambda: tf.tanh(tf.matmul(h, w)), lambda: tf.nn.relu(tf.matmul(h, tf.transpose(w))) + h)
        return i + 1, h, array.write(i, tf.reduce_sum(h * h, 1))

    _, h, array = tf.while_loop(lambda i, *_: i < 4, body, [tf.constant(0), x, tf.TensorArray(tf.float32, 4)])
    loss = tf.reduce_mean(tf.square(h)) + tf.reduce_sum(array.stack()) * 0.1
    gradient = v1.gradients(loss, w)[0]
    momentum = variable("momentum", np.zeros([3, 3], np.float32))
    with deps([v1.assign(momentum, 0.9 * momentum + gradient)]):
        with deps([v1.assign_sub(w, 0.1 * momentum)]):
            again = tf.reduce_sum(w * gradient) + loss
    total = variable("total", np.float32(0))
    train = v1.assign_add(total, again)
    return Case([w.value(), momentum.value(), total.value()], {x: numbers(30, 2, 3)}, train.op, 4, 1e-3)


@case
def two_loops_one_stack():
    x = v1.placeholder(tf.float32, [4, 2], name="x")
    w = variable("w", numbers(31, 2))
    rows = tf.TensorArray(tf.float32, 4, clear_after_read=False).unstack(x)

    def forward(i, h, out):
        h = tf.sigmoid(rows.read(i) * w + h)
        return i + 1, h, out.write(i, h)

    _, _, f = tf.while_loop(lambda i, *_: i < 4, forward, [0, tf.zeros([2]), tf.TensorArray(tf.float32, 4, clear_after_read=False)])

    def backward(i, h, out):
        h = tf.tanh(f.read(i) - rows.read(i) * h)
        return i - 1, h, out.write(3 - i, h)

    _, last, b = tf.while_loop(lambda i, *_: i >= 0, backward, [3, tf.ones([2]), tf.TensorArray(tf.float32, 4)])
    loss = tf.reduce_sum(tf.square(b.stack())) + tf.reduce_sum(f.stack() * x) + tf.reduce_sum(last)
    train = v1.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True).minimize(loss)
    return Case([loss, w.value()], {x: numbers(32, 4, 2)}, train, 4, 1e-3)


# Control flow of functions


def loop_v2_with_state(resource=True):
    v, w = variable("v", numbers(33, 3), True), variable("w", numbers(34, 3), True)
    before = v.read_value()
    with deps([before]):

        def body(i, s):
            with deps([v.assign_add(s * 0.5, read_value=False)]):
                now = v.read_value()

            def yes():
                w.assign(now * 0.5, read_value=False)
                with deps([w.assign_add(now, read_value=False)]) if False else deps([now]):
                    return now * 1.0

            y = tf.cond(tf.reduce_sum(now) > 0, lambda: now * 2.0, lambda: now - w.read_value())
            return i + 1, s * 0.5 + y

        _, s = tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), w.read_value()])
    with deps([s]):
        after = v.read_value()
        train = w.assign(before + after * 0.1, read_value=False)
    return Case([v.read_value(), w.read_value()], {}, train, 4)


with_control_flow_v2(loop_v2_with_state)


def cond_v2_in_while_v2_training(resource=True):
    x = v1.placeholder(tf.float32, [4, 3], name="x")
    w, b = variable("w", numbers(35, 3, 3), True), variable("b", numbers(36, 3), True)
    step = v1.train.get_or_create_global_step()

    def body(i, h):
        return i + 1, tf.cond(
            tf.reduce_sum(h) > 0, lambda: tf.tanh(tf.matmul(h, w) + b), lambda: tf.sigmoid(tf.matmul(h, w, transpose_b=True)) - b)

    _, h = tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), x])
    loss = tf.reduce_mean(tf.square(h - 0.3))
    train = v1.train.AdamOptimizer(0.1).minimize(loss, global_step=step)
    average = tf.train.ExponentialMovingAverage(0.7)
    with deps([train]):
        train = average.apply([w, b])
    return Case([loss, w.read_value(), average.average(w).read_value(), step.read_value()], {x: numbers(37, 4, 3)}, train, 5, 1e-3)


with_control_flow_v2(cond_v2_in_while_v2_training)


def cond_v2_updates(resource=True):
    a, b = variable("a", numbers(38, 2), True), variable("b", numbers(39, 2), True)
    n = variable("n", np.int32(0), True)
    old = a.read_value()

    def swap():
        x, y = a.read_value(), b.read_value()
        with deps([x, y]):
            with deps([a.assign(y, read_value=False), b.assign(x, read_value=False)]):
                return a.read_value() + 2 * b.read_value()

    def scale():
        with deps([a.assign(a * 1.5, read_value=False)]):
            return a.read_value() - b.read_value()

    with deps([old]):
        y = tf.cond(tf.equal(n.read_value() % 2, 0), swap, scale)
    with deps([y]):
        with deps([b.assign_add(y * 0.1 + old, read_value=False)]):
            train = n.assign_add(1, read_value=False)
    return Case([a.read_value(), b.read_value(), y if False else n.read_value()], {}, train, 5)


with_control_flow_v2(cond_v2_updates)


@case
def defun_takes_handle():
    a, b = variable("a", numbers(41, 3), True), variable("b", numbers(42, 3), True)
    x = v1.placeholder(tf.float32, [3], name="x")

    @function.Defun(tf.float32)
    def bump(y):
        with deps([a.assign_add(y, read_value=False)]):
            with deps([b.assign(a.read_value() * 0.5, read_value=False)]):
                return a.read_value() + b.read_value()

    before = a.read_value()
    with deps([before]):
        first = bump(x)
    with deps([first]):
        middle = a.read_value() * before
        with deps([middle]):
            second = bump(first * 0.25)
    with deps([second]):
        train = a.assign(middle + second * 0.1, read_value=False)
    return Case([a.read_value(), b.read_value()], {x: numbers(43, 3)}, train, 3)


# Updates of several Variables


@both
def gradient_is_a_view(resource):
    v = variable("v", numbers(44, 4), resource)
    loss = 0.5 * tf.reduce_sum(tf.square(v))
    train = v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
    return Case([value(v), loss], {}, train, 5)


@case
def gradients_from_slots():
    v, m = variable("v", numbers(45, 4)), variable("m", numbers(46, 4))
    a, b = variable("first", np.abs(numbers(47, 4))), variable("second", np.abs(numbers(48, 4)))
    momentum = gen_training_ops.apply_momentum(v._ref(), m._ref(), 0.1, tf.reshape(m.value() * 0.5, [4]), 0.9)
    with deps([momentum]):
        adam = gen_training_ops.apply_adam(
            v._ref(), a._ref(), b._ref(), 0.9, 0.99, 0.01, 0.9, 0.99, 1e-3, a.value() * b.value() + v.value() * 0.5 + m.value())
    with deps([adam]):
        ada = gen_training_ops.apply_adagrad(v._ref(), b._ref(), 0.1, b.value() * 1.0)
    return Case([v.value(), m.value(), a.value(), b.value()], {}, tf.group(ada), 4)


@case
def gradients_from_slots_resource():
    v, m = variable("v", numbers(45, 4), True), variable("m", numbers(46, 4), True)
    a, b = variable("first", np.abs(numbers(47, 4)), True), variable("second", np.abs(numbers(48, 4)), True)
    momentum = gen_training_ops.resource_apply_momentum(
        v.handle, m.handle, 0.1, tf.reshape(m.read_value(), [4]), 0.9, use_nesterov=True)
    with deps([momentum]):
        adam = gen_training_ops.resource_apply_adam(
            v.handle, a.handle, b.handle, 0.9, 0.99, 0.01, 0.9, 0.99, 1e-3, a.read_value())
    with deps([adam]):
        rms = gen_training_ops.resource_apply_rms_prop(
            v.handle, a.handle, b.handle, 0.05, 0.9, 0.5, 1e-2, b.read_value() * a.read_value())
    with deps([rms]):
        last = gen_training_ops.resource_apply_adagrad(v.handle, a.handle, 0.1, a.read_value())
    return Case([v.read_value(), m.read_value(), a.read_value(), b.read_value()], {}, last, 4)


@both
def swapped_variables(resource):
    a, b, c = (variable(n, numbers(i, 2, 3), resource) for i, n in enumerate("abc", 49))
    olds = [tf.identity(x) * 1.0 if not resource else x.read_value() for x in (a, b, c)]
    with deps(olds):
        moves = [v1.assign(x, y) for x, y in zip((a, b, c), olds[1:] + olds[:1])]
    with deps(moves):
        train = v1.assign_add(a, tf.reshape(value(b), [2, 3]) + tf.reverse(value(c), [1]))
    return Case([value(a), value(b), value(c)], {}, train.op, 5)


@both
def polyak_swap(resource):
    x, y = v1.placeholder(tf.float32, [6, 3], name="x"), v1.placeholder(tf.float32, [6, 1], name="y")
    w = variable("w", numbers(52, 3, 1), resource)
    spare = variable("spare", np.zeros([3, 1], np.float32), resource)
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
    average = tf.train.ExponentialMovingAverage(0.9)
    with deps([v1.train.GradientDescentOptimizer(0.3).minimize(loss)]):
        apply = average.apply([w])
    shadow = average.average(w)
    with deps([apply]):
        with deps([v1.assign(spare, value(w))]):
            with deps([v1.assign(w, value(shadow))]):
                tested = tf.reduce_mean(tf.square(tf.matmul(x, value(w)) - y))
    worst = variable("worst", np.float32(0), resource)
    with deps([v1.assign(worst, tf.maximum(value(worst), tested))]):
        train = v1.assign(w, value(spare))
    return Case([loss, value(w), value(shadow), value(worst)], {x: numbers(53, 6, 3), y: numbers(54, 6, 1)}, train.op, 5, 1e-3)


# Rows and slices


@both
def replay_buffer(resource):
    memory = variable("memory", np.zeros([5, 3], np.float32), resource)
    at = v1.get_variable("at", initializer=0, trainable=False, use_resource=resource)
    x = v1.placeholder(tf.float32, [2, 3], name="x")
    w = variable("w", numbers(55, 3, 1), resource)
    rows = (value(at) + tf.range(2)) % 5
    store = v1.scatter_update(memory, rows, x * (1.0 + tf.cast(value(at), tf.float32)))
    with deps([store]):
        sample = tf.gather(value(memory), [0, 3, 4, 1])
        move = v1.assign_add(at, 2)
    loss = tf.reduce_mean(tf.square(tf.matmul(sample, w) - 1.0))
    with deps([move]):
        train = v1.train.RMSPropOptimizer(0.05).minimize(loss)
    return Case([value(memory), value(at), value(w)], {x: numbers(56, 2, 3)}, train, 6, 1e-3)


@both
def rows_from_own_rows(resource):
    v = variable("v", numbers(57, 5, 2), resource)
    picked = tf.gather(value(v), [4, 0])
    added = v1.scatter_add(v, [1, 2], picked * 0.5)
    with deps([added]):
        again = v1.scatter_sub(v, [0, 3], tf.gather(value(v), [1, 2]) + picked)
    with deps([again]):
        nd = v1.scatter_nd_update(v, [[4], [0]], value(v)[:2] * 0.5)
    with deps([nd]):
        train = v1.scatter_mul(v, [2], tf.expand_dims(tf.reduce_mean(value(v), 0), 0))
    return Case([value(v)], {}, train.op if hasattr(train, "op") else train, 4)


@both
def shift_register(resource):
    v = variable("v", numbers(58, 4), resource)
    t = variable("t", np.float32(0), resource)
    with deps([v1.assign_add(t, 0.5)]):
        new = tf.sin(value(t))
    shifted = v1.assign(v, tf.concat([value(v)[1:], [new]], 0))
    with deps([shifted]):
        train = v[1:3].assign(value(v)[:2] * 0.5 + value(v)[2:])
    return Case([value(v), value(t)], {}, tf.group(train), 5)


@case
def embedding_rows_and_norm():
    table = variable("table", numbers(59, 6, 3))
    ids = v1.placeholder(tf.int32, [4], name="ids")
    e = tf.nn.embedding_lookup(table, ids)
    loss = tf.reduce_sum(tf.square(e - 0.3))
    step = v1.train.get_or_create_global_step()
    update = v1.train.AdamOptimizer(0.1).minimize(loss, global_step=step)
    with deps([update]):
        unique, _ = tf.unique(ids)
        rows = tf.gather(table, unique)
        clipped = tf.clip_by_norm(rows, 0.8, axes=[1])
        train = v1.scatter_update(table, unique, clipped)
    return Case([table.value(), loss, step.value()], {ids: np.array([1, 4, 1, 5], np.int32)}, train.op, 4, 1e-3)


@case
def sparse_momentum_then_read():
    table, b = variable("table", numbers(60, 5, 2), True), variable("b", numbers(61, 2), True)
    ids = v1.placeholder(tf.int32, [3], name="ids")
    loss = tf.reduce_sum(tf.square(tf.gather(table, ids) + b)) + tf.reduce_sum(table[1] * b)
    update = v1.train.MomentumOptimizer(0.05, 0.9).minimize(loss)
    with deps([update]):
        total = tf.reduce_sum(table.read_value(), 0)
        train = b.assign(b * 0.9 + total * 0.01, read_value=False)
    return Case([table.read_value(), b.read_value()], {ids: np.array([0, 2, 2], np.int32)}, train, 4, 1e-3)


# Training programs


@both
def batch_norm_by_phase(resource):
    x = v1.placeholder(tf.float32, [6, 3], name="x")
    training = v1.placeholder(tf.bool, [], name="training")
    w = variable("w", numbers(62, 3, 4), resource)
    mean, var = variable("mean", np.zeros(4, np.float32), resource), variable("var", np.ones(4, np.float32), resource)
    h = tf.matmul(x, w)
    m, s = tf.nn.moments(h, [0])

    def train_phase():
        with deps([v1.assign(mean, value(mean) * 0.8 + m * 0.2), v1.assign(var, value(var) * 0.8 + s * 0.2)]):
            return tf.identity(m), tf.identity(s)

    m1, s1 = v1.cond(training, train_phase, lambda: (value(mean) + 0.0, value(var) + 0.0))
    y = tf.nn.batch_normalization(h, m1, s1, None, None, 1e-3)
    loss = tf.reduce_mean(tf.square(tf.nn.relu(y) - 0.5))
    optimizer = v1.train.AdamOptimizer(0.05)
    pairs = optimizer.compute_gradients(loss, [w])
    with deps([m1]):
        train = optimizer.apply_gradients(pairs)
    return Case([value(mean), value(var), value(w)], {x: numbers(63, 6, 3), training: np.bool_(True)}, train, 4, 2e-3)


@both
def accumulate_then_apply(resource):
    x, y = v1.placeholder(tf.float32, [5, 3], name="x"), v1.placeholder(tf.float32, [5, 1], name="y")
    w = variable("w", numbers(64, 3, 1), resource)
    total, count = variable("sum", np.zeros([3, 1], np.float32), resource), variable("count", np.float32(0), resource)
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - y))
    gradient = v1.gradients(loss, w)[0]
    optimizer = v1.train.MomentumOptimizer(0.2, 0.8)
    optimizer._create_slots([w])

    def apply():
        mean = value(total) / value(count)
        with deps([optimizer.apply_gradients([(mean, w)])]):
            with deps([v1.assign(total, tf.zeros([3, 1])), v1.assign(count, 0.0)]):
                return tf.reduce_sum(value(w)) + value(count)

    with deps([v1.assign_add(total, gradient), v1.assign_add(count, 1.0)]):
        done = v1.cond(value(count) > 2.5, apply, lambda: tf.reduce_sum(value(total)) + 0.0)
    log = variable("log", np.float32(0), resource)
    with deps([done]):
        train = v1.assign(log, value(log) * 0.5 + done)
    return Case([value(w), value(total), value(log)], {x: numbers(65, 5, 3), y: numbers(66, 5, 1)}, train.op, 7, 1e-3)


@case
def loss_scaling():
    x = v1.placeholder(tf.float32, [4, 3], name="x")
    w = variable("w", numbers(67, 3, 1) * 4)
    scale, good = variable("scale", np.float32(1024)), v1.get_variable("good", initializer=0, trainable=False)
    loss = tf.reduce_mean(tf.exp(tf.matmul(x, w)))
    gradient = v1.gradients(loss * scale, w)[0]
    finite = tf.reduce_all(tf.abs(gradient) < 3000.0)
    optimizer = v1.train.GradientDescentOptimizer(0.1)

    def good_step():
        with deps([optimizer.apply_gradients([(gradient / scale, w)])]):
            with deps([v1.assign_add(good, 1)]):
                return v1.cond(
                    tf.equal(good % 2, 0), lambda: tf.identity(v1.assign(scale, scale * 2)), lambda: tf.identity(scale))

    def bad_step():
        with deps([v1.assign(good, 0)]):
            return tf.identity(v1.assign(scale, scale / 4))

    train = v1.cond(finite, good_step, bad_step)
    return Case([w.value(), scale.value(), good.value()], {x: numbers(68, 4, 3)}, train.op, 8, 1e-3)


@both
def deep_q_with_copies(resource):
    s, s2 = v1.placeholder(tf.float32, [4, 3], name="s"), v1.placeholder(tf.float32, [4, 3], name="s2")
    act, r = v1.placeholder(tf.int32, [4], name="act"), v1.placeholder(tf.float32, [4], name="r")

    def net(scope, x, seed):
        with v1.variable_scope(scope):
            w = variable("w", numbers(seed, 3, 2), resource)
            b = variable("b", numbers(seed + 1, 2), resource)
        return tf.matmul(x, w) + b, [w, b]

    q, mine = net("online", s, 69)
    t, theirs = net("target", s2, 71)
    step = v1.get_variable("step", initializer=0, trainable=False, use_resource=resource)
    goal = tf.stop_gradient(r + 0.9 * tf.reduce_max(t, 1))
    loss = tf.reduce_mean(tf.square(tf.reduce_sum(q * tf.one_hot(act, 2), 1) - goal))
    update = v1.train.AdamOptimizer(0.05).minimize(loss, var_list=mine)
    with deps([update]):
        with deps([v1.assign_add(step, 1)]):
            train = v1.cond(
                tf.equal(value(step) % 3, 0),
                lambda: tf.group(*[v1.assign(a, value(b)) for a, b in zip(theirs, mine)]),
                lambda: tf.group(*[v1.assign(a, value(a) * 0.99 + 0.01 * value(b)) for a, b in zip(theirs, mine)]))
    feeds = {s: numbers(73, 4, 3), s2: numbers(74, 4, 3), act: np.array([0, 1, 1, 0], np.int32), r: numbers(75, 4)}
    return Case([loss] + [value(v) for v in mine + theirs], feeds, train, 7, 1e-3)


@case
def checked_counters():
    a, b = variable("a", np.float32(1)), v1.get_variable("n", initializer=tf.constant(0, tf.int64), trainable=False)
    with deps([v1.assert_less(a, 100.0), v1.assert_non_negative(b)]):
        up = v1.assign(a, a * 1.5)
    with deps([up]):
        checked = v1.assert_greater(a, 1.0, data=[a])
    with deps([checked]):
        with deps([v1.assign_add(b, tf.cast(a * 2, tf.int64))]):
            train = v1.assign_sub(a, tf.cast(b, tf.float32) * 0.01)
    return Case([a.value(), b.value()], {}, train.op, 5)


@case
def scaffold_ready():
    a, b = variable("a", numbers(76, 2)), variable("b", numbers(77, 2), True)
    missing = v1.report_uninitialized_variables()
    ready = tf.equal(tf.size(missing), 0)
    guard = v1.assert_variables_initialized([a])
    with deps([guard] if guard is not None else []):
        train = v1.cond(ready, lambda: tf.group(v1.assign_add(a, b)), lambda: tf.group(v1.assign(a, [0.0, 0.0])))
    return Case([a.value(), tf.size(missing)], {}, train, 3)


@case
def schedule_by_cond_and_plateau():
    x = v1.placeholder(tf.float32, [4, 2], name="x")
    w = variable("w", numbers(78, 2, 1))
    rate, best, wait = variable("rate", np.float32(0.5)), variable("best", np.float32(1e9)), variable("wait", np.float32(0))
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 2.0))

    def better():
        return tf.group(v1.assign(best, loss), v1.assign(wait, 0.0))

    def worse():
        with deps([v1.assign_add(wait, 1.0)]):
            return v1.cond(wait >= 2.0, lambda: tf.group(v1.assign(rate, rate * 0.5), v1.assign(wait, 0.0)), tf.no_op)

    with deps([v1.cond(loss < best - 0.05, better, worse)]):
        now = tf.identity(rate) * 1.0
    train = v1.train.GradientDescentOptimizer(now).minimize(loss)
    return Case([w.value(), rate.value(), best.value(), wait.value()], {x: numbers(79, 4, 2)}, train, 9, 1e-3)


# Decoders


@case
def beam_search():
    logits_w = variable("w", numbers(81, 4, 4))
    start = variable("start", numbers(82, 1, 4))

    def body(t, scores, paths, state):
        logp = tf.nn.log_softmax(tf.matmul(state, logits_w))
        total = tf.expand_dims(scores, 1) + logp
        best, flat = tf.nn.top_k(tf.reshape(total, [-1]), 3)
        beam, token = flat // 4, flat % 4
        paths = tf.concat([tf.gather(paths, beam), tf.expand_dims(token, 1)], 1)
        state = tf.tanh(tf.gather(state, beam) + tf.one_hot(token, 4) * 1.3)
        return t + 1, best, paths, state

    scores = tf.constant([0.0, -1e9, -1e9])
    _, scores, paths, _ = tf.while_loop(
        lambda t, *_: t < 5, body, [tf.constant(0), scores, tf.zeros([3, 0], tf.int32), tf.tile(start, [3, 1])],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([3]), tf.TensorShape([3, None]), tf.TensorShape([3, 4])])
    with deps([scores]):
        train = v1.assign_add(logits_w, tf.one_hot(paths[0, :4], 4) * 0.3)
    return Case([scores, paths], {}, train.op, 3)


@case
def viterbi():
    scores, moves = v1.placeholder(tf.float32, [5, 3], name="scores"), variable("moves", numbers(83, 3, 3))

    def forward(i, v, back):
        all = tf.expand_dims(v, 1) + moves
        return i + 1, tf.reduce_max(all, 0) + scores[i], back.write(i - 1, tf.argmax(all, 0, output_type=tf.int32))

    _, v, back = tf.while_loop(
        lambda i, *_: i < 5, forward, [1, scores[0], tf.TensorArray(tf.int32, 4, clear_after_read=False)])
    last = tf.argmax(v, output_type=tf.int32)

    def backward(i, tag, tags):
        tag = tf.gather(back.read(i), tag)
        return i - 1, tag, tags.write(i, tag)

    _, _, tags = tf.while_loop(lambda i, *_: i >= 0, backward, [3, last, tf.TensorArray(tf.int32, 4)])
    path = tf.concat([tags.stack(), [last]], 0)
    with deps([path]):
        train = v1.scatter_nd_add(moves, tf.stack([path[:-1], path[1:]], 1), tf.fill([4], -0.4))
    return Case([path, tf.reduce_max(v)], {scores: numbers(84, 5, 3)}, train.op, 4)


@case
def sequence_to_sequence():
    source = v1.placeholder(tf.float32, [2, 4, 3], name="source")
    lengths = v1.placeholder(tf.int32, [2], name="lengths")
    targets = v1.placeholder(tf.int32, [2, 3], name="targets")
    with v1.variable_scope("model", initializer=v1.random_uniform_initializer(-0.5, 0.5, seed=9)):
        memory, state = v1.nn.dynamic_rnn(v1.nn.rnn_cell.GRUCell(4), source, lengths, dtype=tf.float32, scope="encoder")
        table, out = variable("table", numbers(85, 5, 4)), variable("out", numbers(86, 4, 5))
        cell = v1.nn.rnn_cell.GRUCell(4)
        ids = tf.TensorArray(tf.int32, 3).unstack(tf.transpose(targets))

        def body(t, token, h, losses, greedy):
            y, h = cell(tf.gather(table, token), h)
            weights = tf.nn.softmax(tf.einsum("bd,btd->bt", y, memory))
            y = tf.tanh(y + tf.einsum("bt,btd->bd", weights, memory))
            logits = tf.matmul(y, out)
            want = ids.read(t)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=want, logits=logits)
            mine = tf.argmax(logits, 1, output_type=tf.int32)
            return t + 1, v1.cond(t % 2 > 0, lambda: want, lambda: mine), h, losses.write(t, loss), greedy.write(t, mine)

        _, _, _, losses, greedy = tf.while_loop(
            lambda t, *_: t < 3, body,
            [tf.constant(0), tf.zeros([2], tf.int32), state, tf.TensorArray(tf.float32, 3), tf.TensorArray(tf.int32, 3)])
    loss = tf.reduce_mean(losses.stack())
    grads, variables = zip(*v1.train.AdamOptimizer(0.05).compute_gradients(loss))
    grads, norm = tf.clip_by_global_norm(grads, 1.0)
    train = v1.train.AdamOptimizer(0.05).apply_gradients(zip(grads, variables), v1.train.get_or_create_global_step())
    feeds = {source: numbers(87, 2, 4, 3), lengths: np.array([4, 2], np.int32), targets: np.array([[1, 2, 3], [4, 0, 1]], np.int32)}
    return Case([loss, norm, greedy.stack()], feeds, train, 3, 2e-3)


@both
def stateful_rnn(resource):
    x = v1.placeholder(tf.float32, [2, 3, 3], name="x")
    with v1.variable_scope("rnn", initializer=v1.random_uniform_initializer(-0.5, 0.5, seed=4), use_resource=resource):
        cell = v1.nn.rnn_cell.BasicLSTMCell(4)
        c, h = variable("c", np.zeros([2, 4], np.float32), resource), variable("h", np.zeros([2, 4], np.float32), resource)
        first = v1.nn.rnn_cell.LSTMStateTuple(value(c), value(h))
        outputs, state = v1.nn.dynamic_rnn(cell, x, initial_state=first)
    loss = tf.reduce_mean(tf.square(outputs - 0.2))
    trained = [v for v in v1.trainable_variables() if v is not c and v is not h]
    update = v1.train.AdamOptimizer(0.05).minimize(loss, var_list=trained)
    with deps([update]):
        train = tf.group(v1.assign(c, state.c), v1.assign(h, state.h))
    return Case([loss, value(c), value(h)], {x: numbers(88, 2, 3, 3)}, train, 4, 1e-3)


@case
def dropout_free_gan():
    z, real = v1.placeholder(tf.float32, [4, 2], name="z"), v1.placeholder(tf.float32, [4, 3], name="real")
    g, d, clip = variable("g", numbers(89, 2, 3)), variable("d", numbers(90, 3, 1)), variable("k", np.float32(0))
    fake = tf.tanh(tf.matmul(z, g))
    d_loss = tf.reduce_mean(tf.matmul(fake, d)) - tf.reduce_mean(tf.matmul(real, d))
    slope = v1.gradients(tf.matmul(real * 0.5 + fake * 0.5, d), [fake])[0]
    penalty = tf.reduce_mean(tf.square(tf.norm(slope, axis=1) - 1))
    d_train = v1.train.RMSPropOptimizer(0.05).minimize(d_loss + penalty, var_list=[d])
    with deps([d_train]):
        with deps([v1.assign(d, tf.clip_by_value(d, -0.7, 0.7)), v1.assign_add(clip, 1.0)]):
            g_loss = -tf.reduce_mean(tf.matmul(tf.tanh(tf.matmul(z, g)), d))
            g_train = v1.train.AdamOptimizer(0.1).minimize(g_loss, var_list=[g])
    return Case([g.value(), d.value(), clip.value()], {z: numbers(91, 4, 2), real: numbers(92, 4, 3)}, g_train, 5, 1e-3)


@both
def views_of_views(resource):
    v = variable("v", numbers(93, 2, 3), resource)
    flat = tf.reshape(tf.expand_dims(value(v), 0), [6])
    again = tf.squeeze(tf.reshape(flat, [1, 6]), 0)
    old = again * 1.0
    with deps([old]):
        up = v1.assign(v, value(v) * 0.5 + 1)
    with deps([up]):
        new = tf.reshape(value(v), [6])
        mixed = old * 2 + new
        with deps([mixed]):
            last = v1.assign_sub(v, tf.reshape(mixed, [2, 3]))
    with deps([last]):
        train = v1.assign_add(v, tf.reshape(tf.reverse(old, [0]), [2, 3]) * 0.1)
    return Case([value(v)], {}, train.op, 4)


@case
def identity_n_of_reads():
    a, b = variable("a", numbers(94, 3)), variable("b", numbers(95, 3), True)
    pair = tf.tuple([a.value() * 1.0, b.read_value()])
    both_ = tf.raw_ops.IdentityN(input=[pair[0], pair[1], b.read_value()])
    with deps(both_):
        # Before the update: TensorFlow may change the memory of a handle's read once nobody else seems to hold it.
        half, other = both_[2] * 0.5, both_[1] * 1.0
    with deps([half, other]):
        ups = [v1.assign_add(a, other), b.assign_sub(both_[0], read_value=False)]
    with deps(ups):
        train = b.assign_add(half + a, read_value=False)
    return Case([a.value(), b.read_value()], {}, train, 4)


@case
def optimizers_in_a_row():
    x = v1.placeholder(tf.float32, [4, 3], name="x")
    w, b = variable("w", numbers(96, 3, 2)), variable("b", numbers(97, 2), True)

    def loss():
        return tf.reduce_mean(tf.square(tf.sigmoid(tf.matmul(x, w) + b) - 0.7))

    before = []
    for optimizer in (
            v1.train.AdadeltaOptimizer(1.0), v1.train.FtrlOptimizer(0.1), v1.train.AdagradOptimizer(0.1),
            v1.train.ProximalGradientDescentOptimizer(0.1, 0.01), v1.train.RMSPropOptimizer(0.01, centered=True, momentum=0.3)):
        with deps(before):
            pairs = optimizer.compute_gradients(loss(), [w, b])
            before = [optimizer.apply_gradients(pairs)]
    return Case([w.value(), b.read_value(), loss()], {x: numbers(98, 4, 3)}, before[0], 3, 1e-3)


# References and handles passed on; what a GPU holds and the host reads


@case
def chained_updates():
    v = variable("v", numbers(1, 4)); w = variable("w", numbers(2, 4))
    a = v1.assign_sub(v1.assign_add(v, [1., 2, 3, 4]), w)
    s = v1.scatter_add(a, [0, 2], [0.5, 0.25])
    with deps([s]):
        train = v1.assign(w, v * 0.5)
    return Case([v.value(), w.value()], {}, train.op, 3)


@case
def chained_update_in_cond():
    v = variable("v", numbers(1, 4)); w = variable("w", numbers(2, 4))
    flag = v1.placeholder(tf.bool, [], name="flag")
    u = v1.assign_add(v, w)
    y = v1.cond(flag, lambda: tf.identity(v1.assign_sub(u, [1., 1, 1, 1])) * 2, lambda: u * 1.)
    with deps([y]):
        train = v1.assign(w, v * 0.5 + y)
    return Case([v.value(), w.value()], {flag: np.bool_(True)}, train.op, 3)


@case
def chained_update_in_loop():
    v = variable("v", numbers(1, 4)); log = variable("log", np.zeros([4], np.float32))
    def body(i, s):
        a = v1.assign_add(v, s * 0.1)
        r = tf.identity(a) * 1.0
        with deps([r]):
            b = v1.assign_sub(a, [.5, .5, .5, .5])
        with deps([b]):
            return i + 1, s + r * 0.5 + tf.identity(v)
    _, s = tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), tf.ones([4])], parallel_iterations=1)
    train = v1.assign_add(log, s)
    return Case([v.value(), log.value()], {}, train.op, 3)


@case
def defun_writes_in_cond():
    a, b = variable("a", numbers(41, 3), True), variable("b", numbers(42, 3), True)
    x = v1.placeholder(tf.float32, [3], name="x")
    @function.Defun(tf.float32)
    def bump(y):
        with deps([a.assign_add(y, read_value=False)]):
            return a.read_value() * 0.5
    before = a.read_value()
    with deps([before]):
        def yes():
            z = bump(x)
            with deps([z]):
                return z + a.read_value()
        y = v1.cond(tf.reduce_sum(x) < 100, yes, lambda: x)
    with deps([y]):
        after = a.read_value()
        train = b.assign(before * 0.5 + after * 0.1 + tf.matmul(tf.ones([3,3]), after[:, None])[:, 0], read_value=False)
    return Case([a.read_value(), b.read_value()], {x: numbers(43, 3)}, train, 3)


@case
def defun_reads_gpu_variable_after_writes():
    a, b = variable("a", numbers(41, 3, 3), True), variable("b", numbers(42, 3), True)
    @function.Defun(tf.float32)
    def look(y):
        return tf.reduce_sum(a.read_value() * y, 1)
    first = look(tf.ones([3]))
    with deps([first]):
        up = a.assign_add(tf.matmul(a.read_value(), a.read_value()) * 0.1, read_value=False)
    with deps([up]):
        second = look(tf.ones([3]))
    with deps([second]):
        up2 = a.assign(a.read_value() * 0.5, read_value=False)
    with deps([up2]):
        third = look(first)
        train = b.assign(first + second * 0.5 + third, read_value=False)
    return Case([a.read_value(), b.read_value()], {}, train, 3)


@both
def shared_reads_by_many(resource):
    v = variable("v", numbers(1, 4), resource)
    reads = [value(v) for _ in range(3)]
    outs = [tf.reshape(reads[0], [2, 2]), tf.expand_dims(reads[1], 0), tf.squeeze(reads[2][None], 0)]
    sums = [tf.reduce_sum(o) for o in outs]
    with deps(sums):
        up = v1.assign_add(v, tf.ones([4]) * sums[0] * 0.1)
    with deps([up]):
        with deps([v1.assign(v, tf.reverse(value(v), [0]))]):
            train = v1.assign_add(v, value(v) * 0.5)
    return Case([value(v)], {}, train.op, 3)


@case
def scan_with_updates():
    v = variable("v", numbers(1, 2))
    x = v1.placeholder(tf.float32, [4, 2], name="x")
    def step(h, row):
        with deps([v1.assign_add(v, row * 0.1)]):
            return tf.tanh(h + v)
    hs = tf.scan(step, x, tf.zeros([2]), parallel_iterations=1)
    log = variable("log", np.zeros([4, 2], np.float32))
    train = v1.assign_add(log, hs)
    return Case([v.value(), log.value()], {x: numbers(2, 4, 2)}, train.op, 3)


@case
def layers_batch_norm_update_ops():
    x = v1.placeholder(tf.float32, [6, 4, 4, 2], name="x")
    y = v1.layers.conv2d(x, 3, 3, kernel_initializer=v1.random_uniform_initializer(-.5, .5, seed=1))
    y = v1.layers.batch_normalization(y, training=True, momentum=0.8)
    y = tf.nn.relu(y)
    y = v1.layers.dense(v1.layers.flatten(y), 2, kernel_initializer=v1.random_uniform_initializer(-.5, .5, seed=2))
    loss = tf.reduce_mean(tf.square(y - 1))
    step = v1.train.get_or_create_global_step()
    with deps(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
        train = v1.train.AdamOptimizer(0.01).minimize(loss, global_step=step)
    ema = tf.train.ExponentialMovingAverage(0.9, step)
    with deps([train]):
        train = ema.apply()
    mv = [v for v in v1.global_variables() if "moving" in v.name]
    return Case([loss] + [value(v) for v in mv], {x: numbers(2, 6, 4, 4, 2)}, train, 4, 3e-3)


@both
def partitioned_variables(resource):
    with v1.variable_scope("p", partitioner=v1.fixed_size_partitioner(2), use_resource=resource):
        v = v1.get_variable("v", [4, 2], initializer=v1.random_uniform_initializer(-1, 1, seed=2))
    ids = v1.placeholder(tf.int32, [3], name="ids")
    e = tf.nn.embedding_lookup(v, ids)
    loss = tf.reduce_sum(tf.square(e - 1))
    opt = v1.train.AdagradOptimizer(0.1).minimize(loss)
    ema = tf.train.ExponentialMovingAverage(0.5)
    with deps([opt]): train = ema.apply(list(v))
    return Case([loss, tf.convert_to_tensor(v)] + [value(ema.average(p)) for p in v], {ids: np.array([0, 3, 1], np.int32)}, train, 4, 1e-3)


@both
def trained_then_read_in_branch(resource):
    x = v1.placeholder(tf.float32, [4, 3], name="x"); flag = v1.placeholder(tf.bool, [], name="flag")
    w = variable("w", numbers(1, 3, 2), resource); log = variable("log", np.zeros([3, 2], np.float32), resource)
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1))
    up = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
    y = v1.cond(flag, lambda: tf.reduce_sum(x) * 1., lambda: tf.reduce_sum(x) * 2.)
    with deps([up, y]):
        z = w * 2.0 if not resource else w.read_value() * 2.
    with deps([up]):
        q = v1.cond(flag, lambda: w * 0.5, lambda: w * 3.)
    with deps([q, z]):
        train = v1.assign(log, z + q)
    return Case([value(w), value(log)], {x: numbers(2, 4, 3), flag: np.bool_(True)}, train.op, 4, 1e-3)


@both
def trained_then_looped(resource):
    x = v1.placeholder(tf.float32, [4, 3], name="x")
    w = variable("w", numbers(1, 3, 3), resource); log = variable("log", np.zeros([3, 3], np.float32), resource)
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1))
    up = v1.train.MomentumOptimizer(0.1, .9).minimize(loss)
    with deps([up]):
        _, z = tf.while_loop(lambda i, _: i < 3, lambda i, h: (i + 1, tf.matmul(h, w) + tf.reshape(w, [3, 3]) * 0.1), [tf.constant(0), tf.eye(3)])
    with deps([z]):
        n = v1.assign(log, z)
        train = n
    return Case([value(w), value(log)], {x: numbers(2, 4, 3)}, train.op, 4, 1e-3)


@case
def refs_passed_by_cond():
    a, b = variable("a", numbers(1, 3)), variable("b", numbers(2, 3)); n = v1.get_variable("n", initializer=0, trainable=False)
    x = v1.placeholder(tf.float32, [3], name="x")
    picked = v1.cond(tf.equal(n % 2, 0), lambda: v1.assign_add(a, x), lambda: v1.assign_add(b, x))
    # writes what the branch has chosen
    twice = tf.raw_ops.AssignSub(ref=picked, value=x * 0.25) if picked.dtype._is_ref_dtype else picked
    with deps([twice]):
        s = a + b * 2
        with deps([s]):
            with deps([v1.assign(b, s * 0.5)]):
                train = v1.assign_add(n, 1)
    return Case([a.value(), b.value()], {x: numbers(3, 3)}, train.op, 5)


@case
def handles_by_identity():
    v = variable("v", numbers(1, 3), True)
    h = tf.identity(v.handle)
    from tensorflow.python.ops import gen_resource_variable_ops as g
    r = g.read_variable_op(h, tf.float32)
    with deps([r]):
        up = g.assign_add_variable_op(h, tf.ones([3]))
    with deps([up]):
        r2 = g.read_variable_op(v.handle, tf.float32)
        flag = tf.reduce_sum(r2) > -100
        def body():
            hh = tf.identity(h)
            a = g.read_variable_op(hh, tf.float32)
            with deps([a]):
                u = g.assign_sub_variable_op(v.handle, tf.ones([3]) * .5)
            with deps([u]):
                return a * 2 + g.read_variable_op(hh, tf.float32)
        y = v1.cond(flag, body, lambda: r * 1.)
    with deps([y]):
        train = g.assign_variable_op(h, r * 0.5 + y * 0.1)
    return Case([v.read_value()], {}, train, 3)


@case
def arrays_hold_reads():
    v, log = variable("v", numbers(1, 2), True), variable("log", np.zeros([3, 2], np.float32), True)
    ta = tf.TensorArray(tf.float32, 3, clear_after_read=False)
    ta = ta.write(0, v.read_value())
    with deps([ta.flow]):
        up = v.assign_add([1., 2.], read_value=False)
    with deps([up]):
        ta = ta.write(1, v.read_value())
        with deps([ta.flow]):
            up = v.assign(tf.reshape(ta.read(0), [2]) * 0.5, read_value=False)
    with deps([up]):
        ta = ta.write(2, v.read_value())
        train = log.assign_add(ta.stack(), read_value=False)
    return Case([log.read_value(), v.read_value()], {}, train, 3)


@case
def stack_of_reads():
    from tensorflow.python.ops import gen_data_flow_ops as d
    v, log = variable("v", numbers(1, 2), True), variable("log", np.zeros([2], np.float32), True)
    s = d.stack_v2(-1, tf.float32)
    p = d.stack_push_v2(s, v.read_value())
    with deps([p]):
        up = v.assign_add([1., 2.], read_value=False)
    with deps([up]):
        def body(i, x):
            with deps([x]):
                p = d.stack_push_v2(s, v.read_value() * tf.cast(i, tf.float32))
            with deps([p]):
                u = v.assign_add(x * 0.1, read_value=False)
            with deps([u]): return i + 1, x + 1.
        _, x = tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), tf.zeros([2])], parallel_iterations=1)
    def pop(i, x):
        with deps([x]):
            y = d.stack_pop_v2(s, tf.float32); y.set_shape([2])
            return i + 1, x * 0.5 + y
    _, z = tf.while_loop(lambda i, _: i < 4, pop, [tf.constant(0), x], parallel_iterations=1)
    train = log.assign_add(z, read_value=False)
    return Case([log.read_value(), v.read_value()], {}, train, 3)


@both
def whole_and_slice_updates(resource):
    v = variable("v", numbers(1, 4, 3), resource); x = v1.placeholder(tf.float32, [3], name="x")
    row = value(v)[1] * 1.
    with deps([row]):
        a = v[2].assign(x * 2 + row)
    with deps([a]):
        b = v1.scatter_nd_add(v, [[0, 1], [3, 2]], value(v)[2, :2])
    with deps([b]):
        c = v[:, 1].assign(tf.reduce_sum(value(v), 1))
    with deps([c]):
        d = v1.assign(v, tf.transpose(tf.reshape(value(v), [3, 4])) * 0.5)
    with deps([d]):
        train = v[::2, ::-1].assign(value(v)[1::2] + 1.)
    return Case([value(v)], {x: numbers(2, 3)}, tf.group(train), 3)


@case
def loop_in_cond_in_loop_gradient():
    x = v1.placeholder(tf.float32, [3], name="x"); w = variable("w", numbers(1, 3)); k = variable("k", np.float32(1.5))
    def body(i, h):
        def deep():
            return tf.while_loop(lambda j, _: j < i + 1, lambda j, a: (j + 1, tf.tanh(a * w + x)), [tf.constant(0), h])[1]
        return i + 1, v1.cond(tf.reduce_sum(h) * k > 0, deep, lambda: tf.sin(h) * w + 0.5)
    _, h = tf.while_loop(lambda i, _: i < 4, body, [tf.constant(0), x * 1.])
    loss = tf.reduce_sum(h * h)
    gs = v1.gradients(loss, [w, x, k])
    up = v1.train.AdamOptimizer(0.05).apply_gradients([(gs[0], w)])
    with deps([up]):
        train = v1.assign_add(k, tf.reduce_sum(w) * 0.1 - tf.reduce_sum(gs[1]) * 0.01)
    return Case([loss, gs[0], w.value(), k.value()], {x: numbers(2, 3)}, train.op, 4, 1e-3)


@case
def conv_train_gpu_reads_between():
    x = v1.placeholder(tf.float32, [2, 5, 5, 2], name="x")
    k = variable("k", numbers(1, 3, 3, 2, 3)); b = variable("b", numbers(2, 3)); log = variable("log", np.float32(0))
    loss = tf.reduce_mean(tf.square(tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, k, 1, "SAME"), b)) - 0.5))
    norm0 = tf.nn.l2_loss(k)
    with deps([norm0]):
        up = v1.train.AdamOptimizer(0.02).minimize(loss)
    with deps([up]):
        norm1 = tf.nn.l2_loss(k)
    with deps([norm1]):
        c = v1.assign(k, tf.clip_by_norm(k, 1.5))
    with deps([c]):
        train = v1.assign_add(log, norm0 - norm1 + tf.reduce_sum(k))
    return Case([k.value(), b.value(), log.value(), loss], {x: numbers(3, 2, 5, 5, 2)}, train.op, 4, 2e-3)


if __name__ == "__main__":
    graphs.main()
