#!/usr/bin/env python3
"""Fits the same algorithms with dbjob, scikit-learn, LightGBM and XGBoost on real data, and prints a table.

usage: run.py BENCH DATA [--algorithms NAME …] [--sets NAME …] [--rounds N] [--threads N] [--write FILE]

Each fit is a process of its own, the contenders by turns; medians of the rounds. `fit` and `predict` are the calls alone,
on matrices in memory in the library's own type. `memory` is what the peak of the process grew by while it fitted. Quality is of the
test rows: AUC (mean of one against the rest), for numbers RMSE. Exits 1 where dbjob is slower than the best peer, needs more memory than the
leanest, predicts slower than the fastest, or is worse than the best by more than 0.002 (AUC) or 0.2 % (RMSE).
"""

import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
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
    """{contender: medians}"""
    meta = json.loads((folder / "meta.json").read_text())
    runs, judged = {name: [] for name in contenders}, {}
    for turn in range(options.rounds):
        for name in contenders if turn % 2 == 0 else reversed(contenders):
            told, scores = fitted(name, algorithm, folder, options)
            runs[name].append(told)
            judged[name] = quality(folder, meta, scores)
    found = {}
    for name in contenders:
        median = lambda of: statistics.median(of(run) for run in runs[name])
        found[name] = {
            "fit": median(lambda r: r["fit"]),
            "predict": meta["test"] / median(lambda r: r["predict"]),
            "memory": median(lambda r: r["peak"] - r["before"]) / 1024,
            **judged[name],
        }
    return found


def behind(found):
    """What dbjob is behind in."""
    ours, peers = found["dbjob"], [one for name, one in found.items() if name != "dbjob"]
    best = lambda what, of: of(peer[what] for peer in peers)
    out = []
    if ours["fit"] > best("fit", min):
        out.append(f"fit {ours['fit'] / best('fit', min):.2f}×")
    if ours["memory"] > best("memory", min):
        out.append(f"memory {ours['memory']:.0f} against {best('memory', min):.0f} MiB")
    if ours["predict"] < best("predict", max):
        out.append(f"predicting {ours['predict'] / best('predict', max):.2f}×")
    if "AUC" in ours and ours["AUC"] < best("AUC", max) - 0.002:
        out.append(f"AUC {ours['AUC']:.4f} against {best('AUC', max):.4f}")
    if "log loss" in ours and ours["log loss"] > best("log loss", min) + 0.002:
        out.append(f"log loss {ours['log loss']:.4f} against {best('log loss', min):.4f}")
    if "RMSE" in ours and ours["RMSE"] > best("RMSE", min) * 1.002:
        out.append(f"RMSE {ours['RMSE']:.3f} against {best('RMSE', min):.3f}")
    return out


def cells(name, one, best_fit):
    what = [f"{one['fit']:.3f} s ({one['fit'] / best_fit:.2f}×)", f"{one['predict']:,.0f}", f"{one['memory']:,.0f} MiB"]
    good = [f"AUC {one['AUC']:.4f}, log loss {one['log loss']:.4f}"] if "AUC" in one else [f"RMSE {one['RMSE']:.3f}"]
    return [name, *what, *good]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench")
    parser.add_argument("data", type=Path)
    parser.add_argument("--algorithms", nargs="+", default=[run[0] for run in RUNS])
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    lines = [
        f"{datetime.date.today()}: {options.rounds} rounds, medians, {options.threads} threads on {os.cpu_count()} cores."
        " In brackets: times the fastest peer."
    ]
    missed = []
    line = lambda parts: "| " + " | ".join(parts) + " |"
    for algorithm, form, sets, peers in RUNS:
        if algorithm not in options.algorithms:
            continue
        for name in sets:
            if options.sets and name not in options.sets:
                continue
            found = measure(algorithm, options.data / "matrices" / name / form, ["dbjob", *peers], options)
            best_fit = min(one["fit"] for peer, one in found.items() if peer != "dbjob")
            lines += ["", f"### {algorithm}, {name}", "", line(["", "fit", "predicted rows/s", "memory", "test rows"])]
            lines += [line(["---", "---:", "---:", "---:", "---"])]
            lines += [line(cells(peer, one, best_fit)) for peer, one in found.items()]
            missed += [f"{algorithm}, {name}: {what}" for what in behind(found)]
            print(f"{algorithm}, {name}: done", file=sys.stderr)
    lines += ["", "Behind the best peer: " + ("; ".join(missed) or "nowhere") + "."]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.write:
        options.write.write_text(text)
    sys.exit(1 if missed else 0)


main()
