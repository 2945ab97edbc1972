"""Writes vector files of the op table for operations, with numbers that TensorFlow computes.

    python make_operation_vectors.py OUT [NAME …]

One file OUT/NAME.json for each operation (or for those named): a list of cases

    {"op", "attributes", "inputs": [{"name", "dtype", "shape", "data"} or {"name", "list": [tensor, …]}],
     "outputs": [tensor, …], "gradient": {"wrt": [input names], "upstream": tensor, "values": [tensor, …]}}

with the attributes and input names of `tf.raw_ops.NAME`. `gradient` is of the first output weighted by `upstream`, and is
there for the cases that ask for it and where TensorFlow has one. NaN and the infinities are written as strings.

Needs TensorFlow (made with 2.21) and NumPy.
"""

import json
import os
import sys

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)

NAN, INF = float("nan"), float("inf")


def written(value):
    """A tensor as the files have it."""
    value = np.asarray(value)
    data = []
    for x in value.reshape(-1):
        if value.dtype.kind != "f":
            data.append(x.item())
        elif np.isfinite(x):
            data.append(float(str(x)))  # the shortest text that stands for a float32
        else:
            data.append("NaN" if np.isnan(x) else "Infinity" if x > 0 else "-Infinity")
    return {"dtype": value.dtype.name, "shape": list(value.shape), "data": data}


def case(op, inputs, attributes=None, wrt=None):
    """Runs one operation; `wrt` names the inputs to differentiate by."""
    attributes = attributes or {}
    with tf.Graph().as_default(), tf.Session() as session:
        feeds, tensors = {}, {}
        for name, value in inputs.items():
            values = value if isinstance(value, list) else [value]
            made = [tf.placeholder(v.dtype, v.shape) for v in values]
            feeds.update(zip(made, values))
            tensors[name] = made if isinstance(value, list) else made[0]
        result = getattr(tf.raw_ops, op)(**tensors, **attributes)
        outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        outputs = [t for o in outputs for t in (o if isinstance(o, (list, tuple)) else [o])]
        row = {"op": op, "attributes": attributes, "inputs": [], "outputs": []}
        for name, value in inputs.items():
            row["inputs"].append(
                {"name": name, "list": [written(v) for v in value]} if isinstance(value, list) else {"name": name, **written(value)})
        computed = session.run(outputs, feeds)
        row["outputs"] = [written(v) for v in computed]
        if wrt:
            xs = [t for name in wrt for t in (tensors[name] if isinstance(tensors[name], list) else [tensors[name]])]
            upstream = floats(*computed[0].shape, seed=99).astype(computed[0].dtype)
            slopes = tf.gradients(outputs[0], xs, grad_ys=tf.constant(upstream))
            slopes = [tf.zeros_like(x) if s is None else tf.convert_to_tensor(s) for s, x in zip(slopes, xs)]
            row["gradient"] = {"wrt": wrt, "upstream": written(upstream), "values": [written(v) for v in session.run(slopes, feeds)]}
        return row


def floats(*shape, seed=1, low=-2.0, high=2.0, dtype=np.float32):
    return np.random.RandomState(seed).uniform(low, high, shape).astype(dtype)


def ints(*values, dtype=np.int32):
    return np.array(values[0] if len(values) == 1 else values, dtype)


def f32(*values):
    return np.array(values[0] if len(values) == 1 else values, np.float32)


def unary(op, *values, extremes=(), name="x"):
    rows = [case(op, {name: v}, wrt=[name]) for v in values]
    rows.append(case(op, {name: np.zeros((0, 3), np.float32)}))
    if extremes:
        rows.append(case(op, {name: f32(list(extremes))}))
    return rows


def binary(op, a, b, extremes=None, wrt=("x", "y"), names=("x", "y"), integers=False):
    """Same shapes, broadcast ones, size 1, empty, float64, extreme values and, if allowed, integers."""
    def run(x, y, wrt=None):
        return case(op, {names[0]: x, names[1]: y}, wrt=list(wrt) if wrt else None)
    rows = [run(a, b, wrt), run(a, b[:1], wrt), run(a[:, :1], b[0], wrt), run(a[:1, :1], b[1, 1], wrt), run(a[:0], b[:1])]
    rows.append(run(a.astype(np.float64), b.astype(np.float64)))
    if extremes:
        x, y = zip(*extremes)
        rows.append(run(f32(list(x)), f32(list(y))))
    if integers:
        for dtype in (np.int32, np.int64, np.uint8):
            x = np.array([7, 9, 1, 0, 255, 200], dtype) if dtype == np.uint8 else np.array([7, -7, 8, -8, 2**31 - 1, -3], dtype)
            y = np.array([2, 255, 3, 7, 255, 9], dtype) if dtype == np.uint8 else np.array([2, 2, -3, -3, -1, 7], dtype)
            rows.append(run(x, y))
    return rows


A = floats(3, 4)
B = floats(3, 4, seed=2)
P = floats(3, 4, seed=3, low=0.2, high=2.5)
Q = floats(3, 4, seed=4, low=0.3, high=2.5)
CUBE = floats(2, 3, 4, seed=5)
SPECIAL = [(0, 0), (0, INF), (0, NAN), (0, -1), (1, 0), (-1, 0), (INF, 0), (NAN, 0), (INF, INF), (NAN, 1), (2, NAN), (-0.0, 2)]
EDGES = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e-30, 2.0, -2.0]


def bits(op):
    rows = []
    for dtype in (np.int32, np.int64, np.uint8):
        x = np.array([[12, 10, 255], [1, 0, 77]], dtype)
        y = np.array([[10, 3, 1], [7, 31, 2]], dtype)
        rows += [case(op, {"x": x, "y": y}), case(op, {"x": x, "y": y[:1]}), case(op, {"x": x[:0], "y": y[0]})]
    signed = np.array([-1, -8, 5, 2**31 - 1], np.int32)
    rows.append(case(op, {"x": signed, "y": np.array([-3, 40, 1, 31], np.int32)}))
    return rows


def segments(op, wrt=("data",)):
    data = floats(5, 2, seed=6)
    zeros = data.copy()
    zeros[1, 0] = zeros[2, 1] = zeros[3, 1] = 0
    tied = f32([[1, 2], [1, 3], [2, 3], [2, 3], [0, -1]])
    ids = ints([0, 0, 2, 2, 3])
    wide = ints([1, 1, 1, 2, 4], dtype=np.int64)
    rows = [case(op, {"data": d, "segment_ids": i}, wrt=list(wrt)) for d in (data, zeros, tied) for i in (ids, wide)]
    rows.append(case(op, {"data": floats(3, 2, 2, seed=7), "segment_ids": ints([0, 1, 1])}, wrt=list(wrt)))
    rows.append(case(op, {"data": np.zeros((0, 2), np.float32), "segment_ids": np.zeros(0, np.int32)}))
    rows.append(case(op, {"data": np.array([[1, 2], [3, 4], [5, 7]], np.int32), "segment_ids": ints([0, 0, 2])}))
    rows.append(case(op, {"data": data.astype(np.float64), "segment_ids": ids}))
    return rows


