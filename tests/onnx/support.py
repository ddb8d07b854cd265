"""Running dbjob on a copy of the examples' data, and asking the models it makes."""

import datetime
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

ROOT = Path(__file__).resolve().parents[2]
DBJOB = os.environ["DBJOB"]
EPOCH = datetime.datetime(1970, 1, 1)


class Workspace:
    """A temporary folder with the data of the examples; use it with `with`."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="dbjob-onnx-")
        self.path = Path(self._folder.name)
        shutil.copytree(ROOT / "examples/data", self.path / "data")
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def run(self, text, code=0):
        """Runs a job; gives what it said."""
        (self.path / "job.dbjob").write_text(text, encoding="utf-8")
        return dbjob("run", self.path / "job.dbjob", code=code)

    def predictions(self, model, rows):
        """What `dbjob predict` adds to the rows of a table of texts, by column."""
        source, out = self.path / "rows.csv", self.path / "answers.parquet"
        pa.csv.write_csv(rows, source)
        dbjob("predict", self.path / "models" / model, "--input", source, "--output", out)
        table = pa.parquet.read_table(out)
        return {name: table.column(name).to_pylist() for name in table.column_names if name.startswith("prediction")}

    def request(self, model):
        """The columns that callers send."""
        folder = self.path / "models" / model / "versions"
        manifest = json.loads(next(folder.glob("*/manifest.json")).read_text(encoding="utf-8"))
        return manifest["request"]


def dbjob(*arguments, code=0):
    done = subprocess.run([DBJOB, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != code:
        raise AssertionError(f"dbjob {' '.join(map(str, arguments))} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def texts(path):
    """A CSV file as a table of texts; the example's `NA` and empty cells are null."""
    with open(path, encoding="utf-8") as file:
        names = file.readline().strip().split(",")
    types = {name.strip('"'): pa.string() for name in names}
    options = pa.csv.ConvertOptions(column_types=types, null_values=["", "NA"], strings_can_be_null=True)
    return pa.csv.read_csv(path, convert_options=options)


def open_onnx(path):
    """A session of a file that the checker finds sound, with inference of types and shapes."""
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return onnxruntime.InferenceSession(path)


def feed(rows, request, session):
    """Rows as the graph takes them: NaN for a null number, the empty text for a null text."""
    kinds = {i.name: i.type for i in session.get_inputs()}
    return {field["name"]: column(rows.column(field["name"]).to_pylist(), field, kinds[field["name"]]) for field in request}


def column(values, field, kind):
    dtype = field["dtype"]["type"]
    if kind == "tensor(string)":
        return np.array(["" if v is None else v for v in values], dtype=object)
    number = {
        "int": int, "float": float,
        "bool": lambda text: text == "true",
        "datetime": lambda text: (datetime.datetime.fromisoformat(text.rstrip("Z")) - EPOCH) // datetime.timedelta(microseconds=1),
        "date": lambda text: (datetime.date.fromisoformat(text) - EPOCH.date()).days,
    }[dtype]
    if kind == "tensor(double)":
        return np.array([np.nan if v is None else float(number(v)) for v in values], dtype=np.float64)
    return np.array([number(v) for v in values], dtype={"tensor(int64)": np.int64, "tensor(bool)": np.bool_}[kind])


def answers(session, fed):
    names = [o.name for o in session.get_outputs()]
    return {name: value.tolist() for name, value in zip(names, session.run(names, fed))}
