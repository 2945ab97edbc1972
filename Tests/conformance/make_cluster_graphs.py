#!/usr/bin/env python3
"""Writes training graphs as users of TensorFlow 1 write them, with the losses that TensorFlow has: cases for clusters.

    make_cluster_graphs.py FOLDER [NAME …]

For each case NAME.pb (a binary GraphDef), NAME.losses (`loss:0` before each of 30 steps) and NAME.yaml; data.npz for all.
A case is written in several styles: Variables as references or resources, control flow as switches (v1) or functions (v2).
The first line of NAME.yaml says what is expected: `equal` to TensorFlow, `noted` in a line what differs with several workers, or `refused` by name.
"""
import os
import pathlib
import sys
import traceback

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_v2_behavior()

STEPS, BATCH, EXAMPLES = 30, 24, 100
CASES = {}
REF, RES, FUN = ("ref", False, False), ("res", True, False), ("fun", True, True)


def case(*styles, expect="equal", together=False):
    """Registers a case; `together`: loss and training in one run, for what draws random numbers or writes in the loss."""

    def add(function):
        for name, resource, functions in styles or (REF, RES, FUN):
            CASES[f"{function.__name__}_{name}"] = (function, resource, functions, expect, together)
        return function

    return add


def numbers(seed, *shape):
    return np.random.RandomState(seed).uniform(-0.7, 0.7, shape).astype(np.float32)


def gradients(loss, variables):
    """All of them before any write, as optimizers have them: else a write may come before the backward pass reads."""
    return v1.tuple(v1.gradients(loss, variables))


def var(name, value, **more):
    return v1.get_variable(name, initializer=tf.constant(value), **more)


class Net:
    """A small classifier: its placeholders, Variables and loss."""

    def __init__(self, mean=True, hidden=None, dropout=None):
        self.x = v1.placeholder(tf.float32, [None, 4], name="x")
        self.y = v1.placeholder(tf.int32, [None], name="y")
        self.w1, self.b1 = var("w1", numbers(1, 4, 6)), var("b1", numbers(2, 6))
        self.w2, self.b2 = var("w2", numbers(3, 6, 2)), var("b2", numbers(4, 2))
        h = tf.matmul(self.x, self.w1) + self.b1
        self.h = hidden(h) if hidden else tf.tanh(h)
        if dropout:
            self.h = dropout(self.h)
        self.logits = tf.matmul(self.h, self.w2) + self.b2
        self.each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=self.y, logits=self.logits)
        self.loss = tf.reduce_mean(self.each) if mean else tf.reduce_sum(self.each)
        self.step = v1.train.get_or_create_global_step()
        self.vars = [self.w1, self.b1, self.w2, self.b2]

    def done(self, train, loss=None):
        with tf.control_dependencies(None):
            tf.identity(self.loss if loss is None else loss, name="loss")
            tf.group(train, name="train")

    def sgd(self, rate, momentum=None):
        optimizer = v1.train.MomentumOptimizer(rate, momentum) if momentum else v1.train.GradientDescentOptimizer(rate)
        self.done(optimizer.minimize(self.loss, global_step=self.step))


# Learning rates

RATES = {
    "piecewise": lambda s: v1.train.piecewise_constant(s, [4, 12], [0.5, 0.1, 0.3]),
    "piecewise64": lambda s: v1.train.piecewise_constant(tf.cast(s, tf.int32), [4, 12], [0.5, 0.1, 0.3]),
    "exponential": lambda s: v1.train.exponential_decay(0.5, s, 5, 0.7),
    "staircase": lambda s: v1.train.exponential_decay(0.5, s, 5, 0.7, staircase=True),
    "polynomial": lambda s: v1.train.polynomial_decay(0.5, s, 10, 0.05, power=2.0),
    "polycycle": lambda s: v1.train.polynomial_decay(0.5, s, 7, 0.05, cycle=True),
    "inversetime": lambda s: v1.train.inverse_time_decay(0.5, s, 5, 0.5, staircase=True),
    "naturalexp": lambda s: v1.train.natural_exp_decay(0.5, s, 5, 0.5),
    "cosine": lambda s: v1.train.cosine_decay(0.5, s, 20, 0.1),
    "restarts": lambda s: v1.train.cosine_decay_restarts(0.5, s, 4, 1.5, 0.9, 0.05),
    "restarts1": lambda s: v1.train.cosine_decay_restarts(0.5, s, 4, 1.0),
    "linearcosine": lambda s: v1.train.linear_cosine_decay(0.5, s, 20),
    "noisy": lambda s: v1.train.noisy_linear_cosine_decay(0.5, s, 20, initial_variance=0.0, variance_decay=0.5),
    "cond": lambda s: tf.cond(s < 6, lambda: 0.05 * tf.cast(s + 1, tf.float32), lambda: tf.constant(0.4)),
    "condouter": lambda s: warm(s, v1.train.exponential_decay(0.5, s, 5, 0.8)),
    "nestedcond": lambda s: tf.cond(s < 10, lambda: tf.cond(s < 3, lambda: 0.1, lambda: 0.4), lambda: 0.2),
    "case": lambda s: tf.case([(s < 4, lambda: tf.constant(0.1)), (s < 9, lambda: tf.constant(0.5))],
                              default=lambda: tf.constant(0.2), exclusive=False),
    "while": lambda s: tf.while_loop(lambda i, r: i < s, lambda i, r: (i + 1, r * 0.95), [tf.zeros_like(s), 0.5])[1],
    "where": lambda s: tf.where(s < 5, 0.1 * tf.cast(s, tf.float32), 0.5),
    "table": lambda s: tf.gather(tf.constant(np.linspace(0.5, 0.1, 40).astype(np.float32)), s),
    "noam": lambda s: 0.6 * tf.minimum(tf.math.rsqrt(tf.cast(s, tf.float32) + 1), (tf.cast(s, tf.float32) + 1) * 0.1),
}


def warm(step, rate):
    return tf.cond(step < 6, lambda: rate * tf.cast(step, tf.float32) / 6.0, lambda: rate)


def rate_case(name, momentum, resource_style):
    def build():
        net = Net()
        rate = RATES[name](net.step)
        net.sgd(rate() if callable(rate) else rate, momentum)

    build.__name__ = f"rate_{name}" + ("_mom" if momentum else "")
    case(*resource_style)(build)


for _name in RATES:
    rate_case(_name, None, (REF, RES, FUN))
for _name in ("piecewise", "restarts", "condouter", "while", "case"):
    rate_case(_name, 0.9, (REF, FUN))


