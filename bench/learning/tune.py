#!/usr/bin/env python3
"""Searches 50 settings of gradient boosting on census_kdd with dbjob, scikit-learn's RandomizedSearchCV and FLAML: how long
until the same AUC is found.

usage: tune.py DBJOB DATA [--trials N] [--seeds N …] [--limit SECONDS] [--searches NAME …] [--peers NAME …]

All have two cores and the same rows: trials learn from the train rows and are compared by the same valid rows; the test
rows judge what was chosen. dbjob and scikit-learn search the same six options in the same ranges, FLAML those that its
authors have chosen for LightGBM. Each search is a process of its own, once for each seed; its time is that of the whole
process but, for the peers, without their imports and without reading the data. A search is `at dbjob's AUC` when it first had a
trial at least as good, on the valid rows, as the best of dbjob's first search with that seed; `dbjob at its AUC` is the other way
round: when dbjob's whole run is over, if it ended with a value at least as good as the best of the other. A peer is stopped
at the limit (ten times dbjob's time, at least a minute): what it has found by then counts. Medians over the seeds. Exits 1
where a peer is there earlier in most of them.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

SPLIT = 7
CORES = 2

JOB = """
job tuned {{ seed = {seed} }}
dataset rows from parquet("{data}") {{
  part: category("train", "valid", "test")
{columns}
  y: bool label
}}
transform t from rows {{ split using part }}
model m from t {{
  input where number
  output y: bool
  fit gradient_boosting {{
    trees in 50..=150
    learning_rate in log(0.02..=0.3)
    max_leaves in 15..=127
    min_samples_leaf in 5..=100
    colsample in 0.3..=1.0
    lambda in log(0.01..=100.0)
  }}
  tune {search}({trials}) by auc
  evaluate auc
}}
module searching {{ runs = m, replicas = {cores} }}
deploy m {{ to registry("models") }}
"""


def table(data):
    """The rows as one file: numbers, categories as codes, nothing missing."""
    place = data / "matrices" / "census_kdd" / "filled"
    out = data / "matrices" / "census_kdd" / "tune.parquet"
    meta = json.loads((place / "meta.json").read_text())
    parts = []
    for part in ("train", "test"):
        y = np.fromfile(place / f"{part}.y", "<u4")
        x = np.fromfile(place / f"{part}.f64", "<f8").reshape(-1, len(y))
        frame = pd.DataFrame({f"f{i}": column for i, column in enumerate(x)})
        frame["y"], frame["part"] = y == 1, part
        parts.append(frame)
    train = parts[0]
    valid = np.random.default_rng(SPLIT).random(len(train)) < 0.2
    train.loc[valid, "part"] = "valid"
    if not out.exists():
        pd.concat(parts).to_parquet(out, index=False)
    assert meta["classes"] == 2
    return out


def dbjob(binary, data, trials, search, seed):
    columns = [c for c in pd.read_parquet(data).columns if c.startswith("f")]
    with tempfile.TemporaryDirectory() as folder:
        declared = "\n".join(f"  {c}: float" for c in columns)
        names = {"data": data, "columns": declared, "search": search, "trials": trials, "cores": CORES, "seed": seed}
        (Path(folder) / "job.dbjob").write_text(JOB.format(**names))
        begun = time.perf_counter()
        command = [binary, "run", "--json", "--no-state", "--threads", str(CORES), "job.dbjob"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
        told = {event["event"]: event for event in map(json.loads, done.stdout.splitlines())}
        best = told["searched"]["search"]["trials"][0]["value"]
        test = dict(told["evaluated"]["metrics"])["auc"]["value"]
        return {"seconds": seconds, "valid": best, "test": test, "steps": [(seconds, best)]}


PEER = r"""
import json, sys, time, warnings
import numpy as np, pandas as pd
from sklearn.metrics import roc_auc_score
warnings.simplefilter("ignore")
name, data, log, trials, cores, seed = *sys.argv[1:4], *map(int, sys.argv[4:7])
frame = pd.read_parquet(data)
x = frame.drop(columns=["y", "part"]).to_numpy(float)
y, part = frame["y"].to_numpy(), frame["part"].to_numpy()
train, valid, test = (np.flatnonzero(part == p) for p in ("train", "valid", "test"))
print("begun", flush=True)
begun = time.time()

def told(value):
    with open(log, "a") as file:
        file.write(f"{time.time() - begun} {value}\n")

