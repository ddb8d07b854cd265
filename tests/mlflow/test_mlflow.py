"""Runs and models of dbjob at a real MLflow server: logged, loaded, served, and equal to `dbjob predict`."""

import http.server
import json
import math
import os
import tempfile
import threading
import unittest
import urllib.request

import support
from support import BIN, Process, Workspace, free_port, tracking_server

os.environ.update(support.QUIET)
import mlflow  # noqa: E402
import pandas as pd  # noqa: E402

PENGUINS = """
dataset penguins from csv("data/penguins.csv", nulls = ["NA"]) {
  species:           category("Adelie", "Chinstrap", "Gentoo") label
  island:            category
  sex:               category("female", "male")?
  bill_length_mm:    float? in 10.0..=80.0
  flipper_length_mm: int?
  year:              int
}
transform measured from penguins {
  derive place = island
  split test 30%
  map bill_length_mm, flipper_length_mm with impute(median), standardize
  map island, sex with one_hot
}
"""


def job(url, fit="logistic_regression", inputs='island, sex, bill_length_mm as "bill", flipper_length_mm, year', more="",
        gate=0.5):
    return f"""{PENGUINS}
model species_of from measured {{
  input  {inputs}
  output species: category
  fit {fit}
  evaluate accuracy, log_loss, accuracy by place
  require accuracy >= {gate}
}}
deploy species_of {{
  to registry("models")
  to mlflow({url}, experiment = "penguins"{more})
}}
"""


def frame(rows):
    """As a caller has it: texts are texts, numbers are numbers, what is missing is missing."""
    table = pd.DataFrame(rows)
    for name in ["bill", "flipper_length_mm"]:
        if name in table:
            table[name] = pd.to_numeric(table[name], errors="coerce")
    if "year" in table:
        table["year"] = table["year"].astype("int64")
    return table.replace({"NA": None})


