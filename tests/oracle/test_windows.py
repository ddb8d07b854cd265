"""Windows and an asof join over the flights equal, row for row, the same in SQL in DuckDB."""

import csv
import unittest
from pathlib import Path

import duckdb

from support import Workspace
from test_daily import same

JOB = """
job windows { seed = 1 }

dataset departures from csv("data/flights.csv", nulls = ["NA"]) {
  time_hour: datetime time
  carrier:   string
  flight:    int
  origin:    string
  dep_delay: int?
  arr_delay: int? late
}

dataset weather from csv("data/weather.csv", nulls = ["NA"]) {
  origin:   string
  measured: datetime named "time_hour"
  temp:     float?
}

transform warm from weather {
  filter temp > 30
}

transform seen from departures {
  window by origin order time_hour, carrier, flight {
    previous     = lag(dep_delay)
    third        = lag(carrier, 3, "none")
    ahead        = lead(flight, 2)
    place_of_day = row_number()
    sum3         = sum(dep_delay) over last 3 rows
    mean_before  = mean(dep_delay) over previous rows
    least_ahead  = min(arr_delay) over next 4 rows
    worst        = max(arr_delay) over last rows
    spread       = std(dep_delay) over last 10 rows
    middle       = median(dep_delay) over last 10 rows
    high         = quantile(dep_delay, 0.9) over last 10 rows
  }
  window by origin order time_hour {
    rank            = rank()
    dense           = dense_rank()
    last_6h         = sum(dep_delay) over last 6h
    carriers_before = count_distinct(carrier) over previous 6h
    coming          = count() over next 2h
  }
  window by origin { of_origin = count(), above_mean = dep_delay - mean(dep_delay) }
  asof join warm on time_hour > warm.measured by origin
  select time_hour, carrier, flight, previous, third, ahead, place_of_day, rank, dense, sum3, mean_before, least_ahead,
    worst, spread, middle, high, of_origin, last_6h, carriers_before, coming, above_mean, measured, temp
}

deploy seen { to csv("out/seen.csv") }
"""


def as_written(value):
    """A moment as dbjob writes it."""
    return value.isoformat() if hasattr(value, "hour") else value


class Windows(unittest.TestCase):
    def test_row_for_row(self):
        with Workspace() as workspace:
            (workspace.path / "windows.dbjob").write_text(JOB, encoding="utf-8")
            workspace.run("windows.dbjob")
            sql = (Path(__file__).parent / "windows.sql").read_text(encoding="utf-8").format(data=workspace.path / "data")
            relation = duckdb.connect(config={"threads": 1}).sql(sql)
            columns, rows = relation.columns, relation.fetchall()
            with open(workspace.path / "out/seen.csv", encoding="utf-8", newline="") as file:
                header, *table = csv.reader(file)
        self.assertEqual(header, columns)
        self.assertGreater(len(rows), 12_000)
        self.assertEqual(len(table), len(rows))
        for number, (got, wanted) in enumerate(zip(table, rows), start=1):
            for name, text, value in zip(columns, got, wanted):
                value = as_written(value)
                self.assertTrue(same(text, value), f"row {number}, column {name}: dbjob has {text!r}, SQL has {value!r}")


if __name__ == "__main__":
    unittest.main()
