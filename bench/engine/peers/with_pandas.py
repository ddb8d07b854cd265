"""The jobs with pandas, which reads with pyarrow where it can."""

import pandas as pd


def group():
    columns = ["at", "cents", "quantity", "channel", "country"]
    rows = pd.read_parquet("events.parquet", columns=columns)
    rows = rows[(rows.cents >= 200) & (rows.channel != "partner")]
    rows = rows.assign(month=rows["at"].dt.month, total=rows.cents * rows.quantity)
    rows = rows.assign(is_large=rows.total > 10000, euros=rows.total / 100)
    sold = rows.groupby(["country", "channel", "month"], sort=True, as_index=False).agg(
        orders=("total", "size"), cents=("total", "sum"), large=("is_large", "sum"), mean=("euros", "mean"), largest=("total", "max")
    )
    sold["large_share"] = sold.large / sold.orders
    sold.to_parquet("out/sold.parquet", index=False)


def join():
    rows = pd.read_parquet("events.parquet", columns=["user_id", "product_id", "cents", "quantity"])
    users = pd.read_parquet("users.parquet", columns=["user_id", "age", "segment"])
    rows = rows.merge(users[users.age >= 30], on="user_id").merge(pd.read_csv("products.csv"), on="product_id")
    rows = rows.assign(weight=rows.grams * rows.quantity, total=rows.cents * rows.quantity)
    bought = rows.groupby(["segment", "category"], as_index=False).agg(
        events=("total", "size"), cents=("total", "sum"), grams=("weight", "sum"), age=("age", "mean")
    )
    bought.to_parquet("out/bought.parquet", index=False)


def window():
    rows = pd.read_parquet("events.parquet", columns=["event_id", "user_id", "at", "cents"])
    rows = rows.sort_values(["user_id", "at"], ignore_index=True)
    users = rows.groupby("user_id").cents
    before, so_far = users.shift(1).astype("Int64"), users.cumsum()
    week = rows.groupby("user_id").rolling("7D", on="at").cents.sum()
    # In the order of the groups, which is the order of the rows.
    rows = rows.assign(before=before, so_far=so_far, week=week.to_numpy().astype("int64"))
    rows[["event_id", "before", "so_far", "week"]].to_parquet("out/history.parquet", index=False)


def convert():
    status = pd.CategoricalDtype(["open", "paid", "returned", "sent"])
    rows = pd.read_csv("orders.csv", dtype={"status": status}, parse_dates=["at"], date_format="ISO8601")
    if rows.isna().any().any():
        raise ValueError("an empty cell or an unknown status")
    rows = rows[rows.cents > 0]
    # `.dt.date` makes Python objects; days keep their type.
    rows = rows.assign(day=rows["at"].dt.floor("D"), fee=rows.cents.astype(float) * rows.share / 100)
    rows.drop(columns="at").to_parquet("out/clean.parquet", index=False)


def sort():
    rows = pd.read_parquet("events.parquet", columns=["event_id", "user_id", "product_id", "cents"])
    pairs = rows.loc[rows.cents >= 1000, ["user_id", "product_id"]].drop_duplicates()
    pairs.sort_values(["user_id", "product_id"]).to_parquet("out/pairs.parquet", index=False)
    largest = rows.sort_values(["cents", "event_id"], ascending=[False, True]).head(1000)
    largest.to_parquet("out/largest.parquet", index=False)


def features():
    import numpy as np

    rows = pd.read_parquet("events.parquet", columns=["user_id", "cents", "quantity"])
    rows = rows.groupby("user_id", as_index=False).agg(visits=("cents", "size"), things=("quantity", "sum"), spent=("cents", "sum"))
    rows = rows.merge(pd.read_parquet("users.parquet"), on="user_id")
    rows[["visits", "things"]] = np.log1p(rows[["visits", "things"]].astype(float))
    from learn import learn

    numbers, words = rows[["visits", "things", "age"]].to_numpy(float), rows[["segment", "plan"]].to_numpy(dtype=object)
    learn(numbers, words, np.log(rows.spent.to_numpy(float)), (rows.user_id % 5 == 0).to_numpy())