class Tracking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="mlflow-server-")
        cls.server = tracking_server(cls.folder.name, "--serve-artifacts", "--artifacts-destination", f"{cls.folder.name}/files")
        mlflow.set_tracking_uri(cls.server.url)
        cls.client = mlflow.MlflowClient()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.folder.cleanup()

    def url(self):
        return json.dumps(self.server.url)

    def runs(self):
        experiment = self.client.get_experiment_by_name("penguins")
        return self.client.search_runs([experiment.experiment_id]) if experiment else []

    def rows(self, workspace, names=("island", "sex", "bill", "flipper_length_mm", "year")):
        import csv

        with open(workspace.path / "data/penguins.csv", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        return [{n: row["bill_length_mm" if n == "bill" else n] for n in names} for row in found]

    def assert_equal(self, answers, expected):
        """Labels are equal, probabilities within 1e-9."""
        self.assertEqual(len(answers), len(expected))
        self.assertFalse(any(answers["prediction_refused"]))
        for (_, got), want in zip(answers.iterrows(), expected):
            self.assertEqual(got["prediction"], want["prediction"])
            for name, value in want.items():
                if name.startswith("prediction_probability"):
                    self.assertTrue(math.isclose(got[name], value, abs_tol=1e-9), (name, got[name], value))

    def test_a_run_is_logged_loaded_and_registered(self):
        with Workspace() as workspace:
            before = len(self.runs())
            said = workspace.run(job(self.url(), "random_forest { trees = 12 }", more=', register = "species"'))
            self.assertIn(self.server.url, said)
            run = self.runs()[0]
            self.assertEqual((len(self.runs()) - before, run.info.status), (1, "FINISHED"))
            report = json.loads(next(workspace.path.glob("models/species_of/versions/1/manifest.json")).read_text())
            self.assertEqual(run.data.params["algorithm"], "random_forest")
            self.assertEqual(run.data.params["trees"], "12")
            self.assertEqual(run.data.metrics["accuracy"], report["metrics"]["accuracy"]["value"])
            self.assertEqual(run.data.metrics["baseline.accuracy"], report["metrics"]["accuracy"]["baseline"])
            self.assertEqual(run.data.metrics["rows.train"], report["rows"]["train"])
            self.assertIn("accuracy/place/Dream", run.data.metrics)
            self.assertEqual(run.data.tags["dbjob.model"], "species_of")
            files = {f.path for f in self.client.list_artifacts(run.info.run_id)}
            self.assertLessEqual({"report.json", "request.schema.json", "model"}, files)
            schema = json.loads(mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/request.schema.json"))
            self.assertEqual(schema["required"], [f["name"] for f in report["request"]])

            rows = self.rows(workspace)
            # dbjob takes the names of callers, in a CSV file with the dataset's nulls.
            expected = workspace.predictions("species_of", rows)
            for uri in [f"runs:/{run.info.run_id}/model", "models:/species/1"]:
                model = mlflow.pyfunc.load_model(uri)
                signature = model.metadata.signature
                self.assertEqual(signature.inputs.input_names(), [f["name"] for f in report["request"]])
                self.assertIn("prediction_probability_Gentoo", signature.outputs.input_names())
                self.assert_equal(model.predict(frame(rows)), expected)
                # Columns in another order, further ones, and a caller's index.
                shuffled = frame(rows)[::-1].assign(note="x")[["year", "note", "bill", "sex", "island", "flipper_length_mm"]]
                self.assert_equal(model.predict(shuffled).sort_index(), expected)
                with self.assertRaises(mlflow.exceptions.MlflowException):
                    model.predict(frame(rows).drop(columns=["bill"]))
            self.assertEqual(len(mlflow.onnx.load_model(f"runs:/{run.info.run_id}/model").graph.input), len(report["request"]))

            # What is logged is not logged again, also when the state of runs is gone.
            workspace.run(job(self.url(), "random_forest { trees = 12 }", more=', register = "species"'))
            workspace.run(job(self.url(), "random_forest { trees = 12 }", more=', register = "species"'), options=["--fresh"])
            self.assertEqual(len(self.runs()) - before, 1)
            self.assertEqual(len(self.client.search_model_versions("name = 'species'")), 1)

    def test_models_serve_answers_as_dbjob_does(self):
        with Workspace() as workspace:
            workspace.run(job(self.url()))
            run = self.runs()[0]
            port = free_port()
            command = [
                BIN / "mlflow", "models", "serve", "--model-uri", f"runs:/{run.info.run_id}/model", "--env-manager", "local",
                "--host", "127.0.0.1", "--port", port,
            ]
            served = Process(command, f"http://127.0.0.1:{port}", workspace.path, {"MLFLOW_TRACKING_URI": self.server.url})
            try:
                served.wait("/ping", 180)
                rows = self.rows(workspace)
                expected = workspace.predictions("species_of", rows)
                table = frame(rows).astype(object).where(lambda t: t.notna(), None)
                split = {"columns": list(table.columns), "data": table.values.tolist()}
                records = [dict(zip(split["columns"], row)) for row in split["data"]]
                for body in [{"dataframe_split": split}, {"dataframe_records": records}]:
                    request = urllib.request.Request(
                        f"{served.url}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
                    )
                    with urllib.request.urlopen(request, timeout=60) as answer:
                        self.assert_equal(pd.DataFrame(json.load(answer)["predictions"]), expected)
            finally:
                served.stop()

    def test_one_column_and_times(self):
        with Workspace() as workspace:
            workspace.run(job(self.url(), inputs='bill_length_mm as "bill"'))
            rows = self.rows(workspace, ["bill"])
            expected = workspace.predictions("species_of", rows)
            model = mlflow.pyfunc.load_model(f"runs:/{self.runs()[0].info.run_id}/model")
            self.assert_equal(model.predict(frame(rows)), expected)

            (workspace.path / "days.csv").write_text(
                "day,at,open,n\n" + "".join(
                    f"2024-{1 + i % 12:02}-{1 + i % 28:02},2024-03-01T{i % 24:02}:30:00,{['true', 'false', ''][i % 3]},{i * 3 % 17}.5\n"
                    for i in range(200)
                )
            )
            workspace.run(f"""
dataset days from csv("days.csv") {{ day: date; at: datetime; open: bool?; n: float label }}
transform rows from days {{
  derive month = month(day), hour = hour(at), unknown = open is null
  split test 30%
}}
model count_of from rows {{ input month, hour, unknown; output n: float; fit decision_tree }}
deploy count_of {{ to registry("models"); to mlflow({self.url()}, experiment = "penguins") }}
""")
            table = pd.read_csv(workspace.path / "days.csv", parse_dates=["day", "at"])
            expected = workspace.predictions(
                "count_of",
                [
                    {"day": str(r.day.date()), "at": r.at.isoformat(), "open": "" if r.open != r.open else str(r.open).lower()}
                    for r in table.itertuples()
                ],
            )
            answers = mlflow.pyfunc.load_model(f"runs:/{self.runs()[0].info.run_id}/model").predict(table.drop(columns=["n"]))
            for got, want in zip(answers["prediction"], expected):
                self.assertTrue(math.isclose(got, want["prediction"], rel_tol=1e-12), (got, want))

    def test_gates_that_do_not_hold_leave_a_failed_run_without_a_model(self):
        with Workspace() as workspace:
            said = workspace.run(job(self.url(), "dummy", gate=0.99), code=1)
            self.assertIn("without the model", said)
            run = self.runs()[0]
            self.assertEqual(run.info.status, "FAILED")
            self.assertIn("accuracy", run.data.metrics)
            self.assertNotIn("model", {f.path for f in self.client.list_artifacts(run.info.run_id)})

    def test_what_onnx_cannot_express_is_told_before_anything_runs(self):
        with Workspace() as workspace:
            said = workspace.run(job(self.url(), "knn"), code=2)
            self.assertIn("E0603", said)
            self.assertIn("`knn`", said)

    def test_a_server_that_is_not_there_or_says_no(self):
        with Workspace() as workspace:
            said = workspace.run(job(f'"http://127.0.0.1:{free_port()}"'), code=1)
            self.assertIn("E0773", said)
            hidden = "http://user:hunter22@127.0.0.1:9"
            said = workspace.run(job('secret("TRACKING")'), code=1, TRACKING=hidden)
            self.assertIn('secret("TRACKING")', said)
            self.assertNotIn("hunter22", said)
            said = workspace.run(job(self.url(), more=', register = "a/b:c"'), code=1)
            self.assertIn("E0774", said)
            self.assertEqual(self.runs()[0].info.status, "FAILED")
            experiment = self.client.create_experiment("gone")
            self.client.delete_experiment(experiment)
            said = workspace.run(job(self.url()).replace('"penguins")', '"gone")'), code=1)
            self.assertIn("is deleted", said)
            said = workspace.run(job('"localhost:5000"'), code=2)
            self.assertIn("E0105", said)

    def test_a_token_is_shown_to_the_server_and_to_nobody_else(self):
        seen = []

        class Guard(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(self.headers.get("Authorization"))
                self.send_response(403)
                self.end_headers()
                self.wfile.write(b'{"error_code": "PERMISSION_DENIED", "message": "no rights to s3cret-token"}')

            def log_message(self, *_):
                pass

        guard = http.server.HTTPServer(("127.0.0.1", 0), Guard)
        thread = threading.Thread(target=guard.serve_forever, daemon=True)
        thread.start()
        try:
            with Workspace() as workspace:
                url = json.dumps(f"http://127.0.0.1:{guard.server_port}")
                said = workspace.run(job(url, more=', token = secret("TOKEN")'), code=1, TOKEN="s3cret-token")
                self.assertEqual(seen, ["Bearer s3cret-token"])
                self.assertIn("E0774", said)
                self.assertNotIn("s3cret-token", said)
                state = b"".join(p.read_bytes() for p in (workspace.path / ".dbjob").rglob("*") if p.is_file())
                self.assertNotIn(b"s3cret-token", state)
                said = workspace.run(job(url, more=', token = secret("TOKEN")'), code=1)
                self.assertIn("E0737", said)
        finally:
            guard.shutdown()
            guard.server_close()
            thread.join()

    def test_files_that_do_not_go_through_the_server_are_an_error(self):
        with tempfile.TemporaryDirectory(prefix="mlflow-server-") as folder:
            server = tracking_server(folder, "--no-serve-artifacts", "--default-artifact-root", f"file://{folder}/files")
            try:
                with Workspace() as workspace:
                    said = workspace.run(job(json.dumps(server.url)), code=1)
                    self.assertIn("E0774", said)
                    self.assertIn("--serve-artifacts", said)
            finally:
                server.stop()


if __name__ == "__main__":
    unittest.main()
