"""Writes vector files with NaN, infinities, extreme numbers, empty tensors and tensors of one element, as TensorFlow treats them.

    python make_extreme_vectors.py SIGNATURES.json OUT

OUT/NAME.json has the form that `make_operation_vectors.py` describes, without gradients, for every dtype that an operation
takes (SIGNATURES.json is from `make_signatures.py`).
"""

import itertools
import json
import os
import sys

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # TensorFlow's own kernels, not oneDNN's

import numpy as np

from make_operation_vectors import INF, NAN, case, f32, ints

# Quotients of these are no denormal numbers, which TensorFlow takes for 0.
FLOATS = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3e37, -3e37, 1e-30]
UNARY = """Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Digamma Elu Erf Erfc Erfinv Exp Expm1 Floor Inv Invert IsFinite IsInf
IsNan LeakyRelu Lgamma Log Log1p LogSoftmax LogicalNot Ndtri Neg Reciprocal Relu Relu6 Rint Round Rsqrt Selu Sigmoid Sign Sin Sinh
Softmax Softplus Softsign Sqrt Square Tan Tanh ZerosLike OnesLike Identity L2Loss""".split()
BINARY = """Add AddV2 ApproximateEqual Atan2 BitwiseAnd BitwiseOr BitwiseXor Div DivNoNan Equal FloorDiv FloorMod Greater GreaterEqual
Less LessEqual LogicalAnd LogicalOr Maximum Minimum Mod Mul MulNoNan NotEqual Pow RealDiv SquaredDifference Sub TruncateDiv
TruncateMod Xdivy Xlog1py Xlogy ReluGrad Relu6Grad LeakyReluGrad EluGrad SeluGrad SigmoidGrad TanhGrad SoftplusGrad SoftsignGrad
SqrtGrad RsqrtGrad ReciprocalGrad InvGrad""".split()
# No broadcasting.
SAME_SHAPES = {"ApproximateEqual"} | {name for name in BINARY if name.endswith("Grad")}
REDUCTIONS = "Sum Mean Max Min Prod All Any EuclideanNorm".split()
SCANS = "Cumsum Cumprod CumulativeLogsumexp".split()


def extremes(dtype, divisor=False):
    """Values of a dtype that programs stumble over; as a divisor none that the processor traps on."""
    if dtype in ("float32", "float64"):
        return np.array(FLOATS, dtype)
    if dtype == "bool":
        return np.array([True, False])
    info = np.iinfo(dtype)
    values = [info.max, 1, 2, 7] + ([] if divisor else [0, info.min]) + ([-2, -7] if info.min < 0 else [])
    return np.array(values, dtype)


def dtypes(signature, attribute="T"):
    return [t for t in signature["types"][attribute] if t not in ("bfloat16", "string", "resource")] if attribute in signature["types"] else ["bool"]


def unary(op, signature):
    name = signature["inputs"][0]["name"]
    # What TensorFlow 2.21 makes of Round of whole numbers is 0, and of Erf of infinite float64s NaN.
    for dtype in [t for t in dtypes(signature) if op != "Round" or t.startswith("float")]:
        values = extremes(dtype)
        if op == "Erf":
            values = values[np.isfinite(values)]
        rank = {"Softmax": 2, "LogSoftmax": 2}.get(op, 1)
        yield case(op, {name: values.reshape((1,) * (rank - 1) + (-1,))})
        if rank == 2:
            for row in ([INF, 1.0], [-INF, -INF], [-INF, 0.0], [3e38, -3e38], [1e4, 0.0], [NAN, 0.0]):
                yield case(op, {name: np.array([row], dtype)})
        for shape in ((0, 3), (3, 0), (1, 1)):
            yield case(op, {name: np.ones(shape, dtype)})