@case()
def rate_adam_warm():
    net = Net()
    net.done(v1.train.AdamOptimizer(warm(net.step, 0.1)).minimize(net.loss, global_step=net.step))


@case()
def rate_defun():
    net = Net()

    @tf.function
    def rate(step):
        if step < 5:
            return 0.1 * tf.cast(step, tf.float32)
        return tf.constant(0.3)

    net.sgd(rate(net.step))


@case(REF, RES)
def rate_variable():
    net = Net()
    rate = var("rate", np.float32(0.4), trainable=False)
    net.sgd(rate)


@case(REF, RES)
def rate_variable_assigned():
    net = Net()
    rate = var("rate", np.float32(0.5), trainable=False)
    update = v1.train.GradientDescentOptimizer(rate).minimize(net.loss, global_step=net.step)
    with tf.control_dependencies([update]):
        train = v1.assign(rate, rate * 0.9)
    net.done(train)


@case()
def rate_variable_by_cond():
    net = Net()
    rate = var("rate", np.float32(0.5), trainable=False)
    update = v1.train.MomentumOptimizer(rate, 0.9).minimize(net.loss, global_step=net.step)
    with tf.control_dependencies([update]):
        now = net.step.read_value() if hasattr(net.step, "read_value") else tf.identity(net.step)
        train = tf.cond(tf.equal(now % 5, 0), lambda: tf.identity(v1.assign(rate, rate * 0.5)), lambda: tf.identity(rate))
    net.done(train)


@case(REF, RES)
def rate_two_counters():
    net = Net()
    epoch = var("epoch", np.int32(0), trainable=False)
    rate = v1.train.exponential_decay(0.5, net.step, 5, 0.9) / (1.0 + 0.1 * tf.cast(epoch, tf.float32))
    update = v1.train.GradientDescentOptimizer(rate).minimize(net.loss, global_step=net.step)
    with tf.control_dependencies([update]):
        train = v1.assign_add(epoch, 1)
    net.done(train)


@case()
def rate_plateau():
    # The rate falls when the loss did not.
    net = Net()
    rate = var("rate", np.float32(0.8), trainable=False)
    best = var("best", np.float32(9), trainable=False)
    update = v1.train.GradientDescentOptimizer(rate).minimize(net.loss, global_step=net.step)
    with tf.control_dependencies([update]):
        lower = tf.cond(net.loss < best, lambda: tf.identity(v1.assign(rate, rate * 1.05)),
                        lambda: tf.identity(v1.assign(rate, rate * 0.7)))
        with tf.control_dependencies([lower]):
            train = v1.assign(best, tf.minimum(best, net.loss))
    net.done(train)


# Averages


def average(net, update, **more):
    ema = tf.train.ExponentialMovingAverage(0.9, **more)
    with tf.control_dependencies([update]):
        return ema, ema.apply(net.vars)


@case(REF, RES)
def ema_weights():
    net = Net()
    net.done(average(net, v1.train.MomentumOptimizer(0.3, 0.9).minimize(net.loss, net.step))[1])


@case(REF, RES)
def ema_updates():
    net = Net()
    net.done(average(net, v1.train.AdamOptimizer(0.1).minimize(net.loss, net.step), num_updates=net.step)[1])


@case(REF, RES)
def ema_zero_debias():
    net = Net()
    ema = tf.train.ExponentialMovingAverage(0.9, zero_debias=True)
    update = v1.train.AdamOptimizer(0.1).minimize(net.loss, net.step)
    with tf.control_dependencies([update]):
        train = ema.apply([net.loss * 1.0])
    net.done(train)


@case(REF, RES)
def ema_in_loss():
    net = Net()
    ema = tf.train.ExponentialMovingAverage(0.9)
    with tf.control_dependencies([v1.train.GradientDescentOptimizer(0.3).minimize(net.loss, net.step)]):
        applied = ema.apply(net.vars)
    pull = tf.add_n([tf.nn.l2_loss(v - tf.stop_gradient(ema.average(v))) for v in net.vars])
    loss = net.loss + 0.1 * pull
    grads = gradients(loss, net.vars)
    train = v1.train.GradientDescentOptimizer(0.3).apply_gradients(zip(grads, net.vars), net.step)
    ema2 = tf.train.ExponentialMovingAverage(0.9, name="again")
    del applied
    with tf.control_dependencies([train]):
        again = [v1.assign(ema.average(v), 0.9 * ema.average(v) + 0.1 * v) for v in net.vars]
    del ema2
    net.done(tf.group(*again), loss)


@case(REF, RES)
def ema_of_loss_baseline():
    # As in policy gradients: the loss is weighed by how it differs from its average.
    net = Net()
    base = var("base", np.float32(0), trainable=False)
    grads = gradients(tf.reduce_mean(net.each * tf.stop_gradient(1.0 + net.each - base)), net.vars)
    update = v1.train.GradientDescentOptimizer(0.3).apply_gradients(zip(grads, net.vars), net.step)
    with tf.control_dependencies([update]):
        train = v1.assign_sub(base, 0.1 * (base - net.loss))
    net.done(train)


@case(REF, RES)
def ema_of_tensors():
    net = Net()
    ema = tf.train.ExponentialMovingAverage(0.8)
    means = tf.reduce_mean(net.h, 0)
    update = v1.train.AdamOptimizer(0.05).minimize(net.loss, net.step)
    with tf.control_dependencies([update]):
        train = ema.apply([means, net.loss])
    net.done(train)


def copies(net, rate):
    targets = [v1.get_variable(f"target{i}", initializer=tf.constant(numbers(20 + i, *v.shape.as_list())), trainable=False)
               for i, v in enumerate(net.vars)]
    h = tf.tanh(tf.matmul(net.x, targets[0]) + targets[1])
    logits = tf.matmul(h, targets[2]) + targets[3]
    loss = net.loss + 0.3 * tf.reduce_mean(tf.square(net.logits - tf.stop_gradient(logits)))
    return targets, loss, lambda: tf.group(*[v1.assign(t, (1 - rate) * t + rate * v) for t, v in zip(targets, net.vars)])


@case(REF, RES)
def target_every_step():
    net = Net()
    _, loss, copy = copies(net, 0.2)
    with tf.control_dependencies([v1.train.AdamOptimizer(0.05).minimize(loss, net.step, var_list=net.vars)]):
        net.done(copy(), loss)


