"""Writes small models in TensorFlow's formats, and what they compute.

    python make_models.py OUT

OUT/simple, OUT/assets (TensorFlow 1), OUT/tagged (text, two graphs), OUT/module (TensorFlow 2) are SavedModels.
OUT/renamed.meta and OUT/renamed.* are of a Saver that gives Variables other names and knows parts of Variables.
OUT/train.meta, OUT/train.pbtxt and OUT/pipeline.meta are training graphs, the last one reads its examples with an iterator.
OUT/tables.meta has lookup tables. OUT/loops.pbtxt is a GraphDef with functions. OUT/version1.ckpt is a checkpoint of format V1.
OUT/models.json lists runs: {"path", "signature", "tags", "checkpoint", "init", "feeds", "fetches"}, with arrays as
{"shape", "data"} of float32.

With a second argument, "keras", it writes larger models of Keras into OUT instead.

Needs TensorFlow (made with 2.21) and NumPy.
"""

import json
import os
import shutil
import sys

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow
import tensorflow.compat.v1 as tf

tf.logging.set_verbosity(tf.logging.ERROR)
X = np.arange(12).reshape(4, 3).astype("float32") / 10
runs = []


def array(value):
    value = np.asarray(value, "float32")
    return {"shape": list(value.shape), "data": [float(x) for x in value.reshape(-1)]}


def told(path, feeds, fetches, **more):
    runs.append(
        dict(
            more,
            path=path,
            feeds={name: array(value) for name, value in feeds.items()},
            fetches={name: array(value) for name, value in fetches.items()},
        )
    )


def weights(name, shape, **more):
    return tf.get_variable(name, shape, initializer=tf.random_normal_initializer(seed=len(name)), **more)


def session():
    result = tf.Session()
    result.run(tf.global_variables_initializer())
    return result


