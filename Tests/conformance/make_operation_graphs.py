"""Writes small graphs as TensorFlow 1 writes them, each with feeds and what TensorFlow computes from them.

    python make_operation_graphs.py VECTORS OUT

For each case of each file VECTORS/NAME.json (one operation with its inputs, outputs and gradients) there are two folders:
OUT/NAME_0_constants, where floating inputs are fed and others are constants, with all shapes known; and, if TensorFlow
can build it, OUT/NAME_0_fed, where every input is fed and no extent of the floating ones is known while building. Where
the file has a gradient the graph has it too, as tf.gradients makes it. Besides, OUT/NAME for each of `extra_graphs`:
gradients of gradients, and functions of TensorFlow that are made of several operations.

A folder has graph.pb (a binary GraphDef), the feeds and the expected values as .npy, and run.json:

    {"rtol": 1e-5, "feeds": {"x:0": "feed_x.npy"}, "fetches": {"output_0:0": "expected_output_0_0.npy"}}

A value holds if |got − expected| ≤ rtol × max(1, |expected|); integers and booleans must be equal.
OUT/operations.txt lists every operation that the graphs are made of.

Needs TensorFlow (made with 2.21) and NumPy.
"""

import json
import math
import os
import shutil
import sys

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)

RTOL = 1e-5
# What the approximations of some functions cost, in TensorFlow's kernels or in their sums.
LOOSER = {"Lgamma": 1e-4, "Digamma": 1e-4, "FusedBatchNormV3": 1e-4, "LRN": 1e-4}


class Skipped(Exception):
    """TensorFlow cannot build this variant."""


# Folders


def file_name(prefix, tensor_name):
    return prefix + "_" + tensor_name.replace("/", "_").replace(":", "_") + ".npy"


def write_case(folder, graph, feeds, fetches, rtol, operations):
    """Runs `fetches` (tensors) under `feeds` (tensor → array) and writes all that a checker needs."""
    with tf.Session(graph=graph) as session:
        values = session.run(fetches, feeds)
    os.makedirs(folder, exist_ok=True)
    run = {"rtol": rtol, "feeds": {}, "fetches": {}}
    for tensor, value in feeds.items():
        run["feeds"][tensor.name] = file_name("feed", tensor.op.name)
        np.save(os.path.join(folder, run["feeds"][tensor.name]), value)
    for tensor, value in zip(fetches, values):
        run["fetches"][tensor.name] = file_name("expected", tensor.name)
        np.save(os.path.join(folder, run["fetches"][tensor.name]), np.asarray(value))
    definition = graph.as_graph_def()
    with open(os.path.join(folder, "graph.pb"), "wb") as file:
        file.write(definition.SerializeToString())
    with open(os.path.join(folder, "run.json"), "w") as file:
        json.dump(run, file, indent=1)
    operations.update(node.op for node in definition.node)
    return values


# Cases of vector files


def array(numbers):
    """A tensor of a vector file as an array; bfloat16 as float32."""
    dtype = "float32" if numbers["dtype"] == "bfloat16" else numbers["dtype"]
    return np.array([float(x) if isinstance(x, str) else x for x in numbers["data"]], dtype).reshape(numbers["shape"])


def source(numbers, name, fed, shape, feeds):
    """A placeholder that is fed, or a constant."""
    value, dtype = array(numbers), tf.as_dtype(numbers["dtype"])
    if not fed:
        return tf.constant(value, dtype, name=name)
    # Files hold no bfloat16, so its values are fed as float32 and cast.
    kept = tf.float32 if dtype == tf.bfloat16 else dtype
    tensor = tf.placeholder(kept, shape, name=name)
    feeds[tensor] = value
    return tensor if kept == dtype else tf.cast(tensor, dtype)


def fetchable(tensor, name):
    """The tensor under a name of its own, of a dtype that .npy has."""
    tensor = tf.convert_to_tensor(tensor)
    return tf.identity(tf.cast(tensor, tf.float32) if tensor.dtype == tf.bfloat16 else tensor, name=name)