@case()
def target_by_cond():
    net = Net()
    _, loss, copy = copies(net, 1.0)
    with tf.control_dependencies([v1.train.RMSPropOptimizer(0.01).minimize(loss, net.step, var_list=net.vars)]):
        now = tf.identity(net.step)
        net.done(tf.cond(tf.equal(now % 4, 0), copy, lambda: tf.no_op()), loss)


@case()
def anchor_by_cond_before():
    # Every four steps the weights are kept before the step, which is drawn to them.
    net = Net()
    anchors = [var(f"anchor{i}", np.zeros(v.shape.as_list(), np.float32), trainable=False) for i, v in enumerate(net.vars)]
    kept = tf.cond(tf.equal(net.step % 4, 0), lambda: tf.group(*[v1.assign(a, v) for a, v in zip(anchors, net.vars)]),
                   lambda: tf.no_op())
    grads = gradients(net.loss, net.vars)
    with tf.control_dependencies([kept]):
        update = v1.train.AdamOptimizer(0.1).apply_gradients(zip(grads, net.vars), net.step)
    with tf.control_dependencies([update]):
        net.done(tf.group(*[v1.assign_sub(v, 0.2 * (v - a)) for v, a in zip(net.vars, anchors)]))


@case(REF, RES, expect="refused")
def target_before_forward():
    # The loss is of what the same step wrote: workers have it one step later.
    net = Net()
    target = var("target", numbers(20, 6, 2), trainable=False)
    with tf.control_dependencies([v1.assign(target, 0.5 * target + 0.5 * net.w2)]):
        loss = net.loss + tf.reduce_mean(tf.square(net.logits - tf.matmul(net.h, tf.identity(target))))
    net.done(v1.train.GradientDescentOptimizer(0.2).minimize(loss, net.step, var_list=net.vars), loss)


@case(REF, RES)
def polyak_all():
    net = Net()
    count = tf.cast(net.step, tf.float32)
    means = [var(f"mean{i}", np.zeros(v.shape.as_list(), np.float32), trainable=False) for i, v in enumerate(net.vars)]
    with tf.control_dependencies([v1.train.GradientDescentOptimizer(0.3).minimize(net.loss)]):
        moved = [v1.assign_add(m, (v - m) / (count + 1)) for m, v in zip(means, net.vars)]
    with tf.control_dependencies(moved):
        net.done(v1.assign_add(net.step, 1))


@case(REF, RES)
def cifar():
    # As TensorFlow's tutorial: averages of losses before the gradients, of weights after the step.
    net = Net()
    decay = 0.004 * (tf.nn.l2_loss(net.w1) + tf.nn.l2_loss(net.w2))
    v1.add_to_collection("losses", net.loss)
    v1.add_to_collection("losses", decay)
    total = tf.add_n(v1.get_collection("losses"), name="total")
    rate = v1.train.exponential_decay(0.5, net.step, 6, 0.7, staircase=True)
    averages = tf.train.ExponentialMovingAverage(0.9, name="avg")
    with tf.control_dependencies([averages.apply(v1.get_collection("losses") + [total])]):
        optimizer = v1.train.GradientDescentOptimizer(rate)
        grads = optimizer.compute_gradients(total)
    applied = optimizer.apply_gradients(grads, global_step=net.step)
    ema = tf.train.ExponentialMovingAverage(0.9, net.step)
    with tf.control_dependencies([applied]):
        net.done(ema.apply(v1.trainable_variables()), total)


# Normalisation


@case(REF, RES, expect="noted", together=True)
def batch_norm():
    flag = v1.placeholder(tf.bool, [], name="t")
    net = Net(hidden=lambda h: tf.nn.relu(v1.layers.batch_normalization(h, momentum=0.9, training=flag)))
    with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
        net.done(v1.train.MomentumOptimizer(0.1, 0.9).minimize(net.loss, net.step))


@case(REF, RES, expect="noted", together=True)
def batch_norm_grouped():
    flag = v1.placeholder_with_default(True, [], name="t")
    net = Net(hidden=lambda h: tf.nn.relu(v1.layers.batch_normalization(h, momentum=0.9, training=flag)))
    train = v1.train.AdamOptimizer(0.05).minimize(net.loss, net.step)
    net.done(tf.group(train, v1.get_collection(v1.GraphKeys.UPDATE_OPS)))


@case(REF, expect="noted", together=True)
def batch_norm_moments():
    # By hand, with averages by ExponentialMovingAverage and a condition.
    def norm(h):
        mean, variance = tf.nn.moments(h, [0])
        ema = tf.train.ExponentialMovingAverage(0.9)

        def update():
            with tf.control_dependencies([ema.apply([mean, variance])]):
                return tf.identity(mean), tf.identity(variance)

        flag = v1.placeholder_with_default(True, [], name="t")
        m, s = v1.cond(flag, update, lambda: (ema.average(mean), ema.average(variance)))
        return tf.nn.relu(tf.nn.batch_normalization(h, m, s, None, None, 1e-3))

    v1.disable_control_flow_v2()
    net = Net(hidden=norm)
    net.done(v1.train.GradientDescentOptimizer(0.2).minimize(net.loss, net.step))


@case(REF, RES)
def layer_norm():
    def norm(h):
        mean, variance = tf.nn.moments(h, [1], keepdims=True)
        return tf.nn.relu(tf.nn.batch_normalization(h, mean, variance, None, None, 1e-3))

    net = Net(hidden=norm)
    net.done(v1.train.AdamOptimizer(0.05).minimize(net.loss, net.step))


# What lies between gradients and the step


def between(change, optimizer=lambda: v1.train.MomentumOptimizer(0.3, 0.9)):
    net = Net()
    chosen = optimizer()
    grads, variables = zip(*chosen.compute_gradients(net.loss))
    net.done(chosen.apply_gradients(zip(change(grads, variables, net), variables), net.step))


@case()
def clip_global():
    between(lambda g, v, n: tf.clip_by_global_norm(g, 0.2)[0])


@case(REF, RES)
def clip_global_adam():
    between(lambda g, v, n: tf.clip_by_global_norm(g, 0.2)[0], lambda: v1.train.AdamOptimizer(0.05))


@case(REF, RES)
def clip_norm():
    between(lambda g, v, n: [tf.clip_by_norm(t, 0.05) for t in g])


@case(REF, RES)
def clip_average_norm():
    between(lambda g, v, n: [v1.clip_by_average_norm(t, 0.01) for t in g])


@case(REF, RES)
def clip_value():
    between(lambda g, v, n: [tf.clip_by_value(t, -0.02, 0.02) for t in g])


@case(REF, RES)
def sign_gradients():
    between(lambda g, v, n: [tf.sign(t) for t in g], lambda: v1.train.GradientDescentOptimizer(0.01))


