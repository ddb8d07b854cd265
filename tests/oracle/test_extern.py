"""`extern` with Python and pyarrow: another writer and reader of Arrow than the engine's own. And files of pyarrow: what the
engine reads of them, and what pyarrow reads of the engine's."""

import datetime
import decimal
import json
import sys
import tempfile
import unittest
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from support import dbjob

ENRICH = """
import sys
import pyarrow as pa

rows = pa.ipc.open_stream(sys.stdin.buffer).read_all()
assert rows.column_names == ["id", "city", "price", "day", "at", "tags", "place"], rows.column_names
cities = rows["city"].to_pylist()
out = pa.table({
    "ignored": [1] * len(rows),
    "geo": pa.array([c and c.upper() for c in cities]).dictionary_encode(),
    "double": pa.array([p + p for p in rows["price"].to_pylist()], pa.decimal128(12, 2)),
    "next": pa.array([d and d + __import__("datetime").timedelta(days=1) for d in rows["day"].to_pylist()], pa.date32()),
    "at2": rows["at"].cast(pa.timestamp("ns")),
    "count": pa.array([None if t is None else len(t) for t in rows["tags"].to_pylist()], pa.int8()),
    "tags2": rows["tags"],
    "length": pa.array([sum(x * x for x in v) ** 0.5 for v in rows["place"].to_pylist()], pa.float32()),
})
print("some words", file=sys.stderr)
with pa.ipc.new_stream(sys.stdout.buffer, out.schema) as stream:
    for batch in out.to_batches(max_chunksize=2):
        stream.write_batch(batch)
"""

JOB = """
dataset a from inline [
  { id: 3, city: "Riga", price: 1.50, day: @2024-02-28, at: @2024-01-31T10:00, tags: ["x", null], place: [3, 4] },
  { id: 1, city: null, price: 12345.67, day: null, at: null, tags: [], place: [0, 0] },
  { id: 2, city: "Zoë", price: -0.01, day: @1969-12-31, at: @1900-01-01, tags: null, place: [1, 0] },
] {
  id: int key; city: string?; price: decimal(10, 2); day: date?; at: datetime?; tags: list[string]?; place: vector(2);
}

transform t from a {
  extern "COMMAND" {
    returns {
      geo: category("RIGA", "ZOË")?, double: decimal(12, 2), next: date?, at2: datetime?, count: int? in 0..=2,
      tags2: list[string]?, length: float in 0..
    }
  }
}

deploy t { to ndjson("out.ndjson"); to parquet("out.parquet"); to arrow("out.arrow") }
"""


class Extern(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="dbjob-extern-")
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name)

    def write(self, name, text):
        (self.path / name).write_text(text, encoding="utf-8")

    def test_python_adds_columns(self):
        self.write("enrich.py", ENRICH)
        self.write("job.dbjob", JOB.replace("COMMAND", f"'{sys.executable}' enrich.py"))
        dbjob("run", "--quiet", "job.dbjob", cwd=self.path)
        rows = [json.loads(line) for line in open(self.path / "out.ndjson", encoding="utf-8")]
        self.assertEqual([r["id"] for r in rows], [3, 1, 2])
        self.assertEqual([r["geo"] for r in rows], ["RIGA", None, "ZOË"])
        self.assertEqual([r["double"] for r in rows], ["3.00", "24691.34", "-0.02"])
        self.assertEqual([r["next"] for r in rows], ["2024-02-29", None, "1970-01-01"])
        self.assertEqual([r["at2"] for r in rows], ["2024-01-31T10:00:00", None, "1900-01-01T00:00:00"])
        self.assertEqual([r["count"] for r in rows], [2, 0, None])
        self.assertEqual([r["tags2"] for r in rows], [["x", None], [], None])
        self.assertEqual([r["length"] for r in rows], [5.0, 0.0, 1.0])
        for table in (pq.read_table(self.path / "out.parquet"), pa.ipc.open_file(self.path / "out.arrow").read_all()):
            table = table.select(["id", "price", "double", "day", "at", "tags", "place"])
            self.assertEqual(table["price"].type.scale, 2)
            self.assertEqual(table.to_pylist()[0], {
                "id": 3, "price": decimal.Decimal("1.50"), "double": decimal.Decimal("3.00"),
                "day": datetime.date(2024, 2, 28), "at": datetime.datetime(2024, 1, 31, 10), "tags": ["x", None],
                "place": [3.0, 4.0],
            })

    def test_a_traceback_is_shown(self):
        self.write("enrich.py", ENRICH.replace("city", "town"))
        self.write("job.dbjob", JOB.replace("COMMAND", f"'{sys.executable}' enrich.py"))
        with self.assertRaises(AssertionError) as caught:
            dbjob("run", "--quiet", "job.dbjob", cwd=self.path)
        for text in ("E0721", "exit code 1", "AssertionError", "'city'"):
            self.assertIn(text, str(caught.exception))


