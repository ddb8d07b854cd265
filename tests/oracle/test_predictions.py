"""A prediction is the same three ways, to the last bit: in `run` (test_predictions.parquet of the package), in
`dbjob predict` from a copy of the package in another folder, and in a `predict` step. The metrics of the package are
those of its test predictions, by their definitions."""

import csv
import datetime
import json
import math
import re
import shutil
import struct
import unittest
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

import metrics
from support import Workspace, dbjob


@dataclass
class Case:
    job: str
    dataset: str
    model: str
    data: str
    # A condition of the language, and the same on a row of cells, that says which rows can be predicted at all.
    condition: str = "true"
    predictable: object = lambda row: True


CASES = [
    Case("penguins.dbjob", "penguins", "species_of", "penguins.csv"),
    Case(
        "flights.dbjob", "departures", "lands_late", "flights.csv",
        "dep_delay is not null", lambda row: row["dep_delay"] != "NA",
    ),
    Case(
        "diamonds.dbjob", "stones", "price_of", "diamonds.csv",
        "x > 0 and y > 0 and z > 0", lambda row: all(float(row[c]) > 0 for c in "xyz"),
    ),
    Case("article.dbjob", "`user-product-data`", "into_cart", "user-product-data.csv"),
]  # fmt: skip


def bits(value):
    """What must be equal: the bits of a float, the value of anything else."""
    return struct.pack("<d", value) if isinstance(value, float) else value


def by_suffix(names, prefix):
    """The prediction columns by what follows their prefix: '' is the value, '_probability…' the rest."""
    return {name.removeprefix(prefix): name for name in names if name == prefix or name.startswith(prefix + "_")}


def rows_of(table, prefix):
    """Each row's predictions, in the order of their suffixes, so that prefixes do not matter."""
    names = by_suffix(table.column_names, prefix)
    columns = [table.column(names[suffix]).to_pylist() for suffix in sorted(names)]
    return sorted(names), [tuple(bits(v) for v in row) for row in zip(*columns)]


def rows_of_csv(path, prefix, kinds):
    """The same from a CSV file; `kinds` tells by suffix how to read a cell."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        names = by_suffix(reader.fieldnames, prefix)
        suffixes = sorted(names)
        return suffixes, [tuple(bits(kinds[s](row[names[s]])) for s in suffixes) for row in reader]


def reader_of(kind):
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}.__getitem__
    return int if pa.types.is_integer(kind) else float if pa.types.is_floating(kind) else str


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(any(row == other for other in rest) for row in part)


def request_file(case, source, target, manifest):
    """The rows of the data that a model can answer, with the columns of its request under the callers' names."""
    with open(source, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if case.predictable(row)]
    wanted = [f["name"] for f in manifest["request"]]
    of_caller = {i["name"]: i["column"] for i in manifest["inputs"]}
    with open(target, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(wanted)
        for row in rows:
            cells = [row[name if name in row else of_caller[name]] for name in wanted]
            writer.writerow(["" if cell == "NA" else cell for cell in cells])
    return len(rows)


def typed_copies(source, manifest):
    """The request as parquet and as ndjson, with the types that the manifest asks for."""
    kinds = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "datetime": pa.timestamp("us"), "date": pa.date32()}
    types = {f["name"]: kinds.get(f["dtype"]["type"], pa.string()) for f in manifest["request"]}
    options = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True, null_values=[""])
    with open(source, encoding="utf-8") as file:
        # pyarrow reads a moment without a zone; a plain "Z," may end a tail number too.
        text = re.sub(r"(?<=:\d\d)Z(?=[,\n])", "", file.read())
    table = pyarrow.csv.read_csv(pa.BufferReader(text.encode()), convert_options=options)
    parquet, ndjson = source.with_suffix(".parquet"), source.with_suffix(".ndjson")
    pyarrow.parquet.write_table(table, parquet)
    plain = lambda v: v.isoformat() if isinstance(v, datetime.date) else v
    with open(ndjson, "w", encoding="utf-8") as file:
        for row in table.to_pylist():
            file.write(json.dumps({k: plain(v) for k, v in row.items()}, ensure_ascii=False) + "\n")
    return [parquet, ndjson]


class Predictions(unittest.TestCase):
    def check(self, case):
        with Workspace() as workspace:
            name = case.dataset.strip("`").replace("-", "_")
            workspace.append(case.job, (
                f"transform oracle_{name} from {case.dataset} {{\n"
                f"  filter {case.condition}\n  predict {case.model} as oracle\n}}\n\n"
                f"deploy oracle_{name} {{\n  to parquet(\"out/oracle.parquet\")\n  to csv(\"out/oracle.csv\")\n}}\n"
            ))  # fmt: skip
            workspace.run(case.job)

            step = pyarrow.parquet.read_table(workspace.path / "out/oracle.parquet")
            suffixes, of_step = rows_of(step, "oracle")
            self.assertIn("", suffixes)
            kinds = {s: reader_of(step.schema.field("oracle" + s).type) for s in suffixes}
            self.assertEqual(rows_of_csv(workspace.path / "out/oracle.csv", "oracle", kinds), (suffixes, of_step))

            [manifest_path] = (workspace.path / "models").rglob("manifest.json")
            package = workspace.elsewhere / "package"
            shutil.copytree(manifest_path.parent, package)
            shutil.rmtree(workspace.path / "models")
            manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))

            request = workspace.elsewhere / "request.csv"
            count = request_file(case, workspace.path / "data" / case.data, request, manifest)
            self.assertEqual(len(of_step), count)
            for source in [request, *typed_copies(request, manifest)]:
                for target in ["answer.parquet", "answer.csv"]:
                    with self.subTest(job=case.job, source=source.name, target=target):
                        answer = workspace.elsewhere / target
                        dbjob("predict", package, "--input", source, "--output", answer, cwd=workspace.elsewhere)
                        if target.endswith(".csv"):
                            got = rows_of_csv(answer, "prediction", kinds)
                        else:
                            got = rows_of(pyarrow.parquet.read_table(answer), "prediction")
                        self.assertEqual(got, (suffixes, of_step))

            of_run = pyarrow.parquet.read_table(package / "test_predictions.parquet")
            test_suffixes, tested = rows_of(of_run, "prediction")
            self.assertEqual(test_suffixes, suffixes)
            self.assertEqual(len(tested), manifest["rows"]["test"])
            self.assertGreater(len(tested), 50)
            self.assertTrue(is_subsequence(tested, of_step), "the test part's predictions are those of the step, in order")

            for name, value in metrics.of_package(manifest, of_run).items():
                stored = manifest["metrics"][name]["value"]
                self.assertTrue(math.isclose(stored, value, rel_tol=1e-9), f"{name}: {stored}, by its definition {value}")

    def test_logistic_regression_of_categories(self):
        self.check(CASES[0])

    def test_random_forest_behind_lookup_joins(self):
        self.check(CASES[1])

    def test_ridge_with_a_derived_inverse(self):
        self.check(CASES[2])

    def test_logistic_regression_of_the_article(self):
        self.check(CASES[3])


if __name__ == "__main__":
    unittest.main()
