"""Writes checkpoints of partitioned Variables, their slots and moving averages with TensorFlow 1's Saver.

    python make_partitioned.py OUT [NAME …]

OUT/NAME/graph.pb is a training graph, model.* its checkpoint after two steps, x.npy and y.npy what to feed. run.json holds
what TensorFlow computes with them: {"losses": of the next three steps, "variables": {node: {"shape", "data"}} right after
the checkpoint was restored}. Names say what is in a case: the optimizer, averages, "ref" or "res" (resource
Variables), the partitioner and its axis, the scopes; "saver" where the graph has the Saver's operations (else names alone
tell which tensor is whose), "again" where the graph has other partitions than the checkpoint, "eval" where its Saver reads
the averages in place of the Variables. Without names all are written.

Needs TensorFlow (made with 2.21) with tf_keras, and NumPy.
"""

import itertools
import json
import os
import shutil
import sys

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.training import moving_averages

tf.disable_v2_behavior()
tf.logging.set_verbosity(tf.logging.ERROR)

OPTIMIZERS = {
    "momentum": lambda: tf.train.MomentumOptimizer(0.05, 0.9),
    "adagrad": lambda: tf.train.AdagradOptimizer(0.1),
    "adam": lambda: tf.train.AdamOptimizer(0.05),
    "ftrl": lambda: tf.train.FtrlOptimizer(0.2),
    "rmsprop": lambda: tf.train.RMSPropOptimizer(0.02, momentum=0.5),
    "centered": lambda: tf.train.RMSPropOptimizer(0.02, centered=True),
    "adadelta": lambda: tf.train.AdadeltaOptimizer(1.0, epsilon=1e-3),
}

PARTITIONERS = {
    "fixed": lambda axis: tf.fixed_size_partitioner(3, axis=axis),
    "bytes": lambda axis: tf.variable_axis_size_partitioner(16 if axis else 24, axis=axis),
    "minmax": lambda axis: tf.min_max_variable_partitioner(2, axis=axis, min_slice_size=16),
    "one": lambda axis: tf.fixed_size_partitioner(1, axis=axis),
}

SCOPES = ["flat", "model", "both", "nested", "named", "long"]


def scopes(kind):
    """The scopes of the model and of the optimizer."""
    none = tf.name_scope("")
    return {
        "flat": lambda: (none, none),
        "model": lambda: (tf.variable_scope("net"), none),
        "both": lambda: (tf.variable_scope("net"), tf.variable_scope("net")),
        "nested": lambda: (tf.variable_scope("tower/net"), tf.variable_scope("tower")),
        "named": lambda: (tf.variable_scope("net"), tf.name_scope("training")),
        "long": lambda: (tf.variable_scope("net"), tf.variable_scope("a_rather_long_scope")),
    }[kind]()


def model(x, y, partitioner, use_resource):
    random = np.random.RandomState(3)
    w = tf.get_variable(
        "w", initializer=tf.constant(random.uniform(-1, 1, (7, 4)).astype("float32")), partitioner=partitioner,
        use_resource=use_resource)
    b = tf.get_variable("b", initializer=np.float32([0.1, 0.2, -0.3, 0]), use_resource=use_resource)
    return tf.losses.sparse_softmax_cross_entropy(y, tf.matmul(x, tf.convert_to_tensor(w)) + b), w, b


def averages(kind, w, b, train):
    """Operations that keep moving averages of the Variables, after the step."""
    variables = list(w) + [b]
    with tf.control_dependencies([train]):
        if kind == "ema":
            return tf.train.ExponentialMovingAverage(0.9).apply(variables)
        if kind == "emazero":
            return tf.train.ExponentialMovingAverage(0.9, zero_debias=True, name="average").apply(variables)
        # Each part follows a value, with the zero debias that is the default.
        assert kind == "assign", kind
        follows = [
            moving_averages.assign_moving_average(
                tf.get_variable("mean_of_" + v.op.name.replace("/", "_"), v.shape, initializer=tf.zeros_initializer()),
                v.read_value() if hasattr(v, "read_value") else v, 0.9)
            for v in variables
        ]
        return tf.group(*follows)


def build(optimizer, kind, use_resource, partitioner, axis, place):
    """A training graph; its loss, train operation and weights."""
    tf.set_random_seed(1)
    x = tf.placeholder(tf.float32, [None, 7], name="x")
    y = tf.placeholder(tf.int32, [None], name="y")
    of_model, of_optimizer = scopes(place)
    with of_model:
        loss, w, b = model(x, y, PARTITIONERS[partitioner](axis), use_resource)
    with of_optimizer:
        train = OPTIMIZERS[optimizer]().minimize(loss) if optimizer else tf.no_op()
        if kind and optimizer:
            train = averages(kind, w, b, train)
    tf.identity(loss, name="loss")
    tf.group(train, name="train")
    tf.group(*[v.initializer for v in tf.global_variables()], name="init")
    return w, b


