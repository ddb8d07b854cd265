"""The metrics of a run are scikit-learn's, computed from the stored test predictions: with weights, of two classes, of many,
of numbers."""

import json
import math
import random
import unittest
import warnings

import numpy
import pyarrow.parquet
from sklearn import metrics as sk

from support import Workspace, dbjob

AVERAGES = ["macro", "micro", "weighted"]
OF_CLASSES = [
    "accuracy", "balanced_accuracy", "mcc", "auc", "average_precision", "log_loss", "brier",
    *(name + average for name in ("precision", "recall", "f1") for average in ("", "_macro", "_micro", "_weighted")),
]  # fmt: skip
OF_NUMBERS = ["rmse", "mae", "mape", "r2", "quantile_loss(0.1)", "quantile_loss(0.9)", "poisson_deviance", "gamma_deviance"]

JOB = """
dataset rows from csv("rows.csv") {{
  id: int key
  x: float
  z: float
  w: float in 0.0.. weight
  y: bool label
  kind: category label
  n: int label
  amount: float label
}}
transform t from rows {{ split test 40% }}
{models}
"""


def model(name, output, algorithm, metrics, weighted):
    lines = ["input x, z", f"output {output}", f"fit {algorithm}", f"evaluate {', '.join(metrics)}"]
    if weighted:
        lines.append("weight w")
    body = "\n  ".join(lines)
    return f'model {name} from t {{\n  {body}\n}}\ndeploy d_{name} from {name} {{ to registry("models") }}\n'


def write_rows(path, seed):
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        file.write("id,x,z,w,y,kind,n,amount\n")
        for number in range(900):
            x, z = rng.gauss(0, 1), rng.gauss(0, 1)
            side = x - z + rng.gauss(0, 0.7)
            kind = "a" if side < -0.7 else "b" if side < 0.8 else "c"
            amount = math.exp(0.5 * x + 0.2 * rng.gauss(0, 1))
            count = max(0, round(2 + x + rng.gauss(0, 1)))
            late = x + z + rng.gauss(0, 1) > 0.3
            weight = rng.choice([0, 0.5, 1, 1, 2])
            file.write(f"{number},{x:.4f},{z:.4f},{weight},{str(late).lower()},{kind},{count},{amount:.4f}\n")


def expected(manifest, table):
    """scikit-learn's value of every metric of a manifest; None where it has none."""
    column = lambda name: numpy.array(table.column(name).to_pylist())
    truth, guess = column(manifest["output"]["column"]), column("prediction")
    weights = {"sample_weight": column("w") if "w" in table.column_names else None}
    if manifest["task"] == "regression":
        of = {
            "rmse": sk.root_mean_squared_error,
            "mae": sk.mean_absolute_error,
            "mape": sk.mean_absolute_percentage_error,
            "r2": sk.r2_score,
            "poisson_deviance": sk.mean_poisson_deviance,
            "gamma_deviance": sk.mean_gamma_deviance,
        }
        values = {name: (lambda of=of: of(truth, guess, **weights)) for name, of in of.items()}
        for quantile in (0.1, 0.9):
            pinball = lambda q=quantile: sk.mean_pinball_loss(truth, guess, alpha=q, **weights)
            values[f"quantile_loss({quantile})"] = pinball
    else:
        classes = [next(iter(c.values())) for c in manifest["classes"]]
        if len(classes) == 2:
            scores = column("prediction_probability")
            probabilities = numpy.stack([1 - scores, scores], axis=1)
        else:
            scores = probabilities = numpy.stack([column(f"prediction_probability_{c}") for c in classes], axis=1)
        plain = "binary" if len(classes) == 2 else "macro"
        values = {
            "accuracy": lambda: sk.accuracy_score(truth, guess, **weights),
            "balanced_accuracy": lambda: sk.balanced_accuracy_score(truth, guess, **weights),
            "mcc": lambda: sk.matthews_corrcoef(truth, guess, **weights),
            "auc": lambda: sk.roc_auc_score(truth, scores, multi_class="ovr", **weights),
            "average_precision": lambda: sk.average_precision_score(truth, scores, **weights),
            "log_loss": lambda: sk.log_loss(truth, probabilities, labels=classes, **weights),
            "brier": lambda: sk.brier_score_loss(truth, probabilities, labels=classes, **weights),
        }
        for name, of in [("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)]:
            for spelling, average in [(name, plain), *((f"{name}_{a}", a) for a in AVERAGES)]:
                score = lambda of=of, average=average: of(truth, guess, average=average, zero_division=0, **weights)
                values[spelling] = score

    def value(compute):
        try:
            return compute()
        except ValueError:
            return None

    return {name: value(compute) for name, compute in values.items()}


class Metrics(unittest.TestCase):
    def test_every_metric_is_that_of_scikit_learn(self):
        warnings.simplefilter("ignore")
        models = "".join(
            [
                model("late", "y: bool", "logistic_regression", OF_CLASSES, True),
                model("late_plain", "y: bool", "random_forest { trees = 20 }", OF_CLASSES, False),
                model("kind_of", "kind: category", "random_forest { trees = 20 }", OF_CLASSES, True),
                model("kind_plain", "kind: category", "logistic_regression", OF_CLASSES, False),
                model("amount_of", "amount: float", "random_forest { trees = 20 }", OF_NUMBERS, True),
                model("count_of", "n: int", "linear_regression", OF_NUMBERS, True),
            ]
        )
        with Workspace() as workspace:
            folder = workspace.elsewhere
            for seed in range(3):
                write_rows(folder / "rows.csv", seed)
                (folder / "job.dbjob").write_text(JOB.format(models=models), encoding="utf-8")
                dbjob("run", "--no-state", "job.dbjob", cwd=folder)
                compared = 0
                for path in folder.glob(f"models/*/versions/{seed + 1}/manifest.json"):
                    manifest = json.loads(path.read_text(encoding="utf-8"))
                    table = pyarrow.parquet.read_table(path.parent / "test_predictions.parquet")
                    for name, wanted in expected(manifest, table).items():
                        with self.subTest(model=manifest["model"], metric=name, seed=seed):
                            stored = manifest["metrics"].get(name)
                            if wanted is None:
                                self.assertIsNone(stored, "scikit-learn defines none")
                                continue
                            close = math.isclose(stored["value"], wanted, rel_tol=1e-9, abs_tol=1e-9)
                            self.assertTrue(close, f"{stored['value']}, scikit-learn gives {wanted}")
                            compared += 1
                self.assertGreater(compared, 80)


if __name__ == "__main__":
    unittest.main()
