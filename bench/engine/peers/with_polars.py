"""The jobs with python-polars, as its user guide has them: lazy, in the streaming engine."""

import os

os.environ["POLARS_MAX_THREADS"] = os.environ.get("THREADS", "2")

import polars as pl
from polars import col


def group():
    q = (
        pl.scan_parquet("events.parquet")
        .filter(col("cents") >= 200, col("channel") != "partner")
        .with_columns(month=col("at").dt.month(), total=col("cents") * col("quantity"))
        .with_columns(is_large=col("total") > 10000, euros=col("total") / 100)
        .group_by("country", "channel", "month")
        .agg(
            orders=pl.len(),
            cents=col("total").sum(),
            large=col("is_large").sum(),
            mean=col("euros").mean(),
            largest=col("total").max(),
        )
        .with_columns(large_share=col("large") / col("orders"))
        .sort("country", "channel", "month")
    )
    q.sink_parquet("out/sold.parquet", engine="streaming")


def join():
    users = pl.scan_parquet("users.parquet")
    products = pl.scan_csv("products.csv")
    q = (
        pl.scan_parquet("events.parquet")
        .join(users, on="user_id")
        .join(products, on="product_id")
        .filter(col("age") >= 30)
        .with_columns(weight=col("grams") * col("quantity"))
        .group_by("segment", "category")
        .agg(
            events=pl.len(),
            cents=(col("cents") * col("quantity")).sum(),
            grams=col("weight").sum(),
            age=col("age").mean(),
        )
        .sort("segment", "category")
    )
    q.sink_parquet("out/bought.parquet", engine="streaming")


def window():
    q = (
        pl.scan_parquet("events.parquet")
        # In order of time already; windows over rows need it so.
        .sort("user_id", "at")
        .select(
            "event_id",
            before=col("cents").shift(1).over("user_id"),
            so_far=col("cents").cum_sum().over("user_id"),
            week=col("cents").rolling_sum_by("at", "7d").over("user_id"),
        )
    )
    q.sink_parquet("out/history.parquet", engine="streaming")


def convert():
    schema = {
        "order_id": pl.Int64,
        "user_id": pl.Int64,
        "at": pl.Datetime("us"),
        "cents": pl.Int64,
        "share": pl.Float64,
        "status": pl.Enum(["open", "paid", "returned", "sent"]),
    }
    q = (
        pl.scan_csv("orders.csv", schema=schema)
        .filter(col("cents") > 0)
        .with_columns(day=col("at").dt.date(), fee=col("cents").cast(pl.Float64) * col("share") / 100)
        .drop("at")
    )
    q.sink_parquet("out/clean.parquet", engine="streaming")


def sort():
    events = pl.scan_parquet("events.parquet")
    pairs = events.filter(col("cents") >= 1000).select("user_id", "product_id").unique().sort("user_id", "product_id")
    largest = events.select("event_id", "user_id", "product_id", "cents")
    largest = largest.sort("cents", "event_id", descending=[True, False]).head(1000)
    pairs.sink_parquet("out/pairs.parquet", engine="streaming")
    largest.sink_parquet("out/largest.parquet", engine="streaming")


def features():
    q = (
        pl.scan_parquet("events.parquet")
        .group_by("user_id")
        .agg(
            visits=pl.len().cast(pl.Float64),
            things=col("quantity").sum().cast(pl.Float64),
            spent=col("cents").sum().cast(pl.Float64),
        )
        .join(pl.scan_parquet("users.parquet"), on="user_id")
        .with_columns(held_out=col("user_id") % 5 == 0, log_spent=col("spent").log())
        .with_columns(col("visits", "things").log1p())
    )
    rows = q.collect(engine="streaming")
    from learn import learn

    learn(rows.select("visits", "things", "age").to_numpy(), rows.select("segment", "plan").to_numpy(), rows["log_spent"].to_numpy(), rows["held_out"].to_numpy())
