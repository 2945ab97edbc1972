"""Runs models that make_models.py wrote with `tributary graph run`, and compares with what TensorFlow computed.

    python check_models.py TRIBUTARY MODELS

Needs NumPy. Exit status 1 if any does not agree.
"""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np

program, folder = sys.argv[1:]
failed = 0
with open(os.path.join(folder, "models.json")) as file:
    runs = json.load(file)


def array(value):
    return np.array(value["data"], "float32").reshape(value["shape"])


for run in runs:
    with tempfile.TemporaryDirectory() as out:
        arguments = [program, "graph", "run", os.path.join(folder, run["path"]), "--out", out]
        for number, (name, value) in enumerate(run["feeds"].items()):
            path = os.path.join(out, f"feed{number}.npy")
            np.save(path, array(value))
            arguments += ["--feed", f"{name}={path}"]
        for name in run["fetches"]:
            arguments += ["--fetch", name]
        for option in ["signature", "checkpoint"]:
            if option in run:
                value = run[option] if option == "signature" else os.path.join(folder, run[option])
                arguments += ["--" + option, value]
        if "tags" in run:
            arguments += ["--tags", ",".join(run["tags"])]
        result = subprocess.run(arguments, capture_output=True, text=True)
        problem = result.stderr.strip() if result.returncode else ""
        for name, value in run["fetches"].items():
            if problem:
                break
            got = np.load(os.path.join(out, name.replace("/", "_").replace(":", "_") + ".npy"))
            wanted = array(value)
            # Values of random initialisers are another generator's.
            if got.shape != wanted.shape or not (run.get("init") or np.allclose(got, wanted, 1e-4, 1e-5)):
                problem = f"{name} is {got}, expected {wanted}"
        if problem:
            failed += 1
            print(f"{run['path']}: FAILED: {problem}")
print(f"models: {len(runs) - failed} of {len(runs)} agree")
sys.exit(1 if failed else 0)
