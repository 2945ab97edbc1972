#!/usr/bin/env python3
"""Writes graphs of texts, summaries, updates of Variables and QR as TensorFlow 1 makes them, with what TensorFlow computes.

    make_state_graphs.py FOLDER [NAME …]

Cases for `tributary graph check`, as those of make_training_graphs.py. Texts are kept as NumPy's S, which drops zero bytes at
the end. Needs tensorflow-cpu and numpy.
"""
import sys

import make_training_graphs as base
import numpy as np
import tensorflow as tf
from make_training_graphs import Case, numbers, v1, variable

CASES = {}
raw = tf.raw_ops


def case(function):
    CASES[function.__name__] = function
    return function


def fed(name, value):
    """A placeholder and its feed."""
    value = np.array(value)
    dtype = tf.string if value.dtype.kind in "SUO" else tf.as_dtype(value.dtype)
    node = v1.placeholder(dtype, value.shape, name=name)
    FEEDS[node] = value.astype(bytes) if dtype == tf.string else value
    return node


FEEDS = {}


def simple(fetches, **more):
    return Case(fetches, dict(FEEDS), **more)


# Texts


@case
def texts_joined():
    a, b = fed("a", [["x", "yy"], ["", "zz z"]]), fed("b", "-")
    return simple([
        raw.StringJoin(inputs=[a, b, a], separator=","), raw.StringJoin(inputs=[b, b]),
        *(raw.ReduceJoin(inputs=a, reduction_indices=i, separator="+", keep_dims=k) for i, k in (([0], False), ([1], True), ([0, 1], False), ([1, 0], True), ([-1], False))),
        raw.ReduceJoin(inputs=a, reduction_indices=np.zeros(0, np.int32)), raw.ShardedFilename(basename=b, shard=3, num_shards=12345678),
        raw.ShardedFilespec(basename=b, num_shards=7), tf.reverse(a, [1]), tf.gather(a, [1, 0, 1]), tf.transpose(a), tf.stack([a, a], 1), tf.concat([a, a], 1), a[:, 1], tf.tile(a, [1, 2]),
        tf.reshape(a, [4]), tf.where(tf.constant([True, False]), a, tf.fill([2, 2], b)), raw.SelectV2(condition=[[True], [False]], t=a, e=b),
        tf.equal(a, ["x", "zz z"]), tf.not_equal(a, "yy"), tf.unique(tf.reshape(tf.concat([a, a], 0), [-1]))[0], tf.shape(a), tf.size(a), tf.expand_dims(b, 0), tf.squeeze(a[:1], 0),
        *tf.split(a, 2, 1), tf.dynamic_partition(a, [1, 0], 2)[0], tf.zeros_like(a)])


@case
def texts_changed():
    a = fed("a", np.array(["  Hello World \n", "", "ÀÉ straße", "a,b,,c", "x"]).astype("U").astype(object) if False else [s.encode() for s in ("  Hello World \n", "", "ÀÉ straße", "a,b,,c", "x")])
    long = fed("long", [b"abcdef", "éàüöñx".encode()])
    split = [raw.StringSplit(input=a, delimiter=d, skip_empty=s) for d, s in ((",", True), (",", False), ("", True), (", ", False))]
    split += [raw.StringSplitV2(input=a, sep=d, maxsplit=m) for d, m in ((",", -1), ("", -1), (",,", -1), (",", 1), ("", 1), (",", 0))]
    return simple([
        raw.StringLower(input=a), raw.StringUpper(input=a), raw.StringLower(input=a, encoding="utf-8"), raw.StringUpper(input=a, encoding="utf-8"), raw.StringStrip(input=a),
        raw.StringLength(input=a), raw.StringLength(input=a, unit="UTF8_CHAR"), raw.Substr(input=long, pos=1, len=3), raw.Substr(input=long, pos=-3, len=2),
        raw.Substr(input=long, pos=[1, 2], len=[2, 100]), raw.Substr(input=long, pos=[[0], [3]], len=[[1], [2]]), raw.Substr(input=long, pos=-2, len=2, unit="UTF8_CHAR"), raw.Substr(input=long, pos=0, len=-1),
        *(t for s in split for t in s)])