@case(REF, RES)
def centralised():
    between(lambda g, v, n: [t - tf.reduce_mean(t, 0, keepdims=True) if t.shape.rank > 1 else t for t in g])


@case(REF, RES)
def decayed_in_gradients():
    between(lambda g, v, n: [t + 0.01 * w for t, w in zip(g, v)])


@case(REF, RES)
def clip_then_decay():
    between(lambda g, v, n: [t + 0.01 * w for t, w in zip(tf.clip_by_global_norm(g, 0.3)[0], v)])


@case(REF, RES)
def adaptive_clip():
    # By the norm of the weights.
    between(lambda g, v, n: [
        t * tf.minimum(1.0, 0.1 * tf.maximum(tf.norm(w), 1e-3) / tf.maximum(tf.norm(t), 1e-6)) for t, w in zip(g, v)])


@case(REF, RES)
def lars():
    def scaled(g, v, n):
        return [tf.where(tf.norm(w) > 0, 0.5 * tf.norm(w) / (tf.norm(t) + 1e-3 * tf.norm(w) + 1e-9), 1.0) * t
                for t, w in zip(g, v)]

    between(scaled, lambda: v1.train.MomentumOptimizer(0.05, 0.9))


@case(REF, RES, together=True)
def gradient_noise():
    # Noise of no size, so that seeds do not matter.
    between(lambda g, v, n: [
        t + 0.0 * tf.random.normal(tf.shape(t), stddev=0.1, seed=3) / tf.sqrt(1.0 + tf.cast(n.step, tf.float32)) for t in g])


@case()
def nan_guard():
    def guarded():
        net = Net()
        optimizer = v1.train.MomentumOptimizer(0.3, 0.9)
        grads, variables = zip(*optimizer.compute_gradients(net.loss))
        norm = tf.linalg.global_norm(grads)
        train = tf.cond(tf.math.is_finite(norm), lambda: tf.group(optimizer.apply_gradients(zip(grads, variables), net.step)),
                        lambda: tf.no_op())
        net.done(train)

    guarded()


@case(REF, RES)
def nan_guard_where():
    def safe(g, v, n):
        ok = tf.math.is_finite(tf.linalg.global_norm(g))
        return [tf.where(ok, t, tf.zeros_like(t)) for t in g]

    between(safe)


@case(REF, RES)
def nan_each():
    between(lambda g, v, n: [tf.where(tf.math.is_nan(t), tf.zeros_like(t), t) for t in g])


@case()
def gradient_by_cond():
    between(lambda g, v, n: [tf.cond(n.step < 5, lambda t=t: t * 0.1, lambda t=t: tf.clip_by_norm(t, 0.1)) for t in g])


def accumulate(every, functions):
    net = Net()
    optimizer = v1.train.AdamOptimizer(0.1)
    pairs = optimizer.compute_gradients(net.loss)
    sums = [var(f"sum{i}", np.zeros(v.shape.as_list(), np.float32), trainable=False) for i, (_, v) in enumerate(pairs)]
    count = var("count", np.int32(0), trainable=False)
    with tf.control_dependencies([v1.assign_add(s, g) for s, (g, _) in zip(sums, pairs)]):
        counted = v1.assign_add(count, 1)

    def apply():
        with tf.control_dependencies([optimizer.apply_gradients([(s / every, v) for s, (_, v) in zip(sums, pairs)])]):
            return tf.group(*[v1.assign(s, tf.zeros_like(s)) for s in sums])

    with tf.control_dependencies([counted]):
        now = tf.identity(counted)
        net.done(tf.cond(tf.equal(now % every, 0), apply, lambda: tf.no_op()))


@case()
def accumulated():
    accumulate(3, False)


@case(REF, RES)
def decay_in_loss():
    net = Net()
    loss = net.loss + 0.01 * tf.add_n([tf.nn.l2_loss(v) for v in net.vars])
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES)
def decay_decoupled():
    net = Net()
    update = v1.train.AdamOptimizer(0.05).minimize(net.loss, net.step)
    with tf.control_dependencies([update]):
        net.done(tf.group(*[v1.assign_sub(v, 0.01 * v) for v in net.vars]))


@case(REF, RES)
def decay_before():
    net = Net()
    optimizer = v1.train.AdamOptimizer(0.05)
    pairs = optimizer.compute_gradients(net.loss)
    with tf.control_dependencies([g for g, _ in pairs]):
        decays = [v1.assign(v, v * 0.99) for v in net.vars]
    with tf.control_dependencies(decays):
        net.done(optimizer.apply_gradients(pairs, net.step))


@case(REF, RES)
def constraint():
    net = Net()
    with tf.control_dependencies([v1.train.MomentumOptimizer(0.3, 0.9).minimize(net.loss, net.step)]):
        net.done(tf.group(*[v1.assign(v, tf.clip_by_norm(v, 1.0, axes=[0])) for v in net.vars]))


@case(REF, RES)
def constraint_values():
    net = Net()
    with tf.control_dependencies([v1.train.AdamOptimizer(0.1).minimize(net.loss, net.step)]):
        net.done(tf.group(*[v1.assign(v, tf.clip_by_value(v, -0.5, 0.5)) for v in net.vars]))


@case(REF, RES)
def weight_norm():
    net = Net()
    g = var("g", np.ones(6, np.float32))
    w = tf.nn.l2_normalize(net.w1, 0) * g
    logits = tf.matmul(tf.tanh(tf.matmul(net.x, w) + net.b1), net.w2) + net.b2
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=net.y, logits=logits))
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES, together=True)
def spectral_norm():
    # The vector of the power iteration is written in every step.
    net = Net()
    u = var("u", numbers(31, 1, 6), trainable=False)
    v = tf.nn.l2_normalize(tf.matmul(u, net.w1, transpose_b=True))
    new = tf.nn.l2_normalize(tf.matmul(v, net.w1))
    sigma = tf.matmul(tf.matmul(tf.stop_gradient(v), net.w1), tf.stop_gradient(new), transpose_b=True)
    h = tf.tanh(tf.matmul(net.x, net.w1 / sigma) + net.b1)
    logits = tf.matmul(h, net.w2) + net.b2
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=net.y, logits=logits))
    update = v1.train.GradientDescentOptimizer(0.2).minimize(loss, net.step)
    with tf.control_dependencies([update]):
        net.done(v1.assign(u, new), loss)


