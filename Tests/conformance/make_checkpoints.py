"""Writes small checkpoints with TensorFlow 1's Saver, and what is in them.

    python make_checkpoints.py OUT

OUT/variables.*, OUT/sharded.* (two data files) and OUT/many.* (names that begin alike) are checkpoints. For each,
OUT/NAME.json lists the tensors: {"name": {"dtype", "shape", "data"}}. OUT/graph.pb is a graph over the Variables of the
first: `doubled` is twice `weights`, `looked_up` takes rows 0, 3 and 4 of the partitioned `table`, `handled` is the resource
Variable `handle` plus one; `saver` is not needed. OUT/graph.json holds what these come to.

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


def written(value):
    value = np.asarray(value)
    return {"dtype": value.dtype.name, "shape": list(value.shape), "data": [float(x) for x in value.reshape(-1)]}


def describe(out, name):
    reader = tf.train.NewCheckpointReader(os.path.join(out, name))
    tensors = {key: written(reader.get_tensor(key)) for key in sorted(reader.get_variable_to_shape_map())}
    with open(os.path.join(out, name + ".json"), "w") as file:
        json.dump(tensors, file)


def save(out, name, sharded=False):
    with tf.Session(config=tf.ConfigProto(device_count={"CPU": 2})) as session:
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver(sharded=sharded, write_version=tf.train.SaverDef.V2)
        saver.save(session, os.path.join(out, name), write_meta_graph=False, write_state=False)
        describe(out, name)
        return session.run(tf.get_collection("fetches")) if tf.get_collection("fetches") else []


def variables(out):
    random = np.random.RandomState(1)
    tf.get_variable("weights", initializer=random.uniform(-1, 1, (2, 3)).astype(np.float32))
    tf.get_variable("layer/double", initializer=np.array([0.1, -1e300, 1e308]), trainable=False)
    tf.get_variable("layer/count", initializer=np.int32(-7), trainable=False)
    tf.get_variable("step", initializer=np.int64(2**40), trainable=False)
    tf.get_variable("flags", initializer=np.array([True, False, True]), trainable=False)
    tf.get_variable("bytes", initializer=np.array([0, 255], np.uint8), trainable=False)
    tf.get_variable("brain", initializer=tf.constant([1.5, -2.0], tf.bfloat16), trainable=False)
    tf.get_variable("empty", initializer=np.zeros((0, 3), np.float32), trainable=False)
    tf.get_variable("handle", initializer=np.float32([5, 6]), use_resource=True)
    rows = tf.get_variable("table", initializer=tf.constant(random.uniform(-1, 1, (70, 2)).astype(np.float32)), partitioner=tf.fixed_size_partitioner(3))
    columns = tf.get_variable("columns", initializer=tf.constant(np.arange(24, dtype=np.float32).reshape(2, 6, 2)), partitioner=tf.fixed_size_partitioner(2, axis=1))
    del columns
    doubled = tf.multiply(tf.global_variables()[0], 2.0, name="doubled")
    looked_up = tf.identity(tf.nn.embedding_lookup(rows, [0, 3, 69]), name="looked_up")
    handled = tf.add([v for v in tf.global_variables() if v.op.name == "handle"][0], 1.0, name="handled")
    for fetch in (doubled, looked_up, handled):
        tf.add_to_collection("fetches", fetch)
    values = save(out, "variables")
    with open(os.path.join(out, "graph.json"), "w") as file:
        json.dump({name: written(v) for name, v in zip(("doubled", "looked_up", "handled"), values)}, file)
    tf.io.write_graph(tf.get_default_graph(), out, "graph.pb", as_text=False)


def sharded(out):
    for i in range(2):
        with tf.device("/cpu:%d" % i):
            tf.get_variable("on_%d" % i, initializer=np.float32([i, 10 + i]))
    save(out, "sharded", sharded=True)


def many(out):
    for i in range(40):
        tf.get_variable("a_scope_with_a_long_name/of_layer_%03d/weights" % i, initializer=np.float32([i]))
    save(out, "many")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for make in (variables, sharded, many):
        with tf.Graph().as_default():
            make(sys.argv[1])