def simple(out):
    """A partitioned, a reference and a resource Variable."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        with tf.variable_scope("net", partitioner=tf.fixed_size_partitioner(2)):
            w = weights("w", [6, 3], use_resource=False)
        b = weights("b", [6], use_resource=True)
        y = tf.add(tf.matmul(x, tf.convert_to_tensor(w), transpose_b=True), b, name="y")
        s = session()
        tf.saved_model.simple_save(s, os.path.join(out, "simple"), {"input": x}, {"output": y, "doubled": 2 * y})
        value = s.run(y, {x: X})
        told("simple", {"input": X}, {"output": value, "doubled": 2 * value}, signature="serving_default")
        told("simple/saved_model.pb", {"x:0": X}, {"y": value})
        version1 = tf.train.Saver(write_version=1)
        version1.save(s, os.path.join(out, "version1.ckpt"), write_meta_graph=False, write_state=False)


def tagged(out):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        y = tf.matmul(x, weights("w", [3, 2], use_resource=False), name="y")
        signature = tf.saved_model.predict_signature_def({"in": x}, {"out": y})
        s = session()
        builder = tf.saved_model.Builder(os.path.join(out, "tagged"))
        builder.add_meta_graph_and_variables(s, ["train"], {"train": signature})
        builder.add_meta_graph(["serve"], {"serving_default": signature}, strip_default_attrs=True)
        builder.save(as_text=True)
        told("tagged", {"in": X}, {"out": s.run(y, {x: X})}, signature="serving_default")
        told("tagged", {"in": X}, {"out": s.run(y, {x: X})}, signature="train", tags=["train"])


def assets(out):
    """A table that is filled from a file when the model is loaded."""
    with tf.Graph().as_default():
        vocabulary = os.path.join(out, "vocabulary.txt")
        with open(vocabulary, "w") as file:
            file.write("a\nb\nc\n")
        table = tensorflow.lookup.StaticHashTable(
            tensorflow.lookup.TextFileInitializer(
                vocabulary,
                tf.string,
                tensorflow.lookup.TextFileIndex.WHOLE_LINE,
                tf.int64,
                tensorflow.lookup.TextFileIndex.LINE_NUMBER,
            ),
            -1,
        )
        words = tf.placeholder(tf.string, [None], name="words")
        s = session()
        tf.saved_model.simple_save(
            s,
            os.path.join(out, "assets"),
            {"words": words},
            {"numbers": table.lookup(words)},
            legacy_init_op=tf.tables_initializer(),
        )
        os.remove(vocabulary)


def tables(out):
    """Tables whose initialisers are in a collection alone; the file of one of them is gone."""
    with tf.Graph().as_default():
        word = tf.placeholder(tf.string, [], name="word")
        known = tensorflow.lookup.StaticHashTable(
            tensorflow.lookup.KeyValueTensorInitializer(["red", "blue"], tf.constant([5, 7], tf.int64)), -1)
        lost = tensorflow.lookup.StaticHashTable(
            tensorflow.lookup.TextFileInitializer(
                "lost.txt", tf.string, tensorflow.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
                tensorflow.lookup.TextFileIndex.LINE_NUMBER), -1)
        tf.identity(known.lookup(word), name="number")
        tf.identity(lost.lookup(word), name="lost")
        tf.train.export_meta_graph(os.path.join(out, "tables.meta"))


def module(out):
    class Module(tensorflow.Module):
        def __init__(self):
            self.w = tensorflow.Variable(np.linspace(-1, 1, 6).reshape(3, 2).astype("float32"), name="w")
            self.scales = [tensorflow.Variable(2.0), tensorflow.Variable([0.5, 1.5])]

        @tensorflow.function(input_signature=[tensorflow.TensorSpec([None, 3], tf.float32, name="x")])
        def __call__(self, x):
            return {"y": tensorflow.nn.relu(x @ self.w * self.scales[1]) * self.scales[0], "sum": tf.reduce_sum(x)}

    m = Module()
    tensorflow.saved_model.save(
        m,
        os.path.join(out, "module"),
        signatures=m.__call__.get_concrete_function(),
        options=tensorflow.saved_model.SaveOptions(save_debug_info=False),
    )
    value = m(X)
    told("module", {"x": X}, {name: value[name].numpy() for name in value}, signature="serving_default")
    os.remove(os.path.join(out, "module", "fingerprint.pb"))


def renamed(out):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = weights("w", [3, 2], use_resource=False)
        other = weights("other", [3, 2], use_resource=True)
        with tf.variable_scope("parts", partitioner=tf.fixed_size_partitioner(2, axis=1)):
            parts = weights("v", [2, 4], use_resource=False)
        y = tf.matmul(tf.matmul(x, w - other), tf.convert_to_tensor(parts), name="y")
        s = session()
        path = os.path.join(out, "renamed")
        # "other" is saved as "w": names alone would restore the wrong one.
        saver = tf.train.Saver({"w": other, "kernel": w, "parts": parts}, max_to_keep=None)
        saver.save(s, path, write_state=False)
        told("renamed.meta", {"x": X}, {"y": s.run(y, {x: X})}, checkpoint="renamed")


def training(out):
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="features")
        labels = tf.placeholder(tf.int64, [None], name="labels")
        is_training = tf.placeholder_with_default(False, [], name="training")
        h = tf.nn.relu(tf.matmul(x, weights("w1", [3, 4], use_resource=False)))
        h = tf.cond(is_training, lambda: 2.0 * h, lambda: h)
        logits = tf.matmul(h, weights("w2", [4, 3], use_resource=False))
        tf.nn.softmax(logits, name="probabilities")
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
        tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=tf.train.get_or_create_global_step())
        tf.add_to_collection("init_op", tf.global_variables_initializer())
        tf.train.export_meta_graph(os.path.join(out, "train.meta"), clear_devices=True)
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        y = tf.placeholder(tf.int32, [None], name="y")
        logits = tf.matmul(x, weights("w", [3, 3], use_resource=True))
        loss = tf.losses.sparse_softmax_cross_entropy(y, logits)
        tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        tf.train.export_meta_graph(os.path.join(out, "train.pbtxt"), clear_devices=True, as_text=True)
    with tf.Graph().as_default():
        data = tf.data.Dataset.from_tensor_slices((X, np.array([0, 1, 2, 0]))).batch(2).repeat()
        x, labels = tf.data.make_initializable_iterator(data).get_next()
        logits = tf.matmul(x, weights("w", [3, 3], use_resource=False), name="logits")
        loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
        tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        tf.summary.scalar("loss", loss)
        tf.add_to_collection("init_op", tf.global_variables_initializer())
        tf.train.export_meta_graph(os.path.join(out, "pipeline.meta"), clear_devices=True)
        value = session().run(logits, {x: X})
        told("pipeline.meta", {"IteratorGetNext": X}, {"logits:0": value}, init=True)


def loops(out):
    with tf.Graph().as_default():
        tf.enable_control_flow_v2()
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        y = tf.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v * 2 + 1), [0, x])[1]
        y = tf.identity(tf.cond(tf.reduce_sum(y) > 0, lambda: y, lambda: -y), name="y")
        tf.train.write_graph(tf.get_default_graph(), out, "loops.pbtxt")
        told("loops.pbtxt", {"x": X}, {"y": tf.Session().run(y, {x: X})})


def keras(out):
    """Each way in which Keras writes a SavedModel."""
    k = tensorflow.keras
    model = k.Sequential(
        [
            k.layers.Input((3,)),
            k.layers.Dense(5, activation="tanh"),
            k.layers.BatchNormalization(),
            k.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "mse")
    model.fit(X, np.ones([4, 2]), epochs=2, verbose=0)
    value = model.predict(X, verbose=0)
    model.export(os.path.join(out, "exported"), verbose=False)
    tensorflow.saved_model.save(model, os.path.join(out, "saved"))
    for path in ["exported", "saved"]:
        signature = tensorflow.saved_model.load(os.path.join(out, path)).signatures["serving_default"]
        (name,) = signature.structured_input_signature[1]
        told(path, {name: X}, {"output_0": value}, signature="serving_default")


if __name__ == "__main__":
    out = sys.argv[1]
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    if sys.argv[2:] == ["keras"]:
        keras(out)
    else:
        for write in [module, simple, tagged, assets, tables, renamed, training, loops]:
            write(out)
    with open(os.path.join(out, "models.json"), "w") as file:
        json.dump(runs, file)