@case(REF, RES)
def several_optimizers():
    net = Net()
    grads = gradients(net.loss, net.vars)
    a = v1.train.AdamOptimizer(0.05).apply_gradients(zip(grads[:2], net.vars[:2]), net.step)
    b = v1.train.FtrlOptimizer(0.3).apply_gradients(zip(grads[2:3], net.vars[2:3]))
    c = v1.train.GradientDescentOptimizer(0.2).apply_gradients(zip(grads[3:], net.vars[3:]))
    net.done(tf.group(a, b, c))


# Optimizers


def raw(apply, slots, **more):
    net = Net()
    grads = gradients(net.loss, net.vars)
    writes = []
    for i, (g, v) in enumerate(zip(grads, net.vars)):
        own = [v1.get_variable(f"{s}{i}", initializer=tf.zeros(v.shape.as_list()), trainable=False) for s in slots]
        writes.append(apply(v, own, g, net))
    with tf.control_dependencies(writes):
        net.done(v1.assign_add(net.step, 1))


OPTIMIZERS = {
    "sgd": lambda: v1.train.GradientDescentOptimizer(0.3),
    "momentum": lambda: v1.train.MomentumOptimizer(0.1, 0.9),
    "nesterov": lambda: v1.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "adam": lambda: v1.train.AdamOptimizer(0.05),
    "rmsprop": lambda: v1.train.RMSPropOptimizer(0.02, momentum=0.5),
    "centered": lambda: v1.train.RMSPropOptimizer(0.01, centered=True),
    "adagrad": lambda: v1.train.AdagradOptimizer(0.3),
    "adagradda": lambda: v1.train.AdagradDAOptimizer(0.3, v1.train.get_or_create_global_step(), 0.1, 0.001, 0.001),
    "ftrl": lambda: v1.train.FtrlOptimizer(0.3, l1_regularization_strength=0.001, l2_shrinkage_regularization_strength=0.001),
    "adadelta": lambda: v1.train.AdadeltaOptimizer(5.0),
    "proximalsgd": lambda: v1.train.ProximalGradientDescentOptimizer(0.3, 0.001, 0.001),
    "proximaladagrad": lambda: v1.train.ProximalAdagradOptimizer(0.3, 0.1, 0.001, 0.001),
    "lossscale": lambda: v1.train.experimental.MixedPrecisionLossScaleOptimizer(v1.train.AdamOptimizer(0.05), 128.0)
    if hasattr(v1.train, "experimental") else v1.train.AdamOptimizer(0.05),
}


def optimizer_case(name):
    def build():
        net = Net()
        optimizer = OPTIMIZERS[name]()
        net.done(optimizer.minimize(net.loss, global_step=net.step))

    build.__name__ = f"opt_{name}"
    case(REF, RES)(build)


for _name in OPTIMIZERS:
    optimizer_case(_name)


@case(RES)
def opt_amsgrad():
    import tf_keras
    net = Net()
    optimizer = tf_keras.optimizers.legacy.Adam(0.05, amsgrad=True)
    grads = gradients(net.loss, net.vars)
    net.done(optimizer.apply_gradients(zip(grads, net.vars)))


@case(RES)
def opt_keras_adamax():
    import tf_keras
    net = Net()
    net.done(tf_keras.optimizers.legacy.Adamax(0.05).apply_gradients(zip(gradients(net.loss, net.vars), net.vars)))


@case(RES)
def opt_keras_nadam():
    import tf_keras
    net = Net()
    net.done(tf_keras.optimizers.legacy.Nadam(0.05).apply_gradients(zip(gradients(net.loss, net.vars), net.vars)))


@case(RES)
def opt_keras_schedule():
    import tf_keras
    net = Net()
    rate = tf_keras.optimizers.schedules.PiecewiseConstantDecay([5, 9], [0.3, 0.1, 0.4])
    net.done(tf_keras.optimizers.legacy.SGD(rate, momentum=0.9).apply_gradients(
        zip(gradients(net.loss, net.vars), net.vars)))


@case(REF, RES)
def opt_addsign():
    def apply(v, own, g, n):
        m = own[0]
        a = dict(lr=0.1, alpha=1.0, sign_decay=0.9, beta=0.9, grad=g)
        if hasattr(v, "handle"):
            return tf.raw_ops.ResourceApplyAddSign(var=v.handle, m=m.handle, **a)
        return tf.raw_ops.ApplyAddSign(var=v._ref(), m=m._ref(), **a)

    raw(apply, ["m"])


@case(REF, RES)
def opt_powersign():
    def apply(v, own, g, n):
        m = own[0]
        a = dict(lr=0.1, logbase=np.float32(np.log(2.0)), sign_decay=0.9, beta=0.9, grad=g)
        if hasattr(v, "handle"):
            return tf.raw_ops.ResourceApplyPowerSign(var=v.handle, m=m.handle, **a)
        return tf.raw_ops.ApplyPowerSign(var=v._ref(), m=m._ref(), **a)

    raw(apply, ["m"])


@case(REF, RES)
def own_adam():
    # BERT's: assigns of new values, without bias correction, with decoupled decay.
    def apply(p, own, g, n):
        m, v = own
        new_m, new_v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * tf.square(g)
        update = new_m / (tf.sqrt(new_v) + 1e-6) + 0.01 * p
        return tf.group(v1.assign(p, p - 0.05 * update), v1.assign(m, new_m), v1.assign(v, new_v))

    raw(apply, ["m", "v"])


@case(REF, RES)
def own_adam_clipped():
    net = Net()
    grads = tf.clip_by_global_norm(gradients(net.loss, net.vars), 0.3)[0]
    rate = v1.train.polynomial_decay(0.05, net.step, 20, 0.0)
    rate = tf.cast(net.step < 5, tf.float32) * 0.01 + tf.cast(net.step >= 5, tf.float32) * rate
    writes = []
    for i, (g, p) in enumerate(zip(grads, net.vars)):
        m = var(f"m{i}", np.zeros(p.shape.as_list(), np.float32), trainable=False)
        v = var(f"v{i}", np.zeros(p.shape.as_list(), np.float32), trainable=False)
        new_m, new_v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * tf.square(g)
        writes += [p.assign(p - rate * new_m / (tf.sqrt(new_v) + 1e-6)), m.assign(new_m), v.assign(new_v)]
    with tf.control_dependencies(writes):
        net.done(net.step.assign(net.step + 1))


@case(REF, RES)
def own_rms():
    def apply(p, own, g, n):
        with tf.control_dependencies([v1.assign(own[0], 0.9 * own[0] + 0.1 * g * g)]):
            return v1.assign_sub(p, 0.01 * g / (tf.sqrt(own[0].read_value() if hasattr(own[0], "handle") else
                                                        tf.identity(own[0])) + 1e-4))

    raw(apply, ["r"])


