"""Each documented call with the client that people use for it: answers are those of `dbjob predict`, bit for bit."""

import gzip
import io
import json
import subprocess
import time
import unittest

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import tritonclient.http as triton
from prometheus_client.parser import text_string_to_metric_families

from support import Server, Workspace, request_of, things


class Protocols(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.workspace = cls.enterClassContext(Workspace())
        cls.server = cls.enterClassContext(Server("everything.dbjob", cwd=cls.workspace.path))
        cls.rows = [request_of(row) for row in things()]
        answers = cls.workspace.predictions(cls.rows)
        cls.expected = [{name: a[name] for name in ("prediction", "prediction_probability")} for a in answers]

    def curl(self, path, *args, body=None):
        command = ["curl", "-sS", *args, self.server.url + path]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
        done = subprocess.run(command, input=body, capture_output=True, check=True)
        return done.stdout

    def test_rows_one_by_one_and_together(self):
        for row, expected in list(zip(self.rows, self.expected))[:100]:
            self.assertEqual(json.loads(self.curl("/predict", body=json.dumps(row).encode())), expected)
        for path in ("/predict", "/predict/wants"):
            self.assertEqual(json.loads(self.curl(path, body=json.dumps(self.rows).encode())), self.expected)

    def test_packed_bodies(self):
        body = gzip.compress(json.dumps(self.rows).encode())
        answers = self.curl("/predict", "-H", "Content-Encoding: gzip", body=body)
        self.assertEqual(json.loads(answers), self.expected)

    def test_mlflow(self):
        names = list(self.rows[0])
        split = {"columns": names, "data": [[row[n] for n in names] for row in self.rows]}
        bodies = [
            {"dataframe_split": split},
            {"dataframe_records": self.rows},
            {"instances": self.rows},
            {"inputs": {n: [row[n] for row in self.rows] for n in names}},
        ]
        for body in bodies:
            answer = json.loads(self.curl("/invocations", body=json.dumps(body).encode()))
            self.assertEqual(answer, {"predictions": self.expected}, next(iter(body)))
        for path in ("/ping", "/health", "/version"):
            self.assertTrue(self.curl(path, "-f"))

    def test_csv(self):
        import csv

        out = io.StringIO()
        writer = csv.DictWriter(out, list(self.rows[0]))
        writer.writeheader()
        text = lambda v: str(v).lower() if isinstance(v, bool) else v
        writer.writerows([{k: text(v) for k, v in row.items()} for row in self.rows])
        status, answer = self.server.json("/invocations", out.getvalue().encode(), headers={"Content-Type": "text/csv"})
        self.assertEqual((status, answer), (200, {"predictions": self.expected}))

    def tensors(self, rows):
        out = []
        for name in rows[0]:
            values = [row[name] for row in rows]
            kind, dtype = "BYTES", np.object_
            if isinstance(values[0], bool):
                kind, dtype = "BOOL", np.bool_
            elif isinstance(values[0], int):
                kind, dtype = "INT64", np.int64
            elif isinstance(values[0], float):
                kind, dtype = "FP64", np.float64
            tensor = triton.InferInput(name, [len(rows)], kind)
            tensor.set_data_from_numpy(np.array(values, dtype=dtype), binary_data=False)
            out.append(tensor)
        return out

    def test_open_inference_protocol(self):
        client = triton.InferenceServerClient(f"127.0.0.1:{self.server.port}")
        self.assertTrue(client.is_server_live() and client.is_server_ready())
        self.assertTrue(client.is_model_ready("wants") and client.is_model_ready("wants", "1"))
        self.assertFalse(client.is_model_ready("wants", "2"))
        about = client.get_model_metadata("wants")
        self.assertEqual([i["name"] for i in about["inputs"]], list(self.rows[0]))
        # Arrays have no nulls.
        some = [(row, e) for row, e in zip(self.rows, self.expected) if None not in row.values()]
        rows, expected = zip(*some)
        wanted = [triton.InferRequestedOutput(o["name"], binary_data=False) for o in about["outputs"]]
        for version in ("", "1"):
            answer = client.infer("wants", self.tensors(rows), model_version=version, outputs=wanted)
            self.assertEqual(answer.as_numpy("prediction").tolist(), [e["prediction"] for e in expected])
            shares = [e["prediction_probability"] for e in expected]
            self.assertEqual(answer.as_numpy("prediction_probability").tolist(), shares)
        with self.assertRaisesRegex(triton.InferenceServerException, "missing"):
            client.infer("wants", self.tensors(rows)[1:])

    def table(self):
        types = {"price": pa.decimal128(10, 2), "day": pa.date32(), "at": pa.timestamp("us")}
        import datetime
        import decimal

        def read(name, value):
            if value is None or name not in types:
                return value
            if name == "price":
                return decimal.Decimal(value)
            if name == "day":
                return datetime.date.fromisoformat(value)
            return datetime.datetime.fromisoformat(value.rstrip("Z"))

        columns = {n: pa.array([read(n, r[n]) for r in self.rows], types.get(n)) for n in self.rows[0]}
        return pa.table(columns)

    def test_tables(self):
        parquet, arrow = io.BytesIO(), io.BytesIO()
        pa.parquet.write_table(self.table(), parquet)
        with pa.ipc.new_file(arrow, self.table().schema) as writer:
            writer.write_table(self.table())
        for kind, body, read in [
            ("application/vnd.apache.parquet", parquet, lambda b: pa.parquet.read_table(io.BytesIO(b))),
            ("application/vnd.apache.arrow.file", arrow, lambda b: pa.ipc.open_file(io.BytesIO(b)).read_all()),
        ]:
            status, headers, answer = self.server.ask("/predict", body.getvalue(), {"Content-Type": kind})
            self.assertEqual((status, headers["Content-Type"]), (200, kind), answer[:300])
            self.assertEqual(read(answer).to_pylist(), self.expected, kind)
            status, problem = self.server.json("/predict", body.getvalue()[:300], headers={"Content-Type": kind})
            self.assertEqual(status, 400, problem)
        fewer = io.BytesIO()
        pa.parquet.write_table(self.table().drop_columns(["count"]), fewer)
        headers = {"Content-Type": "application/vnd.apache.parquet"}
        status, problem = self.server.json("/predict", fewer.getvalue(), headers=headers)
        self.assertEqual((status, problem["errors"][0]["field"]), (422, "count"))

    def test_refused_rows_stand_in_their_place(self):
        rows = [dict(self.rows[i]) for i in range(5)]
        rows[1]["shop"] = 99
        rows[2].update(count=450, ratio=0.05)
        rows[3]["day"] = "2019-01-01"
        status, answers = self.server.json("/predict", rows)
        self.assertEqual(status, 200)
        self.assertEqual([answers[0], answers[4]], [self.expected[0], self.expected[4]])
        reasons = [answers[i]["errors"][0] for i in (1, 2, 3)]
        self.assertEqual([e["row"] for e in reasons], [2, 3, 4])
        self.assertIn("has no match in `shops`: shop = 99", reasons[0]["reason"])
        self.assertEqual(reasons[0]["inputs"], ["area"])
        self.assertIn("count < 400 or ratio > 0.1", reasons[1]["reason"])
        self.assertEqual(reasons[2]["field"], "day")
        for i in (1, 2, 3):
            status, _ = self.server.json("/predict", rows[i])
            self.assertEqual(status, 422)
        # A left lookup without a match has nulls.
        status, answer = self.server.json("/predict", {**self.rows[0], "town": "Atlantis"})
        self.assertEqual(status, 200, answer)

    def test_metrics_and_logs(self):
        self.server.json("/predict", self.rows[0])
        text = self.curl("/metrics").decode()
        for name in ("dbjob_requests_total{call=\"predict\",status=\"200\"}", "dbjob_rows_total{model=\"wants\""):
            self.assertIn(name, text)
        families = list(text_string_to_metric_families(text))
        names = [family.name for family in families]
        self.assertEqual(len(names), len(set(names)), "the lines of a metric stand together")
        self.assertNotIn("unknown", {family.type for family in families}, "every metric says of which kind it is")
        self.assertIn("dbjob_drift_psi", names)
        time.sleep(0.3)
        lines = [json.loads(line) for line in self.server.said().splitlines() if line.startswith("{")]
        last = [line for line in lines if line.get("path") == "/predict"][-1]
        self.assertEqual((last["method"], last["status"], last["model"]), ("POST", 200, "wants"))
        self.assertNotIn(self.rows[0]["price"], json.dumps(last))


if __name__ == "__main__":
    unittest.main()