@case
def texts_by_patterns():
    a = fed("a", [b"abc123 def", b"s3://bucket/x", b"", "äöü ABC_9".encode(), b"aaa\nbbb"])
    patterns = ["^s3://.*", r"[a-z]+\d* ?\w*", "a*", "(?i)ABC.*", r"(?s).*", r".*", r"\w+\s\w+", "[^a]*", "s3|s3://bucket/x", r"(?:a|ab)(c|bcd)?123 (def)", r"\pL{3} \p{Lu}+_\d", r"[[:alpha:]]{3}[[:digit:]]{2,} .+", r"^$", r"(a|b|\n)+"]
    rewrites = [("[a-z]+", "<\\0>"), ("([a-z])([0-9])", "\\2\\1"), ("b*", "x"), ("^", "."), ("$", "."), (r"\b", "|"), ("a|b|c", ""), ("(?m)^b", "X"), ("a+?", "y"), ("(x)?a", "[\\1]"), ("a", "\\9"), ("a", "b\\\\"), (r"\.|/", "_"), ("[ä-ü]", "u"), ("", "-")]
    return simple(
        [raw.StaticRegexFullMatch(input=a, pattern=p) for p in patterns] + [raw.RegexFullMatch(input=a, pattern="s3.*")] + [raw.StaticRegexReplace(input=a, pattern=p, rewrite=r) for p, r in rewrites]
        + [raw.StaticRegexReplace(input=a, pattern=p, rewrite=r, replace_global=False) for p, r in rewrites] + [raw.RegexReplace(input=a, pattern="[aeiou]", rewrite="*")])


@case
def texts_of_numbers():
    x = fed("x", np.array([1.5, 1 / 3, -1e10, np.nan, np.inf, -0.0, 123456.7, 1e-7, 100], np.float32))
    d, i, b = fed("d", np.array([0.1, 1 / 3, 1e300, -2.5])), fed("i", np.array([1, -20, 300], np.int32)), fed("b", np.array([True, False]))
    cube, long, text = fed("cube", np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7), fed("long", np.arange(40).reshape(10, 4)), fed("text", [b"a", b"b\"\n'\xff"])
    half = tf.cast(x, tf.bfloat16)
    shown = [x, d, i, b, cube, long, text, half, text[0], x[0], tf.zeros([0, 3]), tf.cast(i, tf.uint8), long[:5, :2]]
    return simple(
        [raw.AsString(input=t, **k) for t in (x, d, half) for k in ({}, {"shortest": True}, {"scientific": True, "precision": 3}, {"precision": 2, "width": 12}, {"width": 9, "fill": "0"}, {"width": 15, "fill": "-"}, {"fill": "+"})]
        + [raw.AsString(input=t, **k) for t in (i, tf.cast(i, tf.int64), tf.cast(i, tf.uint8)) for k in ({}, {"width": 6}, {"width": 6, "fill": "0"}, {"width": 6, "fill": "-"}, {"fill": "+"})] + [raw.AsString(input=b, width=7), raw.AsString(input=text, width=4)]
        + [raw.StringFormat(inputs=[t], template="v: %s!", placeholder="%s", summarize=n) for t in shown for n in (3, -1, 0, 1, 2)]
        + [raw.StringFormat(inputs=[x, i], template="{} and {}", placeholder="{}", summarize=2)]
        + [raw.StringToNumber(string_tensor=fed("numbers", [b" 1.5 ", b"-3", b"1e40", b"inf", b"7e-3", b".5", b"0x10"]), out_type=t) for t in (tf.float32, tf.float64)]
        + [raw.StringToNumber(string_tensor=fed("whole", [b" 12 ", b"-7", b"+3"]), out_type=t) for t in (tf.int32, tf.int64)]
        + [raw.DecodeRaw(bytes=fed("raw", [b"abcdefgh", b"12345678"]), out_type=t, little_endian=e) for t in (tf.uint8, tf.int32, tf.int64, tf.float32, tf.float64) for e in (True, False)])


# Summaries


