#!/usr/bin/env python3
"""Makes the tables of a shop: the same ones each time, and the first rows are the same for every size.

usage: make.py FOLDER ROWS

FOLDER gets events.parquet (ROWS rows), orders.csv (ROWS rows), users.parquet (a thirtieth) and products.csv (10,000).
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

CHUNK = 1_000_000
PRODUCTS = 10_000
# 2023-01-01 to 2025-01-01, in seconds.
BEGIN, SPAN = 1_672_531_200, 731 * 86_400
CHANNELS = np.array(["app", "mail", "partner", "shop", "web"])
COUNTRIES = np.array("AT BE CH CZ DE DK ES FI FR GB GR HU IE IT NL NO PL PT SE US".split())
STATES = np.array(["open", "paid", "returned", "sent"])
SEGMENTS = np.array(["business", "family", "home", "new", "public", "senior", "student", "young"])
PLANS = np.array(["free", "gold", "plain"])


def draw(what, number):
    return np.random.default_rng([7, what, number])


def drawn(values, rng, rows):
    return pa.DictionaryArray.from_arrays(rng.integers(0, len(values), rows, dtype=np.int8), values).cast(pa.string())


def chunks(rows):
    """(number, first row, rows of it)"""
    for number, first in enumerate(range(0, rows, CHUNK)):
        yield number, first, min(CHUNK, rows - first)


def users_of(rows):
    return max(rows // 30, 100)


def times(rng, first, n, rows):
    """Seconds that no two rows share, one after the other."""
    step = SPAN // rows
    return BEGIN + (first + np.arange(n)) * step + rng.integers(0, step, n)


def cents(rng, n):
    return np.minimum(np.exp(rng.normal(7.5, 1.0, n)).astype(np.int64) + 50, 10_000_000)


def events(rows):
    for number, first, n in chunks(rows):
        rng = draw(1, number)
        yield pa.table(
            {
                "event_id": np.arange(first + 1, first + n + 1),
                "user_id": (users_of(rows) * rng.random(n) ** 1.5).astype(np.int64) + 1,
                "product_id": rng.integers(1, PRODUCTS + 1, n),
                "at": pa.array(times(rng, first, n, rows) * 1_000_000).cast(pa.timestamp("us")),
                "cents": cents(rng, n),
                "quantity": rng.integers(1, 9, n),
                "channel": drawn(CHANNELS, rng, n),
                "country": drawn(COUNTRIES, rng, n),
            }
        )


def orders(rows):
    for number, first, n in chunks(rows):
        rng = draw(2, number)
        price = cents(rng, n)
        # What a file of text may hold: a thousandth of the amounts is wrong.
        price = np.where(rng.random(n) < 0.001, -price, price)
        at = pa.array(times(rng, first, n, rows)).cast(pa.timestamp("s"))
        yield pa.table(
            {
                "order_id": np.arange(first + 1, first + n + 1),
                "user_id": rng.integers(1, users_of(rows) + 1, n),
                "at": pa.compute.strftime(at, "%Y-%m-%dT%H:%M:%S"),
                "cents": price,
                "share": np.round(rng.random(n), 4),
                "status": drawn(STATES, rng, n),
            }
        )


def users(rows):
    n, rng = users_of(rows), draw(3, 0)
    return pa.table(
        {
            "user_id": np.arange(1, n + 1),
            "age": rng.integers(18, 90, n),
            "segment": drawn(SEGMENTS, rng, n),
            "plan": drawn(PLANS, rng, n),
        }
    )


def products():
    rng = draw(4, 0)
    category = np.array([f"c{i:02}" for i in range(40)])
    return pa.table(
        {
            "product_id": np.arange(1, PRODUCTS + 1),
            "category": drawn(category, rng, PRODUCTS),
            "grams": rng.integers(10, 20_000, PRODUCTS),
        }
    )


def write_parquet(path, tables):
    writer = None
    for table in tables:
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=250_000)
    writer.close()


def write_csv(path, tables):
    writer = None
    options = pa.csv.WriteOptions(quoting_style="none")
    for table in tables:
        writer = writer or pa.csv.CSVWriter(path, table.schema, write_options=options)
        writer.write_table(table)
    writer.close()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    if (folder / "made").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    write_parquet(folder / "events.parquet", events(rows))
    write_csv(folder / "orders.csv", orders(rows))
    write_parquet(folder / "users.parquet", [users(rows)])
    write_csv(folder / "products.csv", [products()])
    (folder / "made").touch()


if __name__ == "__main__":
    main()
