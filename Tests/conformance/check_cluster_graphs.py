#!/usr/bin/env python3
"""Trains what make_cluster_graphs.py wrote and compares the losses with TensorFlow's.

    check_cluster_graphs.py TRIBUTARY FOLDER [NAME …]

Each with 1, 2 and 3 synchronous workers and with one asynchronous. Says what disagrees, and how many agree; ends with 1 if
any does not. WORKERS="1 2" tries only these, JOBS is how many run at a time.
"""
import concurrent.futures
import fnmatch
import os
import pathlib
import subprocess
import sys
import tempfile

TOLERANCE = 1e-5


def verdict(binary, folder, name, workers, consistency):
    """One word (ok, noted, refused or WRONG), and what is wrong."""
    expected = [float(line) for line in (folder / f"{name}.losses").read_text().split()]
    wanted = (folder / f"{name}.yaml").read_text().split()[1]
    with tempfile.TemporaryDirectory() as scratch:
        losses = pathlib.Path(scratch) / "losses.csv"
        try:
            run = subprocess.run(
                [binary, "train", f"{name}.yaml", "--set", f"cluster.workers={workers}", "--set",
                 f"cluster.consistency={consistency}", "--losses", losses], cwd=folder, capture_output=True, text=True,
                timeout=120)
        except subprocess.TimeoutExpired:
            return "WRONG", "does not end"
        said = run.stdout + run.stderr
        if run.returncode != 0:
            line = next((line for line in reversed(said.splitlines()) if "error" in line.lower()), said[-300:])
            isRight = wanted == "refused" and run.returncode == 78
            return "refused" if isRight else "WRONG", f"status {run.returncode}: {line}"
        got = [float(line.split(",")[1]) for line in losses.read_text().splitlines()[1:]]
    if len(got) != len(expected):
        return "WRONG", f"{len(got)} losses of {len(expected)}"
    far = [(abs(a - b), i) for i, (a, b) in enumerate(zip(expected, got)) if not abs(a - b) < TOLERANCE * max(1, abs(a))]
    if not far:
        return "ok", ""
    text = f"step {far[0][1]}: {got[far[0][1]]}, TensorFlow {expected[far[0][1]]}; {len(far)} differ"
    if workers > 1 and "synchronous steps of several workers differ" in said:
        return ("noted" if wanted == "noted" else "WRONG"), text
    return "WRONG", text


def main():
    binary, folder = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    names = sorted(path.stem for path in folder.glob("*.pb"))
    if sys.argv[3:]:
        names = [name for name in names if any(fnmatch.fnmatch(name, pattern) for pattern in sys.argv[3:])]
    ways = [(int(n), "sync") for n in os.environ.get("WORKERS", "1 2 3").split()] + [(1, "async")]
    tries = [(name, *way) for name in names for way in ways]
    jobs = int(os.environ.get("JOBS", "3"))
    counts = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda each: verdict(binary, folder, *each), tries)
        for (name, workers, consistency), (word, text) in zip(tries, results):
            counts[word] = counts.get(word, 0) + 1
            if word == "WRONG":
                print(f"{name}, {workers} worker{'s' * (workers > 1)}, {consistency}: {word}: {text}", flush=True)
    print(f"clusters: {counts.get('ok', 0)} of {len(tries)} runs agree, {counts.get('noted', 0)} say what differs, "
          f"{counts.get('refused', 0)} are refused")
    sys.exit(1 if counts.get("WRONG") else 0)


if __name__ == "__main__":
    main()
