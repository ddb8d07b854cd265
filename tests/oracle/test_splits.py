"""Splits, samples and folds by their definitions in docs/semantics.md, with another implementation of the hash; and
predictions out of fold against models that were fitted on given parts."""

import contextlib
import csv
import datetime
import json
import math
import random
import tempfile
import unittest
from pathlib import Path

import xxhash

import metrics
from support import dbjob

NULL = "\0null"


def u(text):
    return (xxhash.xxh64(text, seed=42).intdigest() >> 11) * 2.0**-53


def part(x, shares):
    """The part at x of [(name, share), …] in their order."""
    end = 0.0
    for name, share in shares:
        end += share
        if x < end:
            return name
    return shares[-1][0]


class Job:
    """A folder with one table, for jobs over it."""

    def __init__(self, rows):
        self._folder = tempfile.TemporaryDirectory(prefix="dbjob-splits-")
        self.path = Path(self._folder.name)
        self.write("rows.csv", rows)

    def close(self):
        self._folder.cleanup()

    def write(self, name, rows):
        with open(self.path / name, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)

    def run(self, text):
        """Runs a job; the events that it told."""
        (self.path / "job.dbjob").write_text(text, encoding="utf-8")
        out = dbjob("run", "--json", "job.dbjob", cwd=self.path)
        return [json.loads(line) for line in out.splitlines() if '"event"' in line]

    def read(self, name="out.csv"):
        with open(self.path / name, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


COLUMNS = {
    "id": "int key",
    "n": "int?",
    "s": "string?",
    "d": "date",
    "t": "datetime",
    "b": "bool",
    "stratum": "category?",
    "x": "float",
    "y": "bool label",
}


def rows(count=1500, seed=11):
    draw = random.Random(seed)
    day = datetime.date(2024, 1, 1)
    found = []
    for i in range(count):
        x = draw.gauss(0.0, 1.0)
        at = datetime.datetime(2024, 1, 1) + datetime.timedelta(seconds=draw.randrange(10**7))
        found.append(
            {
                "id": i,
                "n": draw.choice([None, draw.randrange(-40, 40), draw.randrange(10**15)]),
                "s": draw.choice(["", "straße", "a|b", "日本", f"user {draw.randrange(60)}"]),
                "d": day + datetime.timedelta(days=draw.randrange(90)),
                "t": at.isoformat(timespec="milliseconds" if i % 3 == 0 else "seconds"),
                "b": draw.choice(["true", "false"]),
                "stratum": draw.choice(["", "u", "v", "w"]),
                "x": x,
                "y": "true" if draw.random() < 1 / (1 + math.exp(-2 * x)) else "false",
            }
        )
    return found


def canonical(row, column):
    value = row[column]
    if value is None or value == "":
        return NULL
    if column == "t":
        # A fraction only if there is one, without zeros behind it.
        return value.rstrip("0").rstrip(".") if "." in value else value
    return str(value)


DATASET = 'dataset rows from csv("rows.csv") {\n' + "".join(f"  {n}: {t}\n" for n, t in COLUMNS.items()) + "}\n"


def job(*steps, before="job j { seed = 7 }\n"):
    body = "".join(f"  {step}\n" for step in steps)
    return f"{before}{DATASET}transform out from rows {{\n{body}}}\ndeploy out {{ to csv(\"out.csv\") }}\n"


class Hash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = rows()
        cls.job = Job(cls.rows)
        cls.addClassCleanup(cls.job.close)

    def ids(self, *steps):
        self.job.run(job(*steps))
        return [int(row["id"]) for row in self.job.read()]

    def parts(self, *steps):
        """The rows that are not train."""
        return self.ids(*steps, "filter id < 0 on train")

    def test_keys_of_every_type(self):
        shares = [("train", 0.7), ("valid", 0.1), ("test", 0.2)]
        for columns in (["id"], ["n"], ["s"], ["d"], ["t"], ["b"], ["s", "n"], ["b", "d", "t"]):
            key = lambda row: "\x1f".join(canonical(row, c) for c in columns)
            wanted = [r["id"] for r in self.rows if part(u(f"7|{key(r)}"), shares) != "train"]
            by = ", ".join(columns)
            found = self.parts(f"split by {by} {{ train 70%, valid 10%, test 20% }}")
            self.assertEqual(found, wanted, columns)

    def test_without_a_key_the_table_has(self):
        wanted = [r["id"] for r in self.rows if u(f"7|{r['id']}") >= 0.8]
        self.assertEqual(self.parts("split test 20%"), wanted)
        # Without one at all it is the number of the row.
        found = self.parts("derive k = id", "drop id", "rename k as id", "split test 20%")
        self.assertEqual(found, wanted)

    def test_samples(self):
        first = [r for r in self.rows if u(f"7|sample1|{canonical(r, 's')}") < 0.5]
        both = [r["id"] for r in first if u(f"7|sample2|{r['id']}") < 0.3]
        self.assertEqual(self.ids("sample 50% by s", "sample 30%"), both)

    def test_samples_of_train(self):
        keep = lambda r: u(f"7|{r['id']}") >= 0.8 or u(f"7|sample1|{r['id']}") < 0.25
        found = self.ids("split by id { train 80%, test 20% }", "sample 25% by id on train")
        self.assertEqual(found, [r["id"] for r in self.rows if keep(r)])

    def test_strata_are_exact(self):
        wanted = set()
        for level in {r["stratum"] for r in self.rows}:
            members = sorted((u(f"7|{r['id']}"), r["id"]) for r in self.rows if r["stratum"] == level)
            wanted |= {i for _, i in members[math.floor(0.75 * len(members) + 0.5) :]}
        self.assertEqual(set(self.parts("split stratify stratum test 25%")), wanted)

    def test_shares_in_time(self):
        days = sorted(r["d"] for r in self.rows)
        begin = days[round(0.8 * len(days))]
        for gap, weeks in (("", 0), (" gap 2w", 2)):
            wanted = [r["id"] for r in self.rows if r["d"] >= begin]
            self.assertEqual(self.parts(f"split at d {{ train 80%, test 20% }}{gap}"), wanted)
            left = [
                r["id"]
                for r in self.rows
                if not begin - datetime.timedelta(weeks=weeks) <= r["d"] < begin
            ]
            self.assertEqual(self.ids(f"split at d {{ train 80%, test 20% }}{gap}"), left)

    def test_bounds_in_time(self):
        at = datetime.date(2024, 2, 15)
        wanted = [r["id"] for r in self.rows if r["d"] >= at]
        self.assertEqual(self.parts("split at d { train before @2024-02-15, test from @2024-02-15 }"), wanted)


MODEL = """
  map x with standardize
  map stratum with one_hot
}
model m from parts {
  input  x, stratum
  output y: bool
  fit logistic_regression
  EVALUATE
}
"""


def folded(split, evaluate):
    body = MODEL.replace("EVALUATE", evaluate)
    dataset = DATASET.replace("category?", "category")
    return f"job j {{ seed = 7 }}\n{dataset}transform parts from rows {{\n  {split}\n{body}"


class Folds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = [{**r, "stratum": r["stratum"] or "z"} for r in rows()]
        cls.job = Job(cls.rows)
        cls.addClassCleanup(cls.job.close)

    def given(self, part_of):
        """Predictions of a model that was fitted on given parts, by id."""
        text = folded("split using given", "").replace("  x: float", "  given: string\n  x: float")
        text += "transform out from parts {\n  predict m as p\n}\ndeploy out { to csv(\"out.csv\") }\n"
        given = Job([{**r, "given": part_of(r)} for r in self.rows if part_of(r)])
        with contextlib.closing(given):
            given.run(text)
            return {int(r["id"]): r["p_probability"] for r in given.read()}

    def out_of_fold(self, split, evaluate):
        text = folded(split, evaluate)
        text += "transform out from parts {\n  predict m out_of_fold as p\n}\ndeploy out { to csv(\"out.csv\") }\n"
        events = self.job.run(text)
        evaluated = [e for e in events if e["event"] == "evaluated"]
        return {int(r["id"]): r["p_probability"] for r in self.job.read()}, evaluated

    def test_each_fold_is_told_by_a_model_without_it(self):
        found, evaluated = self.out_of_fold("split folds 4 by s", "evaluate auc, log_loss")
        fold = {r["id"]: int(u(f"7|folds|{canonical(r, 's')}") * 4) for r in self.rows}
        self.assertEqual(set(fold.values()), {0, 1, 2, 3})
        for held in range(4):
            told = self.given(lambda r: "test" if fold[r["id"]] == held else "train")
            for i, f in fold.items():
                if f == held:
                    self.assertEqual(found[i], told[i], f"row {i} of fold {held}")
        # The metrics are those of all rows together.
        truth = [r["y"] == "true" for r in self.rows]
        probability = [{True: float(found[r["id"]]), False: 1 - float(found[r["id"]])} for r in self.rows]
        values = {name: m["value"] for name, m in evaluated[0]["metrics"]}
        self.assertEqual(evaluated[0]["rows"]["out_of_fold"], len(self.rows))
        for name in ("auc", "log_loss"):
            wanted = getattr(metrics, name)(truth, None, probability)
            self.assertTrue(math.isclose(values[name], wanted, rel_tol=1e-12), (name, values[name], wanted))

    def test_test_rows_are_told_by_the_whole_model(self):
        found, evaluated = self.out_of_fold("split test 30% by s, folds 3", "evaluate auc")
        key = lambda r: canonical(r, "s")
        test = {r["id"]: u(f"7|{key(r)}") >= 0.7 for r in self.rows}
        self.assertNotIn("out_of_fold", evaluated[0]["rows"])
        self.assertEqual(evaluated[0]["rows"]["test"], sum(test.values()))
        whole = self.given(lambda r: "test" if test[r["id"]] else "train")
        fold = {r["id"]: int(u(f"7|folds|{key(r)}") * 3) for r in self.rows}
        first = self.given(
            lambda r: None if test[r["id"]] else "test" if fold[r["id"]] == 0 else "train"
        )
        for r in self.rows:
            if test[r["id"]]:
                self.assertEqual(found[r["id"]], whole[r["id"]])
            elif fold[r["id"]] == 0:
                self.assertEqual(found[r["id"]], first[r["id"]])

    def test_folds_in_time_learn_from_what_is_before(self):
        found, evaluated = self.out_of_fold("split at d folds 3 gap 3d", "evaluate auc")
        days = sorted(r["d"] for r in self.rows)
        starts = [days[round((f + 1) / 4 * len(days))] for f in range(3)]
        gap = datetime.timedelta(days=3)
        for held, begin in enumerate(starts):
            end = starts[held + 1] if held < 2 else datetime.date.max
            told = self.given(
                lambda r: "test" if begin <= r["d"] < end else "train" if r["d"] < begin - gap else None
            )
            for r in self.rows:
                # Rows of no part lie between, so sums are grouped otherwise.
                if begin <= r["d"] < end:
                    same = math.isclose(float(found[r["id"]]), float(told[r["id"]]), rel_tol=1e-12)
                    self.assertTrue(same, (found[r["id"]], told[r["id"]]))
        unheld = [r["id"] for r in self.rows if r["d"] < starts[0]]
        self.assertTrue(all(found[i] == "" for i in unheld))
        self.assertEqual(evaluated[0]["rows"]["out_of_fold"], len(self.rows) - len(unheld))


if __name__ == "__main__":
    unittest.main()