def build_vector_case(case, everything_fed):
    """Builds the operation and its gradients in the default graph. Returns feeds and fetches."""
    feeds, inputs = {}, {}
    for given in case["inputs"]:
        tensors = []
        for number, one in enumerate(given.get("list", [given])):
            fed = everything_fed or tf.as_dtype(one["dtype"]).is_floating
            name = given["name"] + ("_%d" % number if "list" in given else "")
            floating = tf.as_dtype(one["dtype"]).is_floating
            shape = [None] * len(one["shape"]) if everything_fed and floating else one["shape"]
            tensors.append(source(one, name, fed, shape, feeds))
        inputs[given["name"]] = tensors if "list" in given else tensors[0]
    try:
        result = getattr(tf.raw_ops, case["op"])(**inputs, **case["attributes"], name=case["op"])
    except (ValueError, TypeError) as error:
        raise Skipped(str(error))
    outputs = []
    for output in result if isinstance(result, (list, tuple)) else [result]:
        outputs += output if isinstance(output, list) else [output]
    fetches = [fetchable(o, "output_%d" % i) for i, o in enumerate(outputs[: len(case["outputs"])])]
    if "gradient" in case:
        given = case["gradient"]
        wrt = []
        for name in given["wrt"]:
            wrt += inputs[name] if isinstance(inputs[name], list) else [inputs[name]]
        upstream = tf.constant(array(given["upstream"]), outputs[0].dtype, name="upstream")
        try:
            slopes = tf.gradients(outputs[0], wrt, grad_ys=upstream)
        except (ValueError, TypeError, LookupError, NotImplementedError) as error:
            raise Skipped(str(error))
        for number, slope in enumerate(slopes):
            if slope is not None:
                fetches.append(fetchable(slope, "gradient_%d" % number))
    return feeds, fetches


def check_against_file(name, case, values, rtol):
    """Whether the file's numbers are what TensorFlow computes now."""
    expected = [array(o) for o in case["outputs"]]
    for got, want in zip(values, expected):
        got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
        near = np.isfinite(want) & (abs(got - want) <= 10 * rtol * np.maximum(1, abs(want)))
        close = (got == want) | (np.isnan(got) & np.isnan(want)) | near
        if not np.all(close):
            # Such as what BlockLSTM leaves unset beyond seq_len_max.
            print("%s: left out: the file's numbers are not what TensorFlow computes now" % name)
            return False
    return True


def write_vector_cases(vectors, out, operations):
    for file in sorted(os.listdir(vectors)):
        if not file.endswith(".json"):
            continue
        with open(os.path.join(vectors, file)) as opened:
            cases = json.load(opened)
        for number, case in enumerate(cases):
            for variant in ("constants", "fed"):
                name = "%s_%d_%s" % (case["op"], number, variant)
                rtol = LOOSER.get(case["op"], RTOL)
                graph = tf.Graph()
                try:
                    with graph.as_default():
                        feeds, fetches = build_vector_case(case, everything_fed=variant == "fed")
                    values = write_case(os.path.join(out, name), graph, feeds, fetches, rtol, operations)
                except (Skipped, tf.errors.OpError) as reason:
                    print("%s: %s" % (name, str(reason).splitlines()[0]))
                    continue
                with np.errstate(all="ignore"):
                    agrees = check_against_file(name, case, values, rtol)
                if not agrees:
                    shutil.rmtree(os.path.join(out, name))


# Further graphs


def fed(name, value, shape="known"):
    """A placeholder and its value; of unknown extents unless told otherwise."""
    value = np.asarray(value)
    tensor = tf.placeholder(value.dtype, value.shape if shape == "known" else [None] * value.ndim, name=name)
    return tensor, value


def numbers(*shape, seed=1, low=-2.0, high=2.0):
    return np.random.RandomState(seed).uniform(low, high, shape).astype(np.float32)


def twice(function, *values, shape="known"):
    """A function, its gradients, and the gradients of those, each weighted so that no term drops out."""
    inputs = [fed("x%d" % i, v, shape) for i, v in enumerate(values)]
    xs = [t for t, _ in inputs]
    y = function(*xs)
    weights = tf.cast(tf.reshape(tf.range(1, tf.size(y) + 1), tf.shape(y)), y.dtype) / 7
    first = tf.gradients(y, xs, grad_ys=tf.sin(weights))
    second = tf.gradients(
        [tf.reduce_sum(g * tf.cos(tf.cast(tf.reshape(tf.range(tf.size(g)), tf.shape(g)), g.dtype))) for g in first if g is not None], xs)
    fetches = {"y": y}
    fetches.update({"first_%d" % i: g for i, g in enumerate(first) if g is not None})
    fetches.update({"second_%d" % i: g for i, g in enumerate(second) if g is not None})
    return dict(inputs), fetches