def unsorted(op):
    data = floats(5, 2, seed=6)
    zeros = data.copy()
    zeros[1, 0] = zeros[2, 1] = zeros[3, 1] = 0
    ids = ints([2, 0, 2, -1, 3])
    count = ints(5)
    rows = [case(op, {"data": d, "segment_ids": ids, "num_segments": count}, wrt=["data"]) for d in (data, zeros)]
    rows.append(case(op, {"data": floats(2, 3, 2, seed=7), "segment_ids": ints([[0, 1, 1], [3, 0, 2]]), "num_segments": ints(4)}, wrt=["data"]))
    rows.append(case(op, {"data": np.array([5, 3, 2], np.int64), "segment_ids": ints([1, 1, 0], dtype=np.int64), "num_segments": ints(2)}))
    rows.append(case(op, {"data": np.array([5, 3, 2], np.uint8), "segment_ids": ints([1, 1, 0], dtype=np.int64), "num_segments": ints(3)}))
    rows.append(case(op, {"data": np.zeros((0, 2), np.float32), "segment_ids": np.zeros(0, np.int32), "num_segments": ints(2)}))
    return rows


def sparse_segments(op, counted=False):
    data = floats(4, 3, seed=6)
    more = {"num_segments": ints(5)} if counted else {}
    rows = [case(op, {"data": data, "indices": ints([0, 2, 2, 1]), "segment_ids": ints([0, 0, 0, 2]), **more}, wrt=["data"])]
    rows.append(case(op, {"data": data, "indices": ints([3, 0], dtype=np.int64), "segment_ids": ints([1, 1], dtype=np.int64), **more}, wrt=["data"]))
    rows.append(case(op, {"data": data.astype(np.float64), "indices": ints([3, 0]), "segment_ids": ints([0, 1]), **more}))
    return rows


def sparse_segment_grad(op):
    return [case(op, {"grad": floats(3, 2, seed=8), "indices": ints([0, 2, 2, 1]), "segment_ids": ints([0, 0, 0, 2]), "output_dim0": ints(4)})]


def scatters(op, wrt=("tensor", "updates"), first="tensor"):
    tensor = floats(4, 3, seed=6)
    wrt = [first if w == "tensor" else w for w in wrt]
    rows = [case(op, {first: tensor, "indices": ints([[2], [0]]), "updates": floats(2, 3, seed=7)}, wrt=wrt)]
    rows.append(case(op, {first: tensor, "indices": ints([[2, 1], [0, 0], [3, 2]], dtype=np.int64), "updates": floats(3, seed=7)}, wrt=wrt))
    tied = tensor.copy()
    tied[1] = 0.5
    rows.append(case(op, {first: tied, "indices": ints([[1]]), "updates": f32([[0.5, 0.75, 0.25]])}, wrt=wrt))
    rows.append(case(op, {first: tensor, "indices": np.zeros((0, 1), np.int32), "updates": np.zeros((0, 3), np.float32)}))
    rows.append(case(op, {first: np.array([1, 2, 3], np.int32), "indices": ints([[1]]), "updates": ints([7])}))
    if op not in ("TensorScatterUpdate", "TensorScatterMax", "TensorScatterMin"):
        rows.append(case(op, {first: tensor, "indices": ints([[1], [1]]), "updates": floats(2, 3, seed=7)}, wrt=wrt))
    return rows


def uniques(op, axes):
    more = {"axis": np.array([], np.int64)} if axes else {}
    rows = [case(op, {"x": v, **more}, {"out_idx": t}) for v, t in (
        (ints([3, 1, 3, 2, 1]), "int32"), (ints([5, 5, 5], dtype=np.int64), "int64"), (f32([0.5, -1, 0.5, 2]), "int32"),
        (np.zeros(0, np.float32), "int32"), (np.array([True, False, True]), "int32"), (np.array([9, 9, 1], np.uint8), "int64"))]
    if axes:
        matrix = ints([[1, 2, 1], [3, 4, 3], [1, 2, 1]])
        rows += [case(op, {"x": matrix, "axis": ints([a])}) for a in (0, 1, -1)]
    return rows


# The V2 operations' gradients in TensorFlow forget that their bands stand at the left, so they are asked for single diagonals.
def differentiable(names, alignment, k):
    return names if alignment or len(k) == 1 else None


def diag_v3(op, align):
    rows = []
    for k, diagonal, size in (([0], floats(2, 3), (-1, -1)), ([1], floats(3), (-1, -1)), ([-1], floats(2), (3, 4)),
                              ([-1, 1], floats(2, 3, 3), (-1, -1)), ([0, 2], floats(3, 3), (3, 4)), ([-2, 0], floats(1, 3, 2), (4, 2))):
        inputs = {"diagonal": diagonal, "k": ints(k[0] if len(k) == 1 else k), "num_rows": ints(size[0]), "num_cols": ints(size[1]), "padding_value": f32(0.5)}
        for alignment in align:
            rows.append(case(op, inputs, {"align": alignment} if alignment else {}, wrt=differentiable(["diagonal"], alignment, k)))
    return rows


def diag_part_v3(op, align):
    rows = []
    for k in ([0], [1], [-2], [-1, 1], [0, 2], [-2, 0]):
        for matrix in (floats(2, 3, 4), floats(4, 3)):
            for alignment in align:
                inputs = {"input": matrix, "k": ints(k[0] if len(k) == 1 else k), "padding_value": f32(0.5)}
                rows.append(case(op, inputs, {"align": alignment} if alignment else {}, wrt=differentiable(["input"], alignment, k)))
    return rows


def set_diag_v3(op, align):
    rows = []
    for k, shape in (([0], (2, 3)), ([1], (2, 3)), ([-2], (2, 1)), ([-1, 1], (2, 3, 3)), ([0, 2], (2, 3, 3)), ([-2, 0], (2, 3, 3))):
        for alignment in align:
            inputs = {"input": floats(2, 3, 4), "diagonal": floats(*shape, seed=8), "k": ints(k[0] if len(k) == 1 else k)}
            rows.append(case(op, inputs, {"align": alignment} if alignment else {}, wrt=differentiable(["input", "diagonal"], alignment, k)))
    return rows