@case
def summaries_of_all_kinds():
    x, d = fed("x", numbers(1, 50) * 3), fed("d", np.array([0.0, 1e-13, -1e-13, 1e19, 1e25, -1e30, 5, 5, 5]))
    image, grey = fed("image", numbers(2, 4, 5, 6, 3)), fed("grey", np.abs(numbers(3, 2, 9, 7, 1)) * 10)
    bad = fed("bad", np.where(np.arange(96).reshape(1, 4, 6, 4) == 10, np.nan, numbers(4, 1, 4, 6, 4)).astype(np.float32))
    pixels = fed("pixels", np.random.RandomState(5).randint(0, 255, (2, 17, 33, 3)).astype(np.uint8))
    smooth = fed("smooth", np.fromfunction(lambda n, i, j, c: 128 + 60 * np.sin(i / 9) + 50 * np.cos(j / 13 + c), (1, 80, 120, 3)).astype(np.uint8))
    wide = fed("wide", np.random.RandomState(6).randint(0, 255, (1, 120, 130, 4)).astype(np.uint8))
    row, column, dot = fed("row", np.arange(20, dtype=np.uint8).reshape(1, 1, 20, 1)), fed("column", np.arange(20, dtype=np.uint8).reshape(1, 20, 1, 1)), fed("dot", np.full((1, 1, 1, 3), 7, np.uint8))
    sound = fed("sound", numbers(7, 2, 30, 2) * 1.2)
    images = [raw.ImageSummary(tag=t, tensor=v, max_images=n) for t, v, n in (("i", image, 3), ("g", grey, 1), ("bad", bad, 2), ("p", pixels, 5), ("s", smooth, 1), ("w", wide, 1), ("row", row, 1), ("column", column, 1), ("dot", dot, 1))]
    images.append(raw.ImageSummary(tag="c", tensor=bad, bad_color=tf.make_tensor_proto(np.array([1, 2, 3, 4], np.uint8))))
    images.append(raw.ImageSummary(tag="z", tensor=tf.zeros_like(grey))); images.append(raw.ImageSummary(tag="e", tensor=tf.cast(image, tf.float64)))
    scalars = [raw.ScalarSummary(tags="a", values=x[0]), raw.ScalarSummary(tags=["b", "c"], values=tf.cast(x[:2] * 10, tf.int32)), raw.ScalarSummary(tags="zero", values=0.0), raw.ScalarSummary(tags="d", values=d[3])]
    histograms = [raw.HistogramSummary(tag="h", values=v) for v in (x, d, tf.cast(x * 5, tf.int32), x[:0], x[:1], tf.zeros([3]), tf.cast(x, tf.bfloat16))]
    tensors = [tf.summary.tensor_summary if False else raw.TensorSummaryV2(tag="t", tensor=v, serialized_summary_metadata=m) for v, m in ((x, ""), (tf.constant(["a", ""]), b"\n\x03\n\x01p"), (tf.zeros([2, 0]), ""), (tf.constant(5), ""), (tf.constant([True, False]), ""))]
    named = [raw.TensorSummary(tensor=x[:3], name="scope/named")]
    sounds = [raw.AudioSummaryV2(tag="s", tensor=sound, sample_rate=8000.0), raw.AudioSummaryV2(tag="one", tensor=sound[..., 0], sample_rate=44100.0, max_outputs=1), raw.AudioSummaryV2(tag="v", tensor=sound, sample_rate=16000.0)]
    merged = raw.MergeSummary(inputs=scalars + histograms[:1] + images[:2] + tensors[:1] + named)
    return simple(scalars + histograms + images + tensors + named + sounds + [merged, raw.MergeSummary(inputs=[merged])])


# Updates


def updates(resource):
    x = fed("x", numbers(8, 3))
    v = variable("v", numbers(9, 4, 3), resource)
    w = variable("w", np.arange(12, dtype=np.int32).reshape(4, 3), resource)
    u = variable("u", numbers(10, 2, 3, 2), resource)
    c = variable("c", np.array(0, np.int32), resource)
    def nd(op, ref, i, value):
        i = tf.constant(i)
        if resource:
            return getattr(raw, "ResourceScatterNd" + op)(ref=ref.handle, indices=i, updates=value)
        return getattr(raw, "ScatterNd" + op)(ref=ref._ref(), indices=i, updates=value).op
    def div(ref, i, value):
        if resource:
            return raw.ResourceScatterDiv(resource=ref.handle, indices=i, updates=value)
        return raw.ScatterDiv(ref=ref._ref(), indices=i, updates=value).op
    def sliced(ref, slices, value):
        return ref[slices].assign(value).op
    count = raw.ResourceCountUpTo(resource=c.handle, limit=20, T=tf.int32) if resource else raw.CountUpTo(ref=c._ref(), limit=20)
    steps = [
        lambda: nd("Update", v, [[0], [2]], tf.stack([x, x * 2])), lambda: nd("Add", v, [[1, 2], [1, 2], [3, 0]], x), lambda: nd("Sub", v, [[0, 0]], x[:1]), lambda: nd("Min", v, [[3], [1]], tf.stack([x, -x])),
        lambda: nd("Max", v, [[2, 1], [2, 1]], x[:2] * 3), lambda: nd("Add", w, [[[0], [1]], [[1], [3]]], tf.ones([2, 2, 3], tf.int32)), lambda: nd("Update", u, [[0, 1], [1, 2]], numbers(11, 2, 2)), lambda: div(v, [0, 1], tf.stack([x + 3, x - 3])), lambda: div(w, 2, tf.constant(3)),
        lambda: sliced(v, np.s_[1:3, ::2], tf.stack([x[:2], x[1:]])), lambda: sliced(v, np.s_[-1], x), lambda: sliced(u, np.s_[..., 0], tf.ones([2, 3]) * x[0]), lambda: sliced(u, np.s_[:, 0:1, ::-1], numbers(12, 2, 1, 2)), lambda: sliced(w, np.s_[2:, tf.newaxis, 0], tf.constant([[7], [8]])), lambda: sliced(v, np.s_[0, 0], x[1]),
        lambda: count.op]
    done = []
    for step in steps:
        with tf.control_dependencies(done):
            done = [step()]
    slots = [variable(f"s{k}", np.abs(numbers(20 + k, 3)) + 0.1, resource) for k in range(12)]
    refs = [s.handle if resource else s._ref() for s in slots]
    name = "Resource" if resource else ""
    def apply(op, **arguments):
        made = getattr(raw, name + op)(**arguments)
        return made if resource else made.op
    rules = [
        apply("ApplyAdaMax", var=refs[0], m=refs[1], v=refs[2], beta1_power=0.9, lr=0.1, beta1=0.9, beta2=0.99, epsilon=1e-8, grad=x), apply("ApplyAddSign", var=refs[3], m=refs[4], lr=0.1, alpha=1.1, sign_decay=0.9, beta=0.8, grad=x),
        apply("ApplyPowerSign", var=refs[5], m=refs[6], lr=0.1, logbase=1.2, sign_decay=0.9, beta=0.8, grad=x)]
    if resource:
        rules.append(raw.ResourceApplyAdamWithAmsgrad(var=refs[7], m=refs[8], v=refs[9], vhat=refs[10], beta1_power=0.9, beta2_power=0.99, lr=0.1, beta1=0.9, beta2=0.99, epsilon=1e-7, grad=x))
    train = tf.group(*done, *rules)
    fetches = [t.read_value() if resource else tf.identity(t) for t in [v, w, u, c] + slots]
    if resource:
        i = tf.constant([[0, 1], [3, 2]])
        picked, rows = raw.ResourceGatherNd(resource=v.handle, indices=i, dtype=tf.float32), raw.ResourceGather(resource=u.handle, indices=[[2, 0], [1, 1]], dtype=tf.float32, batch_dims=1)
        fetches += [picked, rows]
    return Case(fetches, dict(FEEDS), train, 3, 1e-5)


