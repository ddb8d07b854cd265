"""The table of examples/flights.dbjob equals, row for row, the same query in SQL in DuckDB."""

import csv
import datetime
import math
import unittest
from pathlib import Path

import duckdb

from support import Workspace

# The grouping of sums differs between engines, so the last bits of a mean may too.
RELATIVE = 1e-9


def expected(data):
    sql = (Path(__file__).parent / "daily.sql").read_text(encoding="utf-8").format(data=data)
    relation = duckdb.connect(config={"threads": 1}).sql(sql)
    return relation.columns, relation.fetchall()


def same(text, value):
    """Whether a cell of a CSV file holds `value`, with the type that SQL gave it."""
    if value is None:
        return text == ""
    if isinstance(value, float):
        return text != "" and math.isclose(float(text), value, rel_tol=RELATIVE, abs_tol=0.0)
    if isinstance(value, datetime.date):
        return text == value.isoformat()
    return text == str(value)


class Daily(unittest.TestCase):
    def test_row_for_row(self):
        with Workspace() as workspace:
            workspace.run("flights.dbjob")
            columns, rows = expected(workspace.path / "data")
            with open(workspace.path / "out/daily.csv", encoding="utf-8", newline="") as file:
                header, *table = csv.reader(file)
        self.assertEqual(header, columns)
        self.assertGreater(len(rows), 150, "the query finds the airlines' days")
        self.assertEqual(len(table), len(rows))
        for number, (got, wanted) in enumerate(zip(table, rows), start=1):
            for name, text, value in zip(columns, got, wanted):
                self.assertTrue(same(text, value), f"row {number}, column {name}: dbjob has {text!r}, SQL has {value!r}")

    def test_a_difference_is_found(self):
        self.assertFalse(same("1.000001", 1.0))
        self.assertFalse(same("", 0))
        self.assertFalse(same("3", None))
        self.assertFalse(same("13", 12))


if __name__ == "__main__":
    unittest.main()
