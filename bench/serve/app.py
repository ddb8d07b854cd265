"""FastAPI around scikit-learn, as its documentation would have it: a typed row in, the model asked, a dict out."""

import os

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, Field

app = FastAPI()
model = joblib.load(os.environ["PEER_MODEL"])


class Row(BaseModel):
    user: int = Field(alias="user-id")
    product: int = Field(alias="product-id")
    price: float


@app.post("/predict")
def predict(row: Row):
    table = pd.DataFrame([[row.user, row.product, row.price]], columns=["user-id", "product-id", "price"])
    zero, one = model.predict_proba(table)[0]
    return {"prediction": int(one > zero), "prediction_probability_0": zero, "prediction_probability_1": one}
