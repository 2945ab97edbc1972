"""Writes what TensorFlow's OpDefs say of operations: names, types, attributes, defaults.

    python make_signatures.py OUT.json NAME …

OUT.json holds {"NAME": {"inputs": [argument], "outputs": [argument], "types": {"T": [dtypes]}, "defaults": {name: value},
"required": [names]}} with an argument as `Signature` writes it: {"name": "x", "type": "ref T", "N * T", "list T", "int32"}.
Of dtypes only those are told that Tributary has and that TensorFlow has a kernel for on the CPU.

Needs TensorFlow (made with 2.21).
"""

import json
import os
import sys

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from tensorflow.python.framework import kernels, op_def_registry

DTYPES = ["float32", "float64", "int32", "int64", "uint8", "bool", "bfloat16", "string", "resource", "variant"]


def dtype(number):
    return tf.as_dtype(number).name


def argument(proto):
    text = dtype(proto.type) if proto.type else proto.type_attr or proto.type_list_attr
    if proto.number_attr:
        text = proto.number_attr + " * " + text
    if proto.type_list_attr:
        text = "list " + text
    return {"name": proto.name, "type": "ref " + text if proto.is_ref else text}


def default(attribute):
    value = attribute.default_value
    kind = value.WhichOneof("value")
    if kind == "s":
        return value.s.decode()
    if kind == "type":
        return dtype(value.type)
    if kind == "tensor":
        return [x.item() for x in tf.make_ndarray(value.tensor).reshape(-1)]
    if kind == "shape":
        return None if value.shape.unknown_rank else [d.size for d in value.shape.dim]
    if kind == "list":
        return list(value.list.i) + list(value.list.f) + [s.decode() for s in value.list.s] + [dtype(t) for t in value.list.type]
    return getattr(value, kind)


def computed(name, attribute, allowed):
    """Those of the dtypes that a kernel on the CPU takes."""
    found = set()
    registered = [k for k in kernels.get_registered_kernels_for_op(name).kernel if k.device_type in ("CPU", "DEFAULT")]
    for kernel in registered:
        limits = [c.allowed_values.list.type for c in kernel.constraint if c.name == attribute]
        found |= set(allowed) if not limits else {dtype(t) for t in limits[0]} & set(allowed)
    return [t for t in allowed if t in found or not registered]


def signature(name):
    proto = op_def_registry.get(name)
    result = {"inputs": [argument(a) for a in proto.input_arg], "outputs": [argument(a) for a in proto.output_arg], "types": {}, "defaults": {}, "required": []}
    counts = {a.number_attr for a in proto.input_arg}
    for attribute in proto.attr:
        if attribute.type in ("type", "list(type)"):
            allowed = [dtype(t) for t in attribute.allowed_values.list.type] or DTYPES
            result["types"][attribute.name] = computed(name, attribute.name, [t for t in allowed if t in DTYPES])
        if attribute.HasField("default_value"):
            result["defaults"][attribute.name] = default(attribute)
        elif attribute.type not in ("type", "list(type)") and attribute.name not in counts:
            result["required"].append(attribute.name)
    return result


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1], "w") as file:
        rows = ["%s: %s" % (json.dumps(name), json.dumps(signature(name))) for name in sorted(sys.argv[2:])]
        file.write("{\n" + ",\n".join(rows) + "\n}\n")