def once(function, *values, shape="known"):
    """A function and the gradients of its first output by the floating inputs."""
    inputs = [fed("x%d" % i, v, shape) for i, v in enumerate(values)]
    xs = [t for t, _ in inputs]
    results = function(*xs)
    results = list(results) if isinstance(results, (list, tuple)) else [results]
    fetches = {"y%d" % i: r for i, r in enumerate(results)}
    floating = [x for x in xs if x.dtype.is_floating]
    if floating and results[0].dtype.is_floating:
        y = tf.convert_to_tensor(results[0])
        for i, g in enumerate(tf.gradients(y * tf.sin(y + 1), floating)):
            if g is not None:
                fetches["gradient_%d" % i] = g
    return dict(inputs), fetches


def swish(x):
    return x * tf.sigmoid(x)


def gelu(x):
    return 0.5 * x * (1 + tf.erf(x / math.sqrt(2.0)))


def gelu_tanh(x):
    return 0.5 * x * (1 + tf.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * tf.pow(x, 3))))


POSITIVE = numbers(3, 4, low=0.3, high=2.5)
INNER = numbers(3, 4, low=-0.9, high=0.9)
SIGNED = numbers(3, 4)
IDS = np.array([0, 0, 1, 3], np.int32)

ACTIVATIONS = {
    "relu": tf.nn.relu, "relu6": tf.nn.relu6, "elu": tf.nn.elu, "selu": tf.nn.selu, "sigmoid": tf.sigmoid,
    "tanh": tf.tanh, "softplus": tf.nn.softplus, "softsign": tf.nn.softsign, "leaky_relu": tf.nn.leaky_relu,
    "softmax": tf.nn.softmax, "log_softmax": tf.nn.log_softmax, "log_sigmoid": tf.log_sigmoid, "swish": swish,
    "gelu": gelu, "gelu_tanh": gelu_tanh, "crelu": tf.nn.crelu,
    "exp": tf.exp, "square": tf.square, "sin": tf.sin, "cos": tf.cos, "erf": tf.erf, "erfc": tf.math.erfc,
    "sinh": tf.sinh, "cosh": tf.cosh, "asinh": tf.asinh, "atan": tf.atan, "expm1": tf.math.expm1, "abs": tf.abs,
}
POSITIVE_FUNCTIONS = {
    "log": tf.log, "log1p": tf.log1p, "sqrt": tf.sqrt, "rsqrt": tf.rsqrt, "reciprocal": tf.reciprocal,
    "lgamma": tf.lgamma, "digamma": tf.digamma, "bessel_free_pow": lambda x: tf.pow(x, 2.5),
}
INNER_FUNCTIONS = {
    "asin": tf.asin, "acos": tf.acos, "atanh": tf.atanh, "tan": tf.tan, "erfinv": tf.math.erfinv,
}


def linear(x, w, b):
    return tf.nn.bias_add(tf.matmul(x, w), b)


