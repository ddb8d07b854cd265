#!/usr/bin/env python3
"""Fits one peer's algorithm on matrices of prepare.py, predicts their test rows, and prints one line of JSON like
crates/dbjob-learn/examples/bench.rs.

usage: peer.py FOLDER PEER ALGORITHM THREADS PREDICTIONS      (PEER: sklearn, sparse (sklearn on a sparse matrix), lightgbm, xgboost)
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from settings import BOOSTING, FOREST, LOGISTIC, MLP, SEED

PREDICT_FOR = 0.5


def resident(what):
    """KiB: VmRSS now, VmHWM at most since the last forget_peak()."""
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(what)).split()[1])


def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")


def matrix(folder, meta, part, dtype):
    columns = np.fromfile(folder / f"{part}.f64", "<f8").reshape(len(meta["features"]), meta[part])
    return np.ascontiguousarray(columns.T, dtype)


def boosting(peer, classes, levels, threads):
    trees, rate, leaves, leaf, bins, l2 = (BOOSTING[k] for k in ("trees", "learning_rate", "max_leaves", "min_samples_leaf", "max_bins", "lambda"))
    categories = [i for i, n in enumerate(levels) if n]
    if peer == "sklearn":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        # It takes 255 levels at most.
        small = [i for i in categories if levels[i] < 255]
        of = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        model = of(
            max_iter=trees, learning_rate=rate, max_leaf_nodes=leaves, min_samples_leaf=leaf, max_bins=bins,
            l2_regularization=l2, early_stopping=False, categorical_features=small or None, random_state=SEED,
        )
        return model, {}
    if peer == "lightgbm":
        from lightgbm import LGBMClassifier, LGBMRegressor

        of = LGBMClassifier if classes else LGBMRegressor
        model = of(
            n_estimators=trees, learning_rate=rate, num_leaves=leaves, min_child_samples=leaf, max_bin=bins, reg_lambda=l2,
            min_child_weight=0, n_jobs=threads, random_state=SEED, verbose=-1,
        )
        return model, {"categorical_feature": categories} if categories else {}
    from xgboost import XGBClassifier, XGBRegressor

    of = XGBClassifier if classes else XGBRegressor
    model = of(
        n_estimators=trees, learning_rate=rate, max_leaves=leaves, max_depth=0, grow_policy="lossguide", tree_method="hist",
        max_bin=bins, reg_lambda=l2, min_child_weight=1, n_jobs=threads, random_state=SEED, enable_categorical=True,
        feature_types=["c" if n else "q" for n in levels],
    )
    return model, {}


def model_of(peer, algorithm, classes, levels, threads):
    if algorithm == "gradient_boosting":
        return boosting(peer, classes, levels, threads)
    if algorithm == "random_forest":
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        if classes:
            return RandomForestClassifier(n_estimators=FOREST["trees"], n_jobs=threads, random_state=SEED), {}
        return RandomForestRegressor(n_estimators=FOREST["trees"], max_features=1 / 3, n_jobs=threads, random_state=SEED), {}
    if algorithm == "logistic_regression":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=LOGISTIC["c"], tol=LOGISTIC["tol"], max_iter=LOGISTIC["max_iter"]), {}
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    model = (MLPClassifier if classes else MLPRegressor)(
        hidden_layer_sizes=MLP["layers"], learning_rate_init=MLP["learning_rate"], batch_size=MLP["batch_size"],
        max_iter=MLP["epochs"], n_iter_no_change=10**9, tol=0.0, alpha=0.0, random_state=SEED,
    )
    return model, {}


def main():
    folder, peer, algorithm, threads, out = Path(sys.argv[1]), *sys.argv[2:]
    threads = int(threads)
    warnings.simplefilter("ignore")
    meta = json.loads((folder / "meta.json").read_text())
    classes = meta["classes"]
    model, more = model_of(peer, algorithm, classes, [f["levels"] for f in meta["features"]], threads)
    # The type that the library computes with: no conversion inside of the time.
    dtype = "f4" if (peer, algorithm) in {("xgboost", "gradient_boosting"), ("sklearn", "random_forest")} else "f8"
    x = matrix(folder, meta, "train", dtype)
    if peer == "sparse":
        from scipy.sparse import csr_matrix

        x = csr_matrix(x)
    y = np.fromfile(folder / "train.y", "<u4" if classes else "<f8").astype("i8" if classes else "f8")
    forget_peak()
    before = resident("VmRSS")
    began, cores = time.perf_counter(), time.process_time()
    model.fit(x, y, **more)
    fit, fit_cores = time.perf_counter() - began, time.process_time() - cores
    during = resident("VmHWM")
    del x, y
    x = matrix(folder, meta, "test", dtype)
    if peer == "sparse":
        x = csr_matrix(x)
    predict = model.predict_proba if classes else model.predict
    began, cores, times = time.perf_counter(), time.process_time(), 0
    while True:
        scores = predict(x)
        times += 1
        if time.perf_counter() - began > PREDICT_FOR:
            break
    predict_s, predict_cores = (time.perf_counter() - began) / times, (time.process_time() - cores) / times
    np.asarray(scores, "<f8").T.tofile(out)
    told = {"fit": fit, "fit_cores": fit_cores, "predict": predict_s, "predict_cores": predict_cores, "before": before, "peak": during}
    print(json.dumps(told))


main()