ALIGN = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")
EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 3)), ("bi,bj->bij", (2, 3), (2, 4)), ("ij,ij->", (2, 3), (2, 3)),
    ("abc,cd->abd", (2, 3, 4), (4, 2)), ("bhqd,bhkd->bhqk", (1, 2, 3, 2), (1, 2, 2, 2)), ("i,j->ij", (2,), (3,)), ("ij,k->k", (2, 3), (4,)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2)), ("i...,j...->ij...", (2, 3), (2, 3)), ("ii,i->i", (3, 3), (3,)), ("ab...,b->a...", (2, 3, 2), (3,)),
    ("ab,b->ba", (2, 3), (3,)),
]
SINGLE_EINSUMS = [("ij->ji", (2, 3)), ("ij->i", (2, 3)), ("ij->", (2, 3)), ("ii->i", (3, 3)), ("ii->", (3, 3)), ("i->ii", (3,)), ("...ij->...ji", (2, 3, 2)), ("a...->...", (2, 3)), ("iij->j", (2, 2, 3))]


def table():
    rows = {}
    for op in ("Add",):
        rows[op] = lambda op=op: binary(op, A, B, SPECIAL, integers=True)
    rows["Div"] = lambda: binary("Div", A, P, SPECIAL, integers=True)
    rows["Mod"] = lambda: mods("Mod")
    rows["TruncateMod"] = lambda: mods("TruncateMod")
    rows["TruncateDiv"] = lambda: binary("TruncateDiv", A * 3, P, SPECIAL, wrt=None, integers=True)
    rows["Erfc"] = lambda: unary("Erfc", A, f32([[3.0, -3.0, 5.0]]), extremes=EDGES)
    rows["Erfinv"] = lambda: unary("Erfinv", A * 0.45, f32([[0.9, -0.95, 0.99]]), extremes=EDGES)
    rows["Ndtri"] = lambda: unary("Ndtri", floats(3, 4, low=0.05, high=0.95), extremes=EDGES + [0.5, 1e-5])
    rows["Zeta"] = lambda: [case("Zeta", {"x": P + 1.2, "q": Q}, wrt=["x", "q"]), case("Zeta", {"x": P[:1] + 1.2, "q": Q}, wrt=["x", "q"]),
                            case("Zeta", {"x": f32([2, 1, 0.5, 3, NAN, 2]), "q": f32([1, 1, 1, -1, 1, 0])}), case("Zeta", {"x": P[:0], "q": Q[:1]})]
    rows["MulNoNan"] = lambda: binary("MulNoNan", A, B, SPECIAL)
    rows["Xlogy"] = lambda: binary("Xlogy", A, P, SPECIAL)
    rows["Xlog1py"] = lambda: binary("Xlog1py", A, P, SPECIAL)
    rows["Xdivy"] = lambda: binary("Xdivy", A, P, SPECIAL)
    rows["ApproximateEqual"] = lambda: [
        case("ApproximateEqual", {"x": f32([1, 1, NAN, INF, 2]), "y": f32([1.000001, 1.1, NAN, INF, 2.2])}, {"tolerance": t}) for t in (1e-5, 0.3)] + [
        case("ApproximateEqual", {"x": np.array(x, d), "y": np.array(y, d)}, {"tolerance": 1.0}) for x, y, d in (
            ([1, 2], [3, 2], np.float64), ([1], [1], np.float32))] + [
        case("ApproximateEqual", {"x": A[:0], "y": A[:0]}, {"tolerance": 0.5})]
    for op in ("BitwiseAnd", "BitwiseOr", "BitwiseXor", "LeftShift", "RightShift"):
        rows[op] = lambda op=op: bits(op)
    rows["Invert"] = lambda: [case("Invert", {"x": np.array(v, d)}) for v, d in (([0, 5, -7], np.int32), ([[1, -2]], np.int64), ([0, 200], np.uint8), ([], np.int32))]
    rows["Select"] = lambda: [
        case("Select", {"condition": c, "x": A, "y": B}, wrt=["x", "y"]) for c in (A > 0, np.array([True, False, True]), np.array(True))] + [
        case("Select", {"condition": np.array([True, False]), "x": CUBE, "y": CUBE * 2}, wrt=["x", "y"]),
        case("Select", {"condition": np.zeros((0,), bool), "x": A[:0], "y": B[:0]}),
        case("Select", {"condition": np.array([True, False]), "x": ints([1, 2]), "y": ints([3, 4])}),
        case("Select", {"condition": np.array([True, False]), "x": f32([NAN, 2]), "y": f32([3, INF])}),
        case("Select", {"condition": np.array([True, False]), "x": np.array([True, True]), "y": np.array([False, False])})]
    rows["Cross"] = lambda: [case("Cross", {"a": floats(2, 3), "b": floats(2, 3, seed=2)}, wrt=["a", "b"]), case("Cross", {"a": floats(3), "b": floats(3, seed=2)}, wrt=["a", "b"]),
                             case("Cross", {"a": ints([1, 2, 3]), "b": ints([4, 5, 7])}), case("Cross", {"a": floats(0, 3), "b": floats(0, 3)})]
    rows["AccumulateNV2"] = lambda: [case("AccumulateNV2", {"inputs": [A, B, P]}, {"shape": [3, 4]}, wrt=["inputs"])]
    rows["Gather"] = lambda: [case("Gather", {"params": p, "indices": i}, wrt=["params"]) for p, i in (
        (A, ints([2, 0, 2])), (A, ints([[1, 1], [0, 2]], dtype=np.int64)), (floats(4), ints(2)), (CUBE, ints([1])))] + [
        case("Gather", {"params": A, "indices": np.zeros(0, np.int32)}), case("Gather", {"params": ints([5, 6, 7]), "indices": ints([2, 2])})]
    rows["Concat"] = lambda: [case("Concat", {"concat_dim": ints(d), "values": v}, wrt=["values"]) for d, v in ((0, [A, B]), (1, [A, B[:, :1], P]), (-1, [A, B]), (0, [A, B[:0]]))]
    rows["ConjugateTranspose"] = lambda: [case("ConjugateTranspose", {"x": CUBE, "perm": ints([2, 0, 1])}, wrt=["x"]), case("ConjugateTranspose", {"x": ints([[1, 2]]), "perm": ints([1, 0])})]
    rows["Reverse"] = lambda: [case("Reverse", {"tensor": CUBE, "dims": np.array(d)}, wrt=["tensor"]) for d in ([True, False, True], [False, False, False])] + [
        case("Reverse", {"tensor": np.array([1, 2, 3], np.uint8), "dims": np.array([True])})]
    rows["ReverseSequence"] = lambda: [
        case("ReverseSequence", {"input": A, "seq_lengths": ints([1, 4, 3])}, {"seq_dim": 1, "batch_dim": 0}, wrt=["input"]),
        case("ReverseSequence", {"input": CUBE, "seq_lengths": ints([2, 0, 1], dtype=np.int64)}, {"seq_dim": 0, "batch_dim": 1}, wrt=["input"]),
        case("ReverseSequence", {"input": CUBE, "seq_lengths": ints([3, 2])}, {"seq_dim": 1, "batch_dim": 0}, wrt=["input"]),
        case("ReverseSequence", {"input": CUBE, "seq_lengths": ints([3, 2, 1, 0])}, {"seq_dim": 1, "batch_dim": 2}, wrt=["input"]),
        case("ReverseSequence", {"input": floats(2, 3, 0), "seq_lengths": ints([3, 2])}, {"seq_dim": 1, "batch_dim": 0})]
    rows["BatchMatMul"] = lambda: [case("BatchMatMul", {"x": floats(2, *((4, 3) if ax else (3, 4))), "y": floats(2, *((2, 4) if ay else (4, 2)), seed=2)}, {"adj_x": ax, "adj_y": ay}, wrt=["x", "y"])
                                   for ax in (False, True) for ay in (False, True)]
    rows["BatchMatMulV3"] = lambda: [case("BatchMatMulV3", {"x": floats(2, 3, 4), "y": floats(1, 4, 2, seed=2)}, {"Tout": "float32"}, wrt=["x", "y"])]
    rows["SparseMatMul"] = lambda: [case("SparseMatMul", {"a": floats(*((4, 3) if ta else (3, 4))), "b": floats(*((2, 4) if tb else (4, 2)), seed=2)}, {"transpose_a": ta, "transpose_b": tb}, wrt=["a", "b"])
                                    for ta in (False, True) for tb in (False, True)]
    rows["BiasAddV1"] = lambda: [case("BiasAddV1", {"value": v, "bias": floats(4, seed=2)}, wrt=["value", "bias"]) for v in (A, CUBE)] + [case("BiasAddV1", {"value": ints([[1, 2]]), "bias": ints([3, 4])})]
    rows["InTopK"] = lambda: [case("InTopK", {"predictions": A, "targets": ints([1, 3, 0])}, {"k": k}) for k in (1, 2)] + [
        case("InTopK", {"predictions": f32([[1, 1, 0], [NAN, 1, 0]]), "targets": ints([1, 2], dtype=np.int64)}, {"k": 1})]
    rows["NthElement"] = lambda: [case("NthElement", {"input": v, "n": ints(n)}, {"reverse": r}, wrt=["input"]) for v in (A, floats(5)) for n, r in ((0, False), (2, True))] + [
        case("NthElement", {"input": f32([[1, 2, 2, 0]]), "n": ints(2)}, {"reverse": False}, wrt=["input"]), case("NthElement", {"input": ints([4, 1, 3]), "n": ints(1)}, {"reverse": True})]
    rows["EuclideanNorm"] = lambda: [case("EuclideanNorm", {"input": CUBE, "axis": ints(a)}, {"keep_dims": k}, wrt=["input"]) for a in ([0], [0, 2], [-1]) for k in (False, True)] + [
        case("EuclideanNorm", {"input": np.zeros((0, 2), np.float32), "axis": ints([0])}, {"keep_dims": False}), case("EuclideanNorm", {"input": ints([[3, 4], [5, 12]]), "axis": ints([1])}, {"keep_dims": False})]
    rows["CumulativeLogsumexp"] = lambda: [case("CumulativeLogsumexp", {"x": CUBE, "axis": ints(a)}, {"exclusive": e, "reverse": r}, wrt=["x"]) for a in (0, 2) for e in (False, True) for r in (False, True)] + [
        case("CumulativeLogsumexp", {"x": f32([-INF, -INF, 1, 2, INF, 3]), "axis": ints(0)}, {}), case("CumulativeLogsumexp", {"x": f32([100, 1000, -1000]), "axis": ints(0)}, {})]
    rows["ShapeN"] = lambda: [case("ShapeN", {"input": [A, CUBE, f32(1)]}, {"out_type": t}) for t in ("int32", "int64")]
    rows["BroadcastArgs"] = lambda: [case("BroadcastArgs", {"s0": ints(a, dtype=d), "s1": ints(b, dtype=d)}) for a, b, d in (([2, 1, 3], [4, 1], np.int32), ([5], [5], np.int64), ([0], [1], np.int32))] + [
        case("BroadcastArgs", {"s0": np.zeros(0, np.int32), "s1": ints([2, 3])})]
    rows["IdentityN"] = lambda: [case("IdentityN", {"input": [A, B]}, wrt=["input"]), case("IdentityN", {"input": [A, ints([1]), np.array(True)]})]
    rows["Snapshot"] = lambda: [case("Snapshot", {"input": A}), case("Snapshot", {"input": ints([1, 2])})]
    rows["CheckNumerics"] = lambda: [case("CheckNumerics", {"tensor": A}, {"message": "here"}, wrt=["tensor"])]
    rows["CheckNumericsV2"] = lambda: [case("CheckNumericsV2", {"tensor": A}, {"message": "here"}, wrt=["tensor"])]
    rows["PreventGradient"] = lambda: [case("PreventGradient", {"input": A}, {"message": "no"})]
    rows["Bitcast"] = lambda: [case("Bitcast", {"input": v}, {"type": t}) for v, t in ((f32([1, -2]), "int32"), (floats(2, 3), "uint8"), (ints([[1, 2], [3, 4]]), "int64"), (np.array([1.5]), "int64"), (np.array([1.5, 2]), "float32"),
                                                                                       (ints([[1065353216]]), "float32"))]
    rows["Empty"] = lambda: [case("Empty", {"shape": ints([2, 3])}, {"dtype": t, "init": True}) for t in ("float32", "int64", "bool")]
    rows["Where"] = lambda: [case("Where", {"condition": v}) for v in (A > 0, CUBE > 0.5, ints([0, 3, -1]), f32([0, -0.0, NAN, INF, 2]), np.zeros((0, 3), bool), np.zeros((2, 2), bool),
                                                                   np.array([0, 9], np.uint8), np.array([0, 9], np.int64), np.array([0, 9.0]), np.array([[True]]))]
    rows["Unique"] = lambda: uniques("Unique", False)
    rows["UniqueWithCounts"] = lambda: uniques("UniqueWithCounts", False)
    rows["UniqueV2"] = lambda: uniques("UniqueV2", True)
    rows["UniqueWithCountsV2"] = lambda: uniques("UniqueWithCountsV2", True)
    rows["ListDiff"] = lambda: [case("ListDiff", {"x": x, "y": y}, {"out_idx": t}) for x, y, t in ((ints([1, 5, 3, 5, 2]), ints([5, 9]), "int32"), (f32([1, 2, 3]), f32([2]), "int64"), (ints([1]), ints([1]), "int32"),
                                                                                               (np.zeros(0, np.int64), ints([1], dtype=np.int64), "int32"))]
    rows["DenseToDenseSetOperation"] = lambda: [case("DenseToDenseSetOperation", {"set1": a, "set2": b}, {"set_operation": o}) for o in ("a-b", "b-a", "intersection", "union") for a, b in (
        (ints([[1, 2, 2], [9, 3, 1]]), ints([[2, 4], [3, 3]])), (ints([[3, 1]], dtype=np.int64), ints([[1]], dtype=np.int64)))]
    rows["DynamicPartition"] = lambda: [case("DynamicPartition", {"data": d, "partitions": p}, {"num_partitions": n}, wrt=["data"]) for d, p, n in (
        (A, ints([1, 0, 1]), 2), (A, ints([1, 0, 1]), 3), (floats(2, 2, 3), ints([[0, 1], [1, 1]]), 2), (floats(3), ints([0, 0, 0]), 1))] + [
        case("DynamicPartition", {"data": ints([4, 5]), "partitions": ints([1, 0])}, {"num_partitions": 2}), case("DynamicPartition", {"data": A[:0], "partitions": np.zeros(0, np.int32)}, {"num_partitions": 2})]
    rows["ParallelDynamicStitch"] = lambda: [case("ParallelDynamicStitch", {"indices": [ints([0, 2]), ints(1)], "data": [floats(2, 3), floats(3, seed=2)]}, wrt=["data"])]
    for op in ("SegmentSum", "SegmentMean", "SegmentProd", "SegmentMax", "SegmentMin"):
        rows[op] = lambda op=op: segments(op)
    for op in ("UnsortedSegmentProd", "UnsortedSegmentMax", "UnsortedSegmentMin"):
        rows[op] = lambda op=op: unsorted(op)
    for op in ("Sum", "Mean", "SqrtN"):
        rows["SparseSegment" + op] = lambda op=op: sparse_segments("SparseSegment" + op)
        rows["SparseSegment%sWithNumSegments" % op] = lambda op=op: sparse_segments("SparseSegment%sWithNumSegments" % op, True)
        rows["SparseSegment%sGrad" % op] = lambda op=op: sparse_segment_grad("SparseSegment%sGrad" % op)
    for op in ("TensorScatterUpdate", "TensorScatterAdd", "TensorScatterSub", "TensorScatterMax", "TensorScatterMin"):
        rows[op] = lambda op=op: scatters(op)
    rows["ScatterNdNonAliasingAdd"] = lambda: scatters("ScatterNdNonAliasingAdd", first="input")
    rows["SparseToDense"] = lambda: [
        case("SparseToDense", {"sparse_indices": ints([[0, 1], [2, 0]]), "output_shape": ints([3, 2]), "sparse_values": f32([5, 6]), "default_value": f32(0.5)}, {"validate_indices": True}, wrt=["sparse_values", "default_value"]),
        case("SparseToDense", {"sparse_indices": ints([1, 3], dtype=np.int64), "output_shape": ints([5], dtype=np.int64), "sparse_values": f32(2), "default_value": f32(-1)}, {"validate_indices": True}),
        case("SparseToDense", {"sparse_indices": ints(2), "output_shape": ints([4]), "sparse_values": ints(7), "default_value": ints(1)}, {"validate_indices": False})]
    rows["Bincount"] = lambda: [case("Bincount", {"arr": ints([1, 3, 1, 9]), "size": ints(4), "weights": np.zeros(0, np.int32)}), case("Bincount", {"arr": ints([[1, 3], [1, 0]]), "size": ints(5), "weights": f32([[0.5, 1], [2, 3]])}),
                                case("Bincount", {"arr": np.zeros(0, np.int32), "size": ints(2), "weights": np.zeros(0, np.int64)})]
    rows["DenseBincount"] = lambda: [case("DenseBincount", {"input": i, "size": np.array(4, i.dtype), "weights": w}, {"binary_output": b}) for i, w, b in (
        (ints([1, 3, 1, 9]), np.zeros(0, np.int32), False), (ints([[1, 3], [1, 1]], dtype=np.int64), np.zeros(0, np.float32), False), (ints([[1, 3], [1, 1]]), np.zeros(0, np.int64), True), (ints([[1, 3], [1, 1]]), f32([[1, 2], [3, 4]]), False))]
    rows["HistogramFixedWidth"] = lambda: [case("HistogramFixedWidth", {"values": f32([-1, 0, 1.5, 2, 5, 15, 4.999]), "value_range": f32([0, 5]), "nbins": ints(5)}, {"dtype": t}) for t in ("int32", "int64")] + [
        case("HistogramFixedWidth", {"values": ints([[1, 2], [9, 4]]), "value_range": ints([0, 8]), "nbins": ints(4)})]
    rows["Bucketize"] = lambda: [case("Bucketize", {"input": f32([[-5, 10000], [150, 10], [5, 100], [NAN, 0]])}, {"boundaries": [0.0, 10.0, 100.0]}), case("Bucketize", {"input": ints([1, 7, 3])}, {"boundaries": [3.0]}),
                                 case("Bucketize", {"input": np.array([1.0, 7])}, {"boundaries": [2.0]})]
    for op in ("LowerBound", "UpperBound"):
        rows[op] = lambda op=op: [case(op, {"sorted_inputs": f32([[0, 3, 9, 9, 10], [1, 2, 3, 4, 5]]), "values": f32([[2, 4, 9], [0, 2, 6]])}, {"out_type": t}) for t in ("int32", "int64")] + [
            case(op, {"sorted_inputs": ints([[1, 1, 2]]), "values": ints([[1, 3]])})]
    rows["UnravelIndex"] = lambda: [case("UnravelIndex", {"indices": ints([22, 41, 37]), "dims": ints([7, 6])}), case("UnravelIndex", {"indices": ints(5, dtype=np.int64), "dims": ints([3, 3], dtype=np.int64)})]
    rows["MirrorPad"] = lambda: [case("MirrorPad", {"input": v, "paddings": ints(p, dtype=d)}, {"mode": m}, wrt=["input"]) for m in ("REFLECT", "SYMMETRIC") for v, p, d in (
        (A, [[1, 0], [2, 1]], np.int32), (floats(3), [[2, 2]], np.int64), (floats(2, 3, 2), [[0, 1], [0, 0], [1, 1]], np.int32))] + [case("MirrorPad", {"input": ints([1, 2, 3]), "paddings": ints([[1, 2]])}, {"mode": "SYMMETRIC"})]
    rows["MirrorPadGrad"] = lambda: [case("MirrorPadGrad", {"input": floats(4, 6), "paddings": ints([[1, 0], [2, 1]])}, {"mode": m}, wrt=["input"]) for m in ("REFLECT", "SYMMETRIC")]
    rows["Roll"] = lambda: [case("Roll", {"input": v, "shift": ints(s), "axis": ints(a)}, wrt=["input"]) for v, s, a in (
        (A, 1, 0), (A, [1, -2], [0, 1]), (A, [5, 2], [1, 1]), (CUBE, [-1], [-1]), (floats(4), 0, 0))] + [case("Roll", {"input": A[:0], "shift": ints(1), "axis": ints(0)}), case("Roll", {"input": ints([1, 2, 3]), "shift": ints(1, dtype=np.int64), "axis": ints(0)})]
    rows["SpaceToDepth"] = lambda: [case("SpaceToDepth", {"input": floats(*s)}, {"block_size": b, "data_format": "NHWC"}, wrt=["input"]) for s, b in (((1, 4, 4, 2), 2), ((2, 3, 6, 1), 3), ((0, 2, 2, 1), 2))]
    rows["DepthToSpace"] = lambda: [case("DepthToSpace", {"input": floats(*s)}, {"block_size": b, "data_format": "NHWC"}, wrt=["input"]) for s, b in (((1, 2, 2, 8), 2), ((2, 1, 2, 9), 3), ((0, 1, 1, 4), 2))]
    rows["SpaceToBatchND"] = lambda: [case("SpaceToBatchND", {"input": floats(*s), "block_shape": ints(b), "paddings": ints(p)}, wrt=["input"]) for s, b, p in (
        ((1, 4, 2, 2), [2, 2], [[0, 0], [1, 1]]), ((2, 5, 1), [3], [[0, 1]]), ((1, 2, 2), [2, 2], [[2, 0], [0, 2]]), ((2, 3, 3, 1), [1, 3], [[0, 0], [2, 1]]), ((2, 5), [3], [[4, 0]]))]
    rows["BatchToSpaceND"] = lambda: [case("BatchToSpaceND", {"input": floats(*s), "block_shape": ints(b), "crops": ints(p)}, wrt=["input"]) for s, b, p in (
        ((4, 2, 2, 2), [2, 2], [[0, 1], [1, 0]]), ((6, 2, 1), [3], [[0, 1]]), ((4, 2, 1), [2, 2], [[2, 0], [0, 0]]), ((3, 3, 2, 1), [1, 3], [[0, 0], [2, 1]]))]
    rows["SpaceToBatch"] = lambda: [case("SpaceToBatch", {"input": floats(1, 4, 2, 2), "paddings": ints([[0, 0], [1, 1]])}, {"block_size": 2}, wrt=["input"])]
    rows["BatchToSpace"] = lambda: [case("BatchToSpace", {"input": floats(4, 2, 2, 2), "crops": ints([[0, 1], [1, 0]])}, {"block_size": 2}, wrt=["input"])]
    rows["MatrixDiag"] = lambda: [case("MatrixDiag", {"diagonal": v}, wrt=["diagonal"]) for v in (floats(3), A)] + [case("MatrixDiag", {"diagonal": np.array([True, True])})]
    rows["MatrixDiagPart"] = lambda: [case("MatrixDiagPart", {"input": v}, wrt=["input"]) for v in (floats(3, 3), CUBE, floats(4, 2))]
    rows["MatrixSetDiag"] = lambda: [case("MatrixSetDiag", {"input": v, "diagonal": d}, wrt=["input", "diagonal"]) for v, d in ((floats(3, 3), floats(3, seed=2)), (CUBE, floats(2, 3, seed=2)), (floats(4, 2), floats(2)))]
    rows["MatrixDiagV2"] = lambda: diag_v3("MatrixDiagV2", (None,))
    rows["MatrixDiagV3"] = lambda: diag_v3("MatrixDiagV3", ALIGN)
    rows["MatrixDiagPartV2"] = lambda: diag_part_v3("MatrixDiagPartV2", (None,))
    rows["MatrixDiagPartV3"] = lambda: diag_part_v3("MatrixDiagPartV3", ALIGN)
    rows["MatrixSetDiagV2"] = lambda: set_diag_v3("MatrixSetDiagV2", (None,))
    rows["MatrixSetDiagV3"] = lambda: set_diag_v3("MatrixSetDiagV3", ALIGN)
    rows["Diag"] = lambda: [case("Diag", {"diagonal": v}, wrt=["diagonal"]) for v in (floats(3), floats(2, 2))] + [case("Diag", {"diagonal": ints([1, 2])})]
    rows["DiagPart"] = lambda: [case("DiagPart", {"input": v}, wrt=["input"]) for v in (floats(3, 3), floats(2, 3, 2, 3))]
    rows["Einsum"] = lambda: [case("Einsum", {"inputs": [floats(*a), floats(*b, seed=2)]}, {"equation": e}, wrt=["inputs"]) for e, a, b in EINSUMS] + [
        case("Einsum", {"inputs": [floats(*a)]}, {"equation": e}, wrt=["inputs"]) for e, a in SINGLE_EINSUMS] + [
        case("Einsum", {"inputs": [ints([[1, 2], [3, 4]]), ints([[5, 6], [7, 8]])]}, {"equation": "ij,jk->ik"})]
    rows["MatrixTriangularSolve"] = lambda: [case("MatrixTriangularSolve", {"matrix": floats(*a, seed=3) + 3 * np.eye(a[-1], dtype=np.float32), "rhs": floats(*b, seed=4)}, {"lower": l, "adjoint": j}, wrt=["matrix", "rhs"])
        for a, b in (((3, 3), (3, 2)), ((2, 3, 3), (2, 3, 1)), ((2, 1, 2, 2), (3, 2, 2)), ((1, 1), (1, 4))) for l in (True, False) for j in (False, True)] + [case("MatrixTriangularSolve", {"matrix": np.zeros((2, 0, 0)), "rhs": np.zeros((2, 0, 3))}, {"lower": True, "adjoint": False})]
    rows["Qr"] = lambda: [case("Qr", {"input": floats(*s, seed=i)}, {"full_matrices": f}, wrt=["input"] if not f or s[-2] <= s[-1] else None) for i, s in enumerate(((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1))) for f in (False, True)] + [
        case("Qr", {"input": np.zeros(s, np.float64)}, {"full_matrices": f}) for s in ((0, 2), (2, 0), (0, 2, 2), (3, 2)) for f in (False, True)]
    sparse_rows(rows)
    return rows