def extra_graphs():
    """Name → a function that builds a graph in the default one and returns feeds and fetches."""
    graphs = {}

    def add(name, build, *arguments, **options):
        assert name not in graphs, name
        graphs[name] = lambda: build(*arguments, **options)

    for shape in ("known", "unknown"):
        for name, function in ACTIVATIONS.items():
            add("twice_%s_%s" % (name, shape), twice, function, SIGNED, shape=shape)
        for name, function in POSITIVE_FUNCTIONS.items():
            add("twice_%s_%s" % (name, shape), twice, function, POSITIVE, shape=shape)
        for name, function in INNER_FUNCTIONS.items():
            add("twice_%s_%s" % (name, shape), twice, function, INNER, shape=shape)
        binary = {
            "add": tf.add, "subtract": tf.subtract, "multiply": tf.multiply, "divide": tf.divide, "pow": tf.pow,
            "maximum": tf.maximum, "minimum": tf.minimum, "squared_difference": tf.squared_difference,
            "div_no_nan": tf.div_no_nan, "atan2": tf.atan2, "xlogy": tf.math.xlogy, "xdivy": tf.math.xdivy,
            "xlog1py": tf.math.xlog1py, "multiply_no_nan": tf.math.multiply_no_nan, "floormod": tf.floormod,
            "truediv": tf.truediv, "div": tf.div,
        }
        for name, function in binary.items():
            add("twice_%s_%s" % (name, shape), twice, function, POSITIVE, numbers(4, seed=5, low=0.4, high=1.7), shape=shape)
        reductions = {
            "sum": tf.reduce_sum, "mean": tf.reduce_mean, "max": tf.reduce_max, "min": tf.reduce_min,
            "prod": tf.reduce_prod, "logsumexp": tf.reduce_logsumexp, "std": tf.math.reduce_std,
            "variance": tf.math.reduce_variance, "euclidean_norm": tf.math.reduce_euclidean_norm,
        }
        for name, function in reductions.items():
            add("twice_reduce_%s_%s" % (name, shape), twice, lambda x, f=function: f(x, axis=1), POSITIVE, shape=shape)
            add("twice_reduce_%s_keep_%s" % (name, shape), twice, lambda x, f=function: f(x, [0, -1], keepdims=True), numbers(2, 3, 4), shape=shape)
            add("twice_reduce_%s_all_%s" % (name, shape), twice, lambda x, f=function: f(x), POSITIVE, shape=shape)
        add("twice_matmul_" + shape, twice, tf.matmul, numbers(3, 4), numbers(4, 2, seed=2), shape=shape)
        add("twice_matmul_transposed_" + shape, twice, lambda a, b: tf.matmul(a, b, transpose_a=True, transpose_b=True), numbers(4, 3), numbers(2, 4, seed=2), shape=shape)
        add("twice_batch_matmul_" + shape, twice, tf.matmul, numbers(2, 1, 3, 4), numbers(2, 4, 2, seed=2), shape=shape)
        add("twice_linear_" + shape, twice, linear, numbers(3, 4), numbers(4, 2, seed=2), numbers(2, seed=3), shape=shape)
        add("twice_softmax_cross_entropy_" + shape, twice, lambda x, l: tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.nn.softmax(l), logits=x), numbers(3, 4), numbers(3, 4, seed=2), shape=shape)
        add("twice_sparse_cross_entropy_" + shape, twice, lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.constant([1, 0, 3]), logits=x), numbers(3, 4), shape=shape)
        add("twice_sigmoid_cross_entropy_" + shape, twice, lambda x: tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like(x) * 0.3, logits=x), numbers(3, 4), shape=shape)
        add("twice_weighted_cross_entropy_" + shape, twice, lambda x: tf.nn.weighted_cross_entropy_with_logits(tf.ones_like(x) * 0.3, x, 1.7), numbers(3, 4), shape=shape)
        add("twice_l2_loss_" + shape, twice, tf.nn.l2_loss, SIGNED, shape=shape)
        add("twice_huber_" + shape, twice, lambda x: tf.losses.huber_loss(tf.zeros_like(x), x, delta=0.7, reduction="none"), SIGNED, shape=shape)
        add("twice_gather_" + shape, twice, lambda x: tf.gather(x, [2, 0, 2]), SIGNED, shape=shape)
        add("twice_gather_axis_" + shape, twice, lambda x: tf.gather(x, [2, 0, 2], axis=1), SIGNED, shape=shape)
        add("twice_gather_nd_" + shape, twice, lambda x: tf.gather_nd(x, [[2, 0], [1, 1], [2, 0]]), SIGNED, shape=shape)
        add("twice_strided_slice_" + shape, twice, lambda x: x[1:, ::2] ** 3, SIGNED, shape=shape)
        add("twice_concat_" + shape, twice, lambda x, y: tf.concat([x, y], 1) ** 3, SIGNED, numbers(3, 2), shape=shape)
        add("twice_transpose_" + shape, twice, lambda x: tf.transpose(x) ** 3, SIGNED, shape=shape)
        add("twice_pad_" + shape, twice, lambda x: tf.pad(x, [[1, 0], [2, 1]]) ** 3, SIGNED, shape=shape)
        add("twice_mirror_pad_" + shape, twice, lambda x: tf.pad(x, [[1, 0], [2, 1]], "REFLECT") ** 3, SIGNED, shape=shape)
        add("twice_tile_" + shape, twice, lambda x: tf.tile(x, [2, 3]) ** 3, SIGNED, shape=shape)
        add("twice_cumsum_" + shape, twice, lambda x: tf.cumsum(x, 1, exclusive=True) ** 3, SIGNED, shape=shape)
        add("twice_cumprod_" + shape, twice, lambda x: tf.cumprod(x, 1), SIGNED, shape=shape)
        add("twice_cumprod_reversed_" + shape, twice, lambda x: tf.cumprod(x, 0, exclusive=True, reverse=True), SIGNED, shape=shape)
        add("twice_top_k_" + shape, twice, lambda x: tf.nn.top_k(x, 2)[0] ** 3, SIGNED, shape=shape)
        add("twice_segment_sum_" + shape, twice, lambda x: tf.segment_sum(x, IDS) ** 3, numbers(4, 3), shape=shape)
        add("twice_segment_mean_" + shape, twice, lambda x: tf.segment_mean(x, IDS) ** 3, numbers(4, 3), shape=shape)
        add("twice_unsorted_segment_sum_" + shape, twice, lambda x: tf.unsorted_segment_sum(x, IDS, 5) ** 3, numbers(4, 3), shape=shape)
        add("twice_where_" + shape, twice, lambda x: tf.where(x > 0, x ** 3, tf.exp(x)), SIGNED, shape=shape)
        add("twice_where_v2_" + shape, twice, lambda x: tf.where_v2(x > 0, x ** 3, 1.0), SIGNED, shape=shape)
        add("twice_clip_" + shape, twice, lambda x: tf.clip_by_value(x, -1.0, 1.0) ** 3, SIGNED, shape=shape)

        # Compositions.
        add("moments_" + shape, once, lambda x: tf.nn.moments(x, [0]), SIGNED, shape=shape)
        add("moments_keep_" + shape, once, lambda x: tf.nn.moments(x, [0, 2], keepdims=True), numbers(2, 3, 4), shape=shape)
        add("weighted_moments_" + shape, once, lambda x: tf.nn.weighted_moments(x, [0], tf.constant([[1.0], [2.0], [0.5]])), SIGNED, shape=shape)
        add("l2_normalize_" + shape, once, lambda x: tf.nn.l2_normalize(x, 1), SIGNED, shape=shape)
        for order in ("euclidean", 1, 2, 3, np.inf):
            add("norm_%s_%s" % (order, shape), once, lambda x, o=order: tf.norm(x, o, axis=1), SIGNED, shape=shape)
        add("norm_fro_" + shape, once, lambda x: tf.norm(x, "fro", axis=[0, 1]), SIGNED, shape=shape)
        add("clip_by_norm_" + shape, once, lambda x: tf.clip_by_norm(x, 1.5), SIGNED, shape=shape)
        add("clip_by_average_norm_" + shape, once, lambda x: tf.clip_by_average_norm(x, 0.1), SIGNED, shape=shape)
        add("clip_by_global_norm_" + shape, once, lambda x, y: tf.clip_by_global_norm([x, y], 1.5)[0], SIGNED, numbers(5), shape=shape)
        add("boolean_mask_" + shape, once, lambda x: tf.boolean_mask(x, tf.constant([True, False, True])), SIGNED, shape=shape)
        add("boolean_mask_full_" + shape, once, lambda x: tf.boolean_mask(x, x > 0.0) if shape == "known" else tf.gather_nd(x, tf.where(x > 0.0)), SIGNED, shape=shape)
        add("where_indices_" + shape, once, lambda x: tf.where(x > 0.0), SIGNED, shape=shape)
        add("unique_" + shape, once, lambda x: tuple(tf.unique(x)), np.array([3, 1, 3, 2, 1], np.int32), shape=shape)
        add("unique_with_counts_" + shape, once, lambda x: tuple(tf.unique_with_counts(x)), np.array([3, 1, 3, 2, 1], np.int64), shape=shape)
        add("unique_embedding_" + shape, once, lambda x: tf.nn.embedding_lookup(x, [2, 0, 2, 1]), SIGNED, shape=shape)
        add("embedding_sharded_" + shape, once, lambda x, y: tf.nn.embedding_lookup([x, y], [2, 0, 2, 1, 5], "mod"), numbers(3, 4), numbers(3, 4, seed=2), shape=shape)
        add("embedding_divided_" + shape, once, lambda x, y: tf.nn.embedding_lookup([x, y], [2, 0, 2, 1, 5], "div"), numbers(3, 4), numbers(3, 4, seed=2), shape=shape)
        add("sequence_mask_" + shape, once, lambda n: tf.sequence_mask(n, 5, tf.float32), np.array([1, 3, 0], np.int32), shape=shape)
        add("sequence_mask_own_length_" + shape, once, lambda n: tf.sequence_mask(n), np.array([1, 3, 0], np.int32), shape=shape)
        add("one_hot_" + shape, once, lambda i: tf.one_hot(i, 4), np.array([1, 3, 0], np.int32), shape=shape)
        add("log_sum_exp_" + shape, once, lambda x: tf.reduce_logsumexp(x, [1], keepdims=True), SIGNED, shape=shape)
        add("cumsum_" + shape, once, lambda x: tf.cumsum(x, 1, reverse=True), SIGNED, shape=shape)
        add("cumulative_logsumexp_" + shape, once, lambda x: tf.math.cumulative_logsumexp(x, 1), SIGNED, shape=shape)
        add("diag_part_" + shape, once, tf.linalg.diag_part, numbers(2, 3, 3), shape=shape)
        add("diag_" + shape, once, tf.linalg.diag, SIGNED, shape=shape)
        add("set_diag_" + shape, once, lambda x, d: tf.linalg.set_diag(x, d), numbers(2, 3, 3), numbers(2, 3), shape=shape)
        add("trace_" + shape, once, tf.linalg.trace, numbers(2, 3, 3), shape=shape)
        add("tensordot_" + shape, once, lambda x, y: tf.tensordot(x, y, [[1], [0]]), numbers(2, 3, 4), numbers(3, 5, seed=2), shape=shape)
        for number, (equation, a, b) in enumerate(
            [("ij,jk->ik", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 3)), ("bi,bj->bij", (2, 3), (2, 4)),
             ("ij,j->i", (2, 3), (3,)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)), ("ij,ij->", (2, 3), (2, 3)),
             ("abc,cd->abd", (2, 3, 4), (4, 2))]):
            add("einsum_%d_%s" % (number, shape), once, lambda x, y, e=equation: tf.einsum(e, x, y), numbers(*a), numbers(*b, seed=2), shape=shape)
        add("einsum_transpose_" + shape, once, lambda x: tf.einsum("abc->cab", x), numbers(2, 3, 4), shape=shape)
        add("einsum_ellipsis_" + shape, once, lambda x, y: tf.einsum("...ij,...jk->...ik", x, y), numbers(2, 1, 3, 4), numbers(5, 4, 2, seed=2), shape=shape)
        add("layer_norm_" + shape, once, lambda x, g, b: layer_normalization(x, g, b), SIGNED, numbers(4, seed=3), numbers(4, seed=4), shape=shape)
        add("reverse_sequence_" + shape, once, lambda x: tf.reverse_sequence(x, [1, 3, 2], seq_axis=1), SIGNED, shape=shape)
        add("space_to_depth_" + shape, once, lambda x: tf.space_to_depth(x, 2), numbers(1, 4, 4, 2), shape=shape)
        add("depth_to_space_" + shape, once, lambda x: tf.depth_to_space(x, 2), numbers(1, 2, 2, 8), shape=shape)
        add("space_to_batch_" + shape, once, lambda x: tf.space_to_batch_nd(x, [2, 2], [[0, 0], [1, 1]]), numbers(1, 4, 2, 2), shape=shape)
        add("batch_to_space_" + shape, once, lambda x: tf.batch_to_space_nd(x, [2, 2], [[0, 1], [1, 0]]), numbers(4, 2, 2, 2), shape=shape)
        add("dynamic_partition_" + shape, once, lambda x: tf.dynamic_partition(x, [1, 0, 1], 2), SIGNED, shape=shape)
        add("in_top_k_" + shape, once, lambda x: tf.nn.in_top_k(x, [1, 2, 0], 2), SIGNED, shape=shape)
        add("confusion_matrix_" + shape, once, lambda a, b: tf.confusion_matrix(a, b, 4), np.array([1, 3, 0], np.int64), np.array([1, 2, 0], np.int64), shape=shape)
        add("bincount_" + shape, once, lambda a: tf.math.bincount(a, minlength=3), np.array([1, 3, 0, 1], np.int32), shape=shape)
        add("meshgrid_" + shape, once, lambda x, y: tf.meshgrid(x, y), numbers(3), numbers(2), shape=shape)
        add("scatter_nd_update_" + shape, once, lambda x, u: tf.tensor_scatter_nd_update(x, [[1], [0]], u), SIGNED, numbers(2, 4), shape=shape)
        add("sparse_segment_mean_" + shape, once, lambda x: tf.sparse_segment_mean(x, [0, 2, 1], [0, 0, 1]), SIGNED, shape=shape)
        add("extract_diagonal_product_" + shape, once, lambda x: tf.linalg.band_part(x, 0, -1), numbers(2, 3, 3), shape=shape)
        add("stack_unstack_" + shape, once, lambda x, y: tf.stack([x, y, x], 1), SIGNED, numbers(3, 4, seed=8), shape=shape)
        add("sort_" + shape, once, lambda x: tf.sort(x, 1), SIGNED, shape=shape)
        add("argsort_" + shape, once, lambda x: tf.argsort(x, 1), SIGNED, shape=shape)
        add("roll_" + shape, once, lambda x: tf.roll(x, [1, -2], [0, 1]), SIGNED, shape=shape)
        add("repeat_" + shape, once, lambda x: tf.repeat(x, [2, 0, 1], axis=0), SIGNED, shape=shape)
        add("percentile_like_" + shape, once, lambda x: tf.nn.top_k(tf.reshape(x, [-1]), 3)[0][-1], SIGNED, shape=shape)
        add("cosine_distance_" + shape, once, lambda x, y: tf.losses.cosine_distance(tf.nn.l2_normalize(x, 1), tf.nn.l2_normalize(y, 1), axis=1), SIGNED, numbers(3, 4, seed=8), shape=shape)
        add("log_loss_" + shape, once, lambda x: tf.losses.log_loss(tf.ones_like(x), tf.sigmoid(x)), SIGNED, shape=shape)
        add("hinge_loss_" + shape, once, lambda x: tf.losses.hinge_loss(tf.ones_like(x), x), SIGNED, shape=shape)
        add("absolute_difference_" + shape, once, lambda x: tf.losses.absolute_difference(tf.ones_like(x), x), SIGNED, shape=shape)
        add("pairwise_error_" + shape, once, lambda x: tf.losses.mean_pairwise_squared_error(tf.ones_like(x) * 0.3, x), SIGNED, shape=shape)
        add("mean_squared_error_" + shape, once, lambda x: tf.losses.mean_squared_error(tf.ones_like(x), x, weights=tf.constant([[1.0], [0.0], [2.0]])), SIGNED, shape=shape)
        add("softmax_cross_entropy_smoothed_" + shape, once, lambda x: tf.losses.softmax_cross_entropy(tf.one_hot([1, 0, 3], 4), x, label_smoothing=0.1), SIGNED, shape=shape)
        add("sparse_softmax_loss_" + shape, once, lambda x: tf.losses.sparse_softmax_cross_entropy([1, 0, 3], x), SIGNED, shape=shape)
        add("sampled_softmax_free_nce_" + shape, once, lambda x, w: tf.reduce_sum(tf.nn.log_softmax(tf.matmul(x, w, transpose_b=True)), 1), SIGNED, numbers(5, 4, seed=8), shape=shape)
        add("polynomial_" + shape, once, lambda x: tf.math.polyval([1.0, x, 2.0], x), SIGNED, shape=shape)
        add("zero_fraction_" + shape, once, lambda x: tf.nn.zero_fraction(tf.nn.relu(x)), SIGNED, shape=shape)
        add("accumulate_" + shape, once, lambda x: tf.accumulate_n([x, x * x, x]), SIGNED, shape=shape)
        add("batch_normalization_" + shape, once, lambda x: tf.nn.batch_normalization(x, *tf.nn.moments(x, [0]), 0.3, 1.2, 1e-3), SIGNED, shape=shape)
    return graphs


def layer_normalization(x, gain, bias):
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.rsqrt(variance + 1e-5) * gain + bias


def write_extra_graphs(out, operations):
    for name, build in extra_graphs().items():
        graph = tf.Graph()
        try:
            with graph.as_default():
                feeds, fetches = build()
                fetches = [fetchable(tensor, key) for key, tensor in fetches.items()]
        except Exception as error:
            print("%s: %s" % (name, str(error).splitlines()[0]))
            continue
        write_case(os.path.join(out, name), graph, feeds, fetches, 1e-4, operations)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    used = set()
    write_vector_cases(sys.argv[1], sys.argv[2], used)
    write_extra_graphs(sys.argv[2], used)
    with open(os.path.join(sys.argv[2], "operations.txt"), "w") as listing:
        listing.write("\n".join(sorted(used)) + "\n")