@case(REF, RES)
def own_momentum_shared():
    # One slot for all: what every Variable's gradient adds to.
    net = Net()
    total = var("total", np.float32(0), trainable=False)
    grads = gradients(net.loss, net.vars)
    norm = tf.add_n([tf.reduce_sum(tf.square(g)) for g in grads])
    with tf.control_dependencies([v1.assign_add(total, norm)]):
        rate = 0.3 / tf.sqrt(1e-6 + (total.read_value() if hasattr(total, "handle") else tf.identity(total)))
    writes = [v1.assign_sub(v, rate * g) for v, g in zip(net.vars, grads)]
    net.done(tf.group(*writes, v1.assign_add(net.step, 1)))


@case(REF, RES)
def own_lookahead():
    net = Net()
    slow = [var(f"slow{i}", numbers(i + 1, *v.shape.as_list()), trainable=False) for i, v in enumerate(net.vars)]
    with tf.control_dependencies([v1.train.AdamOptimizer(0.1).minimize(net.loss, net.step)]):
        now = tf.identity(net.step)
        sync = tf.cast(tf.equal(now % 5, 0), tf.float32)
        moved = [v1.assign_add(s, sync * 0.5 * (v - s)) for s, v in zip(slow, net.vars)]
    with tf.control_dependencies(moved):
        net.done(tf.group(*[v1.assign(v, sync * s + (1 - sync) * v) for s, v in zip(slow, net.vars)]))


# Embeddings


def embedding(optimizer, parts=None, clip=None, rows=20, combine=None, both=False):
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    y = v1.placeholder(tf.int32, [None], name="y")
    partition = v1.fixed_size_partitioner(parts) if parts else None
    with v1.variable_scope("net", partitioner=partition):
        table = v1.get_variable("table", [rows, 3], initializer=v1.constant_initializer(numbers(7, rows, 3))) if not parts \
            else v1.get_variable("table", [rows, 3], initializer=v1.random_uniform_initializer(-0.5, 0.5, seed=5))
    ids = tf.cast(tf.abs(x) * 8, tf.int32) % rows
    if combine:
        rows_ = tf.reduce_mean(v1.nn.embedding_lookup(table, ids, partition_strategy="div" if parts else "mod"), 1)
    else:
        rows_ = v1.nn.embedding_lookup(table, ids[:, 0], partition_strategy="div" if parts else "mod")
    w, b = var("w", numbers(8, 3, 2)), var("b", numbers(9, 2))
    logits = tf.matmul(rows_, w) + b
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    step = v1.train.get_or_create_global_step()
    if both:
        loss += 0.001 * tf.nn.l2_loss(table)
    pairs = optimizer.compute_gradients(loss)
    if clip:
        grads, variables = zip(*pairs)
        pairs = list(zip(clip(grads), variables))
    tf.group(optimizer.apply_gradients(pairs, step), name="train")
    tf.identity(loss, name="loss")


TABLES = {
    "sgd": lambda: v1.train.GradientDescentOptimizer(0.5),
    "adam": lambda: v1.train.AdamOptimizer(0.05),
    "ftrl": lambda: v1.train.FtrlOptimizer(0.3),
    "adagrad": lambda: v1.train.AdagradOptimizer(0.3),
    "momentum": lambda: v1.train.MomentumOptimizer(0.2, 0.9),
    "rmsprop": lambda: v1.train.RMSPropOptimizer(0.02),
    "adadelta": lambda: v1.train.AdadeltaOptimizer(5.0),
}


def table_case(name, expect="equal", **more):
    def build():
        embedding(TABLES[name.split("_")[0]](), **more)

    build.__name__ = f"table_{name}"
    case(REF, RES, expect=expect)(build)


for _name in TABLES:
    table_case(_name)
table_case("adam_parts", parts=3)
table_case("ftrl_parts", parts=3)
table_case("adagrad_mean", combine=True)
table_case("adam_dense", both=True)
table_case("adam_clip", clip=lambda g: tf.clip_by_global_norm(g, 0.1)[0])
table_case("sgd_clip", clip=lambda g: tf.clip_by_global_norm(g, 0.1)[0], combine=True)
table_case("adam_clipparts", parts=3, clip=lambda g: tf.clip_by_global_norm(g, 0.1)[0])
table_case("momentum_clipnorm", clip=lambda g: [tf.clip_by_norm(t, 0.05) for t in g])
table_case("adagrad_clipvalue", expect="noted", clip=lambda g: [
    tf.IndexedSlices(tf.clip_by_value(t.values, -0.01, 0.01), t.indices, t.dense_shape)
    if isinstance(t, tf.IndexedSlices) else tf.clip_by_value(t, -0.01, 0.01) for t in g])
table_case("adagrad_todense", clip=lambda g: [tf.convert_to_tensor(t) for t in g])
table_case("adam_scaled", clip=lambda g: [
    tf.IndexedSlices(t.values * 0.5, t.indices, t.dense_shape) if isinstance(t, tf.IndexedSlices) else t * 0.5 for t in g])


@case(REF, RES, expect="refused")
def table_lazy_adam():
    # tf.contrib.opt.LazyAdam: only the rows that a batch touches are moved.
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    y = v1.placeholder(tf.int32, [None], name="y")
    table = var("table", numbers(7, 20, 3))
    m, v = [var(n, np.zeros((20, 3), np.float32), trainable=False) for n in "mv"]
    w = var("w", numbers(8, 3, 2))
    logits = tf.matmul(tf.gather(table, tf.cast(tf.abs(x[:, 0]) * 8, tf.int32) % 20), w)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits), name="loss")
    slices, dense = v1.gradients(loss, [table, w])
    ids, places = tf.unique(slices.indices)
    rows = tf.math.unsorted_segment_sum(slices.values, places, tf.size(ids))
    new_m = 0.9 * tf.gather(m, ids) + 0.1 * rows
    new_v = 0.99 * tf.gather(v, ids) + 0.01 * rows * rows
    tf.group(v1.scatter_update(m, ids, new_m), v1.scatter_update(v, ids, new_v),
             v1.scatter_sub(table, ids, 0.05 * new_m / (tf.sqrt(new_v) + 1e-6)),
             v1.assign_sub(w, 0.2 * dense), name="train")


# Losses


@case(REF, RES)
def loss_sum():
    net = Net(mean=False)
    net.done(v1.train.GradientDescentOptimizer(0.01).minimize(net.loss, net.step))