def sparse_parts(name, indices, values, shape):
    """The three inputs that stand for a sparse tensor."""
    return {name % "indices": ints(indices, dtype=np.int64), name % "values": values, name % "shape": ints(shape, dtype=np.int64)}


# Sparse tensors and what draws classes. Gradients are of the first output: where another one is differentiated,
# make_sparse_graphs.py does it.
def sparse_rows(rows):
    at, five = [[0, 1], [0, 3], [1, 0], [3, 2], [3, 3]], floats(5, seed=11)
    x, xs, own = sparse_parts("%s", at, five, [4, 5]), sparse_parts("sp_%s", at, five, [4, 5]), sparse_parts("input_%s", at, five, [4, 5])
    a, b = sparse_parts("a_%s", at, five, [4, 5]), sparse_parts("b_%s", [[0, 0], [0, 3], [2, 1], [3, 3]], floats(4, seed=12), [4, 5])
    cube = sparse_parts("input_%s", [[0, 0, 1], [0, 1, 2], [1, 0, 0], [1, 2, 3]], floats(4, seed=13), [2, 3, 4])
    rows["SparseFillEmptyRows"] = lambda: [
        case("SparseFillEmptyRows", {"indices": ints(i, dtype=np.int64).reshape(-1, 2), "values": v, "dense_shape": ints(s, dtype=np.int64), "default_value": d}) for i, v, s, d in (
            (at, five, [4, 5], f32(0.5)), ([[3, 0], [0, 2], [3, 1], [0, 0]], ints([1, 2, 3, 4]), [5, 3], ints(9)), ([], f32([]), [3, 2], f32(1)), ([], f32([]), [0, 2], f32(1)), ([[1, 0], [0, 1]], f32([1, 2]), [2, 2], f32(7)))]
    rows["SparseFillEmptyRowsGrad"] = lambda: [case("SparseFillEmptyRowsGrad", {"reverse_index_map": ints(m, dtype=np.int64), "grad_values": floats(5, seed=3)}) for m in ([0, 2, 4], [4, 1], [])]
    rows["SparseReshape"] = lambda: [case("SparseReshape", {"input_indices": ints([[0, 0, 1], [1, 2, 3]], dtype=np.int64), "input_shape": ints([2, 3, 4], dtype=np.int64), "new_shape": ints(s, dtype=np.int64)}) for s in ([6, 4], [-1, 4], [24], [2, 3, 4], [4, -1, 2])]
    rows["SparseReorder"] = lambda: [case("SparseReorder", sparse_parts("input_%s", i, floats(4, seed=2), [4, 4])) for i in ([[2, 1], [0, 3], [1, 0], [0, 1]], [[0, 1], [0, 3], [1, 0], [2, 1]])]
    rows["SparseConcat"] = lambda: [case("SparseConcat", {"indices": [x["indices"], b["b_indices"]], "values": [x["values"], b["b_values"]], "shapes": [x["shape"], b["b_shape"]]}, {"concat_dim": d}) for d in (0, 1, -1)]
    rows["SparseSplit"] = lambda: [case("SparseSplit", {"split_dim": ints(d, dtype=np.int64), **x}, {"num_split": n}) for d, n in ((0, 2), (1, 3), (1, 1), (0, 4))]
    rows["SparseSlice"] = lambda: [case("SparseSlice", {**x, "start": ints(s, dtype=np.int64), "size": ints(z, dtype=np.int64)}) for s, z in (([0, 1], [2, 3]), ([1, 0], [9, 9]), ([3, 3], [1, 1]), ([2, 0], [1, 5]), ([4, 4], [2, 2]))]
    rows["SparseSliceGrad"] = lambda: [case("SparseSliceGrad", {"backprop_val_grad": floats(2, seed=3), "input_indices": ints(at, dtype=np.int64), "input_start": ints([0, 1], dtype=np.int64), "output_indices": ints([[0, 0], [0, 2]], dtype=np.int64)})]
    rows["SparseSoftmax"] = lambda: [case("SparseSoftmax", xs, wrt=["sp_values"]), case("SparseSoftmax", sparse_parts("sp_%s", cube["input_indices"], floats(4, seed=13, dtype=np.float64), [2, 3, 4]))]
    for op in ("SparseSparseMaximum", "SparseSparseMinimum"):
        rows[op] = lambda op=op: [case(op, {**a, **b}), case(op, {**sparse_parts("a_%s", [[0], [2]], ints([-1, 5]), [4]), **sparse_parts("b_%s", [[2], [3]], ints([7, -2]), [4])})]
    rows["SparseAdd"] = lambda: [case("SparseAdd", {**a, **b, "thresh": f32(t)}) for t in (0, 0.5, 1.5)] + [case("SparseAdd", {**sparse_parts("a_%s", [[0], [2]], ints([-1, 5]), [4]), **sparse_parts("b_%s", [[2], [3]], ints([-5, -2]), [4]), "thresh": ints(1)})]
    rows["SparseAddGrad"] = lambda: [case("SparseAddGrad", {"backprop_val_grad": floats(3, seed=3), "a_indices": ints([[0, 1], [2, 0]], dtype=np.int64), "b_indices": ints([[0, 1], [1, 1]], dtype=np.int64), "sum_indices": ints([[0, 1], [1, 1], [2, 0]], dtype=np.int64)})]
    rows["SparseTensorDenseAdd"] = lambda: [case("SparseTensorDenseAdd", {**a, "b": floats(4, 5)}, wrt=["a_values", "b"]), case("SparseTensorDenseAdd", {"a_indices": ints([[1], [1]]), "a_values": ints([2, 3]), "a_shape": ints([3]), "b": ints([1, 1, 1])})]
    for op in ("SparseDenseCwiseAdd", "SparseDenseCwiseMul", "SparseDenseCwiseDiv"):
        wrt = None if op.endswith("Add") else ["sp_values", "dense"]
        rows[op] = lambda op=op, wrt=wrt: [case(op, {**xs, "dense": floats(*s, seed=5, low=0.5)}, wrt=wrt) for s in ((4, 5), (5,), (4, 1), (1, 5))] + [case(op, {**xs, "dense": f32(2)})] + [
            case(op, {**sparse_parts("sp_%s", [[0, 1], [1, 0]], ints([7, -7]), [2, 2]), "dense": ints([2, 3])})]
    for op in ("SparseReduceSum", "SparseReduceMax", "SparseReduceSumSparse", "SparseReduceMaxSparse"):
        wrt = ["input_values"] if op == "SparseReduceSum" else None
        rows[op] = lambda op=op, wrt=wrt: [case(op, {**p, "reduction_axes": ints(e).reshape(-1)}, {"keep_dims": k}, wrt=wrt) for p, e, k in (
            (own, [0], False), (own, [1], True), (own, [0, 1], False), (own, [-1], False), (cube, [0, 2], True), (cube, [1], False), (cube, [2, 0], False))]
    rows["SparseTensorDenseMatMul"] = lambda: [case("SparseTensorDenseMatMul", {**a, "b": floats(*s)}, {"adjoint_a": f, "adjoint_b": g}, wrt=["a_values", "b"]) for s, f, g in (
        ((5, 3), False, False), ((4, 3), True, False), ((3, 5), False, True), ((3, 4), True, True))] + [
        case("SparseTensorDenseMatMul", {"a_indices": ints([[1, 0], [1, 0]]), "a_values": ints([2, 3]), "a_shape": ints([2, 2], dtype=np.int64), "b": ints([[1, 2], [3, 4]])}, {"adjoint_a": False, "adjoint_b": False})]
    rows["SparseBincount"] = lambda: [case("SparseBincount", {"indices": ints(i, dtype=np.int64), "values": ints([1, 3, 1]), "dense_shape": ints(s, dtype=np.int64), "size": ints(4), "weights": w}, {"binary_output": c}) for i, s in (([[0, 0], [0, 2], [1, 0]], [2, 3]), ([[0], [1], [4]], [5])) for w, c in ((f32([]), False), (f32([1, 2, 4]), False), (f32([]), True))]
    rows["RaggedBincount"] = lambda: [case("RaggedBincount", {"splits": ints([0, 2, 2, 3], dtype=np.int64), "values": ints([1, 3, 1]), "size": ints(4), "weights": w}, {"binary_output": c}) for w, c in ((f32([]), False), (f32([1, 2, 4]), False), (f32([]), True))]
    counting = lambda op, inputs: [case(op, {**inputs, "weights": w.reshape(inputs["values"].shape) if w.size and op[0] == "D" else w}, {"binary_output": c, "minlength": l, "maxlength": m}) for w, c, l, m in ((f32([]), False, -1, -1), (f32([1, 2, 4]), False, 6, -1), (f32([]), True, -1, 3))]
    rows["DenseCountSparseOutput"] = lambda: counting("DenseCountSparseOutput", {"values": ints([1, 3, 1])}) + counting("DenseCountSparseOutput", {"values": ints([[1, 3, 1]], dtype=np.int64)})
    rows["SparseCountSparseOutput"] = lambda: counting("SparseCountSparseOutput", {"indices": ints([[0, 0], [0, 2], [1, 0]], dtype=np.int64), "values": ints([1, 3, 1]), "dense_shape": ints([2, 3], dtype=np.int64)})
    rows["RaggedCountSparseOutput"] = lambda: counting("RaggedCountSparseOutput", {"splits": ints([0, 2, 2, 3], dtype=np.int64), "values": ints([1, 3, 1])})
    left, right = sparse_parts("set1_%s", [[0, 0], [0, 2], [1, 1]], ints([2, 7, 3]), [2, 3]), sparse_parts("set2_%s", [[0, 0], [1, 0], [1, 2]], ints([2, 5, 3]), [2, 3])
    kinds = [{"set_operation": o} for o in ("a-b", "b-a", "intersection", "union")]
    rows["SparseToSparseSetOperation"] = lambda: [case("SparseToSparseSetOperation", {**left, **right}, o) for o in kinds]
    rows["DenseToSparseSetOperation"] = lambda: [case("DenseToSparseSetOperation", {"set1": ints([[1, 2, 2], [9, 3, 1]]), **right}, o) for o in kinds]
    rows["SetSize"] = lambda: [case("SetSize", sparse_parts("set_%s", at, values, shape)) for at, values, shape in (
        ([[0, 0], [0, 2], [2, 1]], ints([2, 2, 3]), [3, 3]), ([[0, 0, 0], [1, 0, 1], [1, 0, 2]], ints([2, 5, 7], dtype=np.int64), [2, 2, 3]))]
    for op in ("Sum", "Mean", "SqrtN"):
        rows["SparseSegment%sGradV2" % op] = lambda op=op: [case("SparseSegment%sGradV2" % op, {"grad": floats(3, 2, seed=8), "indices": ints([3, 2, 2, 1], dtype=t), "segment_ids": ints([0, 0, 0, 2]), "dense_output_dim0": ints(4)}) for t in (np.int32, np.int64)]
    classes = {"true_classes": ints([[1, 2], [3, 2], [8, 0]], dtype=np.int64)}
    for op in ("Uniform", "LogUniform", "LearnedUnigram", "ThreadUnsafeUnigram"):
        rows[op + "CandidateSampler"] = lambda op=op: [case(op + "CandidateSampler", classes, {"num_true": 2, "num_sampled": n, "unique": u, "range_max": r, "seed": s, "seed2": s + 1}) for n, u, r, s in ((5, True, 30, 1), (20, False, 64, 2), (9, True, 9, 3))]
    rows["FixedUnigramCandidateSampler"] = lambda: [case("FixedUnigramCandidateSampler", classes, {"num_true": 2, "num_sampled": n, "unique": u, "range_max": 9, "seed": 5, "seed2": 6, "unigrams": [5.0, 1, 3, 0.5, 2, 2, 7, 0.1][r - 1 if r else 0:] + ([] if r else [4.0]), "num_reserved_ids": r, "distortion": d}) for n, u, r, d in ((5, True, 1, 0.75), (20, False, 1, 1.0), (8, True, 0, 0.5))]
    rows["AllCandidateSampler"] = lambda: [case("AllCandidateSampler", classes, {"num_true": 2, "num_sampled": 9, "unique": True, "seed": 1, "seed2": 2})]
    rows["ComputeAccidentalHits"] = lambda: [case("ComputeAccidentalHits", {**classes, "sampled_candidates": ints(c, dtype=np.int64)}, {"num_true": 2}) for c in ([2, 5, 8, 2], [4, 5])]


def mods(op):
    rows = [case(op, {"x": A * 3, "y": P}), case(op, {"x": A * 3, "y": P[:1]}), case(op, {"x": f32([5, -5, 5, -5, INF, 1, NAN]), "y": f32([3, 3, -3, -3, 2, 0, 1])}), case(op, {"x": A[:0], "y": P[:1]})]
    rows += [case(op, {"x": np.array([7, -7, 7, -7, 2**31 - 1], d), "y": np.array([3, 3, -3, -3, -1], d)}) for d in (np.int32, np.int64)]
    return rows


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, make in table().items():
        if len(sys.argv) > 2 and name not in sys.argv[2:]:
            continue
        try:
            rows = make()
        except Exception as error:
            print(name, ":", type(error).__name__, str(error).splitlines()[0][:300])
            continue
        with open(os.path.join(sys.argv[1], name + ".json"), "w") as file:
            json.dump(rows, file)
