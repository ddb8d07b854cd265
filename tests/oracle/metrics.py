"""The metrics by their textbook definitions, in plain Python."""

import math

# As scikit-learn: a probability of 0 counts as the least difference of doubles from 1.
EPSILON = 2.0**-52


def accuracy(truth, guess, _):
    return sum(t == g for t, g in zip(truth, guess)) / len(truth)


def balanced_accuracy(truth, guess, _):
    recalls = []
    for level in sorted(set(truth)):
        of_level = [g == level for t, g in zip(truth, guess) if t == level]
        recalls.append(sum(of_level) / len(of_level))
    return sum(recalls) / len(recalls)


def f1(truth, guess, _):
    def of(level):
        hits = sum(t == level and g == level for t, g in zip(truth, guess))
        either = sum(t == level for t in truth) + sum(g == level for g in guess)
        return 2 * hits / either if either else 0.0

    if all(isinstance(t, bool) for t in truth):
        return of(True)
    levels = sorted({*truth, *guess})
    return sum(map(of, levels)) / len(levels)


def log_loss(truth, _, probability):
    clipped = lambda p: min(max(p, EPSILON), 1 - EPSILON)
    return -sum(math.log(clipped(row[t])) for t, row in zip(truth, probability)) / len(truth)


def auc(truth, _, probability):
    """The share of pairs that are ordered rightly, ties half, by ranks; of the higher one of two classes."""
    positive = sorted(set(truth))[-1]
    scores = sorted((row[positive], t == positive) for t, row in zip(truth, probability))
    ranks, start = 0.0, 0
    while start < len(scores):
        end = start
        while end < len(scores) and scores[end][0] == scores[start][0]:
            end += 1
        ranks += sum(hit for _, hit in scores[start:end]) * (start + 1 + end) / 2
        start = end
    hits = sum(hit for _, hit in scores)
    return (ranks - hits * (hits + 1) / 2) / (hits * (len(scores) - hits))


def rmse(truth, guess, _):
    return math.sqrt(sum((t - g) ** 2 for t, g in zip(truth, guess)) / len(truth))


def mae(truth, guess, _):
    return sum(abs(t - g) for t, g in zip(truth, guess)) / len(truth)


def r2(truth, guess, _):
    mean = sum(truth) / len(truth)
    return 1 - sum((t - g) ** 2 for t, g in zip(truth, guess)) / sum((t - mean) ** 2 for t in truth)


BY_NAME = {f.__name__: f for f in [accuracy, balanced_accuracy, f1, log_loss, auc, rmse, mae, r2]}


def of_package(manifest, table):
    """Every metric of the manifest, computed from the stored test predictions: {name: value}."""
    truth = table.column(manifest["output"]["column"]).to_pylist()
    guess = table.column("prediction").to_pylist()
    probability = []
    if manifest["task"] == "classification":
        levels = [next(iter(c.values())) for c in manifest["classes"]]
        if manifest["output"]["dtype"]["type"] == "bool":  # 0 == False in Python
            probability = [{True: p, False: 1 - p} for p in table.column("prediction_probability").to_pylist()]
        else:
            columns = [table.column(f"prediction_probability_{level}").to_pylist() for level in levels]
            probability = [dict(zip(levels, row)) for row in zip(*columns)]
    return {name: BY_NAME[name](truth, guess, probability) for name in manifest["metrics"]}