def binary(op, signature):
    first, second = [a["name"] for a in signature["inputs"]]
    for dtype in dtypes(signature):
        divides = "Div" in op or "Mod" in op
        x, y = extremes(dtype), extremes(dtype, divisor=divides)
        if dtype.startswith("int") and op == "Pow":
            y = np.array([0, 1, 2, 3], dtype)
        pairs = list(itertools.product(x, y))
        a, b = (np.array([p[i] for p in pairs], dtype) for i in range(2))
        yield case(op, {first: a, second: b})
        one = np.ones((1, 1), dtype)
        yield case(op, {first: one, second: one})
        if op not in SAME_SHAPES:
            yield case(op, {first: x.reshape(-1, 1), second: y[:3].reshape(1, -1)})
            yield case(op, {first: x[:2], second: np.ones((), dtype)})
            yield case(op, {first: np.ones((0, 3), dtype), second: np.ones((1, 1), dtype)})
            yield case(op, {first: np.ones((2, 1), dtype), second: np.ones((1, 0), dtype)})
        yield case(op, {first: np.ones((0,), dtype), second: np.ones((0,), dtype)})


def reduction(op, signature):
    for dtype in dtypes(signature):
        values = extremes(dtype)
        square = np.resize(values, (4, 3))
        rows = [(square, [0]), (square, [1]), (square, [0, 1]), (square, []), (values[-1:], [0]), (np.ones((0, 3), dtype), [0]), (np.ones((0, 3), dtype), [1]), (np.ones((3, 0), dtype), [0, -1]), (np.ones((), dtype), [])]
        if dtype.startswith("float"):
            rows += [(np.array(row, dtype), [0]) for row in ([INF, -INF], [NAN, 1], [1, NAN], [-INF, -INF], [3e38, 3e38], [INF, NAN], [NAN, NAN])]
        for x, axes in rows:
            for keep in (False, True):
                yield case(op, {"input": x, "axis": ints(axes)}, {"keep_dims": keep})


def scan(op, signature):
    for dtype in dtypes(signature):
        for x in (extremes(dtype), np.ones((0,), dtype), np.ones((1, 1), dtype)):
            for exclusive, reverse in itertools.product((False, True), repeat=2):
                yield case(op, {"x": x, "axis": np.array(0, np.int32)}, {"exclusive": exclusive, "reverse": reverse})


def places(op, signature):
    for dtype in dtypes(signature):
        rows = [extremes(dtype), np.ones((1, 1), dtype), np.ones((0, 3), dtype), np.ones((3,), dtype)]
        if dtype.startswith("float"):
            rows += [np.array(r, dtype) for r in ([1, NAN, 3], [NAN, 1], [NAN, NAN], [INF, INF], [-INF, -INF], [-0.0, 0.0], [0.0, -0.0])]
        for x in rows:
            axis = x.ndim - 1
            yield case(op, {"input": x, "dimension": np.array(axis, np.int32)}, {"output_type": "int32"})


