#!/usr/bin/env python3
"""Fails if two Parquet tables differ. usage: compare.py ONE OTHER [COLUMNS that order the rows; none: their order counts]

Columns go by name, whole numbers of any width are the same, so are texts and categories, dates and midnights; floats
may differ by 1e-9 of their size.
"""

import sys
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal


def plain(name, dtype):
    if dtype.is_integer():
        return pl.col(name).cast(pl.Int64)
    if dtype.is_temporal():
        return pl.col(name).cast(pl.Date)
    return pl.col(name).cast(pl.String) if dtype in (pl.Categorical, pl.Enum) else pl.col(name)


def table(path, order):
    path = Path(path)
    rows = pl.read_parquet(path / "*.parquet" if path.is_dir() else path)
    rows = rows.select(plain(name, rows.schema[name]) for name in sorted(rows.columns))
    return rows.sort(order) if order else rows


one, other, *order = sys.argv[1:]
try:
    assert_frame_equal(table(one, order), table(other, order), rel_tol=1e-9, abs_tol=1e-12)
except AssertionError as error:
    sys.exit(str(error))
