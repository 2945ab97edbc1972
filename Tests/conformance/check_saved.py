#!/usr/bin/env python3
"""Has TensorFlow and NumPy read what `Session.save` wrote: the same Variables in three formats.

    check_saved.py FOLDER

FOLDER has weights.npz, weights.safetensors and model.ckpt (.index, .data-00000-of-00001), as the test "the same Variables in
every format" of Tests/UserPackage leaves them where the environment says SAVED_FILES=FOLDER. Needs tensorflow-cpu and numpy.
"""
import json
import os
import pathlib
import struct
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_v2_behavior()

DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "|u1", "BOOL": "|b1"}


def safetensors(path):
    """The tensors of a file: the length of a header in JSON, the header, the bytes."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + start:8 + length + end], DTYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    npz = dict(np.load(folder / "weights.npz"))
    reader = v1.train.load_checkpoint(str(folder / "model.ckpt"))
    shapes = reader.get_variable_to_shape_map()
    read = {"safetensors": safetensors(folder / "weights.safetensors"),
            "TensorFlow": {name: reader.get_tensor(name) for name in shapes}}
    # TensorFlow's Saver restores them into Variables, too.
    with tf.Graph().as_default(), v1.Session() as session:
        variables = {name: v1.get_variable(name, value.shape, tf.as_dtype(value.dtype)) for name, value in npz.items()}
        v1.train.Saver(variables).restore(session, str(folder / "model.ckpt"))
        read["Saver"] = session.run(variables)
    failed = 0
    for format, tensors in read.items():
        same = sorted(tensors) == sorted(npz) and all(
            tensors[name].dtype == npz[name].dtype and np.array_equal(tensors[name], npz[name]) for name in npz)
        failed += not same
        print(f"saved, {format}: {'ok' if same else 'FAILED'}, {len(tensors)} tensors")
    if "step" not in npz or npz["step"] != 20 or npz["hidden/kernel"].shape != (3, 4):
        sys.exit(f"the Variables are not those that were saved: {sorted(npz)}")
    sys.exit(1 if failed else 0)


main()
