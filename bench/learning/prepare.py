#!/usr/bin/env python3
"""Makes the matrices of the benchmark from real data: each set in three forms, train and test.

usage: prepare.py DATA

    codes    numbers as they are, categories as codes; missing is NaN
    filled   the same with missing filled: the median, or a code of its own
    scaled   numbers standardised by the train rows, categories one-hot: levels of less than 1 % of the train rows are one

DATA/matrices/SET/FORM/ has train.f64 and test.f64 (little-endian, feature by feature), train.y and test.y (u32 classes or
f64 numbers) and meta.json (rows, features with the number of their levels, classes: 0 for numbers).
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

ADULT = "age workclass fnlwgt education education_num marital_status occupation relationship race sex capital_gain capital_loss hours_per_week native_country income".split()
CENSUS_NUMBERS = [0, 5, 16, 17, 18, 30, 39]
CENSUS_WEIGHT = 24
FLIGHTS = 300_000


def adult(data):
    def read(name, skip):
        frame = pd.read_csv(data / "adult" / name, names=ADULT, skipinitialspace=True, na_values="?", skiprows=skip)
        return frame.dropna(subset=["income"])

    train, test = read("adult.data", 0), read("adult.test", 1)
    target = lambda frame: frame.pop("income").str.startswith(">50K").astype(int).to_numpy()
    return (train, target(train)), (test, target(test)), 2


def census(data):
    def read(name):
        frame = pd.read_csv(data / "census_kdd" / name, header=None, skipinitialspace=True, na_values="?")
        frame.columns = [f"c{i}" for i in frame.columns]
        y = frame.pop("c41").str.contains("50000+", regex=False).astype(int).to_numpy()
        frame = frame.drop(columns=f"c{CENSUS_WEIGHT}")
        for column in frame:
            if int(column[1:]) not in CENSUS_NUMBERS:
                frame[column] = frame[column].astype("string").astype(object).where(frame[column].notna(), None)
        return frame, y

    return read("train.csv"), read("test.csv"), 2


def flights(data, target):
    frame = pd.read_parquet(data / "flights" / "flights-3m.parquet").sample(FLIGHTS, random_state=7).reset_index(drop=True)
    date = frame.pop("date")
    delay = frame.pop("delay").to_numpy()
    frame["minute"] = date.dt.hour * 60 + date.dt.minute
    frame["weekday"], frame["month"], frame["day"] = date.dt.weekday, date.dt.month, date.dt.day
    y, classes = ((delay > 15).astype(int), 2) if target == "late" else (delay.astype(float), 0)
    cut = FLIGHTS * 4 // 5
    return (frame[:cut], y[:cut]), (frame[cut:], y[cut:]), classes


def digits():
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(7).permutation(len(x))
    frame, y = pd.DataFrame(x[order], columns=[f"p{i}" for i in range(64)]), y[order]
    cut = len(x) * 4 // 5
    return (frame[:cut], y[:cut]), (frame[cut:], y[cut:]), 10


def forms(train, test):
    """{form: (train columns, test columns, levels by feature)}"""
    codes, filled, scaled = {}, {}, {}
    levels = {}
    for name in train:
        a, b = train[name], test[name]
        if a.dtype.kind in "if":
            a, b = a.to_numpy(float), b.to_numpy(float)
            codes[name] = a, b
            median = np.nanmedian(a)
            filled[name] = full = np.where(np.isnan(a), median, a), np.where(np.isnan(b), median, b)
            spread = full[0].std() or 1.0
            scaled[name] = tuple((part - full[0].mean()) / spread for part in full)
            continue
        known = sorted(a.dropna().unique())
        levels[name] = len(known)
        place = {level: float(i) for i, level in enumerate(known)}
        coded = tuple(part.map(place).to_numpy(float) for part in (a, b))
        codes[name] = coded
        filled[name] = tuple(np.where(np.isnan(part), len(known), part) for part in coded)
        share = np.bincount(filled[name][0].astype(int), minlength=len(known) + 1) / len(a)
        rare = np.flatnonzero(share < 0.01)
        for i in np.flatnonzero(share >= 0.01):
            scaled[f"{name}={i}"] = tuple((part == i).astype(float) for part in filled[name])
        if len(rare):
            scaled[f"{name}=rare"] = tuple(np.isin(part, rare).astype(float) for part in filled[name])
    return {"codes": (codes, levels), "filled": (filled, {}), "scaled": (scaled, {})}


def write(folder, columns, levels, y, classes):
    folder.mkdir(parents=True)
    for part, i in (("train", 0), ("test", 1)):
        np.concatenate([pair[i] for pair in columns.values()]).astype("<f8").tofile(folder / f"{part}.f64")
        y[i].astype("<u4" if classes else "<f8").tofile(folder / f"{part}.y")
    features = [{"name": name, "levels": levels.get(name)} for name in columns]
    meta = {"train": len(y[0]), "test": len(y[1]), "classes": classes, "features": features}
    (folder / "meta.json").write_text(json.dumps(meta))


def main(data):
    out = data / "matrices"
    if (out / "made").exists():
        return
    shutil.rmtree(out, ignore_errors=True)
    sets = {
        "adult": lambda: adult(data),
        "census_kdd": lambda: census(data),
        "flights": lambda: flights(data, "late"),
        "delays": lambda: flights(data, "delay"),
        "digits": digits,
    }
    for name, make in sets.items():
        (train, y_train), (test, y_test), classes = make()
        for form, (columns, levels) in forms(train, test).items():
            write(out / name / form, columns, levels, (y_train, y_test), classes)
        print(f"{name}: {len(y_train):,} and {len(y_test):,} rows, {train.shape[1]} features", file=sys.stderr)
    (out / "made").touch()


main(Path(sys.argv[1]))
