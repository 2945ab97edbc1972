"""Restores checkpoints that make_partitioned.py wrote with `tributary graph run`, and compares with TensorFlow.

    python check_partitioned.py TRIBUTARY FOLDER

Each Variable right after it was restored, and the loss of the third step from there. Where the graph has a Saver, it also
saves here, and TensorFlow reads that. Needs TensorFlow and NumPy. Exit status 1 if any does not agree.
"""

import json
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow.compat.v1 as tf

tf.logging.set_verbosity(tf.logging.ERROR)
program, folder = sys.argv[1:]


def run(case, *arguments):
    command = [program, "graph", "run", os.path.join(case, "graph.pb"), "--init", "init"]
    command += ["--checkpoint", os.path.join(case, "model")] + [str(a) for a in arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise AssertionError(result.stderr.strip())
    if "lacks" in result.stderr:
        raise AssertionError(result.stderr.strip())


def fetched(out, name):
    return np.load(os.path.join(out, name.replace("/", "_").replace(":", "_") + ".npy"))


def close(what, got, wanted):
    if got.shape != wanted.shape or not np.allclose(got, wanted, 1e-4, 1e-6):
        raise AssertionError(f"{what} is {got}, expected {wanted}")


def check(case, out):
    with open(os.path.join(case, "run.json")) as file:
        told = json.load(file)
    fetches = [word for name in told["variables"] for word in ("--fetch", name)]
    run(case, "--out", out, *fetches)
    for name, value in told["variables"].items():
        close(name, fetched(out, name), np.array(value["data"], "float32").reshape(value["shape"]))
    feeds = ["--feed", f"x={case}/x.npy", "--feed", f"y={case}/y.npy"]
    run(case, "--out", out, "--fetch", "train", "--fetch", "loss:0", "--steps", 3, *feeds)
    close("the loss", fetched(out, "loss:0"), np.float32(told["losses"][2]))
    if case.endswith("-saver"):
        saved = os.path.join(out, "saved")
        run(case, "--feed-text", f"save/Const:0={saved}", "--fetch", "save/control_dependency:0", "--out", out)
        ours, theirs = (tf.train.NewCheckpointReader(path) for path in (saved, os.path.join(case, "model")))
        if ours.get_variable_to_shape_map() != theirs.get_variable_to_shape_map():
            raise AssertionError("what was saved here has other names or shapes")
        with tf.Graph().as_default(), tf.Session() as s:
            definition = tf.GraphDef()
            with open(os.path.join(case, "graph.pb"), "rb") as file:
                definition.ParseFromString(file.read())
            tf.import_graph_def(definition, name="")
            s.run("save/restore_all", {"save/Const:0": saved})
            fed = {f"{name}:0": np.load(f"{case}/{name}.npy") for name in ("x", "y")}
            for wanted in told["losses"]:
                close("TensorFlow's loss from what was saved here", s.run("loss:0", fed), np.float32(wanted))
                s.run("train", fed)


cases = sorted(entry.path for entry in os.scandir(folder) if entry.is_dir())
failed = 0
for case in cases:
    with tempfile.TemporaryDirectory() as out:
        try:
            check(case, out)
        except AssertionError as error:
            failed += 1
            print(f"{os.path.basename(case)}: FAILED: {error}")
print(f"partitioned Variables: {len(cases) - failed} of {len(cases)} agree")
sys.exit(1 if failed else 0)
