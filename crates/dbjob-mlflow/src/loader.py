"""Answers from model.onnx: what MLflow hands over as a data frame, as the tensors that the file takes.

Columns are those of the signature. A missing value is None or NaN. The answer has the columns of the file; where
`prediction_refused` is true, a value of the row is outside of what was declared, and its other columns mean nothing.
"""

import json
import os

import numpy as np
import onnxruntime
import pandas as pd


def _load_pyfunc(path):
    return _Model(path)


class _Model:
    def __init__(self, path):
        with open(os.path.join(os.path.dirname(path), "columns.json"), encoding="utf-8") as file:
            self.columns = json.load(file)
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.outputs = [output.name for output in self.session.get_outputs()]

    def predict(self, data, params=None):
        frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
        feeds = {c["name"]: _tensor(frame[c["name"]], c["kind"], c["null"]) for c in self.columns}
        answers = self.session.run(self.outputs, feeds)
        return pd.DataFrame(dict(zip(self.outputs, (np.asarray(a) for a in answers))), index=frame.index)


def _tensor(column, kind, may_be_null):
    if kind == "text":
        return np.array(["" if v is None or v is pd.NA or v != v else str(v) for v in column], dtype=object)
    if kind in ("date", "datetime"):
        moments = pd.to_datetime(column, utc=True).dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        numbers = moments.astype("datetime64[D]" if kind == "date" else "datetime64[us]").astype(np.int64)
        return np.where(np.isnat(moments), np.nan, numbers.astype(np.float64)) if may_be_null else numbers
    if kind == "float":
        return pd.to_numeric(column.astype(object).map(_number)).to_numpy(dtype=np.float64)
    return column.to_numpy(dtype={"int": np.int64, "bool": np.bool_}[kind])


def _number(value):
    return float("nan") if value is None or value is pd.NA else float(value)
