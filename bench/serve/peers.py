"""The peers of `dbjob serve` in one folder: an equal model as an MLflow model, and a FastAPI server around scikit-learn.

usage: peers.py prepare FOLDER DATA.csv     trains and stores
       peers.py serve FOLDER PORT WORKERS   FastAPI with uvicorn
"""

import sys
from pathlib import Path


def prepare(folder, data):
    import mlflow.sklearn
    import numpy as np
    import pandas as pd
    from mlflow.models import infer_signature
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    rows = pd.read_csv(data)
    x = rows[["user_id", "product_id", "price"]].rename(columns={"user_id": "user-id", "product_id": "product-id"})
    maps = ColumnTransformer([("price", FunctionTransformer(np.log1p), ["price"])], remainder="passthrough")
    model = make_pipeline(maps, StandardScaler(), LogisticRegression()).fit(x, rows["label"])
    mlflow.sklearn.save_model(model, str(folder / "mlflow"), signature=infer_signature(x, model.predict(x)))
    import joblib

    joblib.dump(model, folder / "model.joblib")


def serve(folder, port, workers):
    import os
    import socket

    import uvicorn
    from uvicorn.supervisors import Multiprocess

    os.environ["PEER_MODEL"] = str(folder / "model.joblib")
    sys.path.insert(0, str(Path(__file__).parent))
    config = uvicorn.Config("app:app", host="127.0.0.1", port=port, workers=workers, log_level="warning")
    # With several workers uvicorn leaves small packets to wait for one another: 40 ms a request on this machine. Connections inherit this.
    listener = config.bind_socket()
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    Multiprocess(config, sockets=[listener]).run()


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]), sys.argv[3])
    else:
        serve(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