class Files(unittest.TestCase):
    """Types as pyarrow stores them."""

    def test_stored_types(self):
        day, at = datetime.date(2024, 1, 31), datetime.datetime(2024, 1, 31, 10, 0, 0, 250000)
        table = pa.table({
            "i8": pa.array([1, None], pa.int8()), "u32": pa.array([1, 2], pa.uint32()), "u64": pa.array([1, 2], pa.uint64()),
            "f32": pa.array([1.5, None], pa.float32()), "d": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(7, 2)),
            "d0": pa.array([decimal.Decimal(12), None], pa.decimal128(30, 0)), "n": pa.array([5, None], pa.int32()),
            "day": pa.array([day, None]), "ms": pa.array([at, None], pa.timestamp("ms")),
            "ns": pa.array([at, None], pa.timestamp("ns", "Europe/Paris")),
            "ls": pa.array([["a", None], []], pa.large_list(pa.large_string())),
            "ld": pa.array([[1.5, 2.5], [0.0, 1.0]], pa.list_(pa.float32())),
            "c": pa.array(["x", None]).dictionary_encode(), "extra": pa.array([b"x", None]),
        })
        columns = """
          i8: int?; u32: int; u64: int; f32: float?; d: decimal(10, 3)?; d0: decimal(30, 0)?; n: decimal(12, 1)?; day: date?
          ms: datetime?; ns: datetime?; ls: list[string]; ld: vector(2); c: category("x")?
        """
        with tempfile.TemporaryDirectory(prefix="dbjob-files-") as folder:
            folder = Path(folder)
            pq.write_table(table, folder / "a.parquet")
            with pa.ipc.new_file(folder / "file.arrow", table.schema) as out:
                out.write_table(table)
            with pa.ipc.new_stream(folder / "stream.arrow", table.schema) as out:
                out.write_table(table)
            for source in ('parquet("a.parquet")', 'arrow("file.arrow")', 'arrow("stream.arrow")'):
                with self.subTest(source):
                    text = f'dataset a from {source} {{{columns}}}\ndeploy a {{ to ndjson("out.ndjson") }}\n'
                    (folder / "job.dbjob").write_text(text)
                    dbjob("run", "--quiet", "job.dbjob", cwd=folder)
                    first, second = (json.loads(line) for line in open(folder / "out.ndjson"))
                    self.assertEqual(first, {
                        "i8": 1, "u32": 1, "u64": 1, "f32": 1.5, "d": "1.500", "d0": "12", "n": "5.0", "day": "2024-01-31",
                        "ms": "2024-01-31T10:00:00.25", "ns": "2024-01-31T10:00:00.25", "ls": ["a", None],
                        "ld": [1.5, 2.5], "c": "x",
                    })
                    self.assertTrue(all(second[k] is None for k in ("i8", "f32", "d", "d0", "n", "day", "ms", "ns", "c")))
                    self.assertEqual((second["ls"], second["ld"]), ([], [0.0, 1.0]))


if __name__ == "__main__":
    unittest.main()
