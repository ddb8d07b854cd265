#!/usr/bin/env python3
"""Fits the same algorithms with dbjob, scikit-learn, LightGBM and XGBoost on real data, and prints a table.

usage: run.py BENCH DATA [--algorithms NAME …] [--sets NAME …] [--rounds N] [--seconds N] [--threads N] [--write FILE]

Each fit is a process of its own, the contenders by turns; medians of the rounds. No further round of a case begins after so
many seconds. `fit` and `predict` are the calls alone, on matrices in memory in the library's own type; `all cores` is the processor time
of the fit. `memory` is what the peak of the process grew by while it fitted. Quality is of the test rows: AUC (mean of one against the
rest) and log loss, for numbers RMSE. Exits 1 where dbjob is slower than the best peer, needs more memory than the leanest,
predicts slower than the fastest, or is worse than the best by more than 0.002 (AUC, log loss) or 0.2 % (RMSE).
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score

from settings import OURS, RUNS

HERE = Path(__file__).resolve().parent


def fitted(contender, algorithm, folder, options):
    """What one process tells, and its predictions: a column a class, or one."""
    with tempfile.NamedTemporaryFile() as out:
        if contender == "dbjob":
            command = [options.bench, folder, algorithm, json.dumps(OURS[algorithm]), str(options.threads), out.name]
        else:
            command = [sys.executable, HERE / "peer.py", folder, contender, algorithm, str(options.threads), out.name]
        names = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]
        environment = os.environ | {name: str(options.threads) for name in names}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{contender}, {algorithm}, {folder}: failed\n{done.stderr[-3000:]}")
        return json.loads(done.stdout.splitlines()[-1]), np.fromfile(out.name, "<f8")


def quality(folder, meta, scores):
    """{measure: value}"""
    if not meta["classes"]:
        truth = np.fromfile(folder / "test.y", "<f8")
        return {"RMSE": mean_squared_error(truth, scores) ** 0.5}
    truth = np.fromfile(folder / "test.y", "<u4")
    shares = scores.reshape(meta["classes"], -1).T
    of = shares[:, 1] if meta["classes"] == 2 else shares / shares.sum(axis=1, keepdims=True)
    return {"AUC": roc_auc_score(truth, of, multi_class="ovr"), "log loss": log_loss(truth, shares)}


def measure(algorithm, folder, contenders, options):
    """({contender: medians}, rounds)"""
    meta = json.loads((folder / "meta.json").read_text())
    runs, judged = {name: [] for name in contenders}, {}
    began = time.monotonic()
    for turn in range(options.rounds):
        if turn and time.monotonic() - began > options.seconds:
            break
        for name in contenders if turn % 2 == 0 else reversed(contenders):
            told, scores = fitted(name, algorithm, folder, options)
            runs[name].append(told)
            judged[name] = quality(folder, meta, scores)
    found = {}
    for name in contenders:
        median = lambda of: statistics.median(of(run) for run in runs[name])
        found[name] = {
            "fit": median(lambda r: r["fit"]),
            "all cores": median(lambda r: r["fit_cores"]),
            "predict": meta["test"] / median(lambda r: r["predict"]),
            "memory": median(lambda r: r["peak"] - r["before"]),
            **judged[name],
        }
    return found, len(runs["dbjob"])


# (what, whether less is better, how much worse than the best peer still counts as equal: of the value or absolute)
JUDGED = [
    ("fit", True, 0.0), ("predict", False, 0.0), ("memory", True, 0.0),
    ("AUC", False, 0.002), ("log loss", True, 0.002), ("RMSE", True, 0.002),
]


def verdict(found, what, less, slack):
    """(The cell of the summary, whether dbjob is behind); nothing where it is not measured."""
    ours = found["dbjob"].get(what)
    if ours is None:
        return "", False
    peers = {name: one[what] for name, one in found.items() if name != "dbjob"}
    name = (min if less else max)(peers, key=peers.get)
    best = peers[name]
    worse = ours - best if less else best - ours
    behind = worse > slack * (best if what == "RMSE" else 1)
    shown = f"{ours - best:+.4f}" if what in ("AUC", "log loss") else f"{ours / best:.{4 if what == 'RMSE' else 2}f}×"
    cell = f"{shown} {name}"
    return (f"**{cell}**" if behind else cell), behind


def cells(name, one):
    what = [f"{one['fit']:.3f} s", f"{one['all cores']:.2f} s", f"{one['predict']:,.0f}", f"{one['memory']:,.0f} KiB"]
    good = [f"AUC {one['AUC']:.4f}, log loss {one['log loss']:.4f}"] if "AUC" in one else [f"RMSE {one['RMSE']:.3f}"]
    return [name, *what, *good]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("data", type=Path)
    parser.add_argument("--algorithms", nargs="+", default=[run[0] for run in RUNS])
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    line = lambda parts: "| " + " | ".join(parts) + " |"
    summary = [line(["", "rounds", *(what for what, *_ in JUDGED)]), line(["---", *["---:"] * (1 + len(JUDGED))])]
    details = []
    missed = 0
    for algorithm, form, sets, peers in RUNS:
        if algorithm not in options.algorithms:
            continue
        for name in sets:
            if options.sets and name not in options.sets:
                continue
            found, rounds = measure(algorithm, options.data / "matrices" / name / form, ["dbjob", *peers], options)
            verdicts = [verdict(found, *rule) for rule in JUDGED]
            missed += sum(behind for _, behind in verdicts)
            summary += [line([f"{algorithm}, {name}", str(rounds), *(cell for cell, _ in verdicts)])]
            details += ["", f"### {algorithm}, {name}", ""]
            details += [line(["", "fit", "all cores", "predicted rows/s", "memory", "test rows"])]
            details += [line(["---", "---:", "---:", "---:", "---:", "---"])]
            details += [line(cells(peer, one)) for peer, one in found.items()]
            print(summary[-1], file=sys.stderr)
    lines = [
        "# Learners beside their peers",
        "",
        f"{datetime.date.today()}, `bench/learning/run.sh`: medians of up to {options.rounds} rounds, {options.threads} threads on {os.cpu_count()} cores.",
        "",
        "dbjob against the best peer of each cell (`sparse`: scikit-learn on a sparse matrix). Of fit, memory, log loss and RMSE less is better, of rows/s and",
        "AUC more. Bold: dbjob is behind, by more than 0.002 in AUC or log loss, by more than 0.2 % in RMSE, or at all.",
        "",
        *summary,
        "",
        f"Behind in {missed} cells.",
        *details,
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.write:
        options.write.write_text(text)
    sys.exit(1 if missed else 0)


main()