if name == "sklearn":
    from scipy.stats import loguniform, randint, uniform
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV

    def score(model, x, y):
        value = roc_auc_score(y, model.predict_proba(x)[:, 1])
        told(value)
        return value

    space = {
        "max_iter": randint(50, 151), "learning_rate": loguniform(0.02, 0.3), "max_leaf_nodes": randint(15, 128),
        "min_samples_leaf": randint(5, 101), "max_features": uniform(0.3, 0.7), "l2_regularization": loguniform(0.01, 100.0),
    }
    rows = np.concatenate([train, valid])
    fold = np.where(np.isin(rows, valid), 0, -1)
    model = HistGradientBoostingClassifier(early_stopping=False, random_state=seed)
    search = RandomizedSearchCV(
        model, space, n_iter=trials, scoring=score, cv=PredefinedSplit(fold), n_jobs=cores, random_state=seed, refit=False
    )
    search.fit(x[rows], y[rows])
    best = model.set_params(**search.best_params_).fit(x[train], y[train])
else:
    from flaml import AutoML

    def metric(x_val, y_val, model, labels, x_train, y_train, *more, **named):
        value = roc_auc_score(y_val, model.predict_proba(x_val)[:, 1])
        told(value)
        return 1 - value, {}

    best = AutoML()
    best.fit(
        x[train], y[train], X_val=x[valid], y_val=y[valid], task="classification", metric=metric, estimator_list=["lgbm"],
        max_iter=trials, time_budget=-1, n_jobs=cores, seed=seed, eval_method="holdout", verbose=0, retrain_full=False,
    )
seconds = time.time() - begun
print(json.dumps({"seconds": seconds, "test": roc_auc_score(y[test], best.predict_proba(x[test])[:, 1])}))
"""


def peer(name, data, trials, limit, seed):
    """What the peer found until the limit; no figure of the test rows where that came first."""
    threads = str(1 if name == "sklearn" else CORES)
    environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    with tempfile.NamedTemporaryFile("r") as log:
        command = [sys.executable, "-c", PEER, name, data, log.name, *map(str, (trials, CORES, seed))]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        child = subprocess.Popen(command, env=environment, text=True, start_new_session=True, **pipes)
        child.stdout.readline()
        told = {"seconds": limit, "test": None}
        try:
            out, errors = child.communicate(timeout=limit)
            if child.returncode != 0:
                sys.exit(f"{name}: failed\n{errors[-3000:]}")
            told = json.loads(out.splitlines()[-1])
        except subprocess.TimeoutExpired:
            # With the processes that it has started itself.
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        steps = [tuple(map(float, line.split())) for line in log]
        return told | {"steps": steps, "valid": max((value for _, value in steps), default=0.0)}


def reached(steps, wanted):
    """When a search first had a value as good, rounded to what its noise is worth; never: infinity."""
    return next((at for at, value in steps if value >= wanted - 1e-4), float("inf"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("data", type=Path)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--limit", type=float)
    parser.add_argument("--searches", nargs="+", default=["guided"])
    parser.add_argument("--peers", nargs="*", default=["sklearn", "flaml"])
    options = parser.parse_args()
    data = table(options.data)
    first = f"dbjob {options.searches[0]}"
    runs = {}
    for seed in options.seeds:
        for search in options.searches:
            runs.setdefault(f"dbjob {search}", []).append(dbjob(options.binary, data, options.trials, search, seed))
        limit = options.limit or max(60.0, 10 * runs[first][-1]["seconds"])
        for name in options.peers:
            runs.setdefault(name, []).append(peer(name, data, options.trials, limit, seed))
    print(f"{options.trials} trials, {CORES} cores, seeds {' '.join(map(str, options.seeds))}\n")
    head = ["search", "seed", "trials", "whole search", "at dbjob's AUC", "dbjob at its AUC", "AUC of valid rows", "of test rows"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    behind = []
    for name, found in runs.items():
        rows = []
        for ours, own in zip(runs[first], found):
            at = ours["seconds"] if own is ours else reached(own["steps"], ours["valid"])
            back = reached(ours["steps"], own["valid"])
            rows.append((own["seconds"], at, back, own["valid"], float("nan") if own["test"] is None else own["test"]))
        for seed, own, row in zip(options.seeds, found, rows):
            print(line(name, seed, "" if name.startswith("dbjob") else len(own["steps"]), row))
        middle = [float(np.median(column)) for column in zip(*rows)]
        print(line(f"**{name}**", "median", "", middle))
        behind.append(middle[1] < float(np.median([ours["seconds"] for ours in runs[first]])))
    sys.exit(any(behind))


def line(name, seed, trials, row):
    whole, at, back, valid, test = row
    times = [f"{t:.1f} s" if np.isfinite(t) else "not reached" for t in (whole, at, back)]
    return f"| {name} | {seed} | {trials} | {' | '.join(times)} | {valid:.5f} | {test:.5f} |"


if __name__ == "__main__":
    main()