@case
def updates_of_references():
    return updates(False)


@case
def updates_of_resources():
    return updates(True)


@case
def text_variables():
    a, r = variable("a", [b"Elephant", b""]), variable("r", b"one", True)
    x = fed("x", b"!")
    train = tf.group(v1.assign(a, tf.strings.join([a, x])), r.assign(tf.strings.join([r, x])))
    return Case([tf.identity(a), r.read_value(), tf.strings.length(a)], dict(FEEDS), train, 3)


# QR


def qr(*shape):
    return raw.Qr(input=fed("x" + "_".join(map(str, shape)), numbers(40, *shape))), raw.Qr(input=numbers(41, *shape).astype(np.float64), full_matrices=True)


@case
def qr_values():
    results = [t for s in ((3, 3), (5, 3), (3, 5), (1, 4), (4, 1), (1, 1), (2, 4, 3), (2, 2, 3, 3), (60, 50), (0, 3), (3, 0), (2, 0, 0)) for q in qr(*s) for t in q]
    triangle = fed("triangle", np.array([[2, 1, 3], [0, -4, 5], [0, 0, 6], [0, 0, 0]], np.float32))
    return simple(results + list(raw.Qr(input=triangle)), rtol=2e-5)


@case
def qr_gradients():
    fetches = []
    for i, shape in enumerate(((3, 3), (5, 3), (3, 5), (2, 4, 3), (2, 2, 4))):
        x = fed(f"x{i}", numbers(50 + i, *shape).astype(np.float64))
        q, r = tf.linalg.qr(x)
        fetches += [v1.gradients(tf.reduce_sum(tf.sin(q)) + tf.reduce_sum(r * r * r), x)[0]]
    return simple(fetches)


@case
def orthogonal_initialiser():
    w = v1.get_variable("w", [6, 4], initializer=v1.orthogonal_initializer(seed=3))
    x = fed("x", numbers(60, 5, 6))
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w)))
    return Case([loss, tf.identity(w)], dict(FEEDS), v1.train.GradientDescentOptimizer(0.1).minimize(loss), 3)


def save_bytes(save):
    """np.save that keeps texts as bytes of one length."""
    def wrapped(file, value):
        value = np.asarray(value)
        save(file, value.astype(bytes) if value.dtype.kind == "O" else value)
    return wrapped


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    base.np.save = save_bytes(np.save)
    for name in sys.argv[2:] or CASES:
        FEEDS.clear()
        try:
            base.write(sys.argv[1], name, CASES[name])
        except Exception as error:  # a case that this TensorFlow cannot make
            print(f"{name}: not written: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
