#!/usr/bin/env python3
"""Has TensorFlow run the graphs that `tributary graph export` writes, and compares losses with ours.

    check_exports.py TRIBUTARY

TRIBUTARY is the program. Each case is a configuration; both sides initialise the Variables (the same seeds give the same
random numbers), run some training steps on the same batch and tell the loss. Needs tensorflow-cpu and numpy.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_v2_behavior()

STEPS = 8
CASES = {
    "adam": ["train.optimizer=adam"],
    "sgd_sigmoid": ["train.optimizer=sgd", "model.activation=sigmoid", "model.loss=sigmoid_cross_entropy"],
    "nesterov_tanh": ["train.optimizer=nesterov", "model.activation=tanh", "train.l2=0.001"],
    "adagrad_elu": ["train.optimizer=adagrad", "model.activation=elu", "train.clip_norm=1"],
    "rmsprop_selu": ["train.optimizer=rmsprop", "model.activation=selu", "model.loss=mean_squared_error"],
    "schedule": ["train.optimizer=momentum", "train.schedule=cosine", "train.steps=10", "train.l1=0.0001"],
    "dropout": ["train.optimizer=adam", "model.dropout=0.3", "model.activation=leaky_relu"],
    "initialisers": ["model.initializer=truncated_normal", "model.hidden=[32, 16, 8]", "model.activation=softplus"],
}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    failed = 0
    random = np.random.RandomState(1)
    x = random.uniform(0, 1, (32, 784)).astype(np.float32)
    y = random.randint(0, 10, 32).astype(np.int32)
    for name, settings in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            settings = [word for s in settings + ["train.learning_rate=0.01"] for word in ("--set", s)]
            names = json.loads(subprocess.check_output(
                [sys.argv[1], "graph", "export", "--output", folder / "graph.pb", *settings]).splitlines()[-1])
            values = {"features": x, "labels": y, "is_training": np.array(True)}
            feeds = {names["feeds"][what]: values[what] for what in names["feeds"]}
            command = [sys.argv[1], "graph", "run", folder / "graph.pb", "--init", names["init"], "--steps", str(STEPS)]
            for i, (node, value) in enumerate(feeds.items()):
                np.save(folder / f"{i}.npy", value)
                command += ["--feed", f"{node}={folder}/{i}.npy"]
            command += ["--fetch", names["loss"], "--fetch", names["train"], "--out", folder / "out"]
            subprocess.check_call(command)
            file = names["loss"].replace("/", "_").replace(":", "_") + ".npy"
            ours = float(np.load(folder / "out" / file))
            with tf.Graph().as_default() as graph, v1.Session() as session:
                definition = v1.GraphDef.FromString((folder / "graph.pb").read_bytes())
                tf.import_graph_def(definition, name="")
                session.run(graph.get_operation_by_name(names["init"]))
                for _ in range(STEPS):
                    theirs, _ = session.run([names["loss"], graph.get_operation_by_name(names["train"])], feeds)
            agrees = abs(ours - theirs) <= 2e-3 * max(1, abs(theirs))
            failed += not agrees
            print(f"{name}: {'ok' if agrees else 'FAILED'}, loss {ours:.6f}, TensorFlow's {theirs:.6f}")
    sys.exit(f"{failed} exports do not agree" if failed else 0)


main()