@case(REF, RES)
def loss_sum_adam():
    net = Net(mean=False)
    net.done(v1.train.AdamOptimizer(0.05).minimize(net.loss, net.step))


@case(REF, RES)
def loss_sum_scaled():
    net = Net(mean=False)
    loss = net.loss / 24.0
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES)
def loss_sum_by_count():
    net = Net(mean=False)
    loss = net.loss / tf.cast(tf.shape(net.x)[0], tf.float32)
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES, expect="noted")
def loss_sum_decayed():
    # A sum over the examples and a decay that is no sum: parts of a batch bring it once each.
    net = Net(mean=False)
    loss = net.loss + tf.nn.l2_loss(net.w1)
    net.done(v1.train.GradientDescentOptimizer(0.01).minimize(loss, net.step), loss)


@case(REF, RES)
def loss_losses():
    net = Net()
    v1.losses.sparse_softmax_cross_entropy(net.y, net.logits)
    loss = v1.losses.get_total_loss()
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES)
def loss_losses_scalar_weight():
    net = Net()
    loss = v1.losses.mean_squared_error(tf.one_hot(net.y, 2), net.logits, weights=0.7)
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES, expect="noted")
def loss_losses_weights():
    net = Net()
    weights = tf.where(net.y > 0, tf.ones_like(net.each), 0.0 * tf.ones_like(net.each))
    loss = v1.losses.sparse_softmax_cross_entropy(net.y, net.logits, weights=weights)
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES)
def loss_losses_sum():
    net = Net()
    loss = v1.losses.absolute_difference(tf.one_hot(net.y, 2), net.logits, reduction=v1.losses.Reduction.SUM)
    net.done(v1.train.GradientDescentOptimizer(0.01).minimize(loss, net.step), loss)


@case(REF, RES)
def loss_losses_over_batch():
    net = Net()
    loss = v1.losses.hinge_loss(tf.one_hot(net.y, 2), net.logits, reduction=v1.losses.Reduction.SUM_OVER_BATCH_SIZE)
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES)
def loss_of_step():
    net = Net()
    weight = 1.0 - tf.exp(-0.1 * tf.cast(net.step, tf.float32))
    loss = net.loss + weight * tf.reduce_mean(tf.square(net.h))
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case()
def loss_by_cond():
    net = Net()
    loss = tf.cond(net.step < 10, lambda: net.loss, lambda: net.loss + 0.1 * tf.nn.l2_loss(net.w1))
    net.done(v1.train.GradientDescentOptimizer(0.3).minimize(loss, net.step), loss)


@case(REF, RES, expect="noted")
def loss_not_a_mean():
    # A root, of which the mean is another.
    net = Net()
    loss = tf.sqrt(tf.reduce_mean(tf.square(net.each)))
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES, expect="noted")
def loss_pairwise():
    # Each example against each other: no number of parts tells it.
    net = Net()
    near = tf.matmul(net.h, net.h, transpose_b=True)
    loss = net.loss + 0.1 * tf.reduce_mean(tf.square(near))
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


@case(REF, RES, together=True)
def dropout_of_nothing():
    net = Net(dropout=lambda h: tf.nn.dropout(h, rate=1e-9, seed=3))
    net.done(v1.train.AdamOptimizer(0.05).minimize(net.loss, net.step))


@case(REF, RES)
def metrics_in_train():
    net = Net()
    update = v1.train.AdamOptimizer(0.05).minimize(net.loss, net.step)
    _, accuracy = v1.metrics.accuracy(net.y, tf.argmax(net.logits, 1))
    _, mean = v1.metrics.mean(net.loss)
    net.done(tf.group(update, accuracy, mean))


@case(REF, RES)
def metrics_auc():
    net = Net()
    update = v1.train.AdamOptimizer(0.05).minimize(net.loss, net.step)
    _, auc = v1.metrics.auc(tf.cast(net.y, tf.bool), tf.nn.softmax(net.logits)[:, 1], num_thresholds=10)
    net.done(tf.group(update, auc))


@case(REF, RES)
def counted_examples():
    net = Net()
    seen = var("seen", np.int64(0), trainable=False)
    rate = 0.5 / (1.0 + 0.005 * tf.cast(seen, tf.float32))
    update = v1.train.GradientDescentOptimizer(rate).minimize(net.loss, net.step)
    with tf.control_dependencies([update]):
        net.done(v1.assign_add(seen, tf.shape(net.x, out_type=tf.int64)[0]))


@case(REF, RES)
def two_in_sequence():
    net = Net()
    wide = var("wide", numbers(41, 4, 2))
    other = tf.reduce_mean(tf.square(tf.matmul(net.x, wide) - tf.stop_gradient(net.logits)))
    pull = net.loss + 0.1 * tf.reduce_mean(tf.square(net.logits - tf.matmul(net.x, wide)))
    first = v1.train.AdamOptimizer(0.05).minimize(pull, net.step, var_list=net.vars)
    second = v1.train.AdamOptimizer(0.05, name="second").minimize(other, var_list=[wide])
    net.done(tf.group(first, second), pull)


@case(REF, RES, expect="refused", together=True)
def two_in_sequence_after():
    # The second step's gradients are of the first one's weights, as in adversarial training.
    net = Net()
    wide = var("wide", numbers(41, 4, 2))
    first = v1.train.GradientDescentOptimizer(0.1).minimize(net.loss, net.step, var_list=net.vars)
    with tf.control_dependencies([first]):
        again = tf.matmul(tf.tanh(tf.matmul(net.x, tf.identity(net.w1)) + tf.identity(net.b1)), tf.identity(net.w2))
        other = tf.reduce_mean(tf.square(tf.matmul(net.x, wide) - tf.stop_gradient(again)))
        second = v1.train.GradientDescentOptimizer(0.1).minimize(other, var_list=[wide])
    net.done(second)


@case(REF, RES)
def nothing_reads_wide():
    # A Variable that no step reads, written by what each step computes.
    net = Net()
    last = var("last", np.zeros((4, 6), np.float32), trainable=False)
    grads = gradients(net.loss, net.vars)
    update = v1.train.GradientDescentOptimizer(0.3).apply_gradients(zip(grads, net.vars), net.step)
    net.done(tf.group(update, v1.assign(last, grads[0])))


@case(REF, RES)
def shared_projection():
    # A transposed use of the same Variable.
    net = Net()
    again = tf.matmul(net.h, net.w1, transpose_b=True)
    loss = net.loss + 0.2 * tf.reduce_mean(tf.square(again - net.x))
    net.done(v1.train.RMSPropOptimizer(0.02).minimize(loss, net.step), loss)