def read(variable):
    """What to fetch: of a resource Variable the node that reads it."""
    name = variable.op.name
    return name + "/Read/ReadVariableOp" if variable.op.type == "VarHandleOp" else name


def write(out, name):
    *what, role = parse(name)
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, "model")
    random = np.random.RandomState(5)
    feeds = {"x": random.uniform(-1, 1, (8, 7)).astype("float32"), "y": random.randint(0, 4, 8).astype("int32")}
    fed = {name + ":0": value for name, value in feeds.items()}
    with tf.Graph().as_default() as graph:
        w, b = build(*what)
        # A graph without a Saver is written before there is one.
        definition = graph.as_graph_def()
        saver = tf.train.Saver(write_version=tf.train.SaverDef.V2)
        if role == "saver":
            # Averages are often read in place of what they are of: a second Saver does it.
            if what[1].startswith("ema"):
                tf.train.Saver({"b": b, "w": list(w)}, name="other")
            definition = graph.as_graph_def()
        with tf.Session() as s:
            s.run("init")
            for _ in range(2):
                s.run("train", fed)
            saver.save(s, path, write_meta_graph=False, write_state=False)
    with tf.Graph().as_default() as graph:
        if role == "again":
            what[3] = {"fixed": "minmax", "minmax": "one", "one": "bytes", "bytes": "fixed"}[what[3]]
        if role == "eval":
            what[0] = ""
        w, b = build(*what)
        if role == "again":
            definition = graph.as_graph_def()
        if role == "eval":
            saver = tf.train.Saver(averages_of(path, w, b))
            definition = graph.as_graph_def()
        else:
            saver = tf.train.Saver()
        with tf.Session() as s:
            saver.restore(s, path)
            variables = {read(v): s.run(v) for v in tf.global_variables()}
            losses = []
            for _ in range(3):
                losses.append(float(s.run("loss:0", fed)))
                s.run("train", fed)
    with open(os.path.join(folder, "graph.pb"), "wb") as file:
        file.write(definition.SerializeToString())
    for name, value in feeds.items():
        np.save(os.path.join(folder, name + ".npy"), value)
    told = {
        "losses": losses,
        "variables": {
            name: {"shape": list(value.shape), "data": [float(x) for x in value.reshape(-1)]}
            for name, value in sorted(variables.items())
        },
    }
    with open(os.path.join(folder, "run.json"), "w") as file:
        json.dump(told, file)


def averages_of(path, w, b):
    """What a graph that evaluates tells its Saver: each Variable by the name of its average."""
    names = [name for name, _ in tf.train.list_variables(path) if name.endswith("/ExponentialMovingAverage")]
    return {name: b if "b/" in name else w for name in names}


def parse(name):
    words = name.split("-")
    optimizer, kind, variables, partitioner, place = words[:5]
    return (
        optimizer, "" if kind == "plain" else kind, variables == "res", partitioner[:-1], int(partitioner[-1]), place,
        words[5] if len(words) > 5 else "")


def all_names():
    """Each optimizer, each scope, each partitioner with what may meet it."""
    kinds = ["plain", "ema", "emazero", "assign"]
    partitioners = ["fixed0", "fixed1", "bytes0", "bytes1", "minmax0", "minmax1", "one0"]
    names = set()
    for number, (optimizer, place) in enumerate(itertools.product(OPTIMIZERS, SCOPES)):
        for saver in ["", "-saver"]:
            names.add("-".join(
                [optimizer, kinds[number % 2 * (1 + number // 2 % 3)], ["ref", "res"][number // 3 % 2],
                 partitioners[number % len(partitioners)], place]) + saver)
    for number, (kind, partitioner, place) in enumerate(itertools.product(kinds, partitioners, SCOPES[:4])):
        names.add("-".join(
            [list(OPTIMIZERS)[number % len(OPTIMIZERS)], kind, ["ref", "res"][number % 2], partitioner, place])
            + ["", "-saver"][number // 2 % 2])
    # Slots in scopes have names of their parts: TensorFlow finds them under the same partition only.
    for number, (optimizer, partitioner) in enumerate(
        itertools.product(OPTIMIZERS, ["fixed0", "bytes1", "minmax0", "one1"])
    ):
        names.add("-".join([optimizer, "plain", ["ref", "res"][number % 2], partitioner, "flat-again"]))
    for number, (place, partitioner) in enumerate(
        itertools.product(["flat", "model"], ["fixed0", "bytes1", "minmax0"])
    ):
        names.add("-".join(["adam-ema", ["ref", "res"][number % 2], partitioner, place, "eval"]))
    return sorted(names)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in sys.argv[2:] or all_names():
        write(sys.argv[1], name)
