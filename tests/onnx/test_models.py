"""onnxruntime answers as `dbjob predict`: labels equal, probabilities within 1e-6, numbers within 1e-6 of their size."""

import os
import re
import unittest

import jobs
from support import ROOT, Workspace, answers, feed, open_onnx, texts

NEAR = 1e-6
# A network computes with 32-bit floats in dbjob.
NEAR_OF_NETWORKS = 1e-5
BEGIN, END = "<!-- table -->", "<!-- end of the table -->"
PAGE = ROOT / "docs/onnx.md"


def predictable(rows, name):
    """The rows that `dbjob predict` takes."""
    if name == "diamonds":
        return rows.filter([all(float(v) > 0 for v in row) for row in zip(*(rows.column(c).to_pylist() for c in "xyz"))])
    if name == "flights":
        return rows.filter([v is not None for v in rows.column("dep_delay").to_pylist()])
    return rows


def renamed(rows, request):
    """Columns under the names that callers see."""
    wanted = [field["name"] for field in request]
    here = {name.replace("_", "-"): name for name in rows.column_names}
    columns = [name if name in rows.column_names else here[name] for name in wanted]
    return rows.select(columns).rename_columns(wanted)


def difference(test, name, got, wanted, near=NEAR):
    """The largest difference of a column's values; texts and whole answers must be equal."""
    test.assertEqual(len(got), len(wanted), name)
    if not isinstance(wanted[0], float):
        wrong = [(row, a, b) for row, (a, b) in enumerate(zip(got, wanted)) if a != b]
        test.assertEqual(wrong[:5], [], f"{name}: {len(wrong)} of {len(wanted)} differ")
        return 0.0
    probability = name.startswith("prediction_probability")
    scale = (lambda x: 1.0) if probability else (lambda x: max(abs(x), 1e-9))
    worst = max(abs(a - b) / scale(b) for a, b in zip(got, wanted))
    test.assertLessEqual(worst, NEAR if probability else near, name)
    return worst


class Models(unittest.TestCase):
    found = []

    def test_answers(self):
        for name, head, file, table, inputs, output, models in jobs.SETS:
            text = head + "".join(
                jobs.model(f"{model}_{table}", table, inputs, output, f"{algorithm} {options}", more)
                for model, algorithm, options, more in models
            )
            with Workspace() as workspace:
                workspace.run(text)
                rows = predictable(texts(workspace.path / "data" / file), name)
                for model, algorithm, options, more in models:
                    with self.subTest(set=name, model=model):
                        self.compare(workspace, rows, name, f"{model}_{table}", algorithm, f"{options} {more}".strip())

    def compare(self, workspace, rows, name, model, algorithm, how):
        session = open_onnx(workspace.path / f"out/{model}.onnx")
        request = workspace.request(model)
        self.assertEqual([i.name for i in session.get_inputs()], [f["name"] for f in request])
        self.assertEqual({str(i.shape[0]) for i in session.get_inputs()}, {"rows"})
        sent = renamed(rows, request)
        wanted = workspace.predictions(model, sent)
        got = answers(session, feed(sent, request, session))
        refused = got.pop("prediction_refused")
        self.assertEqual([row for row, no in enumerate(refused) if no][:5], [], "dbjob has answered these rows")
        self.assertEqual(list(got), list(wanted))
        near = NEAR_OF_NETWORKS if algorithm == "mlp" else NEAR
        worst = max(difference(self, column, got[column], wanted[column], near) for column in wanted)
        # The answer of a row does not depend on the rows beside it.
        one = answers(session, feed(sent.slice(7, 1), request, session))
        for column in wanted:
            difference(self, column, one[column], wanted[column][7:8], near)
        size = (workspace.path / f"out/{model}.onnx").stat().st_size
        self.found.append((algorithm, name, how, len(rows), worst, size))

    @classmethod
    def tearDownClass(cls):
        if not os.environ.get("WRITE_TABLE"):
            return
        lines = ["| algorithm | data | options | rows | largest difference | file |", "|---|---|---|---:|---:|---:|"]
        for algorithm, name, how, rows, worst, size in cls.found:
            how = f"`{how}`" if how else ""
            worst = "0" if worst == 0 else f"{worst:.0e}"
            lines.append(f"| `{algorithm}` | {name} | {how} | {rows:,} | {worst} | {size / 1024:,.0f} kB |")
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")

    def test_the_page_has_every_exportable_algorithm(self):
        page = (ROOT / "docs/algorithms.md").read_text(encoding="utf-8")
        head, *rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")]
        at = head.index("`to onnx`")
        exportable = {re.search(r"`(\w+)`", row[0]).group(1) for row in rows if len(row) > at and row[at] == "yes"}
        self.assertGreater(len(exportable), 8)
        tested = {algorithm for *_, models in jobs.SETS for _, algorithm, _, _ in models}
        self.assertEqual(exportable, tested)
        table = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
        self.assertEqual(set(re.findall(r"^\| `(\w+)`", table, re.M)), exportable, "tests/onnx/run.sh --write")


if __name__ == "__main__":
    unittest.main()
