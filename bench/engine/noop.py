#!/usr/bin/env python3
"""Times runs that have nothing to do. usage: noop.py DBJOB FOLDER [GB…] (default 1 10)

For each size 500 CSV and 500 Parquet files are written, half of the bytes each, read by a job with declared columns and by one
whose columns are inferred; both are run once, then ten times more. Fails if the median of these takes 100 ms or more. The
data are removed afterwards.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

FILES = 500
GOAL = 0.1
DECLARED = "{\n  id: int\n  user: int in 0..\n  price: float\n  name: string\n}\n"
JOB = """job noop {{}}

dataset texts from csv("csv/*.csv") {columns}
dataset stored from parquet("parquet/*.parquet") {columns}

transform by_name from texts {{
  filter price > 0.5
  group by name {{ n = count(), total = sum(price) }}
}}

transform by_both from stored {{
  group by name {{ m = count(), most = max(price), last = max(user) }}
  join by_name on name
  sort name
}}

deploy by_both {{
  to parquet("out/by_both.parquet")
}}
"""


def rows(rng, first, n):
    names = pa.array([f"name {i:03}" for i in range(500)])
    return pa.table(
        {
            "id": np.arange(first, first + n),
            "user": rng.integers(0, 1 << 40, n),
            "price": rng.random(n),
            "name": pa.DictionaryArray.from_arrays(rng.integers(0, 500, n, dtype=np.int16), names).cast(pa.string()),
        }
    )


def write(folder, gigabytes):
    """Files of one size each, the rows of all of them different."""
    each = int(gigabytes * 1e9) // (2 * FILES)
    for kind in ("csv", "parquet"):
        (folder / kind).mkdir(parents=True)
    sizes = {}
    for number in range(FILES):
        rng = np.random.default_rng([11, number])
        for kind, row in (("csv", 52), ("parquet", 18)):
            n = sizes.setdefault(kind, each // row)
            path = folder / kind / f"part-{number:03}.{kind}"
            table = rows(rng, number * n, n)
            if kind == "csv":
                pa.csv.write_csv(table, path)
            else:
                pq.write_table(table, path, compression="none", row_group_size=500_000)
            # The first file says how long a row is.
            if number == 0:
                sizes[kind] = max(n * each // path.stat().st_size, 1)
    return sum(path.stat().st_size for path in folder.glob("*/part-*"))


def run(dbjob, folder, job):
    began = time.perf_counter()
    told = subprocess.run([dbjob, "run", "--json", f"{job}.dbjob"], cwd=folder, capture_output=True, text=True)
    took = time.perf_counter() - began
    if told.returncode != 0:
        sys.exit(f"{job}: failed\n{told.stderr}")
    return took, {json.loads(line)["event"] for line in told.stdout.splitlines()}


def main():
    dbjob, folder = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2])
    missed = False
    print("| inputs | files | columns | first run s | no-op min ms | median ms | max ms |\n|---:|---:|---|---:|---:|---:|---:|")
    for size in map(float, sys.argv[3:] or ["1", "10"]):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            there = write(folder, size)
            # A file that was changed a moment ago is not known by its time.
            time.sleep(3)
            for job, columns in (("declared", DECLARED), ("inferred", "")):
                # Each begins with nothing known.
                shutil.rmtree(folder / ".dbjob", ignore_errors=True)
                (folder / f"{job}.dbjob").write_text(JOB.format(columns=columns))
                first, _ = run(dbjob, folder, job)
                times = []
                for _ in range(10):
                    took, events = run(dbjob, folder, job)
                    if "item_started" in events or "item_reused" not in events:
                        sys.exit(f"{job}: not a no-op: {sorted(events)}")
                    times.append(took)
                median = statistics.median(times)
                missed |= median >= GOAL
                cells = [f"{there / 1e9:.1f} GB", str(2 * FILES), job, f"{first:.1f}"]
                cells += [f"{1000 * t:.0f}" for t in (min(times), median, max(times))]
                print("| " + " | ".join(cells) + " |", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n" + ("MISSED: 100 ms or more" if missed else "every median is under 100 ms"))
    sys.exit(missed)


if __name__ == "__main__":
    main()