@case()
def recurrent():
    net = Net()
    cells = tf.expand_dims(net.x, 2)
    u = var("u", numbers(51, 6, 6))
    a = var("a", numbers(52, 1, 6))
    _, h = tf.while_loop(lambda t, h: t < 4, lambda t, h: (t + 1, tf.tanh(tf.matmul(cells[:, t], a) + tf.matmul(h, u))),
                         [tf.constant(0), tf.zeros([tf.shape(net.x)[0], 6])],
                         shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 6])])
    logits = tf.matmul(h, net.w2) + net.b2
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=net.y, logits=logits))
    optimizer = v1.train.AdamOptimizer(0.05)
    grads, variables = zip(*optimizer.compute_gradients(loss, [u, a, net.w2, net.b2]))
    net.done(optimizer.apply_gradients(zip(tf.clip_by_global_norm(grads, 0.2)[0], variables), net.step), loss)


@case()
def guard_counts():
    # What a guard leaves out is counted.
    net = Net()
    bad = var("bad", np.int32(0), trainable=False)
    optimizer = v1.train.AdamOptimizer(0.1)
    grads, variables = zip(*optimizer.compute_gradients(net.loss))
    train = tf.cond(tf.linalg.global_norm(grads) < 0.25,
                    lambda: tf.group(optimizer.apply_gradients(zip(grads, variables))),
                    lambda: tf.group(v1.assign_add(bad, 1)))
    with tf.control_dependencies([train]):
        net.done(v1.assign_add(net.step, 1))


@case()
def optimizers_by_cond():
    net = Net()
    first, second = v1.train.AdamOptimizer(0.05), v1.train.GradientDescentOptimizer(0.3)
    pairs = second.compute_gradients(net.loss)
    net.done(tf.cond(net.step < 5, lambda: tf.group(first.apply_gradients(pairs, net.step)),
                     lambda: tf.group(second.apply_gradients(pairs, net.step))))


@case()
def skip_by_loss():
    net = Net()
    optimizer = v1.train.GradientDescentOptimizer(0.3)
    pairs = optimizer.compute_gradients(net.loss)
    net.done(tf.cond(net.loss > 0.5, lambda: tf.group(optimizer.apply_gradients(pairs, net.step)),
                     lambda: tf.group(v1.assign_add(net.step, 1))))


@case()
def loop_after_step():
    # A power iteration on what the step wrote.
    net = Net()
    vector = var("vector", np.ones((6, 1), np.float32), trainable=False)
    with tf.control_dependencies([v1.train.GradientDescentOptimizer(0.2).minimize(net.loss, net.step)]):
        square = tf.matmul(net.w1, net.w1, transpose_a=True)
        _, power = tf.while_loop(lambda k, _: k < 3, lambda k, p: (k + 1, tf.nn.l2_normalize(tf.matmul(square, p))),
                                 [tf.constant(0), tf.identity(vector)])
        net.done(v1.assign(vector, power))


@case(REF, RES, expect="noted")
def loss_of_the_hardest():
    net = Net()
    # Of each worker's part, which may be a single example.
    loss = tf.reduce_mean(tf.nn.top_k(net.each, 1)[0])
    net.done(v1.train.AdamOptimizer(0.05).minimize(loss, net.step), loss)


def config():
    """Without rewriting graphs: Grappler multiplies by reciprocals, of which `ceil` may be another number."""
    result = v1.ConfigProto(inter_op_parallelism_threads=1, intra_op_parallelism_threads=1)
    result.graph_options.rewrite_options.disable_meta_optimizer = True
    return result


def write(folder, name):
    function, resource, functions, expect, together = CASES[name]
    (v1.enable_resource_variables if resource else v1.disable_resource_variables)()
    (v1.enable_control_flow_v2 if functions else v1.disable_control_flow_v2)()
    data = np.load(folder / "data.npz")
    with tf.Graph().as_default() as graph:
        v1.set_random_seed(1)
        function()
        tf.group(v1.global_variables_initializer(), v1.local_variables_initializer(), name="init")
        flag = "t" if any(o.name == "t" for o in graph.get_operations()) else None
        # What a cluster needs, without an initialiser of all.
        (folder / f"{name}.pb").write_bytes(graph.as_graph_def().SerializeToString())
        losses = []
        with v1.Session(config=config()) as session:
            session.run([v1.global_variables_initializer(), v1.local_variables_initializer()])
            starts = list(range(0, EXAMPLES, BATCH))
            for step in range(STEPS):
                part = slice(starts[step % len(starts)], min(starts[step % len(starts)] + BATCH, EXAMPLES))
                feeds = {"x:0": data["x"][part], "y:0": data["y"][part]}
                if flag:
                    feeds["t:0"] = True
                if together:
                    losses.append(session.run(["loss:0", "train"], feeds)[0])
                else:
                    losses.append(session.run("loss:0", feeds))
                    session.run("train", feeds)
    (folder / f"{name}.losses").write_text("".join(f"{float(v):.9g}\n" for v in losses))
    feeds = "x: features, y: labels" + (", t: is_training" if flag else "")
    (folder / f"{name}.yaml").write_text(
        f"# {expect}\n"
        f"job: {name.replace('_', '-')}\n"
        f'model: {{kind: graph, file: {name}.pb, train: train, loss: "loss:0", feeds: {{{feeds}}}}}\n'
        "data: {format: npz, path: data.npz, test_fraction: 0}\n"
        f"train: {{batch: {BATCH}, epochs: {STEPS * BATCH // (EXAMPLES + BATCH - EXAMPLES % BATCH)}, shuffle: false}}\n"
        "cluster: {consistency: sync}\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.RandomState(0)
    x = random.normal(size=(EXAMPLES, 4)).astype(np.float32)
    y = (x @ [1.0, -2.0, 0.5, 1.0] + 0.3 * x[:, 0] * x[:, 1] > 0).astype(np.int32)
    np.savez(folder / "data.npz", x=x, y=y)
    failed = []
    for name in sys.argv[2:] or CASES:
        try:
            write(folder, name)
        except Exception:
            failed.append(name)
            traceback.print_exc(limit=-3)
            for kind in ("pb", "losses", "yaml"):
                (folder / f"{name}.{kind}").unlink(missing_ok=True)
    print(f"{len(CASES) - len(failed)} cases; not made: {' '.join(failed)}")


if __name__ == "__main__":
    main()