def others():
    rows = {}
    for dtype in (np.float32, np.float64):
        def a(*values, dtype=dtype):
            return np.array(values, dtype)
        add = lambda op, *cases: rows.setdefault(op, []).extend(cases)
        for row in ([INF, 1, 0], [-INF, -INF, 0], [3e38, -3e38, 0], [1e4, 0, -1e4], [NAN, 0, 1], [88, -88, 0]):
            add("SoftmaxCrossEntropyWithLogits", case("SoftmaxCrossEntropyWithLogits", {"features": a(row), "labels": a([0.5, 0.25, 0.25])}))
            add("SparseSoftmaxCrossEntropyWithLogits", case("SparseSoftmaxCrossEntropyWithLogits", {"features": a(row), "labels": ints([0])}))
        add("SoftmaxCrossEntropyWithLogits", case("SoftmaxCrossEntropyWithLogits", {"features": np.ones((0, 3), dtype), "labels": np.ones((0, 3), dtype)}), case("SoftmaxCrossEntropyWithLogits", {"features": a([2]), "labels": a([1])}))
        add("SparseSoftmaxCrossEntropyWithLogits", case("SparseSoftmaxCrossEntropyWithLogits", {"features": np.ones((0, 3), dtype), "labels": np.zeros(0, np.int64)}), case("SparseSoftmaxCrossEntropyWithLogits", {"features": a([2]), "labels": ints([0])}))
        add("TopKV2", *[case("TopKV2", {"input": x, "k": np.array(k, np.int32)}, {"sorted": True, "index_type": t}) for x, k in ((a(1, INF, -INF, 0, -0.0, INF), 6), (a([1], [2]), 1), (a(3, 1), 0), (np.ones((0, 3), dtype), 2)) for t in ("int32", "int64")])
        add("ClipByValue", *[case("ClipByValue", {"t": a(*FLOATS), "clip_value_min": a(lo)[0], "clip_value_max": a(hi)[0]}) for lo, hi in ((-1, 1), (-INF, INF), (NAN, 1))])
        add("AddN", case("AddN", {"inputs": [a(*FLOATS), a(*FLOATS[::-1])]}), case("AddN", {"inputs": [np.ones((0, 2), dtype)] * 2}))
        add("MatMul", case("MatMul", {"a": a([INF, 1], [0, NAN]), "b": a([1, 0], [2, -INF])}), case("MatMul", {"a": np.ones((2, 0), dtype), "b": np.ones((0, 3), dtype)}), case("MatMul", {"a": np.ones((0, 2), dtype), "b": np.ones((2, 3), dtype)}), case("MatMul", {"a": a([3]), "b": a([4])}))
        add("BiasAdd", case("BiasAdd", {"value": a([INF, NAN], [1, -INF]), "bias": a(-INF, 1)}), case("BiasAdd", {"value": np.ones((0, 2), dtype), "bias": a(1, 2)}))
        add("SelectV2", case("SelectV2", {"condition": np.array([[True], [False]]), "t": a(NAN, INF), "e": a(0, 1)}), case("SelectV2", {"condition": np.ones((0, 1), bool), "t": np.ones((1, 3), dtype), "e": np.ones((), dtype)}))
        add("InTopKV2", *([case("InTopKV2", {"predictions": a([1, INF, 0], [NAN, 1, 0], [1, 1, 1]), "targets": ints([0, 1, 2]), "k": np.array(k, np.int32)}) for k in (1, 2, 3)] if dtype == np.float32 else []))
        x = np.resize(a(*FLOATS), (1, 4, 4, 1))
        for op in ("MaxPool", "AvgPool"):
            add(op, *[case(op, {"input" if op == "MaxPool" else "value": v}, {"ksize": [1, k, k, 1], "strides": [1, s, s, 1], "padding": p}) for v in (x, np.ones((0, 4, 4, 1), dtype)) for k, s, p in ((2, 2, "VALID"), (3, 1, "SAME"), (1, 1, "VALID"))])
        for op in ("SegmentSum", "SegmentMean", "SegmentMax", "SegmentMin", "SegmentProd"):
            add(op, case(op, {"data": a(NAN, 1, INF, -INF, 0, -0.0), "segment_ids": ints([0, 0, 1, 1, 3, 3])}))
        for op in ("UnsortedSegmentSum", "UnsortedSegmentMax", "UnsortedSegmentMin", "UnsortedSegmentProd"):
            add(op, case(op, {"data": a(NAN, 1, INF, -INF, 0, -0.0), "segment_ids": ints([0, 0, 1, 1, 3, 3]), "num_segments": np.array(5, np.int32)}))
        for target in ("float32", "float64", "bool"):
            rows.setdefault("Cast", []).append(case("Cast", {"x": a(*FLOATS)}, {"DstT": target}))
    for source in ("int32", "int64", "uint8", "bool"):
        for target in ("float32", "float64", "int32", "int64", "uint8", "bool"):
            rows["Cast"].append(case("Cast", {"x": extremes(source)}, {"DstT": target}))
    return rows


def table(signatures):
    rows = {}
    for names, make in ((UNARY, unary), (BINARY, binary), (REDUCTIONS, reduction), (SCANS, scan), (("ArgMax", "ArgMin"), places)):
        for op in names:
            if op in signatures:
                rows[op] = make(op, signatures[op])
    return {**rows, **others()}


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        known = json.load(file)
    os.makedirs(sys.argv[2], exist_ok=True)
    for name, cases in table(known).items():
        made = []
        try:
            for row in cases:
                made.append(row)
        except Exception as error:
            print(name, ":", type(error).__name__, str(error).splitlines()[0][:200])
        with open(os.path.join(sys.argv[2], name + ".json"), "w") as file:
            json.dump(made, file)
